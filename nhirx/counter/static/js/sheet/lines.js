/** The lines of a prescription in the form: a small table that grows by itself, for typing with Tab alone. */

import { h, put } from "../core/dom.js";
import { t } from "../core/i18n.js";

const COLUMNS = [
  // name, words, kind
  ["code", "line.code", "code"],
  ["usage", "line.usage", "text"],
  ["route", "line.route", "text"],
  ["days", "line.days", "count"],
  ["total", "line.total", "amount"],
];

export class LineTable {
  /** @param {any[]} orders kept and changed in place */
  constructor(orders) {
    this.orders = orders.length ? orders.map((one) => ({ ...one })) : [];
    this.body = h("tbody", {});
    this.element = h("table", { class: "lines" },
      h("thead", {}, h("tr", {}, COLUMNS.map(([, words]) => h("th", { scope: "col" }, t(words))), h("th", { scope: "col" }, t("line.marks")))),
      this.body);
    this.draw();
  }

  draw() {
    put(this.body, [...this.orders, null].map((order, index) => this.row(order, index)));
  }

  row(order, index) {
    const cells = COLUMNS.map(([name, words, kind]) => h("td", {}, h("input", {
      type: "text", class: kind === "code" ? "mono" : "", data: { keep: `line-${index}-${name}` }, "aria-label": `${index + 1} ${t(words)}`, autocomplete: "off",
      inputmode: kind === "count" || kind === "amount" ? "decimal" : "text", value: order?.[name] ?? "",
      oninput: (event) => this.typed(index, name, kind, event.target.value),
    })));
    const mark = (name) => h("label", { class: "check small" }, h("input", { type: "checkbox", checked: Boolean(order?.[name]), disabled: !order, onchange: (event) => (this.orders[index][name] = event.target.checked) }), t(`line.${name}`));
    return h("tr", {}, cells, h("td", {}, mark("long_term"), mark("substituted")));
  }

  typed(index, name, kind, text) {
    const grown = index === this.orders.length;
    if (grown) this.orders.push({ kind: "drug", code: "", total: 0 });
    const clean = text.normalize("NFKC").trim();
    const number = Number(clean);
    this.orders[index][name] = kind === "count" || kind === "amount" ? (clean && Number.isFinite(number) ? number : null) : kind === "code" ? clean.toUpperCase() : clean || null;
    if (name === "total" && this.orders[index].total === null) this.orders[index].total = 0;
    if (grown) this.draw();
  }
}
