"""Values: frozen, strict, and what comes in from outside is refused by the member's name."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nhirx.errors import FactsInvalid
from nhirx.model import (
    CardReading,
    Facts,
    Finding,
    Order,
    Patient,
    Prescription,
    Receipt,
    Refill,
    UploadPlan,
    UploadRecord,
)
from nhirx.roc import TAIPEI

# The input object of the contract, every member given.
WHOLE = {
    "dispensed_at": "1151120090013",
    "pharmacy": {"institution": "5901234567", "pharmacist": "B200000002", "newly_contracted": False, "format2_since": "1130901"},
    "patient": {
        "national_id": "A123456789",
        "birth_date": "0501231",
        "no_nhi_status": None,
        "newborn": {"birth_date": "1151001", "multiple": 1, "mark": "A", "has_id": False},
    },
    "prescription": {
        "visit_id": "0USE4FA11RP4J370WR4K",
        "visit_id_state": "read",
        "visit_serial": "0007",
        "institution": "3502060427",
        "visited_at": "1151118093000",
        "prescriber_format": "2.0",
        "refill": {"number": 2, "of": 3, "days": 28, "total_days": 84, "controlled": False},
    },
    "card": {"state": "present", "abnormal_serial": "A010"},
    "make_up": {"actual_visited_at": "1151115101500", "actual_visit_id": None},
}


def changed(path: str, value: object) -> dict:
    facts = json.loads(json.dumps(WHOLE))
    *outer, last = path.split(".")
    inner = facts
    for name in outer:
        inner = inner[name]
    inner[last] = value
    return facts


def test_the_whole_contract_object_is_read():
    facts = Facts.from_json(WHOLE)

    assert datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI) == facts.dispensed_at
    assert date(1961, 12, 31) == facts.patient.birth_date
    assert date(2024, 9, 1) == facts.pharmacy.format2_since
    assert (2, 3, 84) == (facts.prescription.refill.number, facts.prescription.refill.of, facts.prescription.refill.total_days)
    assert "A010" == facts.card.abnormal_serial
    assert facts.make_up.actual_visit_id is None


def test_absent_equals_null():
    """The contract: absent = null, at any depth."""
    least = {name: WHOLE[name] for name in ("dispensed_at", "pharmacy", "patient")}
    nulls = least | {"prescription": None, "card": None, "make_up": None}

    assert Facts.from_json(least) == Facts.from_json(nulls)
    assert "present" == Facts.from_json(least).card.state


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("dispensed_at", None),
        ("dispensed_at", 1151120090013),
        ("dispensed_at", "1151120"),
        ("dispensed_at", True),
        ("pharmacy", None),
        ("pharmacy", "5901234567"),
        ("pharmacy.institution", "590123456"),
        ("pharmacy.institution", 5901234567),
        ("pharmacy.pharmacist", "XX"),
        ("pharmacy.format2_since", 1130901),
        ("patient.national_id", "12"),
        ("patient.birth_date", "0501331"),
        ("patient.birth_date", 86400),
        ("patient.newborn.multiple", 9),
        ("patient.newborn.mark", "AB"),
        ("prescription.visit_id_state", "lost"),
        ("prescription.visit_serial", "12345"),
        ("prescription.refill.number", 0),
        ("prescription.refill.number", 1.5),
        ("prescription.prescriber_format", 2.0),
        ("card.state", "gone"),
        ("make_up.actual_visited_at", "yesterday"),
    ],
)
def test_wrong_member_is_named(path, value):
    """The first wrong member by its path; the value is not repeated."""
    with pytest.raises(FactsInvalid) as caught:
        Facts.from_json(changed(path, value))

    assert caught.value.detail["where"].startswith(path)
    assert not isinstance(value, str) or len(value) < 5 or value not in caught.value.zh


@pytest.mark.parametrize("path", ["dispensed", "pharmacy.name", "patient.newborn.name", "prescription.refill.times"])
def test_misspelt_member_is_an_error(path):
    """A member that nobody reads would be lost in silence."""
    with pytest.raises(FactsInvalid) as caught:
        Facts.from_json(changed(path, "x"))

    assert path == caught.value.detail["where"]


@pytest.mark.parametrize("data", [None, [], "x", 7, {}, [WHOLE]], ids=repr)
def test_no_object_is_an_error(data):
    with pytest.raises(FactsInvalid):
        Facts.from_json(data)


def test_endless_nesting_is_an_error():
    deep: dict = {}
    for _ in range(20_000):
        deep = {"a": deep}

    with pytest.raises(FactsInvalid):
        Facts.from_json({"dispensed_at": deep})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE, "institution", "number"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_no_json_breaks_it(data):
    """Whatever object comes, it is read or refused by name."""
    try:
        Facts.from_json(data)
    except FactsInvalid as error:
        refused = error.detail["where"]
    else:
        refused = None

    assert refused is None or refused


def test_values_are_frozen():
    facts = Facts.from_json(WHOLE)

    with pytest.raises(ValidationError):
        facts.dispensed_at = datetime.now(UTC)
    with pytest.raises(ValidationError):
        facts.patient.national_id = "B200000002"


@pytest.mark.parametrize("kind", [CardReading, Receipt])
def test_times_are_aware(kind):
    """A time without offset could be anywhere's."""
    given = {"made_by": "card", "institution": "5901234567", "visit_id": None} if kind is CardReading else {"opcode": "1"}
    name = "visited_at" if kind is CardReading else "received_at"

    assert getattr(kind(**given, **{name: datetime(2026, 1, 1, tzinfo=UTC)}), name).tzinfo
    with pytest.raises(ValidationError):
        kind(**given, **{name: datetime(2026, 1, 1)})  # noqa: DTZ001


