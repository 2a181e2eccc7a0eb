"""From the facts of the contract to the few-valued facts that the tables ask about, and to the values they point at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from nhirx import roc
from nhirx.errors import FactsInvalid, InvalidValue
from nhirx.identifiers import PlaceholderId, VisitId, parse_printed
from nhirx.model import Facts, Newborn, Refill
from nhirx.resolver.calendar import Calendar
from nhirx.resolver.windows import make_up_window
from nhirx.settings import Settings
from nhirx.tables.decide import limit
from nhirx.tables.load import code_rows

_LETTER_AND_DIGITS = re.compile(r"[A-Z][0-9]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the sheet says about its visit ID. ``text`` is the canonical ID or placeholder, None when there is none to use."""

    state: str
    text: str | None = None
    visit_id: VisitId | None = None
    code: str | None = None
    repaired: bool = False
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """``facts`` for the tables, ``values`` for the references of their rows, and what the findings look at."""

    day: date
    facts: dict[str, str]
    values: dict[str, str | None]
    sheet: Sheet
    status: str | None
    origin_serial: str | None
    origin_assumed: bool
    own_serial: str | None


def derive(facts: Facts, *, on: date | None, settings: Settings, calendar: Calendar) -> Derived:
    """Raises ``FactsInvalid`` when members contradict each other or a code is of no known list."""
    dispensed = facts.dispensed_at.astimezone(roc.TAIPEI).date()
    live = facts.pharmacy.format2_since
    day = on or max(dispensed, live or dispensed)
    status = _status(facts)
    sheet = read_sheet(facts)
    serial = facts.prescription.visit_serial
    assumed = serial is None and (sheet.code is not None or status is not None)
    if serial is None:
        serial = sheet.code or status
    elif origin_class(status) == "delivery" and origin_class(serial) == "number":
        # Nobody without NHI status has a running number: the status says what the visit was.
        serial, assumed = status, True
    own = _own_serial(facts)
    track_start = settings.rules.single_track_since
    asked = {
        "era": "before" if live and day < live else "late" if live and dispensed < live else "current",
        "person": _person(status),
        "card": facts.card.state,
        "own": _own_class(own),
        "make_up": _make_up(facts, calendar, day),
        "newborn": _newborn_band(facts, day),
        "newborn_id": _newborn_id(facts.patient.newborn),
        "sheet_id": _sheet_class(sheet, serial),
        "origin": origin_class(serial),
        "prescriber": {"2.0": "v2", "1.0": "v1", None: "unknown"}[facts.prescription.prescriber_format],
        "track": "single" if track_start and day >= track_start else "dual",
        "refill": refill_kind(facts.prescription.refill),
        "refill_fields": "sent" if settings.record.send_refill_fields else "left-out",
    }
    return Derived(day, asked, _values(facts, sheet, serial, own, status), sheet, status, serial, assumed, own)


def read_sheet(facts: Facts) -> Sheet:
    """The visit ID of the sheet as one of the states ``printed``, ``placeholder``, ``absent``, ``illegible``."""
    text, state = facts.prescription.visit_id, facts.prescription.visit_id_state
    where = "prescription.visit_id"
    if state == "illegible":
        return Sheet("illegible", ignored=bool(text))
    if not text:
        if state == "read":
            raise FactsInvalid(where=where, problem="state is read, but there is no visit ID")
        return Sheet("absent")
    if state == "absent":
        raise FactsInvalid(where=where, problem="state is absent, but there is a visit ID")
    try:
        value, repaired = parse_printed(text)
    except InvalidValue as error:
        raise FactsInvalid(
            zh=f"處方資料有誤（{where}）：{error.zh}讀不清楚時請註明 illegible。",
            en=f"The facts are wrong ({where}): {error.en} Declare it illegible when it cannot be read.",
            where=where,
        ) from None
    if isinstance(value, PlaceholderId):
        return Sheet("placeholder", value.value, code=_origin_code(value), repaired=repaired)
    return Sheet("printed", value.value, visit_id=value, repaired=repaired)


def origin_class(serial: str | None) -> str:
    """Which kind of serial the sheet carries, as the fact ``origin`` names it."""
    if serial is None:
        return "none"
    for name in ("abnormal_serials", "claims_serials"):
        if row := code_rows(name).get(serial):
            return row.attribute("origin")
    if serial.isdigit():
        return "number"
    prefix = code_rows("serial_prefixes").get(serial[0]) if _LETTER_AND_DIGITS.fullmatch(serial) else None
    return prefix.attribute("origin") if prefix else "unknown"


def refill_kind(refill: Refill | None) -> str:
    return "none" if refill is None else "controlled" if refill.controlled else "ordinary"


def newborn_age(facts: Facts) -> int | None:
    """Days of age when the drugs were handed out."""
    newborn = facts.patient.newborn
    if newborn is None:
        return None
    seen = facts.make_up.actual_visited_at if facts.make_up else facts.dispensed_at
    return (seen.astimezone(roc.TAIPEI).date() - newborn.birth_date).days


