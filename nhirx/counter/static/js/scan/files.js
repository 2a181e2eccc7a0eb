/** Pictures and PDFs: dropped, pasted or chosen. */

import { call } from "../core/api.js";
import { dialog } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { grouped } from "../core/format.js";

/** Read one file; the name is not sent, as it may be a person's, only what kind it is. @returns {Promise<any[]>} pages */
export async function read(file) {
  const ending = /\.(\w{1,5})$/.exec(file.name ?? "")?.[1] ?? file.type.split("/")[1] ?? "bin";
  const { scans } = await call("POST", `/scans?name=sheet.${encodeURIComponent(ending)}`, { body: file, headers: { "Content-Type": "application/octet-stream" } });
  return scans;
}

/** Which of several pages, or null. */
export function choosePage(scans, files = 1) {
  return dialog(t("pages.title"), (close) => [
    h("p", {}, t(files > 1 ? "pages.files" : "pages.words", { n: scans.length, files })),
    h("div", { class: "choices" }, scans.map((scan, index) => h("button", { class: "item", type: "button", onclick: () => close(scan) },
      h("strong", {}, `${index + 1}`), h("span", { class: "mono" }, scan.visit_id ? grouped(scan.visit_id) : t(`status.${scan.status}`)), null))),
    h("footer", {}, h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel"))),
  ], { name: "pages" });
}

/** Which of two sheets in one picture, or null. */
export function chooseSheet(scan) {
  return dialog(t("several.title"), (close) => [
    h("p", {}, t("several.words")),
    h("div", { class: "choices" }, scan.visit_ids.map((text, index) => h("button", { class: "item", type: "button", onclick: () => close(text) },
      h("strong", {}, String(index + 1)), h("span", { class: "mono" }, grouped(text)), null))),
    h("footer", {}, h("button", { class: "button", type: "button", onclick: () => close(null) }, t("cancel"))),
  ], { name: "several" });
}

/** Take what is dropped on, or pasted into, the page. @param {(files: File[]) => void} files @param {(text: string) => void} text */
export function receive(files, text) {
  const target = document.documentElement;
  const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    target.querySelector(".eye")?.classList.add("dropping");
  });
  const leave = () => target.querySelector(".eye")?.classList.remove("dropping");
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && leave());
  document.addEventListener("drop", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    leave();
    files([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", (event) => {
    const given = [...(event.clipboardData?.files ?? [])];
    if (given.length) {
      event.preventDefault();
      files(given);
    } else if (!event.target.closest?.("input, textarea, dialog")) text(event.clipboardData?.getData("text") ?? "");
  });
}