def test_naive_time_in_facts_is_refused():
    with pytest.raises(FactsInvalid, match="offset"):
        Facts.from_json(changed("dispensed_at", datetime(2026, 1, 1)))  # noqa: DTZ001


@pytest.mark.parametrize("total", [-1, float("nan"), float("inf")])
def test_amounts_are_numbers(total):
    with pytest.raises(ValidationError):
        Order(code="AC12345100", total=total)


def test_white_space_around_text_is_dropped():
    assert ("A123456789", "AC12345100") == (
        Patient(national_id=" a123456789 ", birth_date="0501231").national_id,
        Order(code=" AC12345100\n").code,
    )


def test_prescription_from_plain_data():
    """What a plugin writes: dictionaries inside, validated."""
    found = Prescription(
        patient={"national_id": "A123456789", "birth_date": "1961-12-31"}, sheet={}, orders=[{"code": "AC12345100", "total": 3}]
    )

    assert (Patient(national_id="A123456789", birth_date="0501231"), 3.0) == (found.patient, found.orders[0].total)


def test_plan_as_the_contract_says():
    """The members of the output object, in JSON types."""
    plan = UploadPlan(
        ok=False,
        action="none",
        call=None,
        fields={"M15": None},
        from_card=("M15",),
        why={},
        findings=(Finding(code="x", severity="block", zh="甲", en="a"), Finding(code="y", severity="warn", zh="乙", en="b")),
    )
    as_json = json.loads(json.dumps(plan.as_json()))

    assert ["ok", "action", "call", "fields", "from_card", "why", "findings"] == list(as_json)
    assert ["M15"] == as_json["from_card"]
    assert ["x"] == [finding.code for finding in plan.blocking]


def test_key_of_a_record():
    assert ("0USE4FA11RP4J370WR4K", "") == (
        UploadRecord(fields={"M15": "0USE4FA11RP4J370WR4K"}).visit_id,
        UploadRecord(fields={}).visit_id,
    )


def test_refill_needs_both_numbers():
    with pytest.raises(ValidationError):
        Refill(number=1)
