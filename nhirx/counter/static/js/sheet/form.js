/** The prescription typed in, when no plugin knows it: filled in advance from the sheet and the card. */

import { h, icon, put } from "../core/dom.js";
import { both, t } from "../core/i18n.js";
import { day, parts } from "../core/format.js";
import { post } from "../core/api.js";
import { readCard } from "./choices.js";
import { usePrescription } from "./flow.js";
import { LineTable } from "./lines.js";

/** ROC digits from what people write: 501231, 50/12/31, 1961-12-31. Text that is none of these is left for the program to judge. */
export function rocDate(text) {
  const cleaned = text.normalize("NFKC").trim();
  const split = /^(\d{2,4})[./\-年](\d{1,2})[./\-月](\d{1,2})日?(?:\s+(\d{1,2}):(\d{2}))?$/.exec(cleaned);
  if (!split) return /^\d{6}$/.test(cleaned) ? `0${cleaned}` : cleaned;
  const year = Number(split[1]) > 1911 ? Number(split[1]) - 1911 : Number(split[1]);
  const clock = split[4] ? split[4].padStart(2, "0") + split[5] + "00" : "";
  return String(year).padStart(3, "0") + split[2].padStart(2, "0") + split[3].padStart(2, "0") + clock;
}

const FIELDS = [
  // name, label, pattern, required
  ["national_id", "form.id", /^[A-Z][A-Z0-9]\d{8}$/, true],
  ["birth_date", "form.birth", /^\d{7}$/, true],
  ["institution", "form.institution", /^[0-9A-Z]{10}$/, true],
  ["visited_at", "form.visited", /^\d{7}(\d{6})?$/, true],
  ["visit_serial", "form.serial", /^[0-9A-Z]{4}$/, false],
  ["days", "form.days", /^\d{1,3}$/, true],
  ["diagnoses", "form.diagnoses", /^[A-Z0-9., ]+$/, true],
  ["payment_category", "form.payment", /^[0-9A-Z]{1,2}$/, true],
  ["fee", "form.fee", /^\d{1,7}$/, true],
  ["copayment", "form.copayment", /^\d{1,6}$/, true],
];

/** @param {import("./flow.js").Work} work */
export function form(work) {
  const { rx, sheet } = work;
  const start = {
    national_id: rx?.patient.national_id ?? "", birth_date: rx?.patient.birth_date ?? "", institution: rx?.sheet.institution ?? "",
    visited_at: rx?.sheet.visited_at ?? "", visit_serial: rx?.sheet.visit_serial ?? "", days: rx?.days ?? "", diagnoses: (rx?.diagnoses ?? []).join(" "),
    payment_category: rx?.payment_category ?? "4", fee: rx?.fee ?? "", copayment: rx?.copayment ?? "0", ...work.draft,
  };
  work.draft ??= {};
  const inputs = {};
  const field = ([name, label, , required]) => {
    const reading = h("span", { class: "hint", id: `${name}-read` });
    const input = h("input", { type: "text", id: `rx-${name}`, autocomplete: "off", spellcheck: "false", required, "aria-describedby": `${name}-read`, value: start[name], oninput: () => {
      work.draft[name] = input.value;
      input.removeAttribute("aria-invalid");
      if (name === "birth_date" || name === "visited_at") reading.textContent = parts(rocDate(input.value)) ? day(rocDate(input.value), { time: true }) : t("form.date-hint");
    } });
    inputs[name] = input;
    if ((name === "birth_date" || name === "visited_at") && !input.value) reading.textContent = t("form.date-hint");
    else if (parts(String(input.value))) reading.textContent = day(String(input.value), { time: true });
    return h("div", { class: "field" }, h("label", { for: `rx-${name}` }, t(label), required ? "" : ` ${t("form.optional")}`), input, reading);
  };
  const made = Object.fromEntries(FIELDS.map((one) => [one[0], field(one)]));
  const old = h("input", { type: "checkbox", id: "rx-old", checked: rx?.sheet.prescriber_format === "1.0" });
  const refill = refillFields(rx?.sheet.refill);
  const lines = new LineTable(work.draft.lines ?? rx?.orders ?? []);
  work.draft.lines = lines.orders;
  const said = h("div", { class: "stack tight", role: "alert" });
  if (!rx && sheet.text) fromSheet(sheet.text, inputs);

  const send = (event) => {
    event.preventDefault();
    const wrong = FIELDS.filter(([name, , pattern, required]) => {
      const value = clean(name, inputs[name].value);
      const bad = value ? !pattern.test(value) && !/^\d{4}-\d\d-\d\dT/.test(value) : required;
      if (bad) inputs[name].setAttribute("aria-invalid", "true");
      else inputs[name].removeAttribute("aria-invalid");
      return bad;
    });
    if (wrong.length) {
      put(said, h("p", { class: "wrong row" }, icon("block"), t("form.wrong", { names: wrong.map((one) => t(one[1])).join("、") })));
      inputs[wrong[0][0]].focus();
      return;
    }
    const value = Object.fromEntries(FIELDS.map(([name]) => [name, clean(name, inputs[name].value)]));
    usePrescription(assemble(rx, value, old.checked, refill.read(), lines.orders), work.rxSource);
  };
  return h("form", { class: "card stack", id: "rx-form", novalidate: true, onsubmit: send },
    h("div", { class: "row spread" }, h("div", {}, h("h2", {}, t("form.title")), h("p", { class: "soft small" }, t("form.words"))),
      h("button", { class: "button", type: "button", id: "from-card", onclick: () => fromCard(inputs, work, said) }, icon("card"), t("form.from-card"))),
    h("fieldset", {}, h("legend", { class: "label" }, t("patient.title")), h("div", { class: "fields two" }, made.national_id, made.birth_date)),
    h("fieldset", {}, h("legend", { class: "label" }, t("form.sheet")), h("div", { class: "fields two" }, made.institution, made.visited_at, made.visit_serial, made.days),
      h("label", { class: "check" }, old, t("form.old")), refill.element),
    h("fieldset", {}, h("legend", { class: "label" }, t("rx.lines-title")), lines.element),
    h("fieldset", {}, h("legend", { class: "label" }, t("form.money")), h("div", { class: "fields two" }, made.diagnoses, made.payment_category, made.fee, made.copayment)),
    said, h("div", { class: "row" }, h("button", { class: "button primary big", type: "submit", id: "use-rx" }, t("form.use"))));
}

