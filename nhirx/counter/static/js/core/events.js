/** News from the program over a WebSocket that comes back by itself, with growing pauses. */

import { socket } from "./api.js";
import { set, state } from "./store.js";

const FIRST = 300;
const LONGEST = 5000; // milliseconds between two tries
const listeners = new Map();
let open = null;
let pause = FIRST;
let timer = 0;
let wanted = false;

/** @param {string} type of the event, or "connected", "away" @param {(event: any) => void} act @returns {() => void} to stop listening */
export function on(type, act) {
  listeners.set(type, [...(listeners.get(type) ?? []), act]);
  return () => listeners.set(type, listeners.get(type).filter((one) => one !== act));
}

function tell(type, event) {
  for (const act of listeners.get(type) ?? []) act(event);
}

export function connect() {
  wanted = true;
  clearTimeout(timer);
  if (open && open.readyState <= WebSocket.OPEN) return;
  const mine = socket("/events");
  open = mine;
  mine.onopen = () => {
    pause = FIRST;
    const back = !state.reached;
    set({ reached: true });
    tell("connected", { back });
  };
  mine.onmessage = (message) => {
    const event = JSON.parse(message.data);
    tell(event.type, event);
  };
  mine.onclose = () => {
    if (open !== mine) return;
    open = null;
    if (!wanted) return;
    timer = setTimeout(connect, pause);
    if (pause > FIRST) tell("away", {});
    pause = Math.min(LONGEST, pause * 1.7);
  };
}

export function disconnect() {
  wanted = false;
  clearTimeout(timer);
  open?.close();
  open = null;
}
