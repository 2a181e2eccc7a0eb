/** What stands in place of the page while nobody may use it: starting, no session, locked, the first person. */

import { h, icon, put } from "../core/dom.js";
import { both, t } from "../core/i18n.js";
import { state, watch } from "../core/store.js";
import { addOperator, unlock } from "./session.js";

export class Gate {
  constructor() {
    this.element = h("div", { class: "gate" });
    watch(["gate", "operators", "language"], () => this.draw());
    this.draw();
  }

  draw() {
    if (state.gate === "ready") {
      // Whoever comes next must find an empty field: the form would keep the PIN that opened it.
      this.shown = null;
      put(this.element);
      return;
    }
    const key = JSON.stringify([state.gate, state.operators]);
    if (key === this.shown && !this.again) return;
    this.shown = key;
    this.again = false;
    if (state.gate === "starting") put(this.element, h("div", { class: "card row" }, icon("wait", "", "spin"), h("p", {}, t("gate.starting"))));
    else if (state.gate === "no-session") put(this.element, this.noSession());
    else put(this.element, state.operators.length ? this.signIn() : this.first());
    this.element.querySelector("input[type=password], input[type=text]")?.focus();
  }

  noSession() {
    return h("section", { class: "card" }, icon("link"), h("h1", {}, t("gate.no-session")), h("p", {}, both(state.failure) || t("gate.no-session-more")),
      h("button", { class: "button primary", type: "button", onclick: () => location.reload() }, t("gate.again")));
  }

  signIn() {
    const names = state.operators.map((one) => one.name ?? one);
    this.name = names.includes(this.name) ? this.name : names.includes(state.operator) ? state.operator : names[0];
    const pin = h("input", { type: "password", id: "pin", inputmode: "numeric", autocomplete: "off", maxlength: 32, required: true });
    const said = h("p", { class: "wrong", role: "alert" });
    const people = h("div", { class: "people", role: "radiogroup", "aria-label": t("gate.who") }, names.map((name) => h("label", { class: "button" },
      h("input", { type: "radio", name: "operator", value: name, checked: name === this.name, onchange: () => {
        this.name = name;
        pin.focus();
      } }), name)));
    return h("form", { class: "card", id: "sign-in", onsubmit: async (event) => {
      event.preventDefault();
      said.textContent = "";
      try {
        await unlock(this.name, pin.value);
      } catch (error) {
        said.textContent = both(error);
        pin.value = "";
        pin.focus();
      }
    } },
    h("div", { class: "row" }, icon("lock"), h("h1", {}, t("gate.locked"))), h("p", { class: "soft" }, t(state.work ? "gate.kept" : "gate.locked-more")),
    h("div", {}, h("span", { class: "label" }, t("gate.who")), people),
    h("div", {}, h("label", { for: "pin" }, "PIN"), pin), said,
    h("button", { class: "button primary big", type: "submit" }, t("gate.in")));
  }

  /** Nobody is known yet: the first person chooses a name and a PIN. */
  first() {
    return personForm(t("gate.first"), t("gate.first-more"), async (name, pin) => {
      await addOperator(name, pin);
      await unlock(name, pin);
    });
  }
}

/** A name and a PIN, typed twice. @param {(name: string, pin: string) => Promise<void>} act */
export function personForm(title, words, act) {
  const name = h("input", { type: "text", id: "new-name", maxlength: 20, required: true, autocomplete: "off" });
  const pin = h("input", { type: "password", id: "new-pin", inputmode: "numeric", autocomplete: "new-password", minlength: 4, maxlength: 32, required: true });
  const again = h("input", { type: "password", id: "new-pin-2", inputmode: "numeric", autocomplete: "new-password", minlength: 4, maxlength: 32, required: true });
  const said = h("p", { class: "wrong", role: "alert" });
  return h("form", { class: "card stack", id: "new-person", onsubmit: async (event) => {
    event.preventDefault();
    said.textContent = pin.value === again.value ? "" : t("gate.differ");
    if (said.textContent) return;
    try {
      await act(name.value.trim(), pin.value);
    } catch (error) {
      said.textContent = both(error);
    }
  } },
  h("div", { class: "row" }, icon("person"), h("h1", {}, title)), h("p", { class: "soft" }, words),
  h("div", {}, h("label", { for: "new-name" }, t("gate.name")), name),
  h("div", {}, h("label", { for: "new-pin" }, t("gate.pin")), pin), h("div", {}, h("label", { for: "new-pin-2" }, t("gate.pin-again")), again),
  said, h("button", { class: "button primary big", type: "submit" }, t("gate.save")));
}