def _origin_code(value: PlaceholderId) -> str | None:
    """The abnormal serial inside a placeholder, unless the four characters are one of the other placeholders."""
    return value.code if value.code is not None and value.code not in code_rows("placeholders") else None


def _sheet_class(sheet: Sheet, serial: str | None) -> str:
    if sheet.state != "placeholder":
        return sheet.state
    if sheet.code is not None:
        return "code-zeros" if sheet.code == serial else "other-placeholder"
    for name in ("nines", "effs"):
        if sheet.text == code_rows("placeholders")[name].attribute("value"):
            return name
    return "other-placeholder"


def _status(facts: Facts) -> str | None:
    """The serial that states the lack of NHI status: declared for the patient, or used as the pharmacy's own serial."""
    known = {code for code, row in code_rows("abnormal_serials").items() if row.attribute("status") == "True"}
    declared = facts.patient.no_nhi_status
    if declared:
        code = declared.strip().upper()
        if code not in code_rows("abnormal_serials"):
            raise FactsInvalid(where="patient.no_nhi_status", problem=f"one of {', '.join(sorted(known))}")
        return code
    return facts.card.abnormal_serial if facts.card.abnormal_serial in known else None


def _person(status: str | None) -> str:
    if status is None:
        return "insured"
    return "uninsured" if code_rows("abnormal_serials")[status].attribute("status") == "True" else "other-status"


def _own_serial(facts: Facts) -> str | None:
    if facts.card.abnormal_serial:
        return facts.card.abnormal_serial
    if facts.pharmacy.newly_contracted and facts.card.state != "absent":
        return next(code for code, row in code_rows("abnormal_serials").items() if row.attribute("own") == "new-contract")
    return None


def _own_class(serial: str | None) -> str:
    if serial is None:
        return "none"
    row = code_rows("abnormal_serials").get(serial)
    return row.attribute("own") if row else "not-here"


def _make_up(facts: Facts, calendar: Calendar, day: date) -> str:
    if facts.make_up is None:
        return "none"
    visited = facts.make_up.actual_visited_at.astimezone(roc.TAIPEI).date()
    last = make_up_window(visited, calendar=calendar, on=day).last
    if last is not None and facts.dispensed_at.astimezone(roc.TAIPEI).date() > last:
        return "too-late"
    return "without-id" if _actual_id(facts) is None else "with-id"


def _actual_id(facts: Facts) -> str | None:
    """The ID of the day without the card. The placeholder that says there was none counts as none."""
    text = facts.make_up.actual_visit_id if facts.make_up else None
    if not text:
        return None
    try:
        value, _ = parse_printed(text)
    except InvalidValue as error:
        raise FactsInvalid(where="make_up.actual_visit_id", problem=str(error.en)) from None
    if isinstance(value, PlaceholderId):
        if value.code in code_rows("placeholders"):
            return None
        raise FactsInvalid(where="make_up.actual_visit_id", problem="a placeholder is no ID of the actual day")
    return value.value


def _newborn_band(facts: Facts, day: date) -> str:
    age = newborn_age(facts)
    if age is None:
        return "none"
    if age <= limit("newborn-card-days", day).value:
        return "to-60"
    return "to-92" if age <= limit("newborn-make-up-days", day).value else "older"


def _newborn_id(newborn: Newborn | None) -> str:
    if newborn is None or newborn.has_id is None:
        return "unknown"
    return "yes" if newborn.has_id else "no"


def _values(facts: Facts, sheet: Sheet, serial: str | None, own: str | None, status: str | None) -> dict[str, str | None]:
    refill, newborn = facts.prescription.refill, facts.patient.newborn
    actual = facts.make_up.actual_visited_at if facts.make_up else None
    return {
        "@card": None,
        "@own-serial": own,
        "@status-serial": status,
        "@dispensed-at": roc.format_datetime(facts.dispensed_at),
        "@sheet-id": sheet.text,
        "@origin-zeros": PlaceholderId.of_code(serial).value if serial else None,
        "@origin-serial": serial,
        "@prescriber": facts.prescription.institution,
        "@visited-at": _time(facts.prescription.visited_at),
        "@actual-time": _time(actual),
        "@actual-id": _actual_id(facts),
        "@patient-id": facts.patient.national_id,
        "@patient-birth": roc.format_date(facts.patient.birth_date),
        "@pharmacy": facts.pharmacy.institution,
        "@pharmacist": facts.pharmacy.pharmacist,
        "@newborn-birth": roc.format_date(newborn.birth_date) if newborn else None,
        "@newborn-multiple": str(newborn.multiple) if newborn and newborn.multiple else None,
        "@newborn-mark": newborn.mark if newborn else None,
        "@refill-days": _number(refill.days if refill else None),
        "@refill-total": _number(refill.total_days if refill else None),
        "@refill-of": _number(refill.of if refill else None),
        "@refill-number": _number(refill.number if refill else None),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else roc.format_datetime(moment)


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)
