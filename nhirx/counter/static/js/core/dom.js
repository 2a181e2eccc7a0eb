/** Small helpers to build elements. Text is always set as text, never as HTML, so nothing on a sheet can become markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `props`: `class`, `on*` handlers, `data`, booleans, everything else as attribute; null and false are left out.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...any} children nodes, text, arrays of both; null is left out
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG. @returns {SVGElement} */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "value" && "value" in element) element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SHAPES = {
  ok: ["M12 2a10 10 0 1 0 0 20a10 10 0 0 0 0-20z", "M7 12.5l3.5 3.5L17 9"],
  info: ["M12 2a10 10 0 1 0 0 20a10 10 0 0 0 0-20z", "M12 11v6M12 7v.4"],
  warn: ["M12 3L22.5 21H1.5z", "M12 9.5v5.5M12 17.8v.3"],
  block: ["M8 2h8l6 6v8l-6 6H8l-6-6V8z", "M8.5 8.5l7 7M15.5 8.5l-7 7"],
  sheet: ["M5 2h10l4 4v16H5z", "M8.5 9h7M8.5 13h7M8.5 17h4"],
  camera: ["M3 7h4l2-3h6l2 3h4v13H3z", "M12 9.5a4 4 0 1 0 0 8a4 4 0 0 0 0-8z"],
  card: ["M2 5h20v14H2z", "M5.5 9.5h4v4h-4zM13 10h6M13 14h6"],
  send: ["M12 20V5", "M6 11l6-6l6 6"],
  lock: ["M5 11h14v10H5z", "M8 11V7a4 4 0 0 1 8 0v4"],
  person: ["M12 3a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9z", "M3.5 21c1-5 5-6.5 8.5-6.5s7.5 1.5 8.5 6.5"],
  link: ["M4 12h16", "M14 6l6 6l-6 6"],
  wait: ["M12 2a10 10 0 1 0 0 20a10 10 0 0 0 0-20z", "M12 6.5V12l4 2.5"],
  torch: ["M7 2h10v5l-2.5 3v12h-5V10L7 7z", "M12 13v3"],
  sound: ["M4 9h4l5-5v16l-5-5H4z", "M16.5 8.5a5 5 0 0 1 0 7M19 6a9 9 0 0 1 0 12"],
  mute: ["M4 9h4l5-5v16l-5-5H4z", "M17 9l5 6M22 9l-5 6"],
  moon: ["M20 14.5A9 9 0 1 1 9.5 4a7 7 0 0 0 10.500 10.500z", ""],
  print: ["M6 9V3h12v6M6 17H3V9h18v8h-3", "M6 13h12v8H6z"],
  list: ["M4 6h16M4 12h16M4 18h16", ""],
};

/** A line drawing; `label` makes it speak, without it the drawing is decoration. */
export function icon(name, label = "", extra = "") {
  const [outer, inner] = SHAPES[name] ?? SHAPES.info;
  const spoken = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" };
  return s("svg", { class: `icon ${extra}`, viewBox: "0 0 24 24", ...spoken }, s("path", { d: outer, ...line }), inner ? s("path", { d: inner, ...line }) : null);
}

/** Replace what is in `target`; the keyboard's place and what was unfolded stay where they were when the same thing is there again. */
export function put(target, ...children) {
  const held = target.contains(document.activeElement) ? document.activeElement : null;
  const key = held?.dataset.keep ?? held?.id;
  const caret = held && "selectionStart" in held ? held.selectionStart : null;
  const unfolded = [...target.querySelectorAll("details[data-keep][open]")].map((one) => one.dataset.keep);
  target.replaceChildren(...children.flat(3).filter(Boolean));
  for (const one of unfolded) target.querySelector(`details[data-keep="${CSS.escape(one)}"]`)?.setAttribute("open", "");
  if (!key) return target;
  const again = target.querySelector(`[data-keep="${CSS.escape(key)}"], #${CSS.escape(key)}`);
  again?.focus({ preventScroll: true });
  if (again && caret !== null && again.type === "text") again.setSelectionRange(caret, caret);
  return target;
}

/** Say something to a screen reader. */
export function say(words) {
  const spoken = document.getElementById("spoken");
  if (spoken && spoken.textContent !== words) spoken.textContent = words;
}
