/** Who is at the page: the one-time link, signing in with a PIN, locking; and the state of the program. */

import { get, post, setCsrf } from "../core/api.js";
import { connect, disconnect, on } from "../core/events.js";
import { machine, set, state } from "../core/store.js";
import { recover } from "../sheet/flow.js";

const BEAT = 15000; // milliseconds between two looks at the state, in case an event was lost

/** Whether this page is the review list of a batch, as far as is known before the program has answered. */
export const reviews = () => machine.get("page") === "review";
if (/[#&]page=review/.test(location.hash)) machine.set("page", "review");

let token = null;

/** From the link with its token, or from the cookie of an earlier visit. The token leaves the address at once. */
export async function begin() {
  token = /[#&]token=([^&]+)/.exec(location.hash)?.[1] ?? token;
  if (location.hash) history.replaceState(null, "", location.pathname);
  try {
    const answer = token ? await post("/session", { token: decodeURIComponent(token) }).catch((error) => (error.lost ? Promise.reject(error) : get("/session"))) : await get("/session");
    setCsrf(answer.csrf);
    token = null;
  } catch (error) {
    // It could not start: it says why, and ends.
    if (!error.lost) return set({ gate: "no-session", failure: error.status === 503 ? error : null });
    setTimeout(begin, 1000);
    return null;
  }
  connect();
  return look();
}

/** Ask the program how it is. */
export async function look() {
  try {
    const server = await get("/state");
    const locked = Boolean(server.locked);
    machine.set("page", server.review ? "review" : "counter");
    const restarted = state.server?.started && state.server.started !== server.started;
    // The clock alone is no news: what a person points at is not drawn anew for it.
    const same = state.server && JSON.stringify({ ...server, clock: "" }) === JSON.stringify({ ...state.server, clock: "" });
    if (same && state.reached && !locked && state.gate === "ready" && server.operator === state.operator) {
      state.server.clock = server.clock;
      return null;
    }
    set({ ...(server.review && state.view !== "review" ? { view: "review" } : {}), server, operator: server.operator, reached: true, ...(locked !== (state.gate === "locked") || state.gate !== "ready" ? { gate: locked ? "locked" : "ready" } : {}) });
    if (locked) await people();
    if (restarted && !locked) recover();
  } catch (error) {
    if (error.code === "session-locked") return people();
  }
  return null;
}

export async function people() {
  try {
    const found = await get("/operators");
    set({ operators: found.operators ?? found.items ?? found });
  } catch { /* asked again with the next look */ }
}

/** @returns {Promise<void>} throws the ApiError of a wrong PIN */
export async function unlock(operator, pin) {
  const answer = await post("/session/unlock", { operator, pin });
  setCsrf(answer?.csrf);
  set({ gate: "ready", operator });
  connect();
  await look();
}

export async function addOperator(name, pin) {
  await post("/operators", { name, pin });
  await people();
}

export async function lock() {
  await post("/session/lock").catch(() => {});
  set({ gate: "locked" });
  await people();
}

let waiting = 0;

/** News often come several at a time. */
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(look, 120);
}

/** After the program was away: the cookie is still good, or a person signs in again; then everything goes on. */
async function back() {
  try {
    setCsrf((await get("/session")).csrf);
  } catch (error) {
    if (!error.lost) set({ gate: "no-session" });
    return;
  }
  await look();
  if (state.gate === "ready") recover();
}

export function follow() {
  on("connected", (event) => (event.back ? back() : look()));
  on("away", async () => {
    // The socket is closed for a lock or an ended session, too: the answer to a plain question tells which it is.
    await look();
  });
  // It may be another window's: the state says what holds for this one.
  on("session", () => look());
  for (const type of ["card", "worker", "record", "dispensing"]) on(type, soon);
  setInterval(() => state.gate === "ready" && look(), BEAT);
  window.addEventListener("online", () => connect());
  window.addEventListener("pagehide", disconnect);
}
