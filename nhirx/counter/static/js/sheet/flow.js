/**
 * One sheet from the scan to the record: the state of the work and every step a person can take. Views only show `state.work`.
 *
 * Steps ask the program and keep its answer; a step whose answer was lost is asked again, with the same key, once the program
 * is back, so nothing is dispensed twice and nothing is forgotten.
 */

import { get, post } from "../core/api.js";
import { play } from "../core/sound.js";
import { set, state } from "../core/store.js";

/**
 * @typedef {object} Work
 * @property {{text: string|null, ref?: string, state: string, confidence?: string, source: string, codes?: any[], cause?: string, note?: string, seenToken?: string, kept?: Promise<string|undefined>|null}} sheet
 * @property {any} rx the prescription, null while it is not known
 * @property {"looking"|"found"|"form"} rxState @property {string|null} rxSource the plugin it came from
 * @property {any} plan @property {any} planError @property {boolean} planning
 * @property {{state: string, abnormal_serial?: string}} card @property {boolean} confirmed
 * @property {any} makeUp @property {number|null} settles @property {string|null} token of the patient's virtual card, used once
 * @property {"open"|"sending"|"lost"|"done"} phase @property {string} key @property {any} result @property {any} error
 */

let count = 0;
let asked = 0;

/** Change the work at hand; a late answer for an earlier sheet changes nothing. */
export function change(changes, id = state.work?.id) {
  if (state.work && state.work.id === id) set({ work: { ...state.work, ...changes } });
}

/** @returns {boolean} whether there is work that a new sheet would throw away */
export const isBusy = () => Boolean(state.work && state.work.phase !== "done");

const fresh = (sheet) => ({
  id: ++count, sheet, rx: null, rxState: "looking", rxSource: null, plan: null, planError: null, planning: false, card: { state: "present" }, confirmed: false,
  makeUp: null, settles: null, token: null, phase: "open", key: crypto.randomUUID(), result: null, error: null, holder: null,
});

/** A sheet was scanned, typed in or declared illegible: look for its prescription. */
export async function begin(sheet, extra = {}) {
  set({ work: { ...fresh(sheet), ...extra }, view: "counter" });
  const { id } = state.work;
  if (extra.rx) return replan();
  if (!sheet.text && !sheet.payload) return change({ rxState: "form" }, id);
  try {
    const found = await post("/prescriptions/find", sheet.ref ? { ref: sheet.ref } : { text: sheet.payload ?? sheet.text });
    if (found.prescription) {
      change({ rx: found.prescription, rxState: "found", rxSource: found.source }, id);
      return replan(id);
    }
  } catch (error) {
    if (error.lost) return change({ error }, id);
  }
  return change({ rxState: "form" }, id);
}

/** The prescription as the form has it now. */
export function usePrescription(rx, source = null) {
  change({ rx, rxState: "found", rxSource: source, plan: null, planError: null });
  return replan();
}

/** What the program needs to know of this sheet, for the plan and for the dispensing. */
export function body(work = state.work) {
  const { sheet } = work;
  const rx = structuredClone(work.rx);
  rx.sheet = { ...rx.sheet };
  if (!sheet.ref && sheet.text && !rx.sheet.visit_id) rx.sheet = { ...rx.sheet, visit_id: sheet.text, visit_id_state: "read" };
  if (sheet.state !== "read") rx.sheet = { ...rx.sheet, visit_id: null, visit_id_state: sheet.state };
  return {
    prescription: rx, scan_ref: sheet.state === "read" ? sheet.ref ?? null : null, confirmed: work.confirmed, card: work.card, make_up: work.makeUp,
  };
}

/** Two copies of the ID that differ belong to two visits: only a person can tell which. */
export const differs = (work) => Boolean(work.sheet.text && work.rx?.sheet?.visit_id && work.rx.sheet.visit_id !== work.sheet.text);

