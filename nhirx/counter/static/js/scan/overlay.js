/** What was found, drawn over the picture: each kind of code has its own line, the taken one a thick frame with a tick. */

import { s } from "../core/dom.js";
import { t } from "../core/i18n.js";

const KNOWN = new Set(["visit-id", "prescription-qr", "virtual-card", "placeholder", "other"]);

export class Overlay {
  constructor() {
    this.svg = s("svg", { class: "overlay", "aria-hidden": "true", preserveAspectRatio: "xMidYMid meet" });
  }

  /** The corners that say "put it here", before anything is seen. */
  guide(width = 1280, height = 720) {
    const [x, y, w, l] = [width * 0.14, height * 0.1, width * 0.72, height * 0.14];
    const b = height - y;
    const path = `M${x} ${y + l}V${y}H${x + l}M${x + w - l} ${y}H${x + w}V${y + l}M${x + w} ${b - l}V${b}H${x + w - l}M${x + l} ${b}H${x}V${b - l}`;
    this.size(width, height);
    this.svg.replaceChildren(s("path", { class: "frame-guide", d: path }));
  }

  clear() {
    this.svg.replaceChildren();
  }

  size(width, height) {
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.scale = width / 1280;
  }

  /** @param {any[]} codes with polygon and kind @param {boolean} taken whether the visit ID was taken */
  show(codes, width, height, taken) {
    this.size(width, height);
    // The visit ID last, so that nothing lies over it.
    const drawn = codes.filter((code) => code.polygon?.length >= 3).sort((a, b) => (a.kind === "visit-id") - (b.kind === "visit-id"));
    this.svg.replaceChildren(...drawn.flatMap((code) => this.one(code, taken)));
  }

  one(code, taken) {
    const kind = KNOWN.has(code.kind) ? code.kind : "other";
    const mine = Boolean(taken) && kind === "visit-id";
    const points = code.polygon.map((point) => point.join(",")).join(" ");
    const left = Math.min(...code.polygon.map((point) => point[0]));
    const top = Math.min(...code.polygon.map((point) => point[1]));
    const right = Math.max(...code.polygon.map((point) => point[0]));
    const bottom = Math.max(...code.polygon.map((point) => point[1]));
    const k = this.scale;
    const label = t(`code.${kind}`);
    const wide = [...label].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 255 ? 43 : 25), 30);
    const above = top > 70 * k ? top - 68 * k : bottom + 8 * k;
    const tickAt = `translate(${(left + right) / 2} ${(top + bottom) / 2}) scale(${k})`;
    return [
      s("polygon", { class: "code-under", points }),
      s("polygon", { class: `code ${kind} ${mine ? "taken" : ""}`, points, data: { kind, taken: String(mine) } }),
      mine
        ? s("g", { transform: tickAt }, s("circle", { class: "tick-disc", r: 38 }), s("path", { class: "tick", d: "M-17 1L-5 14L19 -13" }))
        : s("g", { transform: `translate(${left} ${above}) scale(${k})` },
          s("rect", { class: "code-chip", width: wide, height: 60, rx: 12 }), s("text", { class: "code-name", x: 15, y: 44 }, label)),
    ];
  }
}
