/** The line under the picture: one sentence, what to do, and how far agreement has come. */

import { h, icon, put, say } from "../core/dom.js";
import { lang, t } from "../core/i18n.js";

export class Said {
  constructor() {
    this.element = h("div", { class: "said" });
    this.last = "";
  }

  /** @param {import("./speech.js").Said} said */
  speak(said) {
    const key = JSON.stringify(said) + lang();
    if (key === this.last) return;
    this.last = key;
    this.element.className = `said ${said.tone}`;
    const pips = said.pips === undefined ? null : h("span", { class: "pips", role: "img", "aria-label": t("said.pips", { n: said.pips }) },
      [1, 2, 3].map((n) => h("span", { class: `pip ${n <= said.pips ? "on" : ""}` })));
    put(this.element, icon(said.icon), h("div", { class: "words" }, h("strong", {}, said.words), said.more ? h("span", { class: "small" }, said.more) : null), pips);
    if (said.tone) say(`${said.words} ${said.more ?? ""}`);
  }
}
