/** Questions to the person, as native modal dialogs: the browser holds the focus, Esc closes. */

import { h } from "./dom.js";
import { t } from "./i18n.js";

/**
 * Show a dialog; resolves with what `close(value)` was called with, or null when it was dismissed.
 * @param {string} title @param {(close: (value: any) => void) => any} content @param {{narrow?: boolean, name?: string}} [options]
 */
export function dialog(title, content, { narrow = false, name = "dialog" } = {}) {
  return new Promise((resolve) => {
    // Answered at once: the "close" event comes a moment later, and the next key must already meet what was decided.
    const close = (given) => {
      resolve(given);
      box.close();
      // Where what had the focus before is gone, a closed dialog would keep it until that event, and swallow what a scanner types.
      box.remove();
    };
    const box = h("dialog", { class: narrow ? "narrow" : "", "aria-labelledby": `${name}-title`, data: { name } },
      h("div", { class: "inside" }, h("h2", { id: `${name}-title`, tabindex: "-1" }, title), content(close)));
    box.addEventListener("close", () => {
      box.remove();
      resolve(null);
    });
    document.body.append(box);
    box.showModal();
    (box.querySelector("[autofocus]") ?? box.querySelector("input:checked") ?? box.querySelector("input, select, textarea, .button.primary") ?? box.querySelector("h2")).focus();
  });
}

/** Yes or no. */
export function confirm(title, words, { yes = t("yes"), danger = false } = {}) {
  return dialog(title, (close) => [
    h("p", {}, words),
    h("footer", {},
      h("button", { class: "button", type: "button", onclick: () => close(false) }, t("cancel")),
      h("button", { class: `button ${danger ? "danger" : "primary"}`, type: "button", autofocus: true, onclick: () => close(true) }, yes)),
  ], { narrow: true, name: "confirm" });
}

/** A reason in words, which goes to the audit trail; null when dismissed. */
export function ask(title, label, { yes = t("yes"), hint = "" } = {}) {
  return dialog(title, (close) => {
    const field = h("input", { type: "text", id: "ask-field", maxlength: 200, autofocus: true, required: true, autocomplete: "off" });
    return h("form", { class: "stack", onsubmit: (event) => {
      event.preventDefault();
      if (field.value.trim()) close(field.value.trim());
    } },
    h("div", {}, h("label", { for: "ask-field" }, label), field, hint ? h("p", { class: "hint" }, hint) : null),
    h("footer", {},
      h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel")),
      h("button", { class: "button primary", type: "submit" }, yes)));
  }, { narrow: true, name: "ask" });
}

export const isOpen = () => document.querySelector("dialog[open]") !== null;
