/** The page's picture, large: zoomed and moved from the keyboard while the field keeps the focus. */

import { h, icon, put } from "../core/dom.js";
import { t } from "../core/i18n.js";

const STEPS = [1, 1.5, 2, 3, 4, 6];
const MOVE = 0.25; // of the frame's size

export class Picture {
  constructor() {
    this.step = 0;
    this.turned = 0;
    this.image = h("img", { alt: t("review.picture"), onload: () => this.fit(), onerror: () => this.fail() });
    this.canvas = h("div", { class: "review-canvas" }, this.image);
    // Reached by Tab as well, so that whoever has no function keys can scroll it.
    this.frame = h("div", { class: "review-frame", tabindex: "0", role: "region", "aria-label": t("review.picture") }, this.canvas);
    const button = (id, words, key, act) => h("button", { class: "button", type: "button", id, onclick: act }, words, " ", h("kbd", {}, key));
    this.element = h("section", { class: "card review-picture" }, this.frame,
      h("div", { class: "tools" }, button("zoom-out", t("review.out"), "−", () => this.zoom(-1)), button("zoom-in", t("review.in"), "+", () => this.zoom(1)),
        button("turn", t("review.turn"), "/", () => this.turn())));
    new ResizeObserver(() => this.fit()).observe(this.frame);
  }

  show(address) {
    if (this.address === address) return;
    Object.assign(this, { address, turned: 0 });
    put(this.canvas, this.image);
    this.image.src = address;
    this.frame.scrollTo(0, 0);
  }

  fail() {
    put(this.canvas, h("p", { class: "empty" }, icon("sheet"), t("review.no-picture")));
  }

  zoom(by) {
    const before = this.scale;
    const [x, y] = [this.frame.scrollLeft + this.frame.clientWidth / 2, this.frame.scrollTop + this.frame.clientHeight / 2];
    this.step = Math.min(STEPS.length - 1, Math.max(0, this.step + by));
    this.fit();
    const k = this.scale / before;
    this.frame.scrollTo(x * k - this.frame.clientWidth / 2, y * k - this.frame.clientHeight / 2);
  }

  turn() {
    this.turned = (this.turned + 1) % 4;
    this.fit();
  }

  move(x, y) {
    this.frame.scrollBy(x * MOVE * this.frame.clientWidth, y * MOVE * this.frame.clientHeight);
  }

  /** The whole page at step 0; the zoom stays for the next page, since the ID stands at the same place on most. */
  fit() {
    const { naturalWidth: w, naturalHeight: g } = this.image;
    if (!w || !this.frame.clientWidth) return;
    const aside = this.turned % 2 === 1;
    const [width, height] = aside ? [g, w] : [w, g];
    this.scale = Math.min((this.frame.clientWidth - 2) / width, (this.frame.clientHeight - 2) / height) * STEPS[this.step];
    Object.assign(this.canvas.style, { width: `${width * this.scale}px`, height: `${height * this.scale}px` });
    Object.assign(this.image.style, {
      width: `${w * this.scale}px`, height: `${g * this.scale}px`,
      transform: `translate(-50%, -50%) rotate(${90 * this.turned}deg)`,
    });
  }
}
