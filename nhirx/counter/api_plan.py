"""What would be uploaded and why, before the card is asked."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter

from nhirx import resolver
from nhirx.counter.callers import Caller, Present, TheDesk
from nhirx.counter.desk import Desk
from nhirx.counter.explain import explained, masked_xml, to_be_sent
from nhirx.counter.models import PlanBody
from nhirx.errors import NhirxError
from nhirx.model import CardFacts, Facts, Prescription, UploadPlan
from nhirx.rehearsal import preview
from nhirx.roc import TAIPEI

router = APIRouter(tags=["plan"])


@router.post("/plan", operation_id="postPlan", summary="試算：上傳什麼、依據為何 What would be uploaded, and why")
def plan(body: PlanBody, desk: TheDesk, caller: Present) -> dict[str, Any]:
    """不讀卡、不取號、不送出。回答含每欄的規則、提醒（擋下／注意／說明）與下次領藥的算式。

    Reads no card, takes no number, sends nothing. The answer is that of ``nhirx resolve`` with every field explained (``explained``),
    findings as cards (``block``, ``warn``, ``info``), the arithmetic of the next fill (``refill``) and every period (``windows``).
    ``record`` is everything that will be sent, lines too, and ``xml`` the same masked; null where nothing will be sent.
    """
    facts = facts_of(body, desk)
    desk.patients[caller.id] = facts.patient.national_id
    made = desk.host.plan(facts, body.prescription)
    windows = resolver.deadlines(facts, calendar=resolver.read_calendar(desk.host.settings.rules.calendar_file))
    return made.as_json() | {
        "explained": explained(made),
        **_sent(made, facts, body.prescription, desk),
        "refill": _refill(facts, windows),
        "windows": [window.as_json() for window in windows],
    }


def _sent(plan: UploadPlan, facts: Facts, prescription: Prescription, desk: Desk) -> dict[str, Any]:
    try:
        record = preview(plan, facts, prescription, desk.host.settings)
        day = facts.dispensed_at.astimezone(TAIPEI).date()
        return {"record": to_be_sent(plan, record, prescription, day), "xml": masked_xml(record)}
    except NhirxError:
        # Nothing goes out as it stands, or a setting is missing: the plan tells what it can.
        return {"record": None, "xml": None}


def facts_of(body: PlanBody, desk: Desk, *, scan: bool = True) -> Facts:
    """Raises ``ScanGone`` and what ``Host.facts`` raises. ``scan`` False: the sheet was declared illegible, its scan tells no ID."""
    seen = desk.shelf.get(body.scan_ref).scan if body.scan_ref and scan else None
    return desk.host.facts(
        body.prescription,
        scan=seen,
        confirmed=body.confirmed,
        at=body.dispensed_at,
        card=body.card or CardFacts(),
        make_up=body.make_up,
    )


def forget(caller: Caller, desk: Desk) -> None:
    desk.patients.pop(caller.id, None)


def _refill(facts: Facts, windows: tuple[resolver.Window, ...]) -> dict[str, Any] | None:
    refill = facts.prescription.refill
    if refill is None:
        return None
    window = next((one for one in windows if one.id == "refill-window"), None)
    earliest = None
    visited = facts.prescription.visited_at
    if visited is not None and refill.number > 1 and refill.days is not None:
        from nhirx.resolver.windows import earliest_refill

        earliest = earliest_refill(visited.date(), refill.number, refill.days).as_json()
    return refill.model_dump() | {
        "next_from": _iso(window.first) if window else None,
        "next_to": _iso(window.last) if window else None,
        "zh": window.zh if window else None,
        "en": window.en if window else None,
        "source": window.source if window else None,
        "earliest": earliest,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
