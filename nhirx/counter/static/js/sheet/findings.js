/** What a person should know before going on: short cards, each with its source; and errors of the program in the same form. */

import { h, icon } from "../core/dom.js";
import { both, source, t } from "../core/i18n.js";
import { set } from "../core/store.js";
import { change, differs, dispense, replan } from "./flow.js";
import { cardSays } from "./patient.js";

const RANK = { block: 0, warn: 1, info: 2, ok: 3 };

export function finding(one, more = null) {
  const from = [one.field, one.source ? source(one.source) : ""].filter(Boolean).join(" · ");
  return h("div", { class: `finding ${one.severity}`, role: one.severity === "block" ? "alert" : null, data: { code: one.code } },
    icon(one.severity, t(`severity.${one.severity}`)),
    h("div", { class: "words" }, both(one)),
    h("div", { class: "from" }, from ? t("finding.source", { source: from }) : "", more));
}

/** @param {any} error an ApiError, or null */
export function problem(error) {
  if (!error) return null;
  const tone = error.lost ? "warn" : "block";
  const list = (error.detail?.errors ?? []).map((one) => (typeof one === "string" ? one : `${one.field} ${one.code} ${both(one)}`));
  const waits = error.code === "dispensing-unfinished" || error.detail?.dispensing;
  // The person inside an ID is derived knowledge: a pharmacist who has compared the papers may go on. Another person's card never.
  const derived = error.code === "wrong-card" && error.detail?.confirmable === true;
  const more = [
    derived ? h("button", { class: "button", type: "button", id: "compared", onclick: () => dispense({ confirmed: true }) }, t("finding.compared")) : null,
    list.length ? h("ul", {}, list.map((words) => h("li", { class: "mono" }, words))) : null,
    waits ? h("button", { class: "button", type: "button", id: "to-todo", onclick: () => set({ view: "todo" }) }, t("finding.todo")) : null,
  ];
  return finding({ severity: tone, zh: error.zh, en: error.en, code: error.code }, more);
}

export function shownFindings(work) {
  const given = [...(work.plan?.findings ?? [])];
  if (differs(work)) given.unshift({ severity: "block", code: "wrong-sheet", zh: t("finding.differs"), en: t("finding.differs"), source: "" });
  const cards = given.sort((a, b) => RANK[a.severity] - RANK[b.severity]).map((one) => finding(one));
  if (work.sheet.confidence === "ocr" && !work.confirmed) cards.unshift(compare());
  if (!cards.length && work.plan?.ok && !work.error && cardSays(work).tone !== "block") cards.push(finding({ severity: "ok", code: "all-clear", zh: t("finding.clear"), en: t("finding.clear") }));
  if (!cards.length) return null;
  return h("section", { class: "stack tight", "aria-label": t("finding.title"), id: "findings" }, cards);
}

/** An ID that only text recognition saw needs a person's word. */
function compare() {
  return h("label", { class: "finding warn check" }, icon("warn", t("severity.warn")),
    h("span", { class: "words row" }, h("input", { type: "checkbox", id: "confirmed", data: { keep: "confirmed" }, onchange: (event) => {
      change({ confirmed: event.target.checked });
      replan();
    } }), t("finding.compare")));
}
