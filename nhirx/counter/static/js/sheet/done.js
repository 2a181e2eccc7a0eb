/** After the card: the record on its way to the National Health Insurance Administration, live; and what was done before. */

import { h, icon } from "../core/dom.js";
import { both, t } from "../core/i18n.js";
import { clock, grouped, maskId, maskVisit } from "../core/format.js";
import { state } from "../core/store.js";
import { openRecord, problemCard } from "../lists/record-detail.js";
import { clear } from "./flow.js";
import { xml } from "./record.js";

const PLACE = { built: 1, sending: 1, sent: 2, accepted: 4, rejected: 3, stuck: 1, superseded: 1, withdrawn: 1 };

/** The four steps and where a record stands. */
export function steps(recordState) {
  const at = PLACE[recordState] ?? 0;
  const bad = recordState === "rejected" || recordState === "stuck";
  const names = ["step.built", "step.sending", "step.sent", recordState === "rejected" ? "step.rejected" : "step.accepted"];
  return h("ol", { class: "steps", "aria-label": t("step.title") }, names.map((name, index) => {
    const kind = index < at ? "done" : index === at ? (bad ? "bad" : "now") : "";
    const shape = kind === "done" ? "ok" : kind === "bad" ? "block" : kind === "now" ? "wait" : "";
    return h("li", { class: `step ${kind}`, "aria-current": index === at ? "step" : null }, h("span", { class: "dot" }, shape === "ok" ? "✓" : shape === "block" ? "✕" : shape ? "…" : String(index + 1)), t(name));
  }));
}

const TONE = { accepted: ["ok", "ok"], rejected: ["block", "block"], stuck: ["warn", "warn"] };

export function done(work) {
  const { result, record } = work;
  if (result.state === "held") {
    return h("section", { class: "stack" }, outcome("warn", "wait", t("done.held"), t("done.held-more")), next());
  }
  if (!record) return h("section", { class: "stack" }, outcome("info", "info", t("done.none"), t("done.none-more")), next());
  const away = ["built", "sending"].includes(record.state) && state.server?.worker?.breaker === "open";
  const [tone, shape] = away ? ["warn", "wait"] : TONE[record.state] ?? ["info", "send"];
  const errors = record.check?.errors ?? [];
  const words = away ? "done.away" : `done.${record.state}`;
  return h("section", { class: "stack", id: "done", data: { state: record.state } },
    outcome(tone, shape, t(words), t(`${words}-more`)),
    h("div", { class: "card stack" }, steps(record.state),
      h("dl", { class: "facts" },
        h("dt", {}, t("sheet.title")), h("dd", { class: "mono" }, work.sheet.text ? grouped(maskVisit(work.sheet.text)) : t(`sheet.${work.sheet.state}`)),
        h("dt", {}, t("patient.title")), h("dd", { class: "mono" }, maskId(work.rx.patient.national_id)),
        record.opcode ? [h("dt", {}, t("list.opcode")), h("dd", { class: "mono small soft" }, record.opcode)] : null),
      record.problem && !away ? h("p", { class: "finding warn" }, icon("warn"), h("span", { class: "words" }, both(record.problem))) : null,
      xml(record.id)),
    record.state === "rejected" ? [
      errors.length ? h("section", { class: "stack tight", id: "why-rejected", "aria-label": t("check.title") }, errors.map(problemCard)) : null,
      h("button", { class: "button primary big", type: "button", id: "see-why", onclick: () => openRecord(record.id) }, icon("list"), t("done.why")),
    ] : null, next());
}

const outcome = (tone, shape, title, more) => h("div", { class: `outcome ${tone}`, role: "status" }, icon(shape), h("div", {}, h("h2", { id: "work-title", tabindex: "-1" }, title), h("p", { class: "said-more" }, more)));

const next = () => h("div", { class: "row" }, h("button", { class: "button big", type: "button", id: "next", onclick: clear }, t("done.next"), h("kbd", {}, "Esc")), h("p", { class: "soft" }, t("done.next-more")));

/** The last few of this window, with their state. @param {number} [but] */
export function recent(but) {
  const shown = state.recent.filter((one) => one.dispensing !== but);
  if (!shown.length) return null;
  return h("section", { class: "card", "aria-label": t("recent.title") }, h("header", {}, h("h2", {}, t("recent.title"))),
    h("ul", { class: "list" }, shown.map((one) => h("li", {}, h("button", { class: "item", type: "button", disabled: !one.record, onclick: () => openRecord(one.record) },
      h("span", { class: "soft" }, clock(one.at)), h("span", { class: "mono who" }, maskId(one.who)), h("span", { class: "right" }, stateTag(one.recordState ?? one.state)))))));
}

const TAGS = { accepted: "ok", rejected: "block", stuck: "warn", held: "warn", sent: "info", sending: "info", built: "info", settled: "ok", filled: "ok" };

export const stateTag = (name) => h("span", { class: `tag ${TAGS[name] ?? "plain"}` }, icon(TAGS[name] ?? "wait"), t(`state.${name}`));
