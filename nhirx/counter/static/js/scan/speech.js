/** From the scanner's answers to one sentence for the person: what is seen, how sure, and what to do when nothing reads. */

import { both, has, t } from "../core/i18n.js";

const PATIENCE = 1500; // milliseconds without a reading until advice is given: with the frame that tells it, less than two seconds

/**
 * @typedef {{tone: ""|"ok"|"info"|"warn"|"block", icon: string, words: string, more?: string, pips?: number}} Said
 */

export class Speech {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.fresh();
  }

  fresh() {
    this.waiting = this.now();
    this.agreed = 0;
    this.last = null;
  }

  /** @returns {Said} what to say of this frame */
  hear(scan, taken) {
    if (taken) return { tone: "ok", icon: "ok", words: t("said.taken"), more: t(`confidence.${scan.confidence}`), pips: 3 };
    if (scan.status === "found" && scan.visit_id) {
      this.agreed = scan.visit_id === this.last ? this.agreed + 1 : 1;
      this.last = scan.visit_id;
      this.waiting = this.now();
      return { tone: "info", icon: "sheet", words: t("said.steady"), pips: Math.min(2, this.agreed) };
    }
    this.agreed = 0;
    this.last = null;
    if (scan.status === "several") return { tone: "warn", icon: "warn", words: t("said.several"), more: t("said.several-more") };
    if (scan.status === "conflict") return { tone: "block", icon: "block", words: t("said.conflict"), more: t("said.conflict-more") };
    if (this.now() - this.waiting < PATIENCE) return seen(scan);
    return advice(scan);
  }
}

/** @returns {Said} */
function seen(scan) {
  const others = (scan.codes ?? []).length;
  if (!others) return { tone: "", icon: "sheet", words: t("said.look"), more: t("said.look-more") };
  return { tone: "", icon: "sheet", words: t("said.others", { n: others }), more: t("said.others-more") };
}

/** Why nothing reads, and what helps. @returns {Said} */
export function advice(scan) {
  const reasons = scan.reasons ?? (scan.reason ? [scan.reason] : []);
  const known = reasons.find((reason) => has(`reason.${reason}`));
  const codes = scan.codes ?? [];
  if (codes.some((code) => code.kind === "placeholder")) return { tone: "warn", icon: "warn", words: t("said.placeholder"), more: t("said.placeholder-more") };
  const words = known ? t(`reason.${known}`) : codes.length ? t("said.others", { n: codes.length }) : t("said.nothing");
  return { tone: "warn", icon: "warn", words, more: both(scan, "advice_") || (known ? t(`advice.${known}`) : t("said.nothing-more")) };
}
