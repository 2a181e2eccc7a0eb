"""A record or plan field by field for the page: name, masked value, the rule behind it in both languages."""

from __future__ import annotations

from datetime import date
from typing import Any

from nhirx.model import Prescription, Reason, UploadPlan, UploadRecord
from nhirx.resolver import explain_field, explain_lines, explain_plan, masked_value

_LONG = 24


def masked(field: str, value: str | None) -> str | None:
    """A field's value for a screen: who and when are masked, a signature is only counted."""
    if value is None:
        return None
    shown = masked_value(field, value)
    return shown if len(shown) <= _LONG else f"{shown[:4]}…（{len(shown)}）"


def explained(plan: UploadPlan) -> list[dict[str, Any]]:
    """The rows ``explained`` of ``POST /plan``, in the order of the fields."""
    return [_row(line, line["value"]) | {"from_card": line["from_card"]} for line in explain_plan(plan)]


def to_be_sent(plan: UploadPlan, record: UploadRecord, prescription: Prescription, day: date) -> list[dict[str, Any]]:
    """The rows ``record`` of ``POST /plan``: each field of ``preview``, then each line's; what the card will give has no value yet."""
    counts, lines = explain_lines(prescription, day)
    why = {**counts, **plan.why}
    rows = [
        _row(explain_field(name, why.get(name)), value or None) | _whose(None, value) for name, value in record.fields.items()
    ]
    for number, (order, reasons) in enumerate(zip(record.orders, lines, strict=True), 1):
        rows += [
            _row(explain_field(name, reasons.get(name)), value or None) | _whose(number, value) for name, value in order.items()
        ]
    return rows


def _whose(order: int | None, value: str) -> dict[str, Any]:
    return {"order": order, "from_card": not value}


def masked_xml(record: UploadRecord) -> str:
    """The XML of ``preview`` for a screen: persons masked, what the card will give left out."""
    from nhirx.records.write import write

    def shown(segment: dict[str, str]) -> dict[str, str]:
        return {name: masked(name, value) or "" for name, value in segment.items() if value}

    made = UploadRecord(fields=shown(record.fields), orders=tuple(shown(order) for order in record.orders))
    return write([made], "utf-8").decode("utf-8")


def shown_record(record: UploadRecord, why: dict[str, Reason] | None = None) -> list[dict[str, Any]]:
    """The rows ``fields`` of ``GET /records/{id}``: the visit, then each order line with its number."""
    reasons = why or {}
    rows = [_row(explain_field(name, reasons.get(name)), value) | {"order": None} for name, value in record.fields.items()]
    for number, order in enumerate(record.orders, 1):
        rows += [_row(explain_field(name, None), value) | {"order": number} for name, value in order.items()]
    return rows


def _row(line: dict[str, Any], value: str | None) -> dict[str, Any]:
    kept = {name: line[name] for name in ("field", "name_zh", "name_en", "rule", "source", "confidence")}
    return kept | {"value_masked": masked(line["field"], value), "why_zh": line["zh"], "why_en": line["en"]}
