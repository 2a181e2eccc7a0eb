"""Dispensing, and finishing what was stopped or waits for a card."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Response

from nhirx.counter.callers import Present, TheDesk
from nhirx.counter.desk import Desk
from nhirx.counter.dispense import Request
from nhirx.counter.models import (
    DispenseBody,
    DispensingAnswer,
    GivenBack,
    Items,
    MakeUpAnswer,
    ResumeBody,
    WhyBody,
)
from nhirx.counter.sender import record_event
from nhirx.counter.shown import day_of, dispensing_item, dispensing_page, fits, refuse_identity
from nhirx.errors import InputError, ThingMissing, TransitionRefused
from nhirx.outbox import Dispensing, lists

router = APIRouter(tags=["dispensing"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="調劑編號 Number of the dispensing")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=200,
        description="每次調劑一個新的值（如 UUID）；重送同一個值不會重複調劑 One new value per dispensing; sent again it never dispenses twice.",
    ),
]


@router.post("/dispensings", operation_id="postDispensing", status_code=201, summary="調劑 Dispense")
def dispense(body: DispenseBody, desk: TheDesk, caller: Present, key: Key = None) -> DispensingAnswer:
    """讀卡、核對身分、取號、寫入醫令、檢核並存入待上傳區；回答時都已落盤。卡片失效時回 409 ``abnormal-reason-needed``，
    ``detail.candidates`` 為符合這次失敗的異常就醫序號。斷線後請以同一個 ``Idempotency-Key`` 重送：已完成者回答相同結果，
    中途停止者回 409 ``dispensing-unfinished``（``detail.id``）。

    Reads the card, compares the person, takes the number, writes the orders, checks, and puts the record into the outbox; all of it is on disk
    when this answers. After a lost connection send it again with the same ``Idempotency-Key``.
    """
    return DispensingAnswer(dispensing=Request(desk, caller, body, key).run())


@router.get("/dispensings", operation_id="getDispensings", summary="調劑清單 Dispensings")
def listed(
    desk: TheDesk,
    caller: Present,  # noqa: ARG001
    state: Annotated[Literal["unfinished", "held", "today", "all"], Query(description="未完成、欠卡、今日或全部")] = "today",
    q: Annotated[
        str, Query(max_length=80, description="證號或識別碼末四碼、流水號、編號 The last four of an ID, a reference, a number")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> Items:
    refuse_identity(q)
    outbox = desk.host.outbox
    if state == "unfinished":
        found = outbox.journal.unfinished()
    elif state == "held":
        found = outbox.journal.held()
    else:
        day = day_of(desk.host.clock().date().isoformat()) if state == "today" else None
        found = lists.dispensings_of(outbox, first=day[0] if day else None, last=day[1] if day else None, limit=limit)
    items = [(one, dispensing_item(one)) for one in found]
    return Items(items=[item for one, item in items if fits(item, q, *_identities(one))][:limit])


@router.get("/dispensings/{number}", operation_id="getDispensing", summary="一筆調劑 One dispensing")
def one(number: Number, desk: TheDesk, caller: Present) -> DispensingAnswer:  # noqa: ARG001
    found = _found(desk, number)
    page = dispensing_page(desk.host.outbox, found)
    declared = desk.pictures.find(number)
    shown = (
        {name: declared[name] for name in ("cause", "note", "by", "at")} | {"picture": bool(declared["picture"])}
        if declared
        else None
    )
    return DispensingAnswer(dispensing=page | {"illegible": shown})


@router.get(
    "/dispensings/{number}/picture.jpg",
    operation_id="getPicture",
    summary="宣告無法讀取時保存的影像 The kept picture of an illegible sheet",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}},
)
def picture(number: Number, desk: TheDesk, caller: Present) -> Response:
    """記入稽核紀錄。 Noted in the audit trail."""
    declared = desk.pictures.find(number)
    if declared is None or not declared["picture"]:
        raise ThingMissing(what=f"調劑 {number} 的影像 / picture of dispensing {number}")
    desk.host.outbox.note("picture", who=caller.by, subject="journal", subject_id=number, why="illegible")
    return Response(base64.b64decode(declared["picture"]), media_type="image/jpeg")


@router.post("/dispensings/{number}/resume", operation_id="postResume", summary="接續中斷的調劑 Go on with a stopped one")
def resume(number: Number, desk: TheDesk, caller: Present, body: ResumeBody | None = None) -> DispensingAnswer:
    """``writing`` 狀態須由人員以 ``write_again`` 決定。 In state ``writing`` a person decides with ``write_again``."""
    _found(desk, number)
    body = body or ResumeBody()
    with desk.at_card():
        done = desk.host.resume(number, write_again=body.write_again, confirmed=body.confirmed)
    taken = {"write_again": body.write_again, "confirmed": body.confirmed}
    desk.host.outbox.note("resume", who=caller.by, subject="journal", subject_id=number, **taken)
    desk.sender.wake()
    _news(desk, number, done.state)
    if done.queued is not None:
        desk.hub.tell(record_event(done.queued, "built", None, number))
    page = dispensing_page(desk.host.outbox, _found(desk, number))
    return DispensingAnswer(dispensing=page | {"state": done.state})


@router.post("/dispensings/{number}/give-back", operation_id="postGiveBack", summary="退回就醫序號並結案 Give the number back")
def give_back(number: Number, desk: TheDesk, caller: Present) -> GivenBack:
    """規定不允許退回時 ``given_back`` 為 false，調劑仍未完成。 False where the rules do not allow it; the dispensing stays open."""
    _found(desk, number)
    with desk.at_card():
        given = desk.host.give_back(number, by=caller.by)
    state = _found(desk, number).state
    _news(desk, number, state)
    return GivenBack(id=number, given_back=given, state=state)


@router.post("/dispensings/{number}/abandon", operation_id="postAbandon", summary="結案，不上傳 Close it; nothing is uploaded")
def abandon(number: Number, body: WhyBody, desk: TheDesk, caller: Present) -> DispensingAnswer:
    """卡片給的資料仍保留。 What the card gave is kept."""
    _found(desk, number)
    desk.host.outbox.journal.abandon(number, body.why, by=caller.by)
    found = _found(desk, number)
    _news(desk, number, found.state)
    return DispensingAnswer(dispensing=dispensing_page(desk.host.outbox, found))


@router.post("/dispensings/{number}/make-up", operation_id="postMakeUp", summary="補卡：取回欠卡調劑的內容 Make up a held one")
def make_up(number: Number, desk: TheDesk, caller: Present) -> MakeUpAnswer:
    """回答可直接用於 ``POST /plan`` 與 ``POST /dispensings``（``make_up``、``settles``）。內容含身分，記入稽核紀錄。

    What it answers goes into ``POST /plan`` and ``POST /dispensings``. It names the patient and is noted in the audit trail.
    """
    found = _found(desk, number)
    if found.state != "held" or found.prescription is None:
        raise TransitionRefused(state=found.state, event="make-up")
    desk.host.outbox.note("make-up", who=caller.by, subject="journal", subject_id=number, why="card owed")
    reading = found.reading
    then = reading.visited_at.isoformat() if reading else (found.facts or {}).get("dispensed_at")
    return MakeUpAnswer(
        settles=number,
        prescription=found.prescription,
        make_up={"actual_visited_at": then, "actual_visit_id": reading.visit_id if reading else None},
    )


def _found(desk: Desk, number: int) -> Dispensing:
    try:
        return desk.host.outbox.journal.dispensing(number)
    except InputError:
        raise ThingMissing(what=f"調劑 {number} / dispensing {number}") from None


def _news(desk: Desk, number: int, state: str) -> None:
    desk.hub.tell({"type": "dispensing", "id": number, "state": state})


def _identities(one: Dispensing) -> tuple[str, ...]:
    facts: dict[str, Any] = one.facts or {}
    return (
        (facts.get("patient") or {}).get("national_id") or "",
        (facts.get("prescription") or {}).get("visit_id") or "",
        (one.reading.visit_id if one.reading else None) or "",
    )
