/** The local API (see /openapi.json). One place that knows paths, the session and what an error looks like. */

import { set } from "./store.js";

const BASE = "/api/v1";
let csrf = "";
let entered;
/** The page stands before the program has said who is at it: what is asked meanwhile goes out as soon as it has. */
const known = new Promise((done) => (entered = done));

/** An answer that is an error. `code` is lower case with hyphens; `lost` says that no answer came at all. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body?.code ?? `http-${status}`);
    this.status = status;
    this.code = String(body?.code ?? `http-${status}`).toLowerCase().replaceAll("_", "-");
    this.zh = body?.zh ?? `程式沒有回應（${status}）`;
    this.en = body?.en ?? `The program did not answer (${status})`;
    this.detail = body?.detail ?? {};
    this.lost = status === 0;
  }
}

/** What waits for an answer to come back: called when the program is reachable again. */
const noAnswer = { code: "program-lost", zh: "與本機程式的連線中斷，正在重新連線；資料都還在。", en: "The program cannot be reached; trying again. Nothing is lost." };

/**
 * @param {string} method @param {string} path below /api/v1
 * @param {{json?: any, body?: Blob, headers?: Record<string,string>, text?: boolean, blob?: boolean, seconds?: number}} [options]
 */
export async function call(method, path, options = {}) {
  if (!csrf && !path.startsWith("/session")) await known;
  const headers = { Accept: "application/json", ...options.headers };
  if (method !== "GET") headers["X-Nhirx-Csrf"] = csrf;
  if (options.json !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(BASE + path, {
      method, headers, credentials: "same-origin", cache: "no-store",
      body: options.json !== undefined ? JSON.stringify(options.json) : options.body,
      signal: AbortSignal.timeout((options.seconds ?? 90) * 1000),
    });
  } catch {
    set({ reached: false });
    throw new ApiError(0, noAnswer);
  }
  if (answer.ok) {
    if (answer.status === 204) return null;
    return options.blob ? answer.blob() : options.text ? answer.text() : answer.json();
  }
  const error = new ApiError(answer.status, (await answer.json().catch(() => null))?.error);
  if (answer.status === 423) set({ gate: "locked" });
  if (answer.status === 401 && !path.startsWith("/session")) set({ gate: "no-session" });
  throw error;
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, json = {}, options = {}) => call("POST", path, { json, ...options });

export function setCsrf(value) {
  if (!value) return;
  csrf = value;
  entered();
}

/** A WebSocket below /api/v1; the browser sends the cookie, the CSRF token goes with the address of the socket. */
export function socket(path) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const mark = path.includes("?") ? "&" : "?";
  return new WebSocket(`${scheme}//${location.host}${BASE}${path}${mark}csrf=${encodeURIComponent(csrf)}`);
}
