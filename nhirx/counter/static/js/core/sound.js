/** Two short sounds that differ in melody, not only in pitch; made here, so no file is loaded. */

import { machine } from "./store.js";

let context = null;
let muted = machine.get("sound") === "off";

const MELODIES = {
  taken: [[880, 0, 0.09], [1318, 0.09, 0.16]],
  trouble: [[330, 0, 0.14], [247, 0.17, 0.22]],
  done: [[660, 0, 0.08], [880, 0.08, 0.08], [1175, 0.16, 0.2]],
};

export const isMuted = () => muted;

export function setMuted(value) {
  muted = value;
  machine.set("sound", value ? "off" : "on");
}

/** @param {"taken"|"trouble"|"done"} name */
export function play(name) {
  if (muted) return;
  context ??= new AudioContext();
  // Before the first key or click a browser keeps sound back; then the colour and the shape have to do.
  if (context.state === "suspended") context.resume().catch(() => {});
  for (const [pitch, from, length] of MELODIES[name]) {
    const start = context.currentTime + from;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    tone.type = name === "trouble" ? "triangle" : "sine";
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.22, start + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + length);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + length + 0.02);
  }
}
