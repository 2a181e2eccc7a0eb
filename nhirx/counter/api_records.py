"""The records of the queue: list, page, reveal, XML, send again, correct, withdraw."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from nhirx.counter.callers import Present, TheDesk
from nhirx.counter.correct import correction, to_send
from nhirx.counter.desk import Desk
from nhirx.counter.models import CorrectionAnswer, CorrectionBody, Created, Items, WhyBody
from nhirx.counter.sender import record_event
from nhirx.counter.shown import day_of, fits, record_item, record_page, refuse_identity, searched
from nhirx.errors import InputError, RequestInvalid, ThingMissing
from nhirx.logs import mask
from nhirx.outbox import Dispensing, Queued, lists
from nhirx.outbox.states import QUEUE_STATES

router = APIRouter(tags=["record"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="紀錄編號 Number of the record")]
_SEARCHED = 2000
"""Records looked through for a search without a day."""


@router.get("/records", operation_id="getRecords", summary="上傳資料清單（遮蔽） Records, masked")
def listed(
    desk: TheDesk,
    caller: Present,  # noqa: ARG001
    day: Annotated[str | None, Query(max_length=20, description="建立日期，2026-11-20 或 1151120 Day it was built")] = None,
    state: Annotated[
        str | None, Query(max_length=20, description="built、sending、sent、accepted、rejected、stuck、superseded、withdrawn")
    ] = None,
    q: Annotated[
        str,
        Query(
            max_length=80,
            description="證號或識別碼末四碼、Opcode、流水號、序號 The last four of an ID, Opcode, reference, serial",
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> Items:
    """網址中不可放完整證號或識別碼。 Whole ID numbers and visit IDs are refused here: addresses end up in histories and logs."""
    refuse_identity(q)
    if state and state not in QUEUE_STATES:
        raise RequestInvalid(where="state", problem=", ".join(QUEUE_STATES))
    between = day_of(day)
    found = lists.records(
        desk.host.outbox,
        first=between[0] if between else None,
        last=between[1] if between else None,
        states=(state,) if state else (),
        limit=_SEARCHED if q.strip() else limit,
    )
    shown = []
    for one in found:
        begun = _dispensing(desk, one)
        item = record_item(one, begun)
        if fits(
            item, q, one.record.fields.get("M03", ""), one.record.visit_id, one.record.fields.get("M16", ""), more=searched(one)
        ):
            shown.append(item)
    return Items(items=shown[:limit])


@router.get("/records/{number}", operation_id="getRecord", summary="一筆資料：欄位、檢核、經過 One record")
def one(number: Number, desk: TheDesk, caller: Present) -> dict[str, Any]:  # noqa: ARG001
    """欄位值已遮蔽，附規則與依據；``check.errors`` 為健保署的檢核結果與處理方式。

    Values are masked, each with its rule; ``check.errors`` are the NHIA's findings with what to do about each.
    """
    found = _found(desk, number)
    return record_page(desk.host.outbox, found, _dispensing(desk, found))


@router.post("/records/{number}/reveal", operation_id="postReveal", summary="顯示完整內容（稽核） Show it in full, audited")
def reveal(number: Number, body: WhyBody, desk: TheDesk, caller: Present) -> dict[str, Any]:
    """原因與人員記入稽核紀錄。 Who and why stand in the audit trail."""
    found = _found(desk, number)
    desk.host.outbox.note("reveal", who=caller.by, subject="queue", subject_id=number, why=mask(body.why))
    fields = [{"field": name, "value": value} for name, value in found.record.fields.items()]
    return {"id": number, "fields": fields, "orders": [dict(order) for order in found.record.orders]}


@router.get(
    "/records/{number}/xml",
    operation_id="getXml",
    summary="上傳的 XML（稽核） The XML that is sent, audited",
    response_class=Response,
    responses={200: {"content": {"application/xml": {"schema": {"type": "string"}}}}},
)
def xml(number: Number, desk: TheDesk, caller: Present) -> Response:
    from nhirx.records.write import write

    found = _found(desk, number)
    desk.host.outbox.note("xml", who=caller.by, subject="queue", subject_id=number, why="upload looked at")
    # The NHI gets the pharmacy's encoding; a screen gets the same text in UTF-8.
    return Response(write([found.record], "utf-8"), media_type="application/xml")


@router.post("/records/{number}/retry", operation_id="postRetry", summary="原樣重送 Send it again as it is")
def retry(number: Number, desk: TheDesk, caller: Present) -> Created:
    _found(desk, number)
    desk.host.outbox.queue.retry(number, by=caller.by)
    return _changed(desk, number)


@router.get(
    "/records/{number}/correction", operation_id="getCorrection", summary="更正建議 The corrected record that the rules propose"
)
def proposed(number: Number, desk: TheDesk, caller: Present) -> CorrectionAnswer:  # noqa: ARG001
    """只有唯一正確內容時 ``possible`` 為 true；否則 ``open`` 列出需由人員填值的欄位。

    ``possible`` only where there is one right content; else ``open`` names what a person has to fill in.
    """
    return CorrectionAnswer.model_validate(correction(desk.host, _found(desk, number)).as_json())


@router.post(
    "/records/{number}/correction",
    operation_id="postCorrection",
    status_code=201,
    summary="送出更正後的資料 Send the corrected record",
)
def correct(number: Number, desk: TheDesk, caller: Present, body: CorrectionBody | None = None) -> Created:
    """以相同就醫識別碼建立新的一筆；健保署以最後一次為準。可用 ``fields``、``orders`` 由人員填值，送出前再檢核一次。

    A new record under the same visit ID: the NHIA keeps the last one. A person's values go into ``fields`` and ``orders``; it is checked first.
    """
    found = _found(desk, number)
    record = to_send(desk.host, found, body)
    new = desk.host.outbox.queue.put(record, dispensing=found.dispensing_id)
    # Which places a person filled in, and what the record was sent back for; no value of either.
    by_hand = sorted({*body.fields, *(f"{line}.{name}" for line, order in body.orders.items() for name in order)}) if body else []
    why = sorted({f"{error.field}:{error.code}" for error in found.result.errors}) if found.result else []
    desk.host.outbox.note("correct", who=caller.by, subject="queue", subject_id=new, of=number, by_hand=by_hand, why=why)
    if found.state != (now := _found(desk, number)).state:
        desk.hub.tell(record_event(number, now.state, now.opcode, now.dispensing_id))
    return _changed(desk, new)


@router.post("/records/{number}/withdraw", operation_id="postWithdraw", summary="撤回，不再傳送 Take it out for good")
def withdraw(number: Number, body: WhyBody, desk: TheDesk, caller: Present) -> Created:
    _found(desk, number)
    desk.host.outbox.queue.withdraw(number, body.why, by=caller.by)
    return _changed(desk, number)


def _changed(desk: Desk, number: int) -> Created:
    now = _found(desk, number)
    desk.hub.tell(record_event(number, now.state, now.opcode, now.dispensing_id))
    desk.sender.wake()
    return Created(id=number, state=now.state)


def _found(desk: Desk, number: int) -> Queued:
    try:
        return desk.host.outbox.queue.item(number)
    except InputError:
        raise ThingMissing(what=f"紀錄 {number} / record {number}") from None


def _dispensing(desk: Desk, one: Queued) -> Dispensing | None:
    return None if one.dispensing_id is None else desk.host.outbox.journal.dispensing(one.dispensing_id)
