/** What can be done with the sheet now: one large button, and the ways out beside it. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { state } from "../core/store.js";
import { abnormal, askReason, hold, virtualCard } from "./choices.js";
import { change, differs, dispense, replan } from "./flow.js";
import { cardSays } from "./patient.js";

/** Why the large button rests: a key of the words, or null. */
export function stopped(work) {
  if (work.phase === "lost") return "stop.lost";
  if (!work.plan) return work.planning ? "stop.planning" : "stop.plan";
  if (differs(work) || !work.plan.ok || (work.plan.findings ?? []).some((one) => one.severity === "block")) return "stop.block";
  if (work.sheet.confidence === "ocr" && !work.confirmed) return "stop.compare";
  if (work.card.state === "present" && work.plan.call === "1.53" && cardSays(work).tone === "block") return "stop.card";
  return null;
}

export function acts(work) {
  const why = stopped(work);
  const busy = work.phase === "sending";
  const held = work.plan?.action === "hold";
  const words = busy ? t("act.busy") : t(work.settles ? "act.settle" : held ? "act.hold" : work.card.state === "failed" ? "act.abnormal" : "act.dispense");
  return h("section", { class: "acts", "aria-label": t("act.title") },
    why ? h("p", { class: "hint row", id: "why-not" }, icon("info"), t(why)) : null,
    h("div", { class: "row" },
      h("button", { type: "button", class: "button primary big", id: "dispense", data: { keep: "dispense" }, disabled: Boolean(why) || busy, "aria-describedby": why ? "why-not" : null, onclick: go },
        busy ? icon("wait", "", "spin") : icon("send"), words, h("kbd", {}, "F9")),
      work.card.state === "present" ? [
        h("button", { type: "button", class: "button aside", id: "hold", data: { keep: "hold" }, disabled: busy || !work.plan, onclick: hold }, t("act.owed")),
        h("button", { type: "button", class: "button aside", id: "virtual", data: { keep: "virtual" }, disabled: busy || !work.plan, onclick: virtualCard }, t(work.token ? "act.no-virtual" : "act.virtual")),
        h("button", { type: "button", class: "button aside", id: "abnormal", data: { keep: "abnormal" }, disabled: busy || !work.plan, onclick: abnormal }, t("act.card-trouble")),
      ] : h("button", { type: "button", class: "button aside", id: "with-card", disabled: busy, onclick: withCard }, t("act.with-card"))));
}

function withCard() {
  change({ card: { state: "present" }, error: null });
  replan();
}

/** Dispense the work at hand, and ask for the reason when the card failed. */
export async function go() {
  const { work } = state;
  if (!work || work.rxState !== "found" || work.phase !== "open" || stopped(work)) return;
  await dispense();
  const error = state.work?.error;
  if (error?.code === "abnormal-reason-needed") await askReason(error);
}
