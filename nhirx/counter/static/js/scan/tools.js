/** The eye's buttons, and what stands in the finder while there is no picture. */

import { h, icon, put } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { isMuted, setMuted } from "../core/sound.js";
import { machine, state } from "../core/store.js";
import { openFiles } from "./pages.js";

const SERVER_CAMERAS = 4; // numbered by the system; which there are is only known by opening one

/** @param {import("./panel.js").Panel} panel */
export function drawTools(panel) {
  const on = panel.mode === "camera" || panel.mode === "server";
  const working = Boolean(state.work && state.work.phase !== "done");
  panel.note.hidden = !panel.canvas.hidden || (on && !working);
  panel.tools.hidden = working;
  panel.finder.hidden = working && panel.canvas.hidden;
  put(panel.note, icon("camera"), h("p", {}, t("note.words")),
    button("note-server", "camera", t("camera.server"), () => panel.startServer()));
  const { torch, zoom } = on ? panel.camera.abilities() : { torch: false, zoom: null };
  const chooser = h("input", { type: "file", id: "file", multiple: true, class: "sr", tabindex: "-1", accept: "image/*,application/pdf,.tif,.tiff", "aria-label": t("file.choose"), onchange: (event) => {
    openFiles(panel, [...event.target.files]);
    event.target.value = "";
  } });
  put(panel.tools,
    button("tool-camera", "camera", on ? t("camera.stop") : t("camera.on"), () => panel.toggle(), "F3"),
    on && panel.mode === "camera" && panel.devices?.length > 1 ? h("select", { id: "device", "aria-label": t("camera.choose"), onchange: (event) => panel.start(event.target.value) },
      panel.devices.map((one) => h("option", { value: one.id, selected: one.id === panel.camera.device }, one.label))) : null,
    panel.mode === "server" || (panel.mode === "trouble" && machine.get("eye") === "server") ? h("select", { id: "server-device", "aria-label": t("camera.choose"), onchange: (event) => panel.startServer(event.target.selectedIndex) },
      Array.from({ length: SERVER_CAMERAS }, (_, n) => h("option", { selected: n === Number(machine.get("server-camera", 0)) }, t("camera.server-n", { n: n + 1 })))) : null,
    torch ? button("tool-torch", "torch", t("torch"), () => panel.setTorch(!panel.torch), null, panel.torch) : null,
    zoom ? h("label", {}, t("zoom"), h("input", { type: "range", min: zoom.min, max: zoom.max, step: zoom.step, value: zoom.value, oninput: (event) => panel.camera.zoom(Number(event.target.value)) })) : null,
    button("tool-file", "sheet", t("file.choose"), () => chooser.click()), chooser,
    button("tool-sound", isMuted() ? "mute" : "sound", isMuted() ? t("sound.off") : t("sound.on"), () => {
      setMuted(!isMuted());
      panel.show();
    }, null, !isMuted()));
}

function button(id, shape, words, act, key = null, pressed = null) {
  return h("button", { id, type: "button", class: "button", onclick: act, ...(pressed === null ? {} : { "aria-pressed": String(pressed) }) }, icon(shape), words, key ? h("kbd", {}, key) : null);
}