function clean(name, text) {
  if (name === "birth_date" || name === "visited_at") return rocDate(text);
  return text.normalize("NFKC").trim().toUpperCase();
}

function assemble(rx, value, old, refill, lines) {
  const diagnoses = value.diagnoses.split(/[ ,;]+/).map((code) => code.replaceAll(".", "")).filter(Boolean);
  const sheet = { ...rx?.sheet, institution: value.institution, visited_at: value.visited_at, visit_serial: value.visit_serial || null, prescriber_format: old ? "1.0" : "2.0", refill };
  const patient = { ...rx?.patient, national_id: value.national_id, birth_date: value.birth_date };
  const number = (text) => (text === "" ? 0 : Number(text));
  return { ...rx, patient, sheet, diagnoses, days: number(value.days), payment_category: value.payment_category, fee: number(value.fee), copayment: number(value.copayment), orders: lines.filter((line) => line.code) };
}

function refillFields(known) {
  const input = (id, label, value) => {
    const field = h("input", { type: "text", id, inputmode: "numeric", value: value ?? "", autocomplete: "off" });
    return [field, h("div", { class: "field" }, h("label", { for: id }, t(label)), field)];
  };
  const [number, a] = input("refill-number", "refill.number", known?.number);
  const [of, b] = input("refill-of", "refill.of", known?.of ?? "3");
  const [days, c] = input("refill-days", "refill.each", known?.days);
  const [total, d] = input("refill-total", "refill.total", known?.total_days);
  const inside = h("div", { class: "fields", hidden: !known }, a, b, c, d);
  const is = h("input", { type: "checkbox", id: "is-refill", checked: Boolean(known), onchange: () => (inside.hidden = !is.checked) });
  const count = (field) => (field.value.trim() ? Number(field.value) : null);
  return {
    element: h("div", { class: "stack tight" }, h("label", { class: "check" }, is, t("refill.is")), inside),
    read: () => (is.checked && number.value ? { ...known, number: count(number), of: count(of) ?? count(number), days: count(days), total_days: count(total) } : null),
  };
}

/** The day of the visit stands inside the visit ID; it is a proposal, to be compared with the paper. */
async function fromSheet(text, inputs) {
  const found = await post("/codes", { text }).catch(() => null);
  if (found?.issued_at && !inputs.visited_at.value) {
    inputs.visited_at.value = day(found.issued_at, { time: true, short: true });
    inputs.visited_at.dispatchEvent(new Event("input"));
  }
}

async function fromCard(inputs, work, said) {
  try {
    const holder = await readCard();
    inputs.national_id.value = holder.national_id;
    inputs.birth_date.value = rocDate(holder.birth_date ?? "");
    for (const name of ["national_id", "birth_date"]) inputs[name].dispatchEvent(new Event("input"));
    put(said);
  } catch (error) {
    put(said, h("p", { class: "wrong row" }, icon("block"), both(error)));
  }
}
