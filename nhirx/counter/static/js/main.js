/** The page: puts the parts together and lets them listen to each other. */

import { get } from "./core/api.js";
import { confirm, isOpen } from "./core/dialog.js";
import { h, put } from "./core/dom.js";
import { on } from "./core/events.js";
import { lang, setLanguage, t } from "./core/i18n.js";
import { bind, listen } from "./core/keys.js";
import { set, state, watch } from "./core/store.js";
import { Today } from "./lists/today.js";
import { Todo } from "./lists/todo.js";
import { ReviewView } from "./review/view.js";
import { receive } from "./scan/files.js";
import { openFiles } from "./scan/pages.js";
import { Panel } from "./scan/panel.js";
import { go } from "./sheet/acts.js";
import { lookAtCard, withoutId } from "./sheet/choices.js";
import { begin, change, clear, heard, isBusy, refresh } from "./sheet/flow.js";
import { SheetView } from "./sheet/view.js";
import { banners } from "./shell/banners.js";
import { Gate } from "./shell/gate.js";
import { applyTheme, header } from "./shell/header.js";
import * as session from "./shell/session.js";

applyTheme();
setLanguage(lang());

const main = document.getElementById("main");
const gate = new Gate();
let panel;
let sheet;
let today;
let todo;
let review;

/** All words on the page stand in elements, so a change of language builds them anew; the work itself is kept in the state. */
function build() {
  const before = panel;
  before?.dispose();
  sheet?.dispose();
  panel = new Panel(taken, may);
  if (before && isBusy()) panel.adopt(before);
  sheet = new SheetView();
  today ??= new Today();
  todo ??= new Todo();
  today.built = false;
  if (review) {
    review.dispose();
    review = new ReviewView(review);
  }
  document.getElementById("skip").textContent = t("skip");
  document.title = `${t(state.view === "review" ? "review.brand" : "brand")} · nhirx`;
}

/** Whether the field for a sheet stands there: from the first moment on, while the program still starts. */
const open = () => state.gate === "ready" || (state.gate === "starting" && !session.reviews());

let view = state.view;

function draw() {
  place();
  // Who moves by keyboard goes on inside what was opened, not where the view before had left off.
  if (state.view !== view && state.view !== "review" && state.gate === "ready") main.focus({ preventScroll: true });
  view = state.view;
}

function place() {
  if (!open()) return put(main, gate.element);
  if (state.view === "review") return put(main, (review ??= new ReviewView()).element);
  if (state.view === "today") return put(main, today.element);
  if (state.view === "todo") return put(main, todo.element);
  if (main.firstChild !== counter.element || counter.panel !== panel) {
    counter.panel = panel;
    counter.element = h("div", { class: "counter" }, panel.element, sheet.element);
    put(main, counter.element);
  }
  return null;
}
const counter = { element: null, panel: null };

/** A sheet comes while another is worked on: only a person may put the first one away. */
const may = async () => !isBusy() || confirm(t("away.title"), t("away.words"), { yes: t("away.yes") });

async function taken(found) {
  const { text } = found;
  await begin(found);
  if (text === state.work?.sheet.text) document.getElementById("work-title")?.focus({ preventScroll: true });
}

async function putAway() {
  if (!state.work) return;
  if (state.work.phase === "sending" || state.work.phase === "lost") return;
  if (await may()) clear();
}

async function noId() {
  if (isBusy() || isOpen()) return;
  const found = await withoutId(() => panel.picture());
  if (found) await taken(found);
}

/** The sheet of the practice mode, for somebody without a camera or a printer. */
async function sample(number) {
  const picture = await get(`/demo/sheet.jpg?number=${number ?? 1}`, { blob: true }).catch(() => null);
  if (picture) await openFiles(panel, [new File([picture], "sheet.jpg", { type: "image/jpeg" })]);
}

function switchLanguage() {
  setLanguage(lang() === "zh" ? "en" : "zh");
  build();
  gate.again = true;
  gate.draw();
  set({ language: lang(), view: state.view, work: state.work });
}

function keys() {
  listen();
  // The review of a batch has the same keys for its own acts.
  const bindHere = (key, counter, act) => bind(key, () => (state.view === "review" ? act?.() : counter()));
  bindHere("F2", () => {
    set({ view: "counter" });
    panel.entry.focus();
  }, () => review.entry.focus());
  bindHere("F3", () => state.view === "counter" && panel.toggle());
  bindHere("F4", () => state.work?.rxState === "found" && state.work.phase === "open" && change({ rxState: "form", plan: null }), () => review.keep({ decision: "no-id" }));
  bindHere("F6", () => set({ view: "today" }), () => review.illegible());
  bindHere("F7", () => set({ view: "todo" }), () => review.keep({ decision: "not-prescription" }));
  bindHere("F8", () => document.querySelector("#record > summary")?.click(), () => review.keep({ decision: "later" }));
  bindHere("F9", () => state.view === "counter" && go(), () => review.use());
  bind("F10", () => state.operator && session.lock());
  bind("Escape", () => state.view !== "review" && (state.view === "counter" ? putAway() : set({ view: "counter" })));
  // What a scanner types when no field has the focus belongs into the field that is always ready.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, dialog[open]");
    if (typing || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.altKey || event.metaKey) return;
    if (open() && state.view === "counter") {
      panel.entry.key(event);
      panel.entry.focus();
    }
    if (state.gate === "ready" && state.view === "review" && /[0-9a-z]/i.test(event.key)) review.entry.focus();
  }, true);
}

build();
watch(["gate", "view"], draw);
header(document.getElementById("header"), switchLanguage);
banners(document.getElementById("banners"));
keys();
receive((files) => open() && state.view === "counter" && openFiles(panel, files), (text) => {
  if (open() && state.view === "counter" && text.trim()) panel.entry.focus(text.trim());
});
session.follow();
on("connected", () => panel.retry());
on("record", (event) => {
  heard({ id: event.id, state: event.state, ...(event.opcode ? { opcode: event.opcode } : {}) });
  if (state.work?.record?.id === event.id) refresh(event.id);
});
on("card", (event) => {
  // What was read of a card is over the moment it is taken out.
  if (event.state !== "card" && state.work?.holder) change({ holder: null });
  if (state.work?.phase === "open") lookAtCard();
});
// A plan was made: see whose card is in the reader.
let lookedFor = null;
watch(["work"], () => {
  const plan = state.work?.plan;
  if (plan && plan !== lookedFor) {
    lookedFor = plan;
    if (state.work.phase === "open") lookAtCard();
  }
});
document.addEventListener("nhirx:put-away", putAway);
document.addEventListener("nhirx:no-id", noId);
document.addEventListener("nhirx:sample", (event) => sample(event.detail));
window.addEventListener("beforeunload", (event) => isBusy() && event.preventDefault());
draw();
session.begin();
