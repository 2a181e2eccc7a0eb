/** Who the sheet is for, and whose card is in the reader. */

import { h, icon } from "../core/dom.js";
import { both, t } from "../core/i18n.js";
import { day, maskId } from "../core/format.js";
import { state } from "../core/store.js";

/** What the reader says about this patient: tone, icon and words. */
export function cardSays(work) {
  if (work.card.state === "absent") return { tone: "warn", icon: "wait", words: t("card.owed") };
  if (work.card.state === "failed") return { tone: "warn", icon: "warn", words: t("card.abnormal", { code: work.card.abnormal_serial ?? "" }) };
  if (work.token) return { tone: "info", icon: "card", words: t("card.virtual") };
  const reader = state.server?.reader;
  const holder = work.holder;
  if (holder?.matches === true) return { tone: "ok", icon: "ok", words: t("card.matches") };
  if (holder?.matches === false) return { tone: "block", icon: "block", words: t("card.other") };
  if (!reader || reader.state === "unknown") return { tone: "info", icon: "card", words: t("card.unknown") };
  if (reader.state === "no-card") return { tone: "info", icon: "card", words: t("card.insert") };
  if (reader.state === "card" || reader.state === "ok") return { tone: "info", icon: "card", words: t("card.in") };
  return { tone: "block", icon: "block", words: both(reader, "words_") };
}

export function patient(work) {
  const person = work.rx.patient;
  const card = cardSays(work);
  return h("div", { class: "pair" },
    h("div", { class: "person" }, icon("person"),
      h("div", {}, h("div", { class: "label" }, t("patient.title")),
        h("div", { class: "name mono" }, maskId(person.national_id)),
        h("div", { class: "soft" }, t("patient.born", { day: day(person.birth_date) })))),
    h("div", { class: `person finding ${card.tone}`, id: "card-state", role: "status" }, icon(card.icon),
      h("div", {}, h("div", { class: "words" }, card.words),
        work.holder?.name ? h("div", { class: "from" }, `${work.holder.name} ${work.holder.national_id ?? ""}`) : null)));
}
