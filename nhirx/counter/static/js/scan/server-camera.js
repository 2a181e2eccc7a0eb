/** A camera that the program opens: pictures and answers come over the WebSocket; each is asked for, so none pile up. */

import { socket } from "../core/api.js";

export class ServerCamera {
  /** @param {HTMLCanvasElement} canvas @param {(answer: any) => void} answered @param {(problem: any) => void} failed */
  constructor(canvas, answered, failed) {
    this.canvas = canvas;
    this.answered = answered;
    this.failed = failed;
    this.link = null;
  }

  start(device = 0) {
    this.stop();
    const link = socket(`/scans/camera?device=${device}`);
    link.binaryType = "blob";
    this.link = link;
    let problem = null;
    link.onmessage = async (message) => {
      if (this.link !== link) return;
      if (message.data instanceof Blob) {
        const picture = await createImageBitmap(message.data);
        this.canvas.width = picture.width;
        this.canvas.height = picture.height;
        this.canvas.getContext("2d").drawImage(picture, 0, 0);
        picture.close();
        return;
      }
      const answer = JSON.parse(message.data);
      if (answer.type === "error") problem = answer.error;
      else {
        this.answered(answer);
        if (link.readyState === WebSocket.OPEN) link.send(JSON.stringify({ type: "next" }));
      }
    };
    link.onclose = () => {
      if (this.link !== link) return;
      this.link = null;
      this.failed(problem);
    };
  }

  reset() {
    if (this.link?.readyState === WebSocket.OPEN) this.link.send(JSON.stringify({ type: "reset" }));
  }

  stop() {
    const old = this.link;
    this.link = null;
    old?.close();
  }

  still() {
    const copy = document.createElement("canvas");
    copy.width = this.canvas.width;
    copy.height = this.canvas.height;
    if (copy.width) copy.getContext("2d").drawImage(this.canvas, 0, 0);
    return copy;
  }
}
