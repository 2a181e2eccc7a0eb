/** Files on their way through the eye: read, shown, and the sheet that a person means taken. */

import { both, t } from "../core/i18n.js";
import { play } from "../core/sound.js";
import { choosePage, chooseSheet, read } from "./files.js";
import { advice } from "./speech.js";

const MOST = 10; // files at once: a counter works on one sheet, a folder is for `nhirx batch`

/** Read what was dropped, pasted or chosen. @param {import("./panel.js").Panel} panel @param {File[]} given */
export async function openFiles(panel, given) {
  if (!given.length || !(await panel.may())) return;
  panel.speak({ tone: "info", icon: "wait", words: t("file.reading") });
  try {
    const scans = [];
    for (const file of given.slice(0, MOST)) scans.push(...(await read(file)));
    const scan = scans.length > 1 ? await choosePage(scans, given.length) : scans[0];
    if (scan) await page(panel, scan);
    else panel.speak({ tone: "", icon: "sheet", words: t("said.look"), more: t("said.look-more") });
  } catch (error) {
    play("trouble");
    panel.speak({ tone: "block", icon: "block", words: both(error) });
  }
}

/** One page of a file. */
async function page(panel, scan) {
  panel.turn += 1;
  panel.live.stop();
  panel.server.stop();
  const picture = await loaded(scan.preview);
  if (picture) {
    panel.still(picture);
    panel.overlay.show(scan.codes ?? [], scan.width ?? picture.width, scan.height ?? picture.height, scan.status === "found");
  }
  const chosen = scan.status === "several" ? await chooseSheet(scan) : scan.visit_id;
  if (chosen) {
    play("taken");
    panel.speak({ tone: "ok", icon: "ok", words: t("said.taken"), more: t(`confidence.${scan.confidence ?? "checked"}`), pips: 3 });
    const ref = scan.status === "several" ? undefined : scan.ref;
    return panel.taken({ text: chosen, ref, state: "read", confidence: scan.confidence, codes: scan.codes, source: "file", seenToken: (scan.codes ?? []).find((code) => code.kind === "virtual-card")?.text });
  }
  play("trouble");
  panel.mode = "still";
  panel.show();
  panel.speak(scan.status === "conflict" ? { tone: "block", icon: "block", words: t("said.conflict"), more: t("said.conflict-more") } : advice(scan));
  return null;
}

/** @returns {Promise<HTMLImageElement|null>} */
function loaded(address) {
  if (!address) return Promise.resolve(null);
  return new Promise((done) => {
    const picture = new Image();
    picture.onload = () => done(picture);
    picture.onerror = () => done(null);
    picture.src = address;
  });
}
