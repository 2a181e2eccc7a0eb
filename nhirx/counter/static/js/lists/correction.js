/** The corrected record: what the rules change by themselves, and fields for what only a person can know. A person sends it. */

import { get, post } from "../core/api.js";
import { h, icon, put } from "../core/dom.js";
import { both, t } from "../core/i18n.js";
import { state } from "../core/store.js";

/** @param {number} id of the rejected record @param {any[]} fields its rows @param {(made: any) => void} sent */
export function proposal(id, fields, sent) {
  const box = h("section", { class: "card stack", id: "correction" }, h("h3", {}, t("fix.title")), h("p", {}, t("loading")));
  load(id, box, fields, sent);
  return box;
}

async function load(id, box, fields, sent) {
  let given;
  try {
    given = await get(`/records/${id}/correction`);
  } catch (error) {
    put(box, h("h3", {}, t("fix.title")), h("p", {}, both(error)), h("p", { class: "soft" }, t("fix.none")));
    return;
  }
  /** What a person typed, by place. */
  const values = new Map();
  const said = h("div", { role: "alert" });
  const send = h("button", { class: "button primary big", type: "submit", id: "send-correction" }, icon("send"), t("fix.send"));
  const form = h("form", { class: "stack", onsubmit: async (event) => {
    event.preventDefault();
    send.disabled = true;
    put(said);
    try {
      sent(await post(`/records/${id}/correction`, body(values)));
    } catch (error) {
      send.disabled = false;
      put(said, h("p", { class: "finding block" }, icon("block"), h("span", { class: "words" }, both(error))));
    }
  } }, practice(given), changed(given.changes ?? []), open(given.open ?? [], fields, values), others(given, fields, values), said, h("div", { class: "row" }, send));
  put(box, h("h3", {}, t(given.possible === false ? "fix.by-hand" : "fix.title")), form);
}

/** In the practice mode only one sheet comes back, and what it needs stands on its picture, which is not here any more. */
const practice = (given) => (state.server?.demo && given.open?.length ? h("p", { class: "finding info", id: "practice-hint" }, icon("info"), h("span", { class: "words" }, t("fix.practice"))) : null);

const place = (one) => (one.order ? `${one.field}·${one.order}` : one.field);

function changed(changes) {
  if (!changes.length) return null;
  return h("table", { class: "diff" },
    h("thead", {}, h("tr", {}, ["record.field", "fix.before", "fix.after"].map((name) => h("th", { scope: "col" }, t(name))))),
    h("tbody", {}, changes.map((one) => h("tr", {}, h("td", { class: "mono" }, place(one), " ", both(one, "name_")),
      h("td", { class: "mono" }, h("del", {}, one.before_masked ?? one.before ?? t("record.empty"))), h("td", { class: "mono" }, h("ins", {}, one.after_masked ?? one.after ?? t("record.empty")))))));
}

/** Other fields that the remedies speak of. */
const told = (errors) => errors.flatMap((one) => one.look_at ?? []);

/** One field for each error that has no single remedy; emptied, the field is taken out of the record. */
function open(errors, fields, values) {
  const places = [...new Map(errors.map((one) => [place(one), one])).values()];
  const also = told(errors).filter((name) => !places.some((one) => place(one) === name)).map((name) => fields.find((row) => place(row) === name)).filter(Boolean);
  return places.length ? h("div", { class: "fields two" }, places.map((one) => field({ ...fields.find((row) => place(row) === place(one)), ...one }, values, both(one, "fix_") || both(one))),
    also.map((row) => field(row, values, t("fix.look-at")))) : null;
}

function field(one, values, hint) {
  const id = `fix-${place(one)}`;
  return h("div", { class: "field" }, h("label", { for: id }, h("span", { class: "mono" }, place(one)), " ", both(one, "name_")),
    h("input", { type: "text", id, class: "mono", autocomplete: "off", placeholder: one.value_masked ?? "", oninput: (event) => values.set(place(one), { ...one, value: event.target.value.trim() }) }),
    hint ? h("p", { class: "hint" }, hint) : null);
}

/** The cause may lie in another field than the one that was named, so a person may set any. */
function others(given, fields, values) {
  const named = new Set([...(given.open ?? []).map(place), ...told(given.open ?? [])]);
  const rest = fields.filter((row) => !named.has(place(row)));
  if (!rest.length) return null;
  const added = h("div", { class: "fields two" });
  const choose = h("select", { id: "fix-other", "aria-label": t("fix.other"), onchange: () => {
    const row = rest[choose.selectedIndex - 1];
    if (row && !added.querySelector(`#${CSS.escape(`fix-${place(row)}`)}`)) added.append(field(row, values, ""));
    choose.selectedIndex = 0;
    added.lastElementChild?.querySelector("input").focus();
  } }, h("option", {}, t("fix.other")), rest.map((row) => h("option", {}, `${place(row)} ${both(row, "name_")}`)));
  return h("div", { class: "stack" }, added, h("div", { class: "row" }, choose));
}

/** @param {Map<string, any>} values */
function body(values) {
  const made = { fields: {}, orders: {} };
  for (const one of values.values()) {
    const target = one.order ? (made.orders[one.order] ??= {}) : made.fields;
    target[one.field] = one.value || null;
  }
  return made;
}
