/** Words in Chinese and English. `t(key)` gives the chosen one; both stand beside each other in words/*.js. */

import { machine } from "./store.js";
import { common } from "../words/common.js";
import { scan } from "../words/scan.js";
import { sheet } from "../words/sheet.js";
import { lists } from "../words/lists.js";
import { review } from "../words/review.js";
import { sources } from "../words/sources.js";

const words = { ...common, ...scan, ...sheet, ...lists, ...review };
let language = machine.get("language", "zh");

export const lang = () => language;

/** @param {"zh"|"en"} chosen */
export function setLanguage(chosen) {
  language = chosen;
  machine.set("language", chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-Hant-TW" : "en";
}

/** The words of `key`, with `{name}` replaced from `values`. */
export function t(key, values = {}, chosen = language) {
  const pair = words[key];
  if (!pair) return key;
  return pair[chosen === "zh" ? 0 : 1].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** A source's section for people: the document's short name instead of its ID. */
export function source(text) {
  const [id, ...section] = (text ?? "").split(" ");
  const name = sources[id]?.[language === "zh" ? 0 : 1] ?? id;
  const place = section.join(" ");
  return `${name} ${language === "zh" ? place : place.replace(/第\s*([\d-]+)\s*條/g, "art. $1")}`.trim();
}

export const has = (key) => key in words;

/** The chosen language of something the program sent: `{zh, en}` or `{words_zh, words_en}` and the like. */
export function both(value, prefix = "") {
  if (!value) return "";
  const zh = value[`${prefix}zh`] ?? "";
  const en = value[`${prefix}en`] ?? "";
  return language === "zh" ? zh || en : en || zh;
}
