/** The record field by field. Hover or focus shows the rule behind a field; the XML comes on demand, masked until the record exists. */

import { get } from "../core/api.js";
import { h, put } from "../core/dom.js";
import { both, source, t } from "../core/i18n.js";
import { change } from "./flow.js";

export function recordTable(work) {
  if (!work.plan) return null;
  const all = work.plan.explained ?? [];
  const rows = work.plan.record ?? all.filter((row) => row.value_masked !== null || row.from_card);
  if (!rows.length) return null;
  const empty = all.filter((row) => row.value_masked === null && !row.from_card);
  const lines = rows.filter((row) => row.order);
  const more = (name, words, inside) => h("details", { data: { keep: name } }, h("summary", { data: { keep: `${name}-summary` } }, words), inside);
  const fields = [
    fieldTable(rows.filter((row) => !row.order)),
    lines.length ? more("record-lines", t("record.lines", { n: lines.length }), fieldTable(lines)) : null,
    empty.length ? more("record-empties", t("record.empties", { n: empty.length }), fieldTable(empty)) : null,
    work.plan.xml ? more("record-xml", t("record.xml"), [h("p", { class: "hint" }, t("record.xml-draft")), h("pre", { class: "xml", tabindex: "0", "aria-label": "XML" }, lined(work.plan.xml))]) : null,
  ];
  return h("details", { class: "card", id: "record", open: work.recordOpen, ontoggle: (event) => {
    if (event.target.open !== Boolean(work.recordOpen)) change({ recordOpen: event.target.open });
  } },
  h("summary", { data: { keep: "record-summary" } }, t("record.title", { n: rows.length }), " ", h("kbd", {}, "F8")),
  h("p", { class: "hint" }, t("record.hint")), fields);
}

/** @param {any[]} rows @param {(row: any) => any[]} [wrong] errors of a row */
export function fieldTable(rows, wrong = () => []) {
  const why = h("div", { class: "why", "aria-live": "polite" }, h("p", { class: "hint" }, t("record.why-hint")));
  const show = (row) => put(why,
    h("p", {}, h("strong", { class: "mono" }, row.field), " ", h("strong", {}, both(row, "name_"))),
    h("p", {}, both(row, "why_") || t("record.given")),
    row.source ? h("p", { class: "small soft" }, t("finding.source", { source: source(row.source) })) : null);
  const table = h("table", { class: "record" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("record.field")), h("th", { scope: "col" }, t("record.name")), h("th", { scope: "col" }, t("record.value")))),
    h("tbody", {}, rows.map((row) => h("tr", { onmouseenter: () => show(row) },
      h("td", {}, h("button", { type: "button", class: "why-button", data: { keep: `why-${row.field}${row.order ?? ""}` }, onfocus: () => show(row), onclick: () => show(row) }, row.order ? `${row.field}·${row.order}` : row.field)),
      h("td", {}, both(row, "name_")),
      h("td", { class: "mono" }, row.value_masked ?? h("span", { class: "soft" }, row.from_card ? t("record.from-card") : t("record.empty")),
        wrong(row).map((one) => h("p", { class: "wrong" }, `${one.code} ${both(one)}`)))))));
  return h("div", { class: "stack tight" }, why, table);
}

/** One element a line, for the eye only. */
const lined = (text) => text.replaceAll("><", ">\n<");

/** The one that is looked at: drawn anew with news of its record, it is not asked for, and written down, again. */
const seen = { record: null, text: "" };

/** The XML of a record, asked for only when it is opened; looking at it is written down by the program. */
export function xml(record) {
  const text = h("pre", { class: "xml", tabindex: "0", "aria-label": "XML" }, seen.record === record ? seen.text : "");
  return h("details", { data: { keep: `xml-${record}` }, ontoggle: async (event) => {
    if (!event.target.open || text.textContent) return;
    text.textContent = t("loading");
    let found;
    try {
      found = await get(`/records/${record}/xml`, { text: true });
    } catch (error) {
      text.textContent = both(error);
      return;
    }
    text.textContent = lined(found);
    Object.assign(seen, { record, text: text.textContent });
  } }, h("summary", {}, t("record.xml")), h("p", { class: "hint" }, t("record.xml-hint")), text);
}