export async function replan(id = state.work?.id) {
  if (!state.work?.rx || state.work.id !== id) return;
  const mine = ++asked;
  change({ planning: true }, id);
  try {
    const plan = await post("/plan", body());
    if (mine === asked) change({ plan, planError: null, planning: false, error: null }, id);
  } catch (error) {
    if (mine !== asked) return;
    if (error.code === "scan-gone") {
      change({ sheet: { ...state.work.sheet, ref: undefined } }, id);
      await replan(id);
      return;
    }
    change({ plan: null, planError: error, planning: false }, id);
  }
}

/** Dispense. Asking again after a lost answer keeps the key; every other change of mind takes a new one. */
export async function dispense(changes = {}) {
  const { id, phase, key } = state.work;
  if (phase === "sending") return;
  change({ ...changes, phase: "sending", error: null, key: phase === "lost" ? key : crypto.randomUUID() }, id);
  const { work } = state;
  const kept = await work.sheet.kept;
  const extra = { ...(kept ? { scan_ref: kept } : {}), settles: work.settles, virtual_token: work.token, illegible: work.sheet.state === "illegible" ? { cause: work.sheet.cause, note: work.sheet.note || null } : null };
  try {
    const { dispensing } = await post("/dispensings", { ...body(work), ...extra }, { headers: { "Idempotency-Key": work.key } });
    finished(id, dispensing);
  } catch (error) {
    if (error.lost) return change({ phase: "lost", error }, id);
    if (error.code === "scan-gone") {
      change({ sheet: { ...work.sheet, ref: undefined }, phase: "open" }, id);
      return dispense();
    }
    play("trouble");
    if (error.detail?.findings && work.plan) change({ plan: { ...work.plan, findings: error.detail.findings } }, id);
    change({ phase: "open", error }, id);
  }
}

function finished(id, dispensing) {
  play("done");
  const { work } = state;
  const record = dispensing.record_id ? { id: dispensing.record_id, state: "built" } : null;
  change({ phase: "done", result: dispensing, record, error: null }, id);
  const entry = { dispensing: dispensing.id, state: dispensing.state, record: dispensing.record_id ?? null, recordState: record?.state ?? null,
    who: work.rx?.patient?.national_id, visit: work.sheet.text, at: new Date().toISOString() };
  set({ recent: [entry, ...state.recent.filter((one) => one.dispensing !== entry.dispensing)].slice(0, 5) });
  if (record) refresh(record.id);
}

/** Fetch one record again and put its state wherever it is shown. */
export async function refresh(record) {
  try {
    const found = await get(`/records/${record}`);
    heard({ ...found, id: record });
  } catch { /* the next event asks again */ }
}

/** News of a record. */
export function heard(record) {
  if (state.work?.record?.id === record.id) {
    if (record.state === "rejected" && state.work.record.state !== "rejected") play("trouble");
    change({ record: { ...state.work.record, ...record } });
  }
  if (state.recent.some((one) => one.record === record.id)) {
    set({ recent: state.recent.map((one) => (one.record === record.id ? { ...one, recordState: record.state } : one)) });
  }
}

/** A corrected record takes the place of another: it is the one to follow now. */
export function replaced(old, now) {
  set({ recent: state.recent.map((one) => (one.record === old ? { ...one, record: now, recordState: "built" } : one)) });
  if (state.work?.record?.id === old) change({ record: { id: now, state: "built" } });
  refresh(now);
}

let recovering = null;

/** The program is back: what was asked last is asked again. */
export function recover() {
  recovering ??= again().finally(() => (recovering = null));
  return recovering;
}

async function again() {
  const { work } = state;
  for (const one of state.recent) if (one.record && !["accepted", "withdrawn"].includes(one.recordState)) refresh(one.record);
  if (!work) return;
  if (work.record) refresh(work.record.id);
  if (work.phase === "lost") return dispense();
  if (work.rxState === "looking") return begin(work.sheet);
  // What the program answered to the last act stays in sight: a plan made anew would wipe it away.
  if (work.phase === "open" && work.rx && (!work.error || work.error.lost)) return replan();
}

/** Put the sheet away. */
export function clear() {
  asked++;
  set({ work: null });
}
