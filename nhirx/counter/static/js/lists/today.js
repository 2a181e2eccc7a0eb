/** Records by day: what was sent and what became of it. Searched without a whole ID: the last four, the Opcode, a number. */

import { get, post } from "../core/api.js";
import { h, icon, put } from "../core/dom.js";
import { both, lang, t } from "../core/i18n.js";
import { clock } from "../core/format.js";
import { state, watch } from "../core/store.js";
import { on } from "../core/events.js";
import { stateTag } from "../sheet/done.js";
import { openRecord } from "./record-detail.js";

const STATES = ["", "built", "sending", "sent", "accepted", "rejected", "stuck", "withdrawn"];

const today = () => new Date().toLocaleDateString("sv-SE", { timeZone: "Asia/Taipei" });

export class Today {
  constructor() {
    this.asked = 0;
    this.list = h("div", { class: "list", id: "records", "aria-live": "polite" });
    this.sum = h("div", { class: "row", id: "sums" });
    this.element = h("div", { class: "page" });
    watch(["view", "gate"], () => this.follow());
    on("record", () => this.soon());
    on("worker", () => this.draw());
    on("connected", () => this.soon());
  }

  build() {
    this.day = h("input", { type: "date", id: "day", value: this.day?.value ?? state.server?.clock?.slice(0, 10) ?? today(), onchange: () => this.load() });
    this.state = h("select", { id: "record-state", onchange: () => this.load() }, STATES.map((one) => h("option", { value: one }, one ? t(`state.${one}`) : t("list.all"))));
    this.query = h("input", { type: "search", id: "q", autocomplete: "off", placeholder: t("list.search-hint"), oninput: () => this.soon() });
    this.worker = h("span", { class: "row" });
    this.print = h("a", { class: "button", id: "print", target: "_blank", onclick: (event) => {
      event.preventDefault();
      const list = window.open(this.print.href, "_blank");
      list?.addEventListener("load", () => list.print());
    } }, icon("print"), t("today.print"));
    put(this.element,
      h("div", { class: "head" }, h("h1", { tabindex: "-1" }, t("today.title")), this.worker,
        this.print),
      h("div", { class: "filters" },
        h("div", { class: "field" }, h("label", { for: "day" }, t("list.day")), this.day),
        h("div", { class: "field" }, h("label", { for: "record-state" }, t("list.state")), this.state),
        h("div", { class: "field search" }, h("label", { for: "q" }, t("list.search")), this.query)),
      this.sum, this.list);
    this.draw();
  }

  follow() {
    if (state.view !== "today" || state.gate !== "ready") {
      this.built = false;
      return;
    }
    if (!this.built) this.build();
    this.built = true;
    this.load();
  }

  soon() {
    clearTimeout(this.timer);
    if (state.view === "today" && state.gate === "ready") this.timer = setTimeout(() => this.load(), 150);
  }

  /** Sending now, or resting. */
  draw() {
    if (!this.worker) return;
    const paused = state.server?.worker?.state === "paused";
    const act = (action) => post("/worker", { action }).catch(() => {});
    put(this.worker,
      h("button", { class: "button", type: "button", id: "send-now", data: { keep: "send-now" }, onclick: () => act("send-now") }, icon("send"), t("worker.now")),
      h("button", { class: "button", type: "button", id: "pause", data: { keep: "pause" }, onclick: () => act(paused ? "resume" : "pause") }, t(paused ? "worker.resume" : "worker.pause")));
  }

  async load() {
    const mine = ++this.asked;
    this.print.href = `/api/v1/print/today?${new URLSearchParams({ format: "html", lang: lang(), ...(this.day.value ? { day: this.day.value } : {}) })}`;
    const query = new URLSearchParams({ day: this.day.value, state: this.state.value, q: this.query.value.normalize("NFKC").trim() });
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    // Somebody may type a whole ID: only its last four characters leave the page.
    const q = query.get("q");
    if (q && /^[A-Za-z][A-Za-z0-9]\d{8}$|^[0-9A-Za-z]{20}$/.test(q.replace(/\s/g, ""))) query.set("q", q.replace(/\s/g, "").slice(-4));
    try {
      const { items } = await get(`/records?${query}`);
      if (mine === this.asked) this.show(items);
    } catch (error) {
      if (mine === this.asked) put(this.list, h("p", { class: "finding warn" }, icon("warn"), h("span", { class: "words" }, both(error))));
    }
  }

  show(items) {
    const sums = {};
    for (const item of items) sums[item.state] = (sums[item.state] ?? 0) + 1;
    put(this.sum, h("span", { class: "soft" }, t("today.count", { n: items.length })), Object.entries(sums).map(([name, n]) => h("span", { class: "row" }, stateTag(name), h("strong", {}, String(n)))));
    if (!items.length) {
      put(this.list, h("div", { class: "empty" }, icon("list"), h("p", {}, t("today.empty"))));
      return;
    }
    put(this.list, items.map((item) => h("button", { class: "item", type: "button", data: { keep: `record-${item.id}`, state: item.state }, onclick: () => openRecord(item.id, () => this.load()) },
      h("span", { class: "soft" }, clock(item.built_at)),
      h("span", {}, h("span", { class: "who mono" }, item.patient_masked ?? ""), " ", h("span", { class: "mono soft small" }, item.visit_id_masked ?? "")),
      h("span", { class: "right" }, item.operation === "B" ? h("span", { class: "tag warn" }, t("list.b")) : null, stateTag(item.state)))));
  }
}
