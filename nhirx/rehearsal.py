"""The record before the card is asked: filled with a made-up reading and checked, so that what cannot pass stops early.

A visit number for dispensing cannot be given back, so none is taken for a record that the NHI would refuse.
"""

from __future__ import annotations

from collections.abc import Sequence

from nhirx import resolver
from nhirx.errors import CheckFailed
from nhirx.model import CardReading, CheckError, Facts, Prescription, UploadPlan, UploadRecord
from nhirx.records.check import check_record
from nhirx.settings import Settings

WITH_CARD = "1.53"
"""The call of the control software that needs the card (``UploadPlan.call``)."""

_MADE_UP = "0" * 20
"""Stands for what the card will give; it never leaves this module."""

_OF_LINES = ("D01", "D11")
"""What the card gives for a line: the moment of the visit and the signature."""


def rehearse(plan: UploadPlan, facts: Facts, prescription: Prescription, settings: Settings) -> None:
    """Judge all of the record but what the card will give. Raises ``CheckFailed``, ``SettingMissing``, ``FactsInvalid``."""
    stop_on_errors(check_before_card(plan, facts, prescription, settings))


def check_before_card(plan: UploadPlan, facts: Facts, prescription: Prescription, settings: Settings) -> list[CheckError]:
    """What the checks say of all of the record but what the card will give. Raises ``SettingMissing``, ``FactsInvalid``."""
    record = _filled(plan, facts, prescription, settings)
    given = {*plan.from_card, *_OF_LINES}
    return [error for error in check_record(record, today=facts.dispensed_at.date()) if error.field not in given]


def preview(plan: UploadPlan, facts: Facts, prescription: Prescription, settings: Settings) -> UploadRecord:
    """The record as it will be sent, with ``""`` in place of what the card will give. Raises what ``fill`` raises."""
    record = _filled(plan, facts, prescription, settings)
    fields = {name: "" if name in plan.from_card else value for name, value in record.fields.items()}
    orders = tuple({name: "" if name in _OF_LINES else value for name, value in order.items()} for order in record.orders)
    return UploadRecord(fields=fields, orders=orders)


def _filled(plan: UploadPlan, facts: Facts, prescription: Prescription, settings: Settings) -> UploadRecord:
    reading = CardReading(
        made_by="card" if plan.call == WITH_CARD else "no-card",
        visited_at=facts.dispensed_at,
        institution=facts.pharmacy.institution,
        visit_id=_MADE_UP,
        sam_id=_MADE_UP[:12],
        card_number=_MADE_UP[:12],
        security_signature=_MADE_UP[:1] * 256,
    )
    lines = resolver.card_orders(prescription, facts) if plan.call == WITH_CARD else ()
    return resolver.fill(plan, reading, prescription, [_MADE_UP * 2] * len(lines), settings=settings)


def stop_on_errors(found: Sequence[CheckError], dispensing: int | None = None) -> None:
    """Raise ``CheckFailed`` when an error is among ``found``; ``dispensing`` is its number in the journal, if it has one."""
    wrong = [error for error in found if error.severity == "error"]
    if wrong:
        raise CheckFailed(count=len(wrong), dispensing=dispensing, errors=[f"{error.field}:{error.code}" for error in wrong])
