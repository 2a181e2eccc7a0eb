"""What the resolver fills, the checker accepts: every scenario that may be uploaded becomes a record without an error."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from nhirx import roc
from nhirx.identifiers.visit_id import ALPHABET
from nhirx.model import CardReading, Facts, Order, Prescription
from nhirx.records.check import check_record
from nhirx.resolver import fill, plan
from nhirx.settings import RecordSettings, Settings

SETTINGS = Settings(record=RecordSettings(medical_category="99"))
FOLDERS = sorted(folder.parent for folder in Path(__file__).parent.glob("*/facts.json"))
UPLOADED = [folder for folder in FOLDERS if '"upload"' in (folder / "expected.json").read_text("utf-8")]


def visit_id_at(person: str, moment: datetime) -> str:
    """An ID of the derived structure for that person and second."""
    start = datetime(moment.year, 1, 1, tzinfo=roc.TAIPEI)
    parts = ((int(person[2:9]), 5), (moment.year - 1911, 2), (int((moment - start).total_seconds()), 5))
    return "0TEST0" + person[:2] + "".join(_base34(value, length) for value, length in parts)


def _base34(value: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        value, rest = divmod(value, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits


@pytest.mark.parametrize("folder", UPLOADED, ids=lambda folder: folder.name)
def test_a_filled_record_passes_the_checks(folder):
    """No finding of severity error for a drug of a plain prescription."""
    facts = Facts.from_json(json.loads((folder / "facts.json").read_text("utf-8")))
    answer = plan(facts, settings=SETTINGS)
    refill = facts.prescription.refill
    days = refill.days if refill else 3
    drug = Order(code="AC12345100", usage="BID", days=days, total=2.0 * days, route="PO")
    sheet = Prescription(
        patient=facts.patient, sheet=facts.prescription, diagnoses=("I10",), orders=(drug,), fee=200, payment_category="4"
    )
    at = facts.dispensed_at
    reading = CardReading(
        made_by="no-card" if answer.call == "1.54" else "card",
        visited_at=at,
        institution=facts.pharmacy.institution,
        visit_id=visit_id_at(facts.patient.national_id, at),
        sam_id="SAM000000001",
        card_number="000000000001",
        security_signature="S" * 256,
    )
    if not answer.ok:
        pytest.fail(f"{[finding.code for finding in answer.blocking]}")
    record = fill(answer, reading, sheet, ["d" * 40], SETTINGS)
    errors = [(each.field, each.code, each.en) for each in check_record(record, today=at.date()) if each.severity == "error"]
    assert [] == errors
