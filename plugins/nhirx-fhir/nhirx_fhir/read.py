"""From an electronic prescription (EP bundle) to nhirx's prescription. Tolerant: see ``document``.

One bundle may hold several prescriptions of the same visit (an ordinary and a controlled one, which must be dispensed
together); each has its own number and becomes one ``Electronic``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from nhirx import InstitutionCode, NationalId, Prescription, VisitId, VisitSerial
from nhirx.identifiers import PlaceholderId
from nhirx_fhir import names
from nhirx_fhir.document import Document, Resource, code_of, codings, dig, extension, identifiers, number, text

_ORDER_CODE = re.compile(r"[0-9A-Z]{4,12}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Unreadable(ValueError):
    """What a pharmacist has to know; names members, never values."""


@dataclass(frozen=True)
class Electronic:
    """One electronic prescription: what it says, and the document it came from."""

    number: str
    prescription: Prescription
    document: Document = field(repr=False)
    lines: tuple[Resource, ...] = field(repr=False)
    kind: str = ""
    """A–F of the guide, "" where it is not said."""
    cancelled: bool = False
    combined: bool = False
    """必須合併調劑: the visit has another prescription that must be dispensed at the same place."""
    self_paid: int = 0
    """Lines that the patient pays: they are no part of an NHI record."""
    allowed: int | None = None
    """Dispensings in all."""

    @property
    def valid(self) -> tuple[date | None, date | None]:
        """First and last day of the widest period that its lines name; None where they name none that can be read."""
        periods = [dig(line, "dispenseRequest", "validityPeriod") for line in self.lines]
        first = [day for each in periods if (day := _day(dig(each, "start")))]
        last = [day for each in periods if (day := _day(dig(each, "end")))]
        return min(first, default=None), max(last, default=None)

    @property
    def is_refill(self) -> bool:
        return self.kind in names.REFILL


def read(document: Document, fills: Mapping[str, int] | None = None) -> list[Electronic]:
    """Every prescription of the bundle. ``fills`` says which fill is asked for, by prescription number.

    Raises ``Unreadable`` when patient or prescription cannot be told.
    """
    patient = _patient(document)
    sheet = _sheet(document)
    groups: dict[str, list[Resource]] = {}
    for request in document.all("MedicationRequest"):
        groups.setdefault(prescription_number(request) or _fallback(document), []).append(request)
    return [_one(document, number_, lines, patient, sheet, (fills or {}).get(number_)) for number_, lines in groups.items()]


def prescription_number(request: Resource) -> str:
    """By its system, by its use, else the first identifier that is not the item number."""
    found = identifiers(request)
    for item in found:
        if text(item.get("system")).endswith("/prescription"):
            return text(item.get("value"))
    for item in found:
        if item.get("use") != "secondary":
            return text(item.get("value"))
    return ""


def item_number(request: Resource, position: int) -> str:
    """The line's number on the prescription; where none is said, its place among the lines."""
    return next((text(item.get("value")) for item in identifiers(request) if item.get("use") == "secondary"), str(position))


def medication_of(document: Document, request: Resource) -> Resource:
    """The Medication of a line, or one made of the concept that stands in the line itself."""
    return document.at(request.get("medicationReference")) or {"code": request.get("medicationCodeableConcept") or {}}


def order_code(document: Document, request: Resource) -> str:
    """The NHI code of a line: from an NHI system, else the only code of its shape. "" where none can be told."""
    found = [(system, code.upper()) for system, code, _ in codings(medication_of(document, request).get("code"))]
    fitting = [(system, code) for system, code in found if _ORDER_CODE.fullmatch(code)]
    own = [code for system, code in fitting if "nhi" in system.lower()]
    rest = [code for system, code in fitting if "fda" not in system.lower() and "atc" not in system.lower()]
    return own[0] if own else rest[0] if len(set(rest)) == 1 else ""


def _one(
    document: Document,
    number_: str,
    lines: list[Resource],
    patient: dict[str, str],
    sheet: dict[str, Any],
    fill: int | None,
) -> Electronic:
    kind = next((code for line in lines if (code := code_of(line.get("category"), names.KINDS))), "")
    own = [line for line in lines if code_of(line.get("category"), names.SELF_PAY) not in names.PAID_BY_PATIENT]
    active = [line for line in own if text(line.get("status")) != "cancelled"]
    total_days = max((days for line in lines if (days := _whole(extension(line, names.TOTAL_DAYS)))), default=None)
    per_fill = max((days for line in lines if (days := _supply(line))), default=None)
    allowed = max(
        (times for line in lines if (times := _whole(dig(line, "dispenseRequest", "numberOfRepeatsAllowed")))), default=None
    )
    if kind in names.REFILL and fill is not None and allowed is not None:
        refill = {"number": fill, "of": allowed, "days": per_fill, "total_days": total_days, "controlled": kind == "F"}
        sheet = sheet | {"refill": {name: value for name, value in refill.items() if value is not None}}
    tree: dict[str, Any] = {
        "reference": number_,
        "patient": patient,
        "sheet": sheet,
        "diagnoses": tuple(_diagnoses(document)),
        "orders": tuple(_orders(document, active, long_term=kind in names.LONG_TERM)),
    }
    if per_fill is not None:
        tree["days"] = per_fill
    if payment := _payment(document):
        tree["payment_category"] = payment
    try:
        prescription = Prescription.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise Unreadable(".".join(map(str, first["loc"]))) from None
    return Electronic(
        number=number_,
        prescription=prescription,
        document=document,
        lines=tuple(active),
        kind=kind,
        cancelled=bool(own) and not active,
        combined=_combined(document, lines),
        self_paid=len(lines) - len(own),
        allowed=allowed,
    )


