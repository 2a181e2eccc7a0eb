/** The decisions that only a person can take: an owed card, a card that does not work, a sheet nobody can read. */

import { call, get, post } from "../core/api.js";
import { dialog } from "../core/dialog.js";
import { h, icon, s } from "../core/dom.js";
import { both, source, t } from "../core/i18n.js";
import { percent } from "../core/format.js";
import { state } from "../core/store.js";
import { change, dispense, replan } from "./flow.js";

/** The card is owed: plan again, so that the person sees what that means before pressing the large button. */
export async function hold() {
  change({ card: { state: "absent" }, error: null });
  await replan();
}

/** The card does not work: which reasons fit is the program's to say. */
export async function abnormal() {
  await dispense({ card: { state: "failed" } });
  const error = state.work?.error;
  if (error?.code === "abnormal-reason-needed") await askReason(error);
  else if (error) change({ card: { state: "present" } });
}

/** The patient's virtual card in place of the one in the reader: its code is read from the phone, used once and kept nowhere. */
export async function virtualCard() {
  const { work } = state;
  if (work.token) return change({ token: null });
  const token = await dialog(t("virtual.title"), (close) => {
    const field = h("input", { type: "password", id: "virtual-token", autocomplete: "off", autofocus: true });
    return h("form", { class: "stack", onsubmit: (event) => {
      event.preventDefault();
      close(field.value.trim() || null);
    } },
    h("p", {}, t("virtual.words")), h("div", {}, h("label", { for: "virtual-token" }, t("virtual.label")), field),
    work.sheet.seenToken ? h("button", { class: "button", type: "button", onclick: () => close(work.sheet.seenToken) }, icon("camera"), t("virtual.seen")) : null,
    h("footer", {},
      h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel")),
      h("button", { class: "button primary", type: "submit" }, t("virtual.use"))));
  }, { narrow: true, name: "virtual" });
  if (token) change({ token, error: null });
  return null;
}

/** @param {any} error with `detail.candidates` and what failed */
export async function askReason(error) {
  const candidates = error.detail.candidates ?? [];
  const first = candidates.find((one) => one.suggested);
  const works = error.detail.cause === "card-works";
  const chosen = await dialog(t("abnormal.title"), (close) => {
    const use = h("button", { class: "button primary", type: "button", id: "choose-serial", disabled: !first, onclick: () => close(list.querySelector(":checked")?.value ?? null) }, t("abnormal.use"));
    const list = h("div", { class: "choices", role: "radiogroup", "aria-label": t("abnormal.choose") }, candidates.map((one) => h("label", { class: "choice" },
      h("input", { type: "radio", name: "serial", value: one.code, checked: one === first, onchange: () => (use.disabled = false) }),
      h("strong", { class: "mono" }, one.code),
      h("span", {}, both(one), one.suggested ? [" ", h("span", { class: "tag ok" }, t("abnormal.fits"))] : null, one.source ? h("span", { class: "small soft" }, ` ${source(one.source)}`) : null))));
    return [
      works ? h("p", { class: "finding warn" }, icon("warn"), h("span", { class: "words" }, t("abnormal.works"))) : h("p", {}, both(error)),
      h("p", { class: "soft" }, t(works ? "abnormal.all" : candidates.length ? "abnormal.words" : "abnormal.nothing")), candidates.length ? [list, meter(error.detail.b_share)] : null,
      h("footer", {},
        h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel")),
        candidates.length ? use : null),
    ];
  }, { name: "abnormal" });
  change({ card: chosen ? { state: "failed", abnormal_serial: chosen } : { state: "present" }, error: null });
  await replan();
}

