"""Plan and record field by field: name, rule in words, source — the same for every screen — and what of a value may be shown."""

from __future__ import annotations

from typing import Any

from nhirx.identifiers import mask_id, mask_visit_id
from nhirx.model import Reason, UploadPlan
from nhirx.tables.fields import fields as field_specs
from nhirx.tables.load import rule_book

_PERSONS = frozenset({"M03", "M06"})
_BIRTH_DATES = frozenset({"M04", "M08"})
_VISIT_IDS = frozenset({"M15", "M16", "M52"})


def masked_value(field: str, value: str) -> str:
    """A field's value for a person's eyes: who and when are masked, the placeholders of the NHI are not."""
    if field in _PERSONS:
        return mask_id(value)
    if field in _BIRTH_DATES:
        return f"{value[:3]}****"
    if field in _VISIT_IDS and not value.endswith("0" * 16) and len(set(value)) > 1:
        return mask_visit_id(value)
    return value


def explain_field(name: str, reason: Reason | None) -> dict[str, Any]:
    """``field, name_zh, name_en, rule, source, confidence, zh, en``; the last five None where no reason is known."""
    spec = field_specs().get(name)
    row = _words().get(reason.rule) if reason else None
    return {
        "field": name,
        "name_zh": spec.zh if spec else name,
        "name_en": spec.en if spec else name,
        "rule": reason.rule if reason else None,
        "source": reason.source if reason else None,
        "confidence": reason.confidence if reason else None,
        "zh": row[0] if row else ("依設定檔。" if reason else None),
        "en": row[1] if row else ("From the settings." if reason else None),
    }


def explain_plan(plan: UploadPlan) -> list[dict[str, Any]]:
    """One row a field that a rule chose, in the order of the fields, with ``value`` as it stands and ``from_card``."""
    return [
        explain_field(name, plan.why[name]) | {"value": value, "from_card": name in plan.from_card}
        for name, value in plan.fields.items()
        if name in plan.why
    ]


def _words() -> dict[str, tuple[str, str]]:
    return {row.id: (row.zh, row.en) for table in rule_book().decisions.values() for row in table.row}
