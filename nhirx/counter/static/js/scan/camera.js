/** The browser's camera: which there are, the one that runs, its light and zoom where it has them. */

import { machine } from "../core/store.js";

const WISHED = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Why there is no picture: a key of the words `camera.*`. */
export class NoCamera extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

// A camera that was let go a moment ago, or has just been plugged in, may be refused once.
const AGAIN_MS = 500;

const REASONS = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing", OverconstrainedError: "missing", NotReadableError: "busy", AbortError: "busy" };

export class Camera {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    this.stream = null;
    /** Called when the device goes away while it runs. */ this.gone = () => {};
  }

  get track() {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  /** Start the camera `device`, the one used last, or the one that looks away from the person. Throws NoCamera. */
  async start(device = machine.get("camera")) {
    this.stop();
    if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera("unsupported");
    const ask = (id) => navigator.mediaDevices.getUserMedia({ audio: false, video: { ...WISHED, ...(id ? { deviceId: { exact: id } } : { facingMode: { ideal: "environment" } }) } });
    try {
      this.stream = await ask(device).catch((error) => {
        // The camera of yesterday is not plugged in: any other will do.
        if (device && error.name === "OverconstrainedError") return ask(null);
        if ((REASONS[error.name] ?? "busy") === "refused") throw error;
        return new Promise((resolve) => setTimeout(resolve, AGAIN_MS)).then(() => ask(null));
      });
    } catch (error) {
      throw new NoCamera(REASONS[error.name] ?? "busy");
    }
    const track = this.track;
    track.addEventListener("ended", () => this.stream?.getVideoTracks()[0] === track && this.gone());
    const used = track.getSettings().deviceId;
    if (used) machine.set("camera", used);
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {});
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  /** `[{id, label}]`; labels are only there once a camera was allowed. */
  static async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    return all.filter((one) => one.kind === "videoinput").map((one, index) => ({ id: one.deviceId, label: one.label || `Camera ${index + 1}` }));
  }

  get device() {
    return this.track?.getSettings().deviceId ?? null;
  }

  /** What the running device can do: `{torch: boolean, zoom: {min, max, step, value} | null}`. */
  abilities() {
    const can = this.track?.getCapabilities?.() ?? {};
    const zoom = can.zoom && can.zoom.max > can.zoom.min ? { ...can.zoom, step: can.zoom.step || 0.1, value: this.track.getSettings().zoom ?? can.zoom.min } : null;
    return { torch: Boolean(can.torch), zoom };
  }

  async torch(on) {
    await this.track?.applyConstraints({ advanced: [{ torch: on }] }).catch(() => {});
  }

  async zoom(value) {
    await this.track?.applyConstraints({ advanced: [{ zoom: value }] }).catch(() => {});
  }
}
