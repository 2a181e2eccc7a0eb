/** What waits for a person: dispensings stopped in the middle, owed cards. Each with what can be done about it. */

import { get, post } from "../core/api.js";
import { ask, confirm, dialog } from "../core/dialog.js";
import { h, icon, put } from "../core/dom.js";
import { both, t } from "../core/i18n.js";
import { clock, day } from "../core/format.js";
import { on } from "../core/events.js";
import { set, state, watch } from "../core/store.js";
import { begin, isBusy } from "../sheet/flow.js";
import { stateTag } from "../sheet/done.js";

export class Todo {
  constructor() {
    this.element = h("div", { class: "page" });
    this.said = h("div", { role: "alert" });
    watch(["view", "gate"], () => this.load());
    for (const type of ["dispensing", "connected"]) on(type, () => this.load());
  }

  async load() {
    if (state.view !== "todo" || state.gate !== "ready") return;
    try {
      const [stopped, held] = await Promise.all([get("/dispensings?state=unfinished"), get("/dispensings?state=held")]);
      this.show(stopped.items, held.items);
    } catch (error) {
      this.tell(error);
    }
  }

  tell(error) {
    put(this.said, error ? h("p", { class: "finding block" }, icon("block"), h("span", { class: "words" }, both(error))) : null);
  }

  show(stopped, held) {
    const part = (id, title, hint, items, empty) => h("section", { class: "stack tight", id }, h("h2", {}, title), h("p", { class: "soft" }, hint),
      items.length ? h("div", { class: "list" }, items.map((item) => this.item(item))) : h("p", { class: "card row soft" }, icon("ok"), empty));
    put(this.element, h("div", { class: "head" }, h("h1", { tabindex: "-1" }, t("todo.title"))), this.said,
      part("stopped", t("todo.stopped"), t("todo.stopped-hint"), stopped, t("todo.none-stopped")),
      part("held", t("todo.held"), t("todo.held-hint"), held, t("todo.none-held")));
  }

  item(item) {
    const can = new Set(item.allowed ?? []);
    const button = (name, act, kind = "") => (can.has(name) ? h("button", { class: `button ${kind}`, type: "button", data: { keep: `${name}-${item.id}`, act: name }, onclick: () => this.run(act) }, t(`todo.${name}`)) : null);
    return h("div", { class: "item", data: { dispensing: item.id } },
      h("span", { class: "soft" }, h("span", {}, day(item.begun_at, { short: true })), h("br", {}), clock(item.begun_at)),
      h("span", {}, h("span", { class: "who mono" }, item.patient_masked ?? ""), " ", h("span", { class: "mono soft small" }, item.visit_id_masked ?? ""),
        h("p", { class: "small soft" }, item.why ? (typeof item.why === "string" ? item.why : both(item.why)) : t(`journal.${item.state}`))),
      h("span", { class: "right" }, stateTag(item.state),
        button("make-up", () => this.makeUp(item), "primary"), button("resume", () => this.resume(item), "primary"),
        button("give-back", () => this.giveBack(item)), button("abandon", () => this.abandon(item), "danger")));
  }

  async run(act) {
    this.tell(null);
    try {
      await act();
    } catch (error) {
      this.tell(error);
    }
    await this.load();
  }

  /** Where a stop left open whether the orders stand on the card, a person has to say. */
  async resume(item) {
    const again = item.state === "writing" || item.state === "numbered" ? await writeAgain(item) : undefined;
    if (again === null) return;
    await post(`/dispensings/${item.id}/resume`, again === undefined ? {} : { write_again: again });
  }

  async giveBack(item) {
    if (await confirm(t("todo.give-back"), t("todo.give-back-words"))) await post(`/dispensings/${item.id}/give-back`);
  }

  async abandon(item) {
    const why = await ask(t("todo.abandon"), t("todo.why"), { yes: t("todo.abandon"), hint: t("todo.why-hint") });
    if (why) await post(`/dispensings/${item.id}/abandon`, { why });
  }

  /** The card came after all: the held dispensing is planned again as a make-up. */
  async makeUp(item) {
    if (isBusy() && !(await confirm(t("away.title"), t("away.words"), { yes: t("away.yes") }))) return;
    const given = await post(`/dispensings/${item.id}/make-up`);
    const rx = given.prescription;
    set({ view: "counter" });
    await begin({ text: rx.sheet?.visit_id ?? null, state: rx.sheet?.visit_id_state ?? "read", source: "held", codes: [] },
      { rx, rxState: "found", rxSource: null, makeUp: given.make_up, settles: given.settles ?? item.id });
  }
}

function writeAgain(item) {
  return dialog(t("again.title"), (close) => [
    h("p", {}, t(item.state === "writing" ? "again.words" : "again.numbered")),
    h("footer", {},
      h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel")),
      h("button", { class: "button", type: "button", id: "again-no", onclick: () => close(false) }, t("again.no")),
      h("button", { class: "button primary", type: "button", id: "again-yes", onclick: () => close(true) }, t("again.yes"))),
  ], { narrow: true, name: "again" });
}
