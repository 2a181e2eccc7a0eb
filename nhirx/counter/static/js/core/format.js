/** How values are written for people: groups of four, years of the Republic, masks, times. */

import { lang, t } from "./i18n.js";

/** `XXXX XXXX …` */
export const grouped = (text) => (text ?? "").replace(/(.{4})(?=.)/g, "$1 ");

/** ROC digits (`1151118093000`, `0501231`) or ISO 8601 → Date parts, or null. */
export function parts(text) {
  const digits = /^(\d{3})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?$/.exec(text ?? "");
  if (digits) return { year: Number(digits[1]), month: digits[2], day: digits[3], time: digits[4] ? `${digits[4]}:${digits[5]}` : "" };
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}:\d{2}))?/.exec(text ?? "");
  return iso ? { year: Number(iso[1]) - 1911, month: iso[2], day: iso[3], time: iso[4] ?? "" } : null;
}

/** 民國115年11月18日 09:30, or 2026-11-18 09:30 */
export function day(text, { time = false, short = false } = {}) {
  const one = parts(text);
  if (!one) return text ?? "";
  const clock = time && one.time && one.time !== "00:00" ? ` ${one.time}` : "";
  if (lang() !== "zh") return `${one.year + 1911}-${one.month}-${one.day}${clock}`;
  if (short) return `${one.year}/${one.month}/${one.day}${clock}`;
  return `${one.year} 年 ${Number(one.month)} 月 ${Number(one.day)} 日${clock}`;
}

/** 09:30 of an ISO time, in the time of this machine. */
export function clock(text) {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? "" : moment.toLocaleTimeString("zh-TW", { hour12: false, hour: "2-digit", minute: "2-digit", timeZone: "Asia/Taipei" });
}

/** A12******9 */
export const maskId = (id) => (id && id.length > 4 ? id.slice(0, 3) + "*".repeat(id.length - 4) + id.slice(-1) : id ?? "");

/** 0USE************SH9J */
export const maskVisit = (id) => (id && id.length > 8 ? `${id.slice(0, 4)}${"*".repeat(id.length - 8)}${id.slice(-4)}` : id ?? "");

export const percent = (share) => (share && share.all ? `${((100 * share.b) / share.all).toFixed(1)} %` : t("none"));
