"""Dispensings and records as the lists and pages show them: masked, with what a person can do about each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from nhirx import roc
from nhirx.counter.explain import masked, shown_record
from nhirx.errors import InvalidValue, RequestInvalid
from nhirx.identifiers import NationalId, VisitId, mask_id, mask_visit_id
from nhirx.logs import mask
from nhirx.model import Reason
from nhirx.outbox import Dispensing, Outbox, Queued, lists

_SHORT = 3
_CARD = "M02"
"""The number of a card is a person's."""
ALLOWED: dict[str, tuple[str, ...]] = {
    "opened": ("abandon",),
    "numbered": ("resume", "give-back", "abandon"),
    "writing": ("resume", "give-back", "abandon"),
    "written": ("resume", "give-back", "abandon"),
    "held": ("make-up", "abandon"),
}
_WHY = {
    "opened": ("已開始，不確定是否取號。請查證後重新調劑，或結案。", "Begun; whether a number was taken is not known. Find out, dispense again or close it."),
    "numbered": ("已取號，醫令未寫入。請插入同一張健保卡後接續。", "Numbered, orders not written. Insert the same card and go on."),
    "writing": ("已取號，醫令可能已寫入。請藥師決定是否再寫一次。", "Numbered; the orders may stand on the card. A pharmacist decides whether to write again."),
    "written": ("醫令已寫入，尚未建立上傳資料。請接續。", "Orders written, no record yet. Go on."),
    "held": ("欠卡待補：病人持卡前來時補卡。", "Card owed: make it up when the patient brings the card."),
    "settled": ("已補卡完成。", "Made up."),
    "filled": ("已建立上傳資料。", "The record is built."),
    "abandoned": ("已結案，不上傳。", "Closed; nothing is uploaded."),
}  # fmt: skip


def dispensing_item(one: Dispensing) -> dict[str, Any]:
    """One line of the list."""
    facts, plan = one.facts or {}, one.plan or {}
    sheet = facts.get("prescription") or {}
    visit = (one.reading.visit_id if one.reading else None) or sheet.get("visit_id")
    zh, en = _WHY.get(one.state, ("", ""))
    return {
        "id": one.id,
        "state": one.state,
        "patient_masked": mask_id((facts.get("patient") or {}).get("national_id") or "") or None,
        "visit_id_masked": mask_visit_id(visit) if visit else None,
        "action": plan.get("action"),
        "begun_at": _time(one.opened_at),
        "updated_at": _time(one.changed_at),
        "why": {"zh": zh, "en": en},
        "reason": mask(one.reason) if one.reason else None,
        "reference": (one.prescription or {}).get("reference"),
        "settled_by": one.settled_by,
        "allowed": list(ALLOWED.get(one.state, ())),
    }


def dispensing_page(outbox: Outbox, one: Dispensing) -> dict[str, Any]:
    """One dispensing with its record, what it settles, and its prescription without the person."""
    records = outbox.queue.find(dispensing=one.id, limit=10)
    prescription = one.prescription or {}
    return dispensing_item(one) | {
        "record_id": records[0].id if records else None,
        "record_state": records[0].state if records else None,
        "records": [record.id for record in records],
        "settles": lists.settles(outbox, one.id),
        "refill": (prescription.get("sheet") or {}).get("refill"),
        "orders": len(prescription.get("orders") or ()),
        "signatures": len(one.signatures or ()),
    }


def record_item(one: Queued, dispensing: Dispensing | None = None) -> dict[str, Any]:
    """One line of the list of records."""
    fields = one.record.fields
    prescription = (dispensing.prescription if dispensing else None) or {}
    errors = one.result.errors if one.result else ()
    return {
        "id": one.id,
        "state": one.state,
        "opcode": one.opcode,
        "visit_id_masked": mask_visit_id(one.record.visit_id) or None,
        "patient_masked": mask_id(fields.get("M03", "")) or None,
        "operation": fields.get("H01"),
        "serial": fields.get("M13"),
        "refill": (prescription.get("sheet") or {}).get("refill"),
        "built_at": _time(one.built_at),
        "changed_at": _time(one.changed_at),
        "sent_at": _time(one.sent_at),
        "answered_at": _time(one.changed_at) if one.state in ("accepted", "rejected") else None,
        "dispensing": one.dispensing_id,
        "reference": prescription.get("reference"),
        "errors": len([error for error in errors if error.severity == "error"]),
        "attempts": one.attempts,
        "problem": one.problem.model_dump() if one.problem else None,
    }


def record_page(outbox: Outbox, one: Queued, dispensing: Dispensing | None) -> dict[str, Any]:
    """One record: fields with their rules, the result of the check, and its story."""
    why = {
        name: Reason.model_validate(reason)
        for name, reason in ((dispensing.plan if dispensing else None) or {}).get("why", {}).items()
    }
    return record_item(one, dispensing) | {
        "fields": shown_record(one.record, why),
        "orders": len(one.record.orders),
        "history": [
            {"at": _time(line.at), "who": line.who, "event": line.event, "state": line.after}
            for line in outbox.queue.history(one.id)
        ],
        "check": {
            "accepted": one.result.accepted if one.result else None,
            "errors": [error.model_dump(mode="json") for error in one.result.errors] if one.result else [],
        },
    }


def day_of(text: str | None) -> tuple[datetime, datetime] | None:
    """The first moment of a day and of the next one. Raises ``RequestInvalid``."""
    if not text:
        return None
    try:
        day = roc.parse_date(text)
        first = datetime(day.year, day.month, day.day, tzinfo=roc.TAIPEI)
        return first, first + timedelta(days=1)
    except (InvalidValue, ValueError, OverflowError):
        raise RequestInvalid(where="day", problem="2026-11-20 或 1151120 / 2026-11-20 or 1151120") from None


def refuse_identity(query: str) -> None:
    """A whole ID number or visit ID does not belong into an address. Raises ``RequestInvalid``."""
    bare = "".join(query.split()).upper()
    if NationalId.is_valid(bare) or VisitId.is_valid(bare):
        raise RequestInvalid(
            where="q", problem="請只輸入末四碼，網址不可含完整證號 / the last four characters only: no whole ID in an address"
        )


def searched(one: Queued) -> list[str]:
    """What of a record may be searched for by its start: codes, places and days of the sheet, the codes of an error; nobody's identity."""
    record = one.record
    open_values = {value for name, value in record.fields.items() if name != _CARD and masked(name, value) == value}
    errors = one.result.errors if one.result else ()
    told = {word for error in errors for word in (error.code, f"{error.field}:{error.code}")}
    return [*open_values, *(order.get("D06", "") for order in record.orders), *told]


def fits(item: dict[str, Any], query: str, *identities: str, more: Iterable[str] = ()) -> bool:
    """Whether a line fits a search: the end of an identity (up to six characters), or the start of anything that is not one.

    ``more`` are values of which at least three characters have to be given: shorter ones stand in every record.
    """
    wanted = "".join(query.split()).upper()
    if not wanted:
        return True
    if len(wanted) <= 6 and any(identity.upper().endswith(wanted) for identity in identities if identity):
        return True
    open_values = (item.get("id"), item.get("opcode"), item.get("reference"), item.get("serial"), item.get("state"))
    if len(wanted) >= _SHORT and any(value.upper().startswith(wanted) for value in more):
        return True
    days = (str(item.get("built_at") or item.get("begun_at") or "")[:10],)
    return any(str(value).upper().startswith(wanted) for value in (*open_values, *days) if value is not None)


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
