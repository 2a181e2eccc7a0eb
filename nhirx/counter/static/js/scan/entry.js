/**
 * The field that is always ready: for a keyboard-wedge scanner and for typing. Twenty places in groups of four.
 *
 * An input method stands between a scanner and the field: a Bopomofo one turns its keys into syllables and those into words, and
 * from words no way leads back. So the keys themselves are kept too, and count where somebody as fast as a scanner typed them.
 */

import { post } from "../core/api.js";
import { h, icon, put, say } from "../core/dom.js";
import { both, t } from "../core/i18n.js";

const LENGTH = 20;
const BURST = 35; // milliseconds between two keys: nobody types 20 characters that fast
const PAUSE = 300; // milliseconds after the last key of a scanner that sends no Enter

/** The character of a key on a keyboard of the US, whatever the input method made of it; "" for any other key. */
const plain = (event) => (event.altKey || event.ctrlKey || event.metaKey ? "" : /^(?:Key([A-Z])|(?:Digit|Numpad)([0-9]))$/.exec(event.code ?? "")?.slice(1).join("") ?? "");

const compact = (text) => text.normalize("NFKC").replace(/[\s\-_.·]/g, "");

export class Entry {
  /** @param {(text: string, answer: any) => void} taken */
  constructor(taken) {
    this.taken = taken;
    this.asked = 0;
    this.field = h("input", {
      type: "text", id: "entry", data: { keep: "entry" }, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", inputmode: "text",
      placeholder: t("entry.placeholder"), "aria-describedby": "entry-said", onbeforeinput: (event) => this.before(event),
      oninput: (event) => this.typed(event), onkeydown: (event) => this.key(event), oncompositionend: (event) => this.composedText(event.data),
    });
    /** What was wrong with the scanner the last time: it stays to be read after its text was taken. */ this.doctor = [];
    this.mirror = h("div", { class: "mirror", "aria-hidden": "true" });
    this.said = h("div", { id: "entry-said", class: "stack tight", "aria-live": "polite" });
    this.element = h("form", { class: "card entry", onsubmit: (event) => {
      event.preventDefault();
      this.submit();
    } },
    h("div", { class: "row spread" }, h("label", { for: "entry" }, t("entry.label")), h("kbd", {}, "F2")),
    h("div", { class: "line" }, this.field, h("button", { class: "button", type: "submit" }, t("entry.take"))),
    this.mirror, this.said);
    this.clear();
  }

  clear() {
    clearTimeout(this.timer);
    Object.assign(this, { raw: "", keys: "", edited: false, composed: false, times: [] });
    this.field.value = "";
    this.draw(null);
  }

  focus(text = "") {
    this.field.focus();
    if (text) {
      this.clear();
      this.raw = text;
      this.field.value = text;
      this.typed();
    }
  }

  before(event) {
    if (event.inputType === "insertCompositionText") return;
    if (event.inputType?.startsWith("delete")) this.edited = Boolean(this.field.value);
    else if (event.data ?? event.dataTransfer) this.raw += event.data ?? event.dataTransfer.getData("text");
  }

  key(event) {
    const ime = event.isComposing || event.keyCode === 229;
    const sign = plain(event);
    if (ime) this.composed = true;
    if (event.key.length === 1 || (ime && sign)) this.times = [...this.times.slice(-LENGTH), performance.now()];
    this.keys += sign;
    if (!ime || !this.fromScanner) return;
    // The Enter of the scanner ends the syllable, not the form; and while syllables are made nothing tells that the text is whole.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.submit(event.code !== "Enter" && event.code !== "NumpadEnter"), PAUSE);
  }

  composedText(text) {
    this.composed = true;
    this.raw += text ?? "";
    if (!this.behind) this.typed();
  }

  /** What a scanner's keys were, where an input method made something else of them; else null. */
  get behind() {
    return this.composed && !this.edited && this.fromScanner && this.keys.length === LENGTH ? this.keys : null;
  }

  /** Whether the last characters came as fast as only a scanner sends them. */
  get fromScanner() {
    const { times } = this;
    return times.length >= 10 && (times.at(-1) - times[0]) / (times.length - 1) < BURST;
  }

  typed(event) {
    // The input method holds this text; to write into the field now would break what it makes.
    if (event?.isComposing || this.behind) return;
    const text = compact(this.field.value).toUpperCase();
    const caret = compact(this.field.value.slice(0, this.field.selectionStart ?? 0)).length;
    if (text.length <= LENGTH) {
      this.field.value = text.replace(/(.{4})(?=.)/g, "$1 ");
      const place = caret + Math.floor(Math.max(0, caret - 1) / 4);
      this.field.setSelectionRange(place, place);
    } else if (text.length === LENGTH + 1 && this.raw && !this.edited) {
      // No visit ID but a longer code: as it came, without the groups and capitals of an ID.
      this.field.value = this.raw;
    }
    if (!text) this.clear();
    clearTimeout(this.timer);
    this.waits = false;
    this.draw(null);
    if (text.length < LENGTH) return;
    this.timer = setTimeout(() => (this.fromScanner ? this.submit(true) : this.look()), PAUSE);
  }

