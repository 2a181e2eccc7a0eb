/** One record: where it stands, what the check found, the corrected record to send, its fields and its history. */

import { get, post } from "../core/api.js";
import { ask, dialog } from "../core/dialog.js";
import { h, icon, put } from "../core/dom.js";
import { on } from "../core/events.js";
import { both, t } from "../core/i18n.js";
import { clock, day } from "../core/format.js";
import { replaced } from "../sheet/flow.js";
import { stateTag, steps } from "../sheet/done.js";
import { fieldTable, xml } from "../sheet/record.js";
import { proposal } from "./correction.js";

/** @param {number} id @param {() => void} [closed] */
export async function openRecord(id, closed = () => {}) {
  const box = h("div", { class: "stack", id: "record-box" }, h("p", {}, t("loading")));
  const shown = dialog(t("record.one", { id }), (close) => [box,
    h("footer", {}, h("button", { class: "button", type: "button", id: "close-record", onclick: () => close(null) }, t("close")))], { name: "record" });
  const off = on("record", (event) => {
    if (event.id === Number(box.dataset.id) && event.state !== box.dataset.state) draw(event.id, box);
  });
  await draw(id, box);
  await shown;
  off();
  URL.revokeObjectURL(opened.address);
  opened.dispensing = null;
  closed();
}

let asked = 0;

async function draw(id, box) {
  const mine = String(++asked);
  Object.assign(box.dataset, { id, asked: mine });
  try {
    const record = await get(`/records/${id}`);
    // News came meanwhile and it is asked for again.
    if (box.dataset.asked !== mine) return;
    const begun = record.dispensing ? await get(`/dispensings/${record.dispensing}`).catch(() => null) : null;
    if (box.dataset.asked !== mine) return;
    box.dataset.state = record.state;
    put(box, content({ ...record, illegible: begun?.dispensing.illegible ?? null }, id, box));
  } catch (error) {
    put(box, h("p", { class: "finding block" }, icon("block"), h("span", { class: "words" }, both(error))));
  }
}

function content(record, id, box) {
  const errors = record.check?.errors ?? record.errors ?? [];
  const list = Array.isArray(errors) ? errors : [];
  const said = h("div", { role: "alert" });
  const run = async (act) => {
    try {
      await act();
      await draw(id, box);
    } catch (error) {
      put(said, h("p", { class: "finding block" }, icon("block"), h("span", { class: "words" }, both(error))));
    }
  };
  return [
    h("div", { class: "row spread" }, h("span", { class: "mono" }, record.patient_masked ?? "", " ", record.visit_id_masked ?? ""), stateTag(record.state)),
    steps(record.state), said,
    list.length ? h("section", { class: "stack tight", id: "errors" }, h("h3", {}, t("check.title")), list.map(problemCard)) : null,
    record.problem ? h("p", { class: "finding warn" }, icon("warn"), h("span", { class: "words" }, both(record.problem))) : null,
    record.state === "rejected" ? proposal(id, record.fields ?? [], (made) => {
      replaced(id, made.id);
      draw(made.id, box);
    }) : null,
    h("div", { class: "row" },
      ["stuck", "rejected"].includes(record.state) ? h("button", { class: "button", type: "button", id: "retry", onclick: () => run(() => post(`/records/${id}/retry`)) }, t("record.retry")) : null,
      ["built", "stuck", "rejected"].includes(record.state) ? h("button", { class: "button danger", type: "button", id: "withdraw", onclick: () => run(async () => {
        const why = await ask(t("record.withdraw"), t("todo.why"), { yes: t("record.withdraw"), hint: t("todo.why-hint") });
        if (why) await post(`/records/${id}/withdraw`, { why });
      }) }, t("record.withdraw")) : null,
      h("button", { class: "button", type: "button", id: "reveal", onclick: () => run(() => reveal(id)) }, t("record.reveal"))),
    h("details", {}, h("summary", {}, t("record.fields")), fieldTable(record.fields ?? [], (row) => list.filter((one) => one.field === row.field && (one.order ?? null) === (row.order ?? null)))),
    record.illegible ? declared(record) : null,
    xml(id),
    record.history?.length ? h("details", {}, h("summary", {}, t("record.history")), record.opcode ? h("p", { class: "small soft" }, `${t("list.opcode")} `, h("span", { class: "mono" }, record.opcode)) : null, h("table", {}, h("tbody", {}, record.history.map((one) => h("tr", {},
      h("td", { class: "nowrap" }, `${day(one.at, { short: true })} ${clock(one.at)}`), h("td", {}, t(`event.${one.event}`)), h("td", { class: "soft" }, [one.who ?? one.by, one.note].filter(Boolean).join(" · "))))))) : null,
  ];
}

/** Field, cause and what to do, of one error of the check. */
export function problemCard(one) {
  const tone = one.severity === "error" || !one.severity ? "block" : "warn";
  const fix = both(one, "fix_") || both(one.fix ?? {});
  return h("div", { class: `finding ${tone}`, data: { field: one.field, code: one.code } }, icon(tone, t(`severity.${tone}`)),
    h("div", { class: "words" }, both(one), one.order ? ` (${t("check.order", { n: one.order })})` : "", " ", h("span", { class: "mono small" }, `${one.field}:${one.code}`)),
    fix ? h("div", { class: "from" }, h("strong", {}, t("check.fix")), " ", fix) : h("div", { class: "from" }));
}

/** The picture that is looked at, until the record is closed. */
const opened = { dispensing: null, address: "" };

/** What a person declared of a sheet that nobody could read, and the picture of it; looking at the picture is written down. */
function declared({ illegible, dispensing }) {
  const place = h("div", {});
  const show = () => put(place, h("img", { class: "kept", alt: t("kept.picture"), src: opened.address }));
  // Drawn anew with news of the record, it is not asked for, and written down, again.
  if (opened.dispensing === dispensing) show();
  const look = async () => {
    try {
      const picture = await get(`/dispensings/${dispensing}/picture.jpg`, { blob: true });
      Object.assign(opened, { dispensing, address: URL.createObjectURL(picture) });
      show();
    } catch (error) {
      put(place, h("p", { class: "wrong" }, both(error)));
    }
  };
  return h("section", { class: "stack tight", id: "declared" },
    h("p", { class: "finding warn" }, icon("warn"), h("span", { class: "words" }, t("kept.title", { cause: t(`cause.${illegible.cause}`) })),
      h("span", { class: "from" }, [illegible.by, illegible.note].filter(Boolean).join(" · "))),
    illegible.picture ? h("div", { class: "row" }, h("button", { class: "button", type: "button", id: "kept", onclick: look }, icon("sheet"), t("kept.look"))) : null, place);
}

async function reveal(id) {
  const why = await ask(t("record.reveal"), t("reveal.why"), { yes: t("record.reveal"), hint: t("reveal.hint") });
  if (!why) return;
  const shown = await post(`/records/${id}/reveal`, { why });
  const rows = Array.isArray(shown.fields) ? shown.fields.map((one) => [one.field, one.value]) : Object.entries(shown.fields ?? shown);
  await dialog(t("record.reveal"), (close) => [
    h("table", { class: "record" }, h("tbody", {}, rows.map(([field, value]) => h("tr", {}, h("td", { class: "mono" }, field), h("td", { class: "mono" }, String(value ?? "")))))),
    h("footer", {}, h("button", { class: "button primary", type: "button", onclick: () => close(null) }, t("close"))),
  ], { name: "reveal" });
}
