/** What the page knows. Kept in memory only: nothing about a person goes to localStorage, the address or the console. */

/** @typedef {"starting"|"ready"|"locked"|"no-session"} Gate */

export const state = {
  /** @type {Gate} */ gate: "starting",
  /** @type {"counter"|"today"|"todo"|"review"} */ view: "counter",
  operator: null,
  operators: [],
  /** Whether the program answers at all. */ reached: true,
  /** Why it could not start. */ failure: null,
  /** GET /state */ server: null,
  /** The sheet being worked on, see sheet/flow.js. */ work: null,
  /** The last dispensings of this window, newest first. */ recent: [],
};

const watchers = new Map();

/** Call `act` whenever one of `names` is set. @param {string[]} names @param {() => void} act @returns {() => void} to stop watching */
export function watch(names, act) {
  for (const name of names) watchers.set(name, [...(watchers.get(name) ?? []), act]);
  return () => names.forEach((name) => watchers.set(name, watchers.get(name).filter((one) => one !== act)));
}

/** Set parts of the state and tell who watches them, each once. @param {Partial<typeof state>} changes */
export function set(changes) {
  Object.assign(state, changes);
  const acts = new Set(Object.keys(changes).flatMap((name) => watchers.get(name) ?? []));
  for (const act of acts) act();
}

/** A choice of this machine (theme, sound, language, camera): never about a person. */
export const machine = {
  get: (name, otherwise = null) => localStorage.getItem(`nhirx.${name}`) ?? otherwise,
  set: (name, value) => localStorage.setItem(`nhirx.${name}`, value),
};
