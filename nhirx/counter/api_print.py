"""The list of the day for the printer, masked."""

from __future__ import annotations

from html import escape
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from nhirx.counter.callers import Present, TheDesk
from nhirx.counter.shown import day_of, dispensing_item, record_item
from nhirx.outbox import lists

router = APIRouter(prefix="/print", tags=["print"])
_STYLE = """@page{size:A4;margin:14mm}body{font:11pt/1.45 "Noto Sans TC","Microsoft JhengHei",sans-serif;color:#000;background:#fff;margin:1rem}
h1{font-size:15pt;margin:0 0 .2rem}p{margin:.1rem 0 .8rem}
table{border-collapse:collapse;width:100%;margin:0 0 1rem}th,td{border:1px solid #777;padding:.25rem .4rem;text-align:left;font-size:9.5pt}
th{background:#eee}tr{break-inside:avoid}.mono{font-family:ui-monospace,Consolas,monospace;white-space:nowrap}"""
_STATES = {
    "built": ("待送出", "waiting"),
    "sending": ("傳送中", "being sent"),
    "sent": ("已送出", "sent"),
    "accepted": ("檢核通過", "accepted"),
    "rejected": ("退回", "rejected"),
    "stuck": ("需人工處理", "needs a person"),
    "superseded": ("已被取代", "replaced"),
    "withdrawn": ("已撤回", "withdrawn"),
    "opened": ("已開始", "begun"),
    "numbered": ("已取號", "numbered"),
    "writing": ("寫入中", "writing"),
    "written": ("已寫入", "written"),
    "held": ("欠卡", "card owed"),
}


@router.get("/style.css", include_in_schema=False)
def style() -> Response:
    return Response(_STYLE, media_type="text/css")


@router.get(
    "/today",
    operation_id="getPrint",
    summary="列印當日清單（遮蔽） The list of a day for the printer",
    response_class=Response,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
def today(
    desk: TheDesk,
    caller: Present,
    format: Annotated[Literal["html"], Query()] = "html",  # noqa: A002, ARG001 - the parameter's name in the API
    day: Annotated[str | None, Query(max_length=20)] = None,
    lang: Annotated[Literal["zh", "en"], Query()] = "zh",
) -> Response:
    now = desk.host.clock()
    first, last = day_of(day or now.date().isoformat()) or (now, now)
    zh = lang == "zh"
    outbox = desk.host.outbox
    rows = [
        [
            item["built_at"][11:16],
            item["patient_masked"],
            item["visit_id_masked"],
            item["operation"],
            _state(item["state"], zh),
            item["opcode"],
        ]
        for item in (record_item(one) for one in reversed(lists.records(outbox, first=first, last=last, limit=5000)))
    ]
    waiting = [
        [item["begun_at"][:16].replace("T", " "), item["patient_masked"], item["visit_id_masked"], _state(item["state"], zh)]
        for item in (dispensing_item(one) for one in (*outbox.journal.unfinished(), *outbox.journal.held()))
    ]
    title = f"調劑上傳清單 {first:%Y-%m-%d}" if zh else f"Dispensings of {first:%Y-%m-%d}"
    place = desk.host.settings.pharmacy.institution or ""
    printed = f"列印 {now:%Y-%m-%d %H:%M}　{caller.by}" if zh else f"printed {now:%Y-%m-%d %H:%M} by {caller.by}"
    heads = (
        ["時間", "病人", "就醫識別碼", "類別", "狀態", "回條"]
        if zh
        else ["time", "patient", "visit ID", "kind", "state", "receipt"]
    )
    open_heads = ["開始", "病人", "就醫識別碼", "狀態"] if zh else ["begun", "patient", "visit ID", "state"]
    body = f"<h1>{escape(title)}</h1><p>{escape(place)}　{escape(printed)}　{len(rows)} {'筆' if zh else 'records'}</p>{_table(heads, rows)}"
    if waiting:
        body += f"<h1>{'未完成與欠卡' if zh else 'unfinished, and cards owed'}</h1>{_table(open_heads, waiting)}"
    page = (
        f'<!doctype html><html lang="{"zh-Hant-TW" if zh else "en"}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="/api/v1/print/style.css"></head><body>{body}</body></html>'
    )
    return Response(page, media_type="text/html")


def _state(name: str, zh: bool) -> str:
    return _STATES.get(name, (name, name))[0 if zh else 1]


def _table(heads: list[str], rows: list[list[str | None]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    lines = "".join(
        "<tr>" + "".join(f'<td class="mono">{escape(str(cell or "—"))}</td>' for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
