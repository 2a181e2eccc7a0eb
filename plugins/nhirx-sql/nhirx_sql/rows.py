"""Rows of somebody else's schema into prescriptions: padded texts, ROC days as numbers, times without offset."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from nhirx import Prescription
from nhirx.errors import SettingInvalid
from nhirx.roc import TAIPEI
from nhirx_sql.mapping import COLUMNS

_HEAD = {name for part in ("patient", "sheet", "refill", "own") for name in COLUMNS[part]} | {"visit_id"}
# Numbers in columns of type INT have lost their leading zeros.
_WIDTHS = {"birth_date": 7, "visited_at": 13, "institution": 10, "visit_serial": 4}


def prescription(head: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], visit_id: str) -> Prescription:
    """Raises ``SettingInvalid`` that names a column that is unknown or holds what it cannot."""
    _known(head, _HEAD, "find")
    given = {name: value for name, raw in head.items() if (value := plain(name, raw)) is not None}
    sheet: dict[str, Any] = {"visit_id": visit_id, **_some(given, COLUMNS["sheet"])}
    if "refill_number" in given:
        sheet["refill"] = {name.removeprefix("refill_"): value for name, value in _some(given, COLUMNS["refill"]).items()}
    orders = []
    for line in lines:
        _known(line, set(COLUMNS["order"]), "find.orders")
        orders.append({name: value for name, raw in line.items() if (value := plain(name, raw)) is not None})
    tree = _some(given, COLUMNS["own"]) | {"patient": _some(given, COLUMNS["patient"]), "sheet": sheet, "orders": tuple(orders)}
    if "reference" in tree:
        tree["reference"] = str(tree["reference"])
    if "diagnoses" in tree:
        tree["diagnoses"] = tuple(filter(None, re.split(r"[\s,;、]+", str(tree["diagnoses"]))))
    try:
        return Prescription.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SettingInvalid(setting=".".join(map(str, first["loc"])), problem=first["msg"]) from None


def plain(name: str, value: Any) -> Any:
    """``value`` as the model takes it; None for what counts as empty."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, datetime):
        if name == "birth_date":
            return value.date()
        return value.replace(tzinfo=TAIPEI) if value.tzinfo is None else value
    if isinstance(value, date) and name == "visited_at":
        # A day is no visit time.
        return None
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if name in _WIDTHS and isinstance(value, int) and not isinstance(value, bool):
        return str(value).zfill(_WIDTHS[name])
    if name in ("payment_category", "code", "usage", "route", "prescriber_format") and isinstance(value, int):
        return str(value)
    return value


def _some(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


def _known(row: Mapping[str, Any], names: set[str], where: str) -> None:
    if unknown := sorted(set(row) - names):
        raise SettingInvalid(setting=where, problem=f"沒有這個欄位 / no such column: {', '.join(unknown)}")