  /** Ask what the text is. The answer is thrown away when it was typed on meanwhile. */
  async look(withoutEnter = false) {
    const mine = ++this.asked;
    // As a scanner sent it, so that the program can tell what is wrong with its settings; as it stands when a person typed.
    const behind = this.behind;
    const asSent = behind ?? (this.fromScanner && !this.edited && this.raw ? this.raw : this.field.value);
    try {
      const answer = await post("/codes", { text: withoutEnter ? asSent : `${asSent}\n` });
      if (mine !== this.asked) return null;
      if (behind) answer.wedge = [{ code: "bopomofo", zh: t("entry.ime", {}, "zh"), en: t("entry.ime", {}, "en") }, ...(answer.wedge ?? [])];
      this.draw(answer, answer.wedge ?? []);
      return answer;
    } catch (error) {
      if (mine === this.asked) this.draw(null, [], both(error));
      // Where the program is away the text waits with the person, and is looked at again when it is back.
      this.waits = error.lost && this.sent && mine === this.asked;
      return null;
    }
  }

  async submit(withoutEnter = false) {
    clearTimeout(this.timer);
    if (!this.field.value.trim()) return;
    this.sent = true;
    const answer = await this.look(withoutEnter);
    this.sent = false;
    const another = compact(this.field.value).length > LENGTH;
    const hints = [...(answer?.repairs ?? []), ...(answer?.wedge ?? [])];
    // A code that lost its Chinese is no prescription any more: it stays in sight with the remedy, and is taken when it is sent again.
    const broken = hints.some((one) => one.code === "lost-chinese") && this.refused !== this.field.value;
    this.refused = broken ? this.field.value : null;
    if (!broken && ((answer?.valid && answer.kind !== "placeholder") || another)) {
      this.doctor = hints;
      this.taken(answer?.canonical ?? (this.raw && !this.edited ? this.raw : this.field.value), answer ?? {});
    } else if (answer) this.field.select();
  }

  /** The program is back. */
  retry() {
    if (this.waits) this.submit();
    this.waits = false;
  }

  draw(answer, hints = [], failure = "") {
    const text = compact(this.field.value).toUpperCase();
    const fixed = answer?.canonical ?? "";
    const cells = Array.from({ length: text && text.length <= LENGTH ? LENGTH : 0 }, (_, place) => {
      const typed = text[place] ?? "";
      const shown = fixed.length === LENGTH ? fixed[place] : typed;
      const repaired = typed && shown !== typed;
      const odd = typed && !/[0-9A-Z]/.test(shown);
      return h("span", { class: `cell ${typed ? "full" : ""} ${repaired ? "repaired" : ""} ${odd ? "odd" : ""}` }, shown || "\u00a0");
    });
    put(this.mirror, [0, 4, 8, 12, 16].map((from) => (cells.length ? h("span", { class: "group" }, cells.slice(from, from + 4)) : null)));
    if (text) this.doctor = [];
    const lines = [
      ...this.doctor.map((one) => ["info", both(one)]),
      ...(answer?.kind === "placeholder" ? [["block", both(answer, "meaning_")], ["warn", t("said.placeholder-more")]] : []),
      ...(answer?.repairs ?? []).map((one) => ["warn", both(one)]),
      ...hints.map((one) => ["warn", both(one)]),
      ...(answer?.problems ?? []).map((one) => [answer.valid ? "warn" : "block", both(one)]),
      ...(answer && !answer.valid && !(answer.problems ?? []).length ? [["block", t("entry.invalid")]] : []),
      ...(failure ? [["block", failure]] : []),
    ];
    put(this.said, this.doctor.length ? h("p", { class: "hint" }, t("entry.last")) : null, lines.map(([tone, words]) => h("p", { class: `line-with small ${tone === "block" ? "wrong" : "soft"}` }, icon(tone), h("span", { class: "grow" }, words))),
      text && text.length < LENGTH ? h("p", { class: "hint" }, t("entry.left", { n: LENGTH - text.length })) : null,
      answer?.valid && answer.kind !== "placeholder" ? h("p", { class: "hint row" }, icon("ok"), t("entry.valid")) : null);
    if (lines.length) say(lines.map((line) => line[1]).join(" "));
  }
}
