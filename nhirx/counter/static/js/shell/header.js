/** The bar at the top: where one is, how reader and upload are, who signs, language and theme. */

import { both, lang, t } from "../core/i18n.js";
import { dialog } from "../core/dialog.js";
import { h, icon, put, s } from "../core/dom.js";
import { help } from "../core/keys.js";
import { percent } from "../core/format.js";
import { machine, set, state, watch } from "../core/store.js";
import { personForm } from "./gate.js";
import { addOperator, lock, unlock } from "./session.js";

export function header(target, switchLanguage) {
  const draw = () => put(target, bar(switchLanguage));
  watch(["gate", "view", "server", "operator", "reached", "language"], draw);
  draw();
}

function bar(switchLanguage) {
  const ready = state.gate === "ready";
  const review = state.view === "review";
  const waits = (state.server?.counts?.journal?.unfinished ?? 0) + (state.server?.counts?.journal?.held ?? 0);
  const tab = (view, key, n = 0) => h("button", { class: "tab", type: "button", id: `tab-${view}`, "aria-current": state.view === view ? "page" : null, onclick: () => set({ view }) }, t(`tab.${view}`), n ? [" ", h("span", { class: "count" }, String(n))] : null, key ? h("span", { class: "sr" }, ` ${key}`) : null);
  return h("div", { class: "bar" },
    h("div", { class: "brand" }, logo(), t(review ? "review.brand" : "brand")),
    ready && !review ? h("nav", { class: "tabs", "aria-label": t("nav") }, tab("counter", ""), tab("today", "F6"), tab("todo", "F7", waits)) : null,
    h("div", { class: "lights" }, ready && !review ? [reader(), upload(), share()] : null,
      ready && state.operator ? h("button", { class: "button quiet", type: "button", id: "operator", title: t("lock.title"), onclick: who }, icon("lock"), state.operator, h("span", { class: "sr" }, t("lock.title"))) : null,
      ready && !state.operator ? h("button", { class: "button quiet", type: "button", id: "operator", onclick: () => newPerson() }, icon("person"), t("lock.new")) : null,
      h("button", { class: "button quiet", type: "button", id: "language", lang: lang() === "zh" ? "en" : "zh-Hant", onclick: switchLanguage }, lang() === "zh" ? "English" : "中文"),
      h("button", { class: "button quiet icon-only", type: "button", id: "theme", title: t("theme"), onclick: switchTheme }, icon("moon", t("theme"))),
      ready ? h("button", { class: "button quiet icon-only", type: "button", id: "help", title: t("keys.title"), onclick: help }, "?", h("span", { class: "sr" }, t("keys.title"))) : null));
}

const logo = () => s("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" }, s("rect", { width: 32, height: 32, rx: 8, fill: "currentColor" }), s("path", { d: "M9 6h10l5 5v15H9z", fill: "var(--surface)" }),
  s("path", { d: "M12 18.5l3 3 6-7", fill: "none", stroke: "currentColor", "stroke-width": 2.6, "stroke-linecap": "round", "stroke-linejoin": "round" }));

const light = (tone, shape, words, more) => h("span", { class: `light ${tone}`, title: more || words }, icon(shape), words);

const READER = { ok: "ok", card: "ok", "no-card": "", unknown: "", "no-reader": "block", "no-service": "block" };

function reader() {
  const one = state.server?.reader;
  if (!one) return null;
  const tone = READER[one.state] ?? "warn";
  return light(tone, tone === "block" ? "block" : "card", t(`reader.${one.state}`), both(one, "words_"));
}

function upload() {
  const { worker, counts } = state.server ?? {};
  if (!worker) return null;
  const queue = counts?.queue ?? {};
  const waiting = (queue.built ?? 0) + (queue.sending ?? 0) + (queue.sent ?? 0);
  const open = worker.breaker && worker.breaker !== "closed";
  const bad = (queue.rejected ?? 0) + (queue.stuck ?? 0);
  const tone = open || worker.state !== "running" || bad ? "warn" : "ok";
  const words = open ? t("upload.down") : worker.state !== "running" ? t(`upload.${worker.state}`) : bad ? t("upload.bad", { n: bad }) : waiting ? t("upload.waiting", { n: waiting }) : t("upload.ok");
  return light(tone, tone === "ok" ? "send" : "warn", words, both(worker, "reason_"));
}

function share() {
  const one = state.server?.b_share;
  return one?.all ? light("", "list", t("share", { percent: percent(one) }), t("share.title", { b: one.b, all: one.all })) : null;
}

export function switchTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  machine.set("theme", next);
}

/** The theme of this machine: chosen here, or the system's. */
export function applyTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => (document.documentElement.dataset.theme = machine.get("theme") ?? (system.matches ? "dark" : "light"));
  system.addEventListener("change", apply);
  apply();
}

/** Leave, or let somebody else in. */
async function who() {
  const chosen = await dialog(state.operator, (close) => [
    h("div", { class: "stack tight" },
      h("button", { class: "button primary big", type: "button", id: "lock", autofocus: true, onclick: () => close("lock") }, icon("lock"), t("lock.title"), h("kbd", {}, "F10")),
      h("button", { class: "button", type: "button", id: "add-person", onclick: () => close("add") }, icon("person"), t("gate.first"))),
    h("footer", {}, h("button", { class: "button", type: "button", onclick: () => close(null) }, t("close"))),
  ], { narrow: true, name: "who" });
  if (chosen === "lock") await lock();
  if (chosen === "add") newPerson(false);
}

function newPerson(signIn = true) {
  dialog(t("lock.new"), (close) => personForm(t("gate.first"), t("gate.first-more"), async (name, pin) => {
    await addOperator(name, pin);
    close(true);
    if (signIn) await unlock(name, pin);
  }), { narrow: true, name: "person" });
}
