/** `nhirx batch review`: one page after the other, the picture large, the ID keyed in; everything from the keyboard. */

import { get, post } from "../core/api.js";
import { dialog, isOpen } from "../core/dialog.js";
import { h, icon, put, say } from "../core/dom.js";
import { both, t } from "../core/i18n.js";
import { day, grouped } from "../core/format.js";
import { state, watch } from "../core/store.js";
import { Entry } from "../scan/entry.js";
import { Picture } from "./picture.js";

const CAUSES = ["blurred", "damaged", "cropped", "faint", "reader", "other"];
const TONE = { "visit-id": "ok", later: "warn" };

export class ReviewView {
  /** @param {ReviewView} [before] the one in the other language: the place in the list is kept */
  constructor(before) {
    Object.assign(this, { items: before?.items ?? [], at: before?.at ?? -1, open: before?.open ?? 0, all: before?.all ?? 0, folder: before?.folder ?? "", busy: false });
    this.picture = new Picture();
    this.entry = new Entry((text, answer) => (answer.valid ? this.keep({ decision: "visit-id", visit_ids: [text] }) : null));
    this.head = h("div", { class: "review-head" });
    this.said = h("div", { role: "alert" });
    this.about = h("div", { class: "stack tight" });
    this.list = h("ol", { class: "review-list", "aria-label": t("review.list") });
    this.element = h("div", { class: "review", onkeydown: (event) => this.key(event) }, this.picture.element,
      h("div", { class: "stack review-side" }, this.head, this.said, this.about, this.entry.element, this.acts(), this.list));
    this.stop = watch(["view", "gate"], () => this.load());
    this.load();
  }

  dispose() {
    this.stop();
  }

  async load() {
    if (state.view !== "review" || state.gate !== "ready") return;
    try {
      const found = await get("/review?limit=100000");
      Object.assign(this, { items: found.items, open: found.open, all: found.review, folder: found.folder });
      if (this.at < 0) this.at = Math.max(0, this.items.findIndex((item) => !item.decision));
      this.show();
    } catch (error) {
      this.tell(error);
    }
  }

  get item() {
    return this.items[this.at];
  }

  tell(error) {
    put(this.said, error ? h("p", { class: "finding block" }, icon("block"), h("span", { class: "words" }, both(error))) : null);
  }

  /** The page at hand, anew. */
  async show() {
    this.tell(null);
    this.drawHead();
    this.drawList();
    if (!this.item) {
      put(this.element, h("p", { class: "card empty" }, icon("ok"), t("review.empty")));
      return;
    }
    const { name } = this.item;
    this.entry.clear();
    put(this.about); // nothing of the page before may be taken for this one
    this.picture.show(`/api/v1/review/${encodeURIComponent(name)}/picture`);
    this.page = null;
    try {
      const page = await get(`/review/${encodeURIComponent(name)}`);
      if (this.item?.name !== name) return;
      this.page = page;
      this.drawAbout();
      if (!isOpen()) this.ready();
      say(`${page.path} ${both(page)}`);
    } catch (error) {
      this.tell(error);
    }
  }

  /** The field takes the next key, also after a dialog that went away with the caret. */
  ready() {
    const { field } = this.entry;
    if (document.activeElement === field && !field.value) field.blur();
    field.focus();
  }

  drawHead() {
    const name = this.item?.path.split(/[/\\]/).at(-1) ?? "";
    const button = (id, words, key, by) => h("button", { class: "button", type: "button", id, onclick: () => this.go(by) }, words, " ", h("kbd", {}, key));
    put(this.head, h("div", { class: "row spread" },
      h("div", { class: "grow" }, h("p", { class: "soft small", id: "review-open" }, this.open ? t("review.open", { open: this.open, all: this.all }) : t("review.done")),
        h("h1", { id: "review-name", title: this.item?.path }, name, this.item ? h("span", { class: "soft" }, ` #${this.item.page}`) : null)),
      h("div", { class: "row" }, button("previous", t("review.prev"), "PgUp", -1), button("next", t("review.next"), "PgDn", 1))),
    this.open || !this.all ? null : h("p", { class: "finding ok", id: "review-done" }, icon("ok"), h("span", { class: "words" }, t("review.done")), h("span", { class: "from" }, t("review.done-more"))));
  }

  drawAbout() {
    const { page } = this;
    const ids = page.scan.visit_ids ?? [];
    const read = page.scan.codes?.length ? page.scan.codes.map((code) => [code.text, code.symbology]) : ids.map((id) => [id, page.scan.confidence ?? ""]);
    const told = page.decision;
    put(this.about,
      h("div", { class: "finding warn" }, icon("warn"), h("span", { class: "words" }, both(page)), h("span", { class: "from" }, both(page, "do_"))),
      page.scan.error ? h("p", { class: "small" }, both(page.scan.error)) : null,
      told ? h("div", { class: "finding ok", id: "review-decision" }, icon("ok"), h("span", { class: "words" }, t(`review.state.${told.decision}`), told.cause ? `：${t(`cause.${told.cause}`)}` : "", told.visit_ids.map((id) => h("span", { class: "id" }, ` ${grouped(id)}`))),
        h("span", { class: "from" }, t("review.decided-by", { by: told.by, at: day(told.at, { time: true }) }))) : null,
      page.same.map((one) => h("p", { class: "finding warn same" }, icon("warn"), h("span", { class: "words" }, t("review.same", one)))),
      page.scan.same_picture_as ? h("p", { class: "small soft" }, t("review.same-picture", page.scan.same_picture_as)) : null,
      read.length ? h("div", {}, h("span", { class: "label" }, t("review.read")), read.map(([id, kind]) => h("p", { class: "row" }, h("span", { class: "id" }, grouped(id)), h("span", { class: "tag plain" }, kind))),
        page.scan.status !== "conflict" ? h("button", { class: "button", type: "button", id: "use-read", onclick: () => this.use() }, t("review.use"), " ", h("kbd", {}, "F9")) : null) : null,
      page.scan.reasons?.length ? h("p", { class: "small" }, `${t("review.reasons")}：`, page.scan.reasons.map((one) => t(`reason.${one}`)).join("、")) : null,
      page.tried.length ? h("details", { class: "small" }, h("summary", {}, t("review.tried")), h("ol", { class: "tried" }, page.tried.map((one) => h("li", {}, both(one))))) : null);
  }