def _patient(document: Document) -> dict[str, str]:
    people = document.all("Patient")
    subject = document.at(document.first("Composition").get("subject")) or (people[0] if len(people) == 1 else {})
    numbers = {text(item.get("value")).upper() for item in identifiers(subject)}
    # By shape, because the type is wrong in places: an ID number that is called a chart number is still one.
    fitting = [value for value in numbers if NationalId.is_valid(value)]
    if len(fitting) != 1:
        raise Unreadable("Patient.identifier")
    birth = text(subject.get("birthDate"))
    if not _DAY.fullmatch(birth):
        raise Unreadable("Patient.birthDate")
    return {"national_id": fitting[0], "birth_date": birth}


def _sheet(document: Document) -> dict[str, Any]:
    encounter = document.at(document.first("Composition").get("encounter")) or document.first("Encounter")
    sheet: dict[str, Any] = {}
    if visit_id := visit_id_of(encounter):
        sheet["visit_id"] = visit_id
    if serial := _serial(encounter):
        sheet["visit_serial"] = serial
    if institution := institution_of(document):
        sheet["institution"] = institution
    start = text(dig(encounter, "period", "start"))
    if start:  # mostly a day only: nhirx writes it as the upload format wants an unknown time
        sheet["visited_at"] = start
    return sheet


def visit_id_of(encounter: Resource) -> str:
    """By its system; else by shape among those that carry a foreign one, unless two of them fit."""
    named = [text(item.get("value")) for item in identifiers(encounter) if text(item.get("system")).endswith("/visit-identifier")]
    if named:
        return named[0]
    values = {text(item.get("value")).upper() for item in identifiers(encounter)}
    fitting = [value for value in values if VisitId.is_valid(value) or PlaceholderId.is_valid(value)]
    return fitting[0] if len(fitting) == 1 else ""


def _serial(encounter: Resource) -> str:
    found = identifiers(encounter)
    named = [text(item.get("value")) for item in found if text(item.get("system")).endswith("/nhi-card-visit-sequence")]
    shaped = [value for item in found if len(value := text(item.get("value")).upper()) == 4]
    return next((value for value in (*named, *shaped) if VisitSerial.is_valid(value)), "")


def institution_of(document: Document) -> str:
    """The prescriber's code: of the one who keeps the document, of an author, or the only organisation there is."""
    composition = document.first("Composition")
    authors = composition.get("author")
    asked = [composition.get("custodian"), *(authors if isinstance(authors, list) else [authors])]
    named = [code for reference in asked if (code := _institution(document.at(reference)))]
    every = {code for each in document.all("Organization") if (code := _institution(each))}
    return named[0] if named else every.pop() if len(every) == 1 else ""


def _institution(organization: Resource) -> str:
    if organization.get("resourceType") != "Organization":
        return ""
    return next((value for item in identifiers(organization) if InstitutionCode.is_valid(value := text(item.get("value")))), "")


def _diagnoses(document: Document) -> Iterator[str]:
    for condition in document.all("Condition"):
        found = list(codings(condition.get("code")))
        icd = [code for system, code, _ in found if "icd" in system.lower()] or [code for _, code, _ in found]
        if icd:
            yield icd[0].replace(".", "").upper()


def _orders(document: Document, lines: list[Resource], *, long_term: bool) -> Iterator[dict[str, Any]]:
    for line in lines:
        code = order_code(document, line)
        if not code:
            raise Unreadable("Medication.code")
        order: dict[str, Any] = {
            "code": code,
            "kind": "material" if code_of(line.get("category"), names.ORDER_KINDS) == names.MATERIAL else "drug",
            "usage": usage(line) or None,
            "route": route(line) or None,
            "long_term": long_term,
        }
        if (days := _supply(line)) is not None:
            order["days"] = days
        if (total := number(dig(line, "dispenseRequest", "quantity"))) is not None:
            order["total"] = total
        yield order


def usage(line: Resource) -> str:
    """The frequency code of a line, such as TID."""
    return next((code for _, code, _ in codings(dig(line, "dosageInstruction", "timing", "code"))), "")


def route(line: Resource) -> str:
    return next((code for _, code, _ in codings(dig(line, "dosageInstruction", "route"))), "")


def _payment(document: Document) -> str:
    """給付類別: in an extension since 0.2, in the type itself before."""
    coverage = document.first("Coverage")
    return code_of(extension(coverage, names.PAYMENT), names.PAYMENT_CODES) or code_of(coverage.get("type"), names.PAYMENT_CODES)


def _combined(document: Document, lines: list[Resource]) -> bool:
    sections = document.first("Composition").get("section")
    if any(extension(each, names.COMBINED) is True for each in sections or () if isinstance(each, dict)):
        return True
    notes = (note for line in lines for note in line.get("note") or () if isinstance(note, dict))
    return any(text(note.get("text")) == "是" for note in notes)


def _supply(line: Resource) -> int | None:
    return _whole(dig(line, "dispenseRequest", "expectedSupplyDuration"))


def _whole(value: object) -> int | None:
    found = number(value)
    return int(found) if found is not None and found >= 1 and found == int(found) else None


def _fallback(document: Document) -> str:
    value = text(dig(document.bundle, "identifier", "value")) or text(document.bundle.get("id"))
    if not value:
        raise Unreadable("MedicationRequest.identifier")
    return value


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(text(value)[:10])
    except ValueError:
        return None
