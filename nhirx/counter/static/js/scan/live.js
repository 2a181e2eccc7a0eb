/** Frames to the scanner over a WebSocket, never more than one in flight; each answer is handed on with its size. */

import { socket } from "../core/api.js";

const WIDEST = 1280; // pixels: more is not read better and takes longer
const QUALITY = 0.85;
const AGAIN = 800; // milliseconds to the next try after the connection was lost

export class Live {
  /** @param {HTMLVideoElement} video @param {(answer: any) => void} answered @param {(up: boolean) => void} changed */
  constructor(video, answered, changed) {
    this.video = video;
    this.answered = answered;
    this.changed = changed;
    this.canvas = document.createElement("canvas");
    this.canvas.width = 0;
    this.running = false;
    this.flying = false;
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.connect();
    this.next();
  }

  stop() {
    this.running = false;
    this.flying = false;
    const old = this.link;
    this.link = null;
    old?.close();
  }

  /** Forget the sheet that was dealt with. */
  reset() {
    if (this.link?.readyState === WebSocket.OPEN) this.link.send(JSON.stringify({ type: "reset" }));
  }

  connect() {
    const link = socket("/scans/live");
    link.binaryType = "arraybuffer";
    this.link = link;
    link.onopen = () => this.changed(true);
    link.onmessage = (message) => {
      if (this.link !== link) return;
      this.flying = false;
      const answer = JSON.parse(message.data);
      this.answered(answer);
      if (answer.type !== "error") this.measure(answer);
    };
    link.onclose = () => {
      if (this.link !== link) return;
      this.flying = false;
      this.changed(false);
      setTimeout(() => this.running && this.link === link && this.connect(), AGAIN);
    };
  }

  next() {
    if (!this.running) return;
    const again = () => this.frame().finally(() => this.next());
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(again);
    else setTimeout(again, 50);
  }

  async frame() {
    const { video, canvas, link } = this;
    if (this.flying || !video.videoWidth || link?.readyState !== WebSocket.OPEN) return;
    this.flying = true;
    const taken = performance.now();
    const scale = Math.min(1, WIDEST / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    this.sent = performance.now();
    this.encoding = this.sent - taken;
    if (picture && link.readyState === WebSocket.OPEN) link.send(picture);
    else this.flying = false;
  }

  /** For the bench and the browser's own tools: from the frame sent to its answer drawn. The list is kept short. */
  measure(answer) {
    performance.measure("nhirx-frame", { start: this.sent, detail: { ms: answer.ms, encoding: this.encoding } });
    if (performance.getEntriesByName("nhirx-frame").length > 200) performance.clearMeasures("nhirx-frame");
  }

  /** The last frame that was sent, to be shown while the sheet is worked on. */
  still() {
    const copy = document.createElement("canvas");
    copy.width = this.canvas.width;
    copy.height = this.canvas.height;
    if (copy.width) copy.getContext("2d").drawImage(this.canvas, 0, 0);
    return copy;
  }
}