/** How many of the records carry an abnormal serial, and the share the pharmacy has set as its line, in the middle of the bar. */
function meter(told) {
  const share = told ?? state.server?.b_share;
  if (!share) return null;
  const line = state.server.b_line;
  const part = Math.min(1, share.b / Math.max(1, share.all) / (line ? 2 * line : 1));
  return h("div", { class: "meter" },
    h("div", { class: "row spread small" }, h("span", {}, t("abnormal.share", { b: share.b, all: share.all, percent: percent(share) })), line ? h("span", { class: "soft" }, t("abnormal.line", { percent: Math.round(100 * line) })) : null),
    s("svg", { viewBox: "0 0 200 12", preserveAspectRatio: "none", "aria-hidden": "true" },
      s("rect", { class: "track", width: 200, height: 12, rx: 3 }), s("rect", { class: "fill-bar", width: 200 * part, height: 12, rx: 3 }),
      line ? s("line", { class: "limit", x1: 100, x2: 100, y1: 0, y2: 12 }) : null));
}

const CAUSES = ["blurred", "damaged", "cropped", "faint", "reader", "other"];

/**
 * A sheet without a usable ID: not printed, or not readable, said by a person with the cause and, where there is one, the picture.
 * @param {() => Promise<Blob|null>} picture @returns {Promise<any>} the sheet to begin with, or null
 */
export async function withoutId(picture) {
  const answer = await dialog(t("no-id.title"), (close) => {
    const note = h("input", { type: "text", id: "no-id-note", maxlength: 120, autocomplete: "off" });
    const causes = h("select", { id: "no-id-cause" }, CAUSES.map((one) => h("option", { value: one }, t(`cause.${one}`))));
    const kind = (value, words, more) => h("label", { class: "choice plain" }, h("input", { type: "radio", name: "kind", value, checked: value === "illegible", onchange: () => (box.hidden = value !== "illegible") }), icon("sheet"),
      h("span", {}, h("strong", {}, words), h("span", { class: "small soft" }, ` ${more}`)));
    const box = h("div", { class: "fields" }, h("div", {}, h("label", { for: "no-id-cause" }, t("no-id.cause")), causes),
      h("div", {}, h("label", { for: "no-id-note" }, t("no-id.note")), note));
    const form = h("form", { class: "stack", onsubmit: (event) => {
      event.preventDefault();
      close({ state: form.querySelector(":checked").value, cause: causes.value, note: note.value.trim() });
    } },
    h("p", {}, t("no-id.words")),
    h("div", { class: "choices" }, kind("illegible", t("sheet.illegible"), t("no-id.illegible")), kind("absent", t("sheet.absent"), t("no-id.absent"))), box,
    h("p", { class: "hint" }, t("no-id.kept")),
    h("footer", {},
      h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel")),
      h("button", { class: "button primary", type: "submit" }, t("no-id.go"))));
    return form;
  }, { name: "no-id" });
  if (!answer) return null;
  // The picture is handed over in the background; a dispensing waits for it.
  const kept = answer.state === "illegible" ? keep(picture) : null;
  return { text: null, source: "declared", codes: [], kept, ...answer };
}

/** @returns {Promise<string|undefined>} the scan's ref */
async function keep(picture) {
  const blob = await picture();
  if (!blob) return undefined;
  const { scans } = await call("POST", "/scans?name=sheet.jpg", { body: blob, headers: { "Content-Type": "application/octet-stream" } }).catch(() => ({ scans: [] }));
  return scans[0]?.ref;
}

/** Who is in the reader, compared with the patient by the program. */
export async function lookAtCard() {
  const { work } = state;
  if (!work?.rx || work.phase === "done") return;
  const { id } = work;
  const found = await get("/card").catch((error) => (error.lost ? null : { holder: null }));
  if (!found || found.busy) return;
  change({ holder: found.holder ? { ...found.holder, matches: found.matches ?? matches(found.holder, work.rx.patient) } : null }, id);
}

/** Masked IDs are compared where both show a character; the program compares them in full before anything is taken. */
function matches(holder, patient) {
  const one = holder.national_id ?? "";
  const other = patient.national_id ?? "";
  if (one.length !== other.length) return null;
  return [...one].every((letter, place) => letter === "*" || letter === other[place]);
}

/** Identity from the card for the form; the program writes down who asked. */
export const readCard = () => post("/card/read", { reveal: true });
