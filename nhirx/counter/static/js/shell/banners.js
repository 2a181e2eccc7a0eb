/** What is wrong around the page, said across its whole width: the program away, the VPN down, settings missing. */

import { h, icon, put } from "../core/dom.js";
import { post } from "../core/api.js";
import { both, t } from "../core/i18n.js";
import { state, watch } from "../core/store.js";

export function banners(target) {
  const draw = () => put(target, all());
  watch(["reached", "server", "gate", "language"], draw);
  draw();
}

const banner = (id, tone, words, more = "", act = null, detail = "") => h("div", { class: `banner ${tone}`, id: `banner-${id}`, title: detail || null }, icon(tone), h("span", { class: "grow" }, words, more ? h("span", { class: "small" }, ` ${more}`) : null), act);

const send = (words, action) => h("button", { class: "button", type: "button", data: { keep: `banner-${action}` }, onclick: () => post("/worker", { action }).catch(() => {}) }, words);

function all() {
  const found = [];
  if (!state.reached) found.push(banner("lost", "block", t("banner.lost"), t("banner.lost-more")));
  const { server } = state;
  if (!server || state.gate !== "ready" || server.review) return found;
  const { worker, reader, settings_missing: missing = [], plugins = [] } = server;
  if (worker?.breaker && worker.breaker !== "closed") found.push(banner("vpn", "warn", t("banner.vpn"), "", send(t("worker.now"), "send-now"), both(worker, "reason_")));
  else if (worker?.state === "paused") found.push(banner("paused", "info", t("banner.paused"), both(worker, "reason_"), send(t("worker.resume"), "resume")));
  if (reader && ["no-reader", "no-service"].includes(reader.state)) found.push(banner("reader", "warn", both(reader, "words_")));
  if (missing.length) found.push(banner("settings", "warn", t("banner.settings"), missing.join("、")));
  const broken = plugins.filter((one) => one.state === "refused");
  if (broken.length) found.push(banner("plugins", "info", t("banner.plugins"), broken.map((one) => one.name).join("、")));
  return found;
}
