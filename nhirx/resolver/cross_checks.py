"""What the facts say about each other: findings beside the plan, never a changed value."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from nhirx import roc
from nhirx.identifiers import VisitId
from nhirx.model import Facts, Finding
from nhirx.resolver.calendar import Calendar
from nhirx.resolver.derive import Derived, newborn_age
from nhirx.resolver.windows import earliest_refill, make_up_window, ordinary_validity
from nhirx.tables.decide import finding, limit
from nhirx.tables.load import code_rows

# A sheet may print the minute only; a difference below that says nothing.
_SAME_MINUTE = timedelta(minutes=1)


def cross_check(facts: Facts, known: Derived, action: str, calendar: Calendar) -> list[Finding]:
    """Findings for ``facts`` when ``action`` is planned."""
    found = [*_sheet(facts, known), *_times(facts), *_refill(facts, known), *_newborn(facts, known)]
    found += [*_own_side(facts, known), *_actual(facts, known), *_periods(facts, known, calendar)]
    if action == "upload":
        found += _origin(facts, known)
    if action == "hold" and facts.make_up is None and known.facts["card"] != "failed":
        window = make_up_window(facts.dispensed_at.astimezone(roc.TAIPEI).date(), calendar=calendar, on=known.day)
        found.append(finding("make-up-until", arithmetic_zh=window.zh, arithmetic_en=window.en))
    if action == "hold" and facts.prescription.refill is not None:
        found.append(finding("no-card-refill"))
    return found


def _sheet(facts: Facts, known: Derived) -> Iterator[Finding]:
    sheet = known.sheet
    if sheet.repaired:
        yield finding("visit-id-repaired")
    if sheet.ignored:
        yield finding("illegible-text-ignored")
    if sheet.state == "placeholder":
        yield finding("placeholder-printed")
    if sheet.visit_id is None:
        return
    if not sheet.visit_id.is_plausible:
        yield finding("visit-id-implausible")
    # A newborn's sheet may carry the newborn's own ID or the relative's.
    if facts.patient.newborn is None and sheet.visit_id.belongs_to(facts.patient.national_id) is False:
        yield finding("holder-mismatch")
    issued, visited = sheet.visit_id.issued_at, facts.prescription.visited_at
    # An ID that was made after an outage holds the time it was made, not that of the visit.
    made_at_visit = known.facts["origin"] not in {"power", "outage", "reading", "new-contract"}
    if issued and visited and made_at_visit and not _clockless(facts) and abs(issued - visited) >= _SAME_MINUTE:
        yield finding("visit-time-mismatch")
    if facts.prescription.prescriber_format == "1.0":
        yield finding("v1-with-id")


def _origin(facts: Facts, known: Derived) -> Iterator[Finding]:
    kind, serial = known.facts["origin"], known.origin_serial
    if known.origin_assumed:
        yield finding("origin-serial-assumed")
    if kind == "number" and serial is not None and not 1 <= int(serial) <= limit("running-numbers", known.day).value:
        yield finding("origin-serial-range")
    if kind == "delivery":
        return
    if facts.prescription.institution is None:
        yield finding("prescriber-missing")
    elif facts.prescription.institution == facts.pharmacy.institution:
        yield finding("prescriber-is-pharmacy")
    if facts.prescription.visited_at is None:
        yield finding("origin-time-missing")
    elif _clockless(facts):
        yield finding("origin-time-without-clock")


def _times(facts: Facts) -> Iterator[Finding]:
    handed_out = facts.make_up.actual_visited_at if facts.make_up else facts.dispensed_at
    if facts.prescription.visited_at is not None and facts.prescription.visited_at >= handed_out:
        yield finding("origin-not-earlier")
    if facts.make_up is not None and facts.make_up.actual_visited_at >= facts.dispensed_at:
        yield finding("make-up-not-later")
    live = facts.pharmacy.format2_since
    if live is not None and facts.dispensed_at.astimezone(roc.TAIPEI).date() == live:
        yield finding("go-live-day")


def _actual(facts: Facts, known: Derived) -> Iterator[Finding]:
    """A make-up: the ID of the day without the card against the patient and that day."""
    text = known.values["@actual-id"]
    if text is None or facts.make_up is None:
        return
    visit_id = VisitId(text)
    # A newborn's may have been made with the mother's number.
    if facts.patient.newborn is None and visit_id.belongs_to(facts.patient.national_id) is False:
        yield finding("actual-holder-mismatch")
    issued = visit_id.issued_at
    if issued is not None and issued.date() != facts.make_up.actual_visited_at.astimezone(roc.TAIPEI).date():
        yield finding("actual-time-mismatch")


def _periods(facts: Facts, known: Derived, calendar: Calendar) -> Iterator[Finding]:
    dispensed = facts.dispensed_at.astimezone(roc.TAIPEI).date()
    if facts.make_up is not None:
        window = make_up_window(facts.make_up.actual_visited_at.astimezone(roc.TAIPEI).date(), calendar=calendar, on=known.day)
        if known.facts["make_up"] == "too-late":
            yield finding("make-up-late", arithmetic_zh=window.zh, arithmetic_en=window.en)
        elif window.safe_last is not None and dispensed > window.safe_last:
            yield finding("make-up-counted-twice", arithmetic_zh=window.zh, arithmetic_en=window.en)
        dispensed = facts.make_up.actual_visited_at.astimezone(roc.TAIPEI).date()
    if facts.prescription.visited_at is None:
        return
    visited, refill = facts.prescription.visited_at.astimezone(roc.TAIPEI).date(), facts.prescription.refill
    if visited > dispensed:
        return
    if refill is None:
        window = ordinary_validity(visited, calendar=calendar, on=known.day)
        if window.last is not None and dispensed > window.last:
            yield finding("prescription-old", arithmetic_zh=window.zh, arithmetic_en=window.en)
    elif refill.days is not None:
        window = earliest_refill(visited, refill.number, refill.days, on=known.day)
        if window.first is not None and dispensed < window.first:
            yield finding("refill-early", arithmetic_zh=window.zh, arithmetic_en=window.en)


def _own_side(facts: Facts, known: Derived) -> Iterator[Finding]:
    declared = facts.card.abnormal_serial
    if known.status is not None and declared is not None and declared != known.status:
        yield finding("serial-differs-from-status")
    is_new = known.facts["own"] == "new-contract"
    if is_new and not facts.pharmacy.newly_contracted:
        yield finding("new-contract-unconfirmed")
    if declared is not None and known.status is None and facts.pharmacy.newly_contracted and not is_new:
        yield finding("new-contract-other-serial")
    if facts.patient.national_id[1] in code_rows("id_letters"):
        yield finding("foreign-id")
    if facts.make_up is not None and facts.prescription.refill is not None:
        yield finding("make-up-refill")


def _refill(facts: Facts, known: Derived) -> Iterator[Finding]:
    refill = facts.prescription.refill
    if refill is None:
        return
    if refill.of < 2:
        yield finding("refill-of-one")
    if refill.number > refill.of:
        yield finding("refill-number")
    total = refill.total_days or 0
    if refill.of > limit("refill-most-times", known.day).value or total > limit("refill-most-days", known.day).value:
        yield finding("refill-too-many")
    elif refill.of > limit("refill-usual-times", known.day).value or total > limit("refill-usual-days", known.day).value:
        yield finding("refill-many")
    if refill.days is None or refill.total_days is None:
        if known.facts["refill_fields"] == "sent":
            yield finding("refill-days-missing")
    elif refill.total_days % refill.days:
        yield finding("refill-not-multiple")
    elif refill.total_days != refill.days * refill.of:
        yield finding("refill-total-differs")
    if refill.number > 2:
        yield finding("refill-skipped")


def _newborn(facts: Facts, known: Derived) -> Iterator[Finding]:
    newborn, age = facts.patient.newborn, newborn_age(facts)
    if newborn is None or age is None:
        return
    if age < 0:
        yield finding("newborn-not-born")
    if known.facts["newborn"] != "to-60":
        return
    if newborn.multiple is None or newborn.mark is None:
        yield finding("newborn-incomplete")
    elif ord(newborn.mark.upper()) - ord("A") + 1 > newborn.multiple:
        yield finding("newborn-order")


def _clockless(facts: Facts) -> bool:
    """Whether the sheet gave a day without a time: midnight to the second stands for it."""
    visited = facts.prescription.visited_at
    return visited is not None and roc.format_datetime(visited).endswith("000000")
