/** The corrected record that the rules propose: what changes, and why; a person sends it. */

import { get, post } from "../core/api.js";
import { h, icon, put } from "../core/dom.js";
import { both, t } from "../core/i18n.js";

/** @param {number} id of the rejected record @param {() => void} sent */
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
  const said = h("div", { role: "alert" });
  const changes = given.changes ?? [];
  const send = h("button", { class: "button primary big", type: "button", id: "send-correction", onclick: async () => {
    send.disabled = true;
    try {
      await post(`/records/${id}/correction`);
      sent();
    } catch (error) {
      send.disabled = false;
      put(said, h("p", { class: "finding block" }, icon("block"), h("span", { class: "words" }, both(error))));
    }
  } }, icon("send"), t("fix.send"));
  put(box, h("h3", {}, t("fix.title")),
    changes.length ? h("table", { class: "diff" },
      h("thead", {}, h("tr", {}, ["record.field", "fix.before", "fix.after", "fix.why"].map((name) => h("th", { scope: "col" }, t(name))))),
      h("tbody", {}, changes.map((one) => h("tr", {}, h("td", { class: "mono" }, one.order ? `${one.field} (${one.order})` : one.field),
        h("td", { class: "mono" }, h("del", {}, one.before_masked ?? one.before ?? t("record.empty"))), h("td", { class: "mono" }, h("ins", {}, one.after_masked ?? one.after ?? t("record.empty"))), h("td", { class: "small" }, both(one)))))) : h("p", {}, t("fix.same")),
    (given.open ?? given.unresolved ?? []).length ? h("ul", { class: "small soft" }, (given.open ?? given.unresolved).map((one) => h("li", {}, typeof one === "string" ? one : `${one.field ?? ""} ${both(one)}`))) : null,
    said, h("div", { class: "row" }, send));
}