  acts() {
    const button = (decision, key, act) => h("button", { class: "button", type: "button", id: `act-${decision}`, onclick: act }, t(`review.${decision}`), " ", h("kbd", {}, key));
    return h("div", { class: "row review-acts" }, button("no-id", "F4", () => this.keep({ decision: "no-id" })), button("illegible", "F6", () => this.illegible()),
      button("not-prescription", "F7", () => this.keep({ decision: "not-prescription" })), button("later", "F8", () => this.keep({ decision: "later" })));
  }

  drawList() {
    // Around the page at hand only: there may be thousands.
    const first = Math.max(0, Math.min(this.at - 4, this.items.length - 12));
    put(this.list, this.items.slice(first, first + 12).map((item, place) => h("li", {},
      h("button", { class: "review-item", type: "button", data: { keep: `item-${item.name}` }, "aria-current": first + place === this.at ? "true" : null, onclick: () => this.go(first + place - this.at) },
        h("span", { class: "mono small" }, String(first + place + 1)),
        h("span", { class: "grow path" }, `${item.path.split(/[/\\]/).at(-1)} #${item.page}`),
        h("span", { class: "small soft" }, t(`review.why.${item.why}`)),
        h("span", { class: `tag ${item.decision ? TONE[item.decision] ?? "info" : "plain"}` }, t(`review.state.${item.decision ?? "open"}`))))));
  }

  go(by) {
    const next = Math.min(this.items.length - 1, Math.max(0, this.at + by));
    if (next === this.at) return;
    this.at = next;
    this.show();
  }

  /** The next page that nobody decided yet, from here on and then from the start; those put off come last. */
  forward() {
    const order = [...this.items.keys()].map((place) => (this.at + 1 + place) % this.items.length).filter((place) => place !== this.at);
    const next = order.find((place) => !this.items[place].decision) ?? order.find((place) => this.items[place].decision === "later");
    if (next !== undefined) this.at = next;
    return this.show();
  }

  async keep(body) {
    const { item } = this;
    if (this.busy || !item) return null;
    this.busy = true;
    try {
      const kept = await post(`/review/${encodeURIComponent(item.name)}`, body).finally(() => (this.busy = false));
      item.decision = kept.decision.decision;
      this.open = kept.open;
      say(t("review.kept"));
      // A duplicate is named where it was made; PageDown goes on.
      return kept.same.length ? this.show() : this.forward();
    } catch (error) {
      return this.tell(error);
    }
  }

  use() {
    const ids = this.page?.scan.visit_ids ?? [];
    if (ids.length && this.page.scan.status !== "conflict") this.keep({ decision: "visit-id", visit_ids: ids });
  }

  async illegible() {
    if (!this.item) return;
    const { name } = this.item;
    const given = await dialog(t("review.illegible-title"), (close) => {
      const cause = h("select", { id: "review-cause", autofocus: true }, CAUSES.map((one) => h("option", { value: one }, t(`cause.${one}`))));
      const note = h("input", { type: "text", id: "review-note", maxlength: 200, autocomplete: "off" });
      return h("form", { class: "stack", onsubmit: (event) => {
        event.preventDefault();
        close({ cause: cause.value, note: note.value.trim() || null });
      } },
      h("p", {}, t("review.illegible-words")), h("div", {}, h("label", { for: "review-cause" }, t("no-id.cause")), cause), h("div", {}, h("label", { for: "review-note" }, t("review.note")), note),
      h("footer", {}, h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel")), h("button", { class: "button primary", type: "submit" }, t("yes"))));
    }, { narrow: true, name: "illegible" });
    this.ready();
    if (given && name === this.item.name) await this.keep({ decision: "illegible", ...given });
  }

  /** Signs that no visit ID has, so the field may keep the focus all the time. */
  key(event) {
    if (event.ctrlKey || event.metaKey || isOpen()) return;
    const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ...(event.altKey ? { ArrowLeft: [-1, 0], ArrowRight: [1, 0] } : {}) };
    const acts = { PageDown: () => this.go(1), PageUp: () => this.go(-1), "+": () => this.picture.zoom(1), "-": () => this.picture.zoom(-1), "/": () => this.picture.turn() };
    const act = moves[event.key] ? () => this.picture.move(...moves[event.key]) : event.altKey ? null : acts[event.key];
    if (!act || event.target === this.picture.frame && moves[event.key]) return;
    event.preventDefault();
    act();
  }
}
