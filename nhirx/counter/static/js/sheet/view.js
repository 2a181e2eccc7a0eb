/** The right side: nothing yet, the sheet being worked on, or what became of it. */

import { h, icon, put } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { grouped } from "../core/format.js";
import { state, watch } from "../core/store.js";
import { acts } from "./acts.js";
import { done, recent } from "./done.js";
import { problem, shownFindings } from "./findings.js";
import { form } from "./form.js";
import { patient } from "./patient.js";
import { prescription } from "./prescription.js";
import { recordTable } from "./record.js";

export class SheetView {
  constructor() {
    this.element = h("div", { class: "right stack" });
    this.dispose = watch(["work", "recent", "server", "view"], () => this.draw());
    this.draw();
  }

  /** Each state begins with the same heading, for those who move by headings. */
  show(...parts) {
    put(this.element, h("h1", { class: "sr" }, t("tab.counter")), ...parts);
  }

  draw() {
    if (state.view !== "counter") return;
    const { work } = state;
    if (work?.id !== this.shown || work?.rxState !== this.rxState) {
      this.form = null;
      this.shown = work?.id;
      this.rxState = work?.rxState;
    }
    const before = this.phase;
    this.phase = work?.phase;
    this.element.setAttribute("aria-busy", String(Boolean(work?.planning || work?.phase === "sending")));
    if (!work) this.show(welcome(), recent());
    else if (work.phase === "done") this.show(done(work), recent(work.result?.id));
    else if (work.rxState === "looking") this.show(head(work), work.error ? problem(work.error) : waiting());
    else if (work.rxState === "form") this.drawForm(work);
    else this.show(head(work, patient(work)), problem(work.error ?? work.planError), shownFindings(work), prescription(work), recordTable(work), acts(work));
    // The button that was pressed is gone: the keyboard goes on at what became of it, unless a hand is already somewhere else.
    if (before !== "done" && this.phase === "done" && document.activeElement === document.body) document.getElementById("work-title")?.focus({ preventScroll: true });
  }

  /** The form keeps its elements while it is filled in, so that nothing typed is lost when the card or the queue changes. */
  drawForm(work) {
    if (this.form) return;
    this.form = form(work);
    this.show(head(work), this.form);
  }
}

function head(work, person = null) {
  const { sheet } = work;
  const id = sheet.text ? h("span", { class: "id" }, grouped(sheet.text).split(" ").map((four) => h("span", { class: "gap" }, four))) : h("strong", {}, t(`sheet.${sheet.state}`));
  const tone = sheet.confidence === "agreed" || sheet.source === "typed" ? "ok" : sheet.confidence === "ocr" || sheet.confidence === "single" ? "warn" : "info";
  return h("section", { class: "card sheet-head", "aria-label": t("sheet.title") },
    h("div", { class: "row spread" },
      h("div", {}, h("h2", { class: "label", id: "work-title", tabindex: "-1" }, t("sheet.title")), id),
      h("div", { class: "row" },
        sheet.text && (sheet.confidence || sheet.source === "typed") ? h("span", { class: `tag ${tone}` }, icon(tone), t(sheet.source === "typed" ? "confidence.typed" : `confidence.${sheet.confidence ?? "checked"}`)) : null,
        h("button", { class: "button quiet", type: "button", id: "put-away", onclick: () => document.dispatchEvent(new CustomEvent("nhirx:put-away")) }, t("sheet.away"), h("kbd", {}, "Esc")))), person);
}

const waiting = () => h("section", { class: "card row" }, icon("wait", "", "spin"), h("p", {}, t("rx.looking")));

/** A sheet of the practice mode: the first is accepted, the second comes back and is put right. */
const sample = (number) => h("button", { class: number === 1 ? "button primary" : "button", type: "button", id: number === 1 ? "sample" : "sample-2", onclick: () => document.dispatchEvent(new CustomEvent("nhirx:sample", { detail: number })) }, icon("sheet"), t(`welcome.sample-${number}`));

function welcome() {
  const steps = [["sheet", "welcome.1"], ["card", "welcome.2"], ["send", "welcome.3"]];
  const demo = state.server?.demo ? h("p", { class: "finding info" }, icon("info"), h("span", { class: "words" }, t("welcome.demo"))) : null;
  return h("section", { class: "card welcome" },
    h("h2", {}, t("welcome.title")), demo,
    h("ol", {}, steps.map(([shape, key]) => h("li", {}, icon(shape), h("strong", {}, t(key)), h("span", { class: "soft" }, t(`${key}-more`))))),
    h("div", { class: "row" },
      ...(state.server?.demo ? [1, 2].map(sample) : []),
      h("button", { class: "button", type: "button", id: "no-id", onclick: () => document.dispatchEvent(new CustomEvent("nhirx:no-id")) }, t("act.no-id"))));
}
