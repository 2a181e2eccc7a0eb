/** The corrected record: what the rules change by themselves, and fields for what only a person can know. A person sends it. */

import { get, post } from "../core/api.js";
import { h, icon, put } from "../core/dom.js";
import { both, t } from "../core/i18n.js";

/** @param {number} id of the rejected record @param {(made: any) => void} sent */
export function proposal(id, sent) {
  const box = h("section", { class: "card stack", id: "correction" }, h("h3", {}, t("fix.title")), h("p", {}, t("loading")));
  load(id, box, sent);
  return box;
}

async function load(id, box, sent) {
  let given;
  try {
    given = await get(`/records/${id}/correction`);
  } catch (error) {
    put(box, h("h3", {}, t("fix.title")), h("p", {}, both(error)), h("p", { class: "soft" }, t("fix.none")));
    return;
  }
  const values = {};
  const said = h("div", { role: "alert" });
  const send = h("button", { class: "button primary big", type: "submit", id: "send-correction" }, icon("send"), t("fix.send"));
  const form = h("form", { class: "stack", onsubmit: async (event) => {
    event.preventDefault();
    send.disabled = true;
    put(said);
    try {
      sent(await post(`/records/${id}/correction`, body(given.open ?? [], values)));
    } catch (error) {
      send.disabled = false;
      put(said, h("p", { class: "finding block" }, icon("block"), h("span", { class: "words" }, both(error))));
    }
  } }, changed(given.changes ?? []), open(given.open ?? [], values), said, h("div", { class: "row" }, send));
  put(box, h("h3", {}, t(given.possible === false ? "fix.by-hand" : "fix.title")), form);
}

const place = (one) => (one.order ? `${one.field}·${one.order}` : one.field);

function changed(changes) {
  if (!changes.length) return null;
  return h("table", { class: "diff" },
    h("thead", {}, h("tr", {}, ["record.field", "fix.before", "fix.after"].map((name) => h("th", { scope: "col" }, t(name))))),
    h("tbody", {}, changes.map((one) => h("tr", {}, h("td", { class: "mono" }, place(one), " ", both(one, "name_")),
      h("td", { class: "mono" }, h("del", {}, one.before_masked ?? one.before ?? t("record.empty"))), h("td", { class: "mono" }, h("ins", {}, one.after_masked ?? one.after ?? t("record.empty")))))));
}

/** One field for each error that has no single remedy; left empty, the field is taken out of the record. */
function open(errors, values) {
  if (!errors.length) return null;
  const places = [...new Map(errors.map((one) => [place(one), one])).values()];
  return h("div", { class: "fields two" }, places.map((one) => {
    const id = `fix-${place(one)}`;
    return h("div", { class: "field" }, h("label", { for: id }, h("span", { class: "mono" }, place(one)), " ", both(one, "name_")),
      h("input", { type: "text", id, class: "mono", autocomplete: "off", value: one.value ?? "", oninput: (event) => (values[place(one)] = event.target.value.trim()) }),
      h("p", { class: "hint" }, both(one, "fix_") || both(one)));
  }));
}

function body(errors, values) {
  const made = { fields: {}, orders: {} };
  for (const one of errors) {
    const value = values[place(one)];
    if (value === undefined) continue;
    const target = one.order ? (made.orders[one.order] ??= {}) : made.fields;
    target[one.field] = value || null;
  }
  return made;
}
