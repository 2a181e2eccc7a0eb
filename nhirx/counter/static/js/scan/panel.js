/** The left side: the eye with what it says, its tools, and the field for typing. */

import { both, t } from "../core/i18n.js";
import { h } from "../core/dom.js";
import { play } from "../core/sound.js";
import { machine, state, watch } from "../core/store.js";
import { Camera } from "./camera.js";
import { Entry } from "./entry.js";
import { Live } from "./live.js";
import { Overlay } from "./overlay.js";
import { Said } from "./said.js";
import { ServerCamera } from "./server-camera.js";
import { Speech } from "./speech.js";
import { drawTools } from "./tools.js";

export class Panel {
  /** @param {(sheet: any) => void} taken called with what begins the work on a sheet @param {() => Promise<boolean>} may whether the one at hand may be put away for it */
  constructor(taken, may) {
    this.taken = taken;
    this.may = may;
    this.mode = "off";
    /** Counts what was begun at the eye: a camera that answers when something else has been begun has nothing to say. */ this.turn = 0;
    this.torch = false;
    this.overlay = new Overlay();
    this.speech = new Speech();
    this.video = h("video", { muted: true, playsinline: true, "aria-hidden": "true" });
    this.video.muted = true;
    this.canvas = h("canvas", { hidden: true, "aria-hidden": "true" });
    this.note = h("div", { class: "note", hidden: true });
    this.finder = h("div", { class: "finder" }, this.video, this.canvas, this.overlay.svg, this.note);
    this.said = new Said();
    this.tools = h("div", { class: "tools" });
    this.camera = new Camera(this.video);
    this.camera.gone = () => this.fail("gone");
    this.live = new Live(this.video, (answer) => this.hear(answer), (up) => this.reach(up));
    this.server = new ServerCamera(this.canvas, (answer) => this.hear(answer), (problem) => this.fail(problem ? "server" : "server-fail", problem));
    this.entry = new Entry((text, answer) => this.typed(text, answer));
    this.eye = h("section", { class: "card eye", "aria-label": t("eye.title") }, this.finder, this.said.element, this.tools);
    this.element = h("div", { class: "left stack" }, this.eye, this.entry.element);
    this.unwatch = watch(["work", "view", "gate"], () => this.follow());
    this.show();
  }

  /** The camera runs while a sheet can be taken, and rests while one is worked on or nobody looks. */
  follow() {
    const wanted = state.gate === "ready" && state.view === "counter" && (!state.work || state.work.phase === "done");
    if (wanted === this.wanted && state.work?.id === this.workId) return;
    const next = wanted && !this.wanted;
    this.wanted = wanted;
    this.workId = state.work?.id;
    if (next) this.resume();
    else if (!wanted) this.rest();
    if (["held", "declared"].includes(state.work?.sheet.source) && state.work.phase === "open") {
      this.overlay.clear();
      this.speak({ tone: "info", icon: "sheet", words: t(`said.${state.work.sheet.source}`) });
    }
  }

  async resume() {
    // What was typed before the program had answered stays: it is on its way.
    if (this.resumed) this.entry.clear();
    this.resumed = true;
    this.speech.fresh();
    this.canvas.hidden = true;
    this.video.hidden = false;
    if (machine.get("eye", "camera") === "server") return this.startServer();
    if (machine.get("eye") === "off") return this.off();
    return this.start();
  }

  async start(device) {
    machine.set("eye", "camera");
    this.server.stop();
    if (this.camera.stream && !device) return this.running();
    this.speak({ tone: "", icon: "camera", words: t("camera.starting") });
    const turn = ++this.turn;
    try {
      await this.camera.start(device);
    } catch (error) {
      return turn === this.turn ? this.fail(error.reason ?? "busy") : null;
    }
    if (!this.wanted) return this.rest();
    return turn === this.turn ? this.running() : null;
  }

  async running() {
    this.mode = "camera";
    this.canvas.hidden = true;
    this.video.hidden = false;
    this.devices = await Camera.devices();
    this.live.stop();
    this.live.start();
    this.overlay.guide(this.video.videoWidth || 1280, this.video.videoHeight || 720);
    this.speak({ tone: "", icon: "sheet", words: t("said.look"), more: t("said.look-more") });
    this.show();
  }

  startServer(device = Number(machine.get("server-camera", 0))) {
    this.turn += 1;
    machine.set("eye", "server");
    machine.set("server-camera", device);
    this.camera.stop();
    this.live.stop();
    this.mode = "server";
    this.canvas.hidden = false;
    this.overlay.guide();
    this.speak({ tone: "", icon: "camera", words: t("camera.starting") });
    this.server.start(device);
    this.show();
  }

  /** Whether frames get to the program: what was said of the last one holds no more when they do not. */
  reach(up) {
    if (!this.wanted || this.mode !== "camera" || state.gate !== "ready") return;
    this.speech.fresh();
    this.overlay.guide(this.video.videoWidth || 1280, this.video.videoHeight || 720);
    if (up) this.speak({ tone: "", icon: "sheet", words: t("said.look"), more: t("said.look-more") });
    else this.speak({ tone: "warn", icon: "wait", words: t("camera.away"), more: t("camera.away-more") });
  }

