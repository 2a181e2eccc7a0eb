"""A record or plan field by field for the page: name, masked value, the rule behind it in both languages."""

from __future__ import annotations

from typing import Any

from nhirx.identifiers import mask_id, mask_visit_id
from nhirx.model import Reason, UploadPlan, UploadRecord
from nhirx.tables.fields import fields as field_specs
from nhirx.tables.load import rule_book

_PERSONS = frozenset({"M03", "M06"})
_BIRTH_DATES = frozenset({"M04", "M08"})
_VISIT_IDS = frozenset({"M15", "M16", "M52"})
_LONG = 24


def masked(field: str, value: str | None) -> str | None:
    """A field's value for a screen: who and when are masked, a signature is only counted."""
    if value is None:
        return None
    if field in _PERSONS:
        return mask_id(value)
    if field in _BIRTH_DATES:
        return f"{value[:3]}****"
    if field in _VISIT_IDS and not value.endswith("0" * 16) and len(set(value)) > 1:
        return mask_visit_id(value)
    return value if len(value) <= _LONG else f"{value[:4]}…（{len(value)}）"


def explained(plan: UploadPlan) -> list[dict[str, Any]]:
    """The rows ``explained`` of ``POST /plan``, in the order of the fields."""
    return [
        _row(name, value, plan.why[name]) | {"from_card": name in plan.from_card}
        for name, value in plan.fields.items()
        if name in plan.why
    ]


def shown_record(record: UploadRecord, why: dict[str, Reason] | None = None) -> list[dict[str, Any]]:
    """The rows ``fields`` of ``GET /records/{id}``: the visit, then each order line with its number."""
    rows = [_row(name, value, (why or {}).get(name)) | {"order": None} for name, value in record.fields.items()]
    for number, order in enumerate(record.orders, 1):
        rows += [_row(name, value, None) | {"order": number} for name, value in order.items()]
    return rows


def _row(name: str, value: str | None, reason: Reason | None) -> dict[str, Any]:
    spec = field_specs().get(name)
    row = _rules().get(reason.rule) if reason else None
    return {
        "field": name,
        "name_zh": spec.zh if spec else name,
        "name_en": spec.en if spec else name,
        "value_masked": masked(name, value),
        "rule": reason.rule if reason else None,
        "source": reason.source if reason else None,
        "confidence": reason.confidence if reason else None,
        "why_zh": row[0] if row else ("依設定檔。" if reason else None),
        "why_en": row[1] if row else ("From the settings." if reason else None),
    }


def _rules() -> dict[str, tuple[str, str]]:
    return {row.id: (row.zh, row.en) for table in rule_book().decisions.values() for row in table.row}
