/** The prescription in short, its lines, and the arithmetic of the next fill. */

import { h, icon } from "../core/dom.js";
import { both, source, t } from "../core/i18n.js";
import { day } from "../core/format.js";
import { change } from "./flow.js";

export function prescription(work) {
  const { rx } = work;
  const { sheet } = rx;
  const pairs = [
    [t("rx.institution"), h("span", { class: "mono" }, sheet.institution ?? t("none"))],
    [t("rx.visited"), day(sheet.visited_at, { time: true }) || t("none")],
    [t("rx.serial"), h("span", { class: "mono" }, sheet.visit_serial ?? t("none"))],
    [t("rx.days"), rx.days ? t("rx.days-n", { n: rx.days }) : t("none")],
  ];
  return h("section", { class: "card", "aria-label": t("rx.title") },
    h("header", {}, h("h2", {}, t("rx.title")),
      h("div", { class: "row" }, h("span", { class: "tag plain" }, work.rxSource ? t("rx.from", { name: work.rxSource }) : t("rx.typed")),
        h("button", { class: "button quiet", type: "button", id: "edit-rx", onclick: () => change({ rxState: "form", plan: null }) }, t("rx.edit"), h("kbd", {}, "F4")))),
    h("div", { class: "pair" },
      h("dl", { class: "facts" }, pairs.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
      refill(work)),
    lines(rx), periods(work));
}

function lines(rx) {
  const orders = rx.orders ?? [];
  if (!orders.length) return null;
  return h("details", { open: orders.length <= 4 }, h("summary", {}, t("rx.lines", { n: orders.length })),
    h("table", {}, h("thead", {}, h("tr", {}, [t("line.code"), t("line.usage"), t("line.route")].map((name) => h("th", { scope: "col" }, name)),
      [t("line.days"), t("line.total")].map((name) => h("th", { scope: "col", class: "number" }, name)))),
    h("tbody", {}, orders.map((order) => h("tr", {},
      h("td", { class: "mono" }, order.code, order.substituted ? [" ", h("span", { class: "tag info" }, t("line.substituted"))] : null),
      h("td", {}, order.usage ?? ""), h("td", {}, order.route ?? ""),
      h("td", { class: "number" }, order.days ?? ""), h("td", { class: "number" }, Number(order.total ?? 0).toLocaleString()))))));
}

/** Which fill this is and when the next may come: from the plan, which counts holidays and announced changes. */
function refill(work) {
  const known = work.rx.sheet.refill;
  const windows = work.plan?.windows ?? [];
  if (!known) {
    const valid = windows.find((one) => one.id === "ordinary-validity");
    return h("div", { class: "stack tight" }, h("p", {}, h("strong", {}, t("refill.single"))), valid ? sum(valid) : null);
  }
  const next = work.plan?.refill ?? {};
  const dots = Array.from({ length: Math.min(known.of, 12) }, (_, index) => {
    const n = index + 1;
    const kind = n < known.number ? "done" : n === known.number ? "now" : "";
    return h("li", { class: `fill ${kind}` }, String(n));
  });
  return h("div", { class: "stack tight" },
    h("div", { class: "refill" }, h("ol", { class: "fills", "aria-hidden": "true" }, dots), h("strong", {}, t("refill.nth", { n: known.number, of: known.of }))),
    next.next_from ? h("p", { class: "line-with" }, icon("wait"), h("span", {}, t("refill.next"), " ", h("strong", {}, day(next.next_from)))) : null,
    next.next_from ? sum(next) : null,
    known.number === known.of ? h("p", { class: "soft" }, t("refill.last")) : null);
}

/** The arithmetic of a period in words, with its source. */
const sum = (one) => h("p", { class: "small soft" }, both(one), one.source ? h("span", {}, ` ${t("finding.source", { source: source(one.source) })}`) : null);

/** Until when what has to be done: upload, correction, make-up. */
function periods(work) {
  const rest = (work.plan?.windows ?? []).filter((one) => !["ordinary-validity", "refill-window"].includes(one.id));
  if (!rest.length) return null;
  return h("details", {}, h("summary", {}, t("rx.periods")), h("ul", { class: "stack tight" }, rest.map((one) => h("li", {}, sum(one)))));
}
