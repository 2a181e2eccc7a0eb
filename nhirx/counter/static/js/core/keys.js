/** Short cuts, and the help that lists them. Function keys only, so that nothing a scanner types can set one off. */

import { h } from "./dom.js";
import { dialog, isOpen } from "./dialog.js";
import { t } from "./i18n.js";
import { state } from "./store.js";

const acts = new Map();

/** @param {string} key such as "F9" @param {() => void} act */
export function bind(key, act) {
  acts.set(key, act);
}

const LIST = ["F1", "F2", "F3", "F4", "F6", "F7", "F8", "F9", "F10", "Esc"];
const REVIEW = ["Enter", "PageUp / PageDown", "+ / −", "↑ ↓ Alt+← →", "/", "F4", "F6", "F7", "F8", "F9", "F10"];

export function help() {
  if (isOpen()) return;
  dialog(t("keys.title"), (close) => [
    h("div", { class: "keys" }, (state.view === "review" ? REVIEW.map((key) => [key, `review.key.${key}`]) : LIST.map((key) => [key, `key.${key}`])).flatMap(([key, words]) => [h("kbd", {}, key), h("span", {}, t(words))])),
    state.view === "review" ? null : h("p", { class: "hint" }, t("keys.wedge")),
    h("footer", {}, h("button", { class: "button primary", type: "button", onclick: () => close(null) }, t("close"))),
  ], { narrow: true, name: "keys" });
}

export function listen() {
  bind("F1", help);
  document.addEventListener("keydown", (event) => {
    // The Esc of an input method takes back a syllable, not the sheet.
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const act = acts.get(event.key);
    if (!act) return;
    if (isOpen()) {
      // Esc is the dialog's own; a function key must not reach the browser behind it.
      if (event.key !== "Escape") event.preventDefault();
      return;
    }
    // Else the browser's own Esc would close, a moment later, the very dialog that this key opens.
    event.preventDefault();
    if (state.gate === "ready") act();
  });
}
