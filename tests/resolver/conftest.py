"""Facts as the contract spells them, changed in the one place a test is about."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from nhirx.identifiers.visit_id import ALPHABET
from nhirx.model import Facts, UploadPlan
from nhirx.resolver import plan

NINES, EFFS, LATE, MISS = "9" * 20, "F" * 20, "SM00" + "0" * 16, "MISS" + "0" * 16
ID = "prescription.visit_id"
SERIAL = "prescription.visit_serial"
FORMAT = "prescription.prescriber_format"
OWN = "card.abnormal_serial"

BASE = {
    "dispensed_at": "1151120090013",
    "pharmacy": {"institution": "5901234567", "pharmacist": "B200000002", "format2_since": "1130901"},
    "patient": {"national_id": "A123456789", "birth_date": "0501231"},
    "prescription": {
        "visit_serial": "0007",
        "institution": "3502060427",
        "visited_at": "1151118093000",
        "prescriber_format": "2.0",
    },
    "card": {"state": "present"},
}


def codes(made: UploadPlan) -> set[str]:
    return {finding.code for finding in made.findings}


def made_id(
    person: str = "A123456789",
    year: int = 115,
    second: int = (31 + 28 + 31 + 30 + 31 + 30 + 31 + 31 + 30 + 31 + 17) * 86400 + 34200,
) -> str:
    """A synthetic visit ID of the derived structure: six free places, person, ROC year, second of the year."""
    return "0TEST0" + person[:2] + _base34(int(person[2:9]), 5) + _base34(year, 2) + _base34(second, 5)


def _base34(value: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        value, rest = divmod(value, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The base facts with dotted members set; None takes a member away."""
    data = copy.deepcopy(BASE)
    for path, value in changes.items():
        *outer, last = path.split(".")
        place: Any = data
        for name in outer:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return data


@pytest.fixture(scope="session")
def visit_id() -> str:
    """The ID of the prescribing visit in the base facts."""
    return made_id()


@pytest.fixture(scope="session")
def make_id() -> Callable[..., str]:
    return made_id


@pytest.fixture(scope="session")
def facts() -> Callable[..., Facts]:
    return lambda changes=None: Facts.from_json(changed(changes or {}))


@pytest.fixture(scope="session")
def planned() -> Callable[..., UploadPlan]:
    """Plan for the base facts with changes."""
    return lambda changes=None, **options: plan(Facts.from_json(changed(changes or {})), **options)
