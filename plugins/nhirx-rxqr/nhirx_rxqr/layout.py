"""The layout as public pharmacy programs read it; an official document was not found (field-notes, pharmacy workflow §2.3).

Fields between semicolons, ROC days. 0 ends in the institution code · 3 name (not used: hand scanners lose it) · 4 ID number,
perhaps with asterisks · 5 birth date · 8 visit serial · 11 diagnoses between ``#`` or ``,`` · from 14 on groups of five: code,
dose, frequency, route, total. Further codes of the same sheet hold groups of five only. There is no visit ID in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nhirx import InstitutionCode, NationalId, Prescription, VisitId, VisitSerial, roc
from nhirx.errors import InvalidValue

_FIRST_ORDER, _GROUP = 14, 5
_MEAL = {"AC", "PC"}
_ORDER_CODE = re.compile(r"[0-9A-Z]{4,12}", re.ASCII)
_MASKED = re.compile(r"[A-Z*][0-9A-Z*][0-9*]{8}", re.ASCII)


def is_header(text: str) -> bool:
    """Whether ``text`` is a code with the head of a prescription."""
    fields = _fields(text)
    return (
        len(fields) >= _FIRST_ORDER
        and InstitutionCode.is_valid(fields[0][-10:])
        and _MASKED.fullmatch(fields[4].upper()) is not None
        and roc.is_date(fields[5])
    )


def prescription(texts: Sequence[str], visit_id: str | None) -> Prescription | None:
    """The prescription of a sheet, or None when its patient stays unknown (a masked ID number that nothing completes)."""
    head = next(text for text in texts if is_header(text))
    fields = _fields(head)
    patient = _patient(fields[4].upper(), visit_id)
    if patient is None:
        return None
    orders = [*_orders(fields[_FIRST_ORDER:])]
    for text in texts:
        if text != head and not is_header(text):
            orders += _orders(_fields(text))
    sheet: dict[str, Any] = {"visit_id": visit_id, "institution": fields[0][-10:].upper()}
    if VisitSerial.is_valid(fields[8]):
        sheet["visit_serial"] = fields[8]
    return Prescription.model_validate(
        {
            "patient": {"national_id": patient, "birth_date": fields[5]},
            "sheet": sheet,
            "diagnoses": tuple(filter(None, (part.replace(".", "").strip() for part in re.split("[#,]", fields[11])))),
            "orders": tuple(orders),
        }
    )


def _fields(text: str) -> list[str]:
    return [field.strip() for field in text.strip().split(";")]


def _orders(fields: Sequence[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(fields) - _GROUP + 1, _GROUP):
        code, _dose, frequency, route, total = (field.replace("+", "") for field in fields[start : start + _GROUP])
        if not _ORDER_CODE.fullmatch(code.upper()):
            continue
        if route.upper() in _MEAL:
            # Some programs write before or after meals where the route belongs.
            frequency, route = f"{frequency}{route}", ""
        order: dict[str, Any] = {"code": code.upper(), "usage": frequency or None, "route": route or None}
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", total):
            order["total"] = float(total)
        yield order


def _patient(number: str, visit_id: str | None) -> str | None:
    if "*" not in number:
        return number if NationalId.is_valid(number) else None
    try:
        holder = VisitId.parse(visit_id).holder_id if visit_id else None
    except InvalidValue:
        return None
    agrees = holder is not None and all(shown in ("*", true) for shown, true in zip(number, holder, strict=True))
    return holder if agrees else None