  /** The program is back, and with it the camera that it opens and the text that nobody could look at. */
  retry() {
    this.entry.retry();
    if (this.wanted && this.mode === "trouble" && machine.get("eye") === "server") this.startServer();
  }

  off() {
    this.turn += 1;
    machine.set("eye", "off");
    this.mode = "off";
    this.stopAll();
    this.overlay.clear();
    this.speak({ tone: "", icon: "sheet", words: t("camera.off"), more: t("camera.off-more") });
    this.show();
  }

  /** Take over the picture of the sheet at hand from the panel before this one. @param {Panel} before */
  adopt(before) {
    this.entry.doctor = before.entry.doctor;
    this.entry.draw(null);
    if (!before.canvas.hidden) this.still(before.canvas);
    this.overlay.svg.setAttribute("viewBox", before.overlay.svg.getAttribute("viewBox") ?? "0 0 1280 720");
    this.overlay.svg.replaceChildren(...before.overlay.svg.childNodes);
    const { work } = state;
    if (work) this.speak({ tone: "ok", icon: "ok", words: t(work.sheet.source === "typed" ? "said.typed" : "said.taken") });
  }

  /** Another panel, in another language, takes its place. */
  dispose() {
    this.unwatch();
    this.wanted = false;
    this.stopAll();
  }

  stopAll() {
    this.live.stop();
    this.server.stop();
    this.camera.stop();
    this.torch = false;
  }

  /** While a sheet is worked on: the picture it came from stands still. */
  rest() {
    this.live.stop();
    this.server.stop();
    if (state.view !== "counter" || state.gate !== "ready") this.camera.stop();
    this.show();
  }

  fail(reason, problem = null) {
    this.mode = "trouble";
    this.live.stop();
    this.camera.stop();
    this.overlay.clear();
    this.canvas.hidden = true;
    this.speak({ tone: "warn", icon: "warn", words: problem ? both(problem) : t(`camera.${reason}`), more: t(`camera.${reason}-more`) });
    this.show();
  }

  toggle() {
    if (this.mode === "camera" || this.mode === "server") this.off();
    else this.start();
  }

  hear(answer) {
    if (answer.type === "error") return this.speak({ tone: "warn", icon: "warn", words: both(answer.error) });
    const { scan, width, height } = answer;
    if (!this.wanted) return null;
    const again = state.work?.sheet.text && state.work.sheet.text === scan.visit_id;
    const codes = scan.codes ?? [];
    if (codes.length) this.overlay.show(codes, width, height, answer.taken || again);
    else this.overlay.guide(width, height);
    if (again) return this.speak({ tone: "ok", icon: "ok", words: t("said.same"), more: t("said.same-more") });
    this.speak(this.speech.hear(scan, answer.taken));
    // Who looks at the sheet and not at the page hears that nothing will be taken; once, not with every frame.
    const stopped = ["several", "conflict"].includes(scan.status);
    if (stopped && !this.stopped) play("trouble");
    this.stopped = stopped;
    const reasons = scan.reasons ?? [scan.reason];
    if (this.torch && reasons.includes("glare")) this.setTorch(false, true);
    if (answer.taken) this.accept(scan, this.mode === "server" ? this.server : this.live);
    return null;
  }

  accept(scan, source) {
    play("taken");
    this.still(source.still());
    this.taken({ text: scan.visit_id, ref: scan.ref, state: "read", confidence: scan.confidence, codes: scan.codes, source: "camera", seenToken: scan.virtual_token });
  }

  still(picture) {
    if (!picture.width) return;
    this.canvas.width = picture.width;
    this.canvas.height = picture.height;
    this.canvas.getContext("2d").drawImage(picture, 0, 0);
    this.canvas.hidden = false;
    this.show();
  }

  /** The picture shown now as a file, for a sheet that nobody can read: of the file that was opened, or of the camera. */
  async picture() {
    const source = this.mode === "still" ? this.canvas : this.mode === "server" ? this.server.still() : this.live.still();
    return source.width ? new Promise((done) => source.toBlob(done, "image/jpeg", 0.9)) : null;
  }

  async typed(text, answer) {
    if (!(await this.may())) return;
    play("taken");
    this.speak({ tone: "ok", icon: "ok", words: t("said.typed") });
    this.overlay.clear();
    this.entry.clear();
    const valid = Boolean(answer.valid);
    this.taken({ text: valid ? text : null, payload: valid ? undefined : text, state: "read", source: "typed", codes: [], holder: answer.holder_id, issued: answer.issued_at });
  }

  async setTorch(on, glare = false) {
    this.torch = on;
    await this.camera.torch(on);
    if (glare) this.speak({ tone: "warn", icon: "torch", words: t("torch.glare"), more: t("torch.glare-more") });
    this.show();
  }

  speak(said) {
    this.said.speak(said);
  }

  show() {
    drawTools(this);
  }
}
