"""Refills, cross-checks and what else a plan says of the facts that it was given."""

from __future__ import annotations

import json
from datetime import date

import pytest

from nhirx.errors import FactsInvalid, NoRuleApplies
from nhirx.resolver import deadlines
from nhirx.settings import RecordSettings, RuleSettings, Settings
from tests.resolver.conftest import FORMAT, ID, LATE, NINES, OWN, SERIAL, codes


@pytest.mark.parametrize(
    ("controlled", "filled", "empty"),
    [(False, ("M21", "M26", "M33"), ("M22", "M29", "M34")), (True, ("M22", "M29", "M34"), ("M21", "M26", "M33"))],
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_refills(planned, visit_id, controlled, filled, empty, number):
    """P12, P13: total, allowed and ordinal; M16, M18 and M19 stay those of the prescribing visit."""
    plan = planned(
        {ID: visit_id, "dispensed_at": "1160120090013",
         "prescription.refill": {"number": number, "of": 3, "days": 28, "total_days": 84, "controlled": controlled}}
    )  # fmt: skip
    assert ("84", "3", str(number)) == tuple(plan.fields[name] for name in filled)
    assert (None, None, None) == tuple(plan.fields[name] for name in empty)
    assert (visit_id, "0007", "1151118093000") == tuple(plan.fields[name] for name in ("M16", "M18", "M19"))


@pytest.mark.parametrize(
    ("refill", "code", "ok"),
    [
        ({"number": 4, "of": 3, "days": 28, "total_days": 84}, "refill-number", False),
        ({"number": 1, "of": 1, "days": 28, "total_days": 28}, "refill-of-one", False),
        ({"number": 1, "of": 3, "days": 28, "total_days": 80}, "refill-not-multiple", False),
        ({"number": 1, "of": 3, "days": 28, "total_days": 56}, "refill-total-differs", True),
        ({"number": 1, "of": 3}, "refill-days-missing", False),
        ({"number": 1, "of": 13, "days": 28, "total_days": 364}, "refill-many", True),
        ({"number": 1, "of": 14, "days": 28, "total_days": 392}, "refill-too-many", False),
        ({"number": 3, "of": 3, "days": 28, "total_days": 84}, "refill-skipped", True),
    ],
)
def test_refills_that_do_not_add_up(planned, visit_id, refill, code, ok):
    """Each has its own words; ship crews are allowed more."""
    plan = planned({ID: visit_id, "dispensed_at": "1160120090013", "prescription.refill": refill})
    assert (ok, True) == (plan.ok, code in codes(plan))


@pytest.mark.parametrize("serial", ["IC02", "IC03", "IC04"])
def test_claims_codes_of_refills_never_become_the_original(planned, visit_id, serial):
    """P13: the field stays empty and the plan stops."""
    plan = planned({ID: visit_id, SERIAL: serial})
    assert (False, None) == (plan.ok, plan.fields["M18"])


@pytest.mark.parametrize(
    ("serial", "code"),
    [
        ("IC07", None),
        ("W001", "virtual-serial"),
        ("V001", "test-serial"),
        ("1501", "origin-serial-range"),
        ("QQ12", "unknown-serial"),
    ],
)
def test_other_serials_on_the_sheet(planned, visit_id, serial, code):
    """They are used as printed, with a word where something is odd."""
    plan = planned({ID: visit_id, SERIAL: serial})
    assert serial == plan.fields["M18"]
    assert ({code} if code else set()) <= codes(plan)


def test_refill_fields_can_be_left_out(planned, visit_id):
    """A switch, because no source says a pharmacy must send them."""
    settings = Settings(record=RecordSettings(send_refill_fields=False))
    plan = planned({ID: visit_id, "prescription.refill": {"number": 1, "of": 3, "days": 28, "total_days": 84}}, settings=settings)
    assert (None, None, None) == tuple(plan.fields[name] for name in ("M21", "M26", "M33"))


def test_nines_end_with_the_dual_track(planned):
    """Once a single-track start is set, nothing is published for them."""
    settings = Settings(rules=RuleSettings(single_track_since=date(2026, 11, 20)))
    with pytest.raises(NoRuleApplies):
        planned({FORMAT: "1.0"}, settings=settings)
    assert NINES == planned({FORMAT: "1.0", "dispensed_at": "1151119090013"}, settings=settings).fields["M16"]


def test_the_dispensing_mode_is_inferred_and_can_be_set(planned, visit_id):
    """M23 has no published value for a pharmacy."""
    plan = planned({ID: visit_id})
    assert ("0", "inferred") == (plan.fields["M23"], plan.why["M23"].confidence)
    plan = planned({ID: visit_id}, settings=Settings(record=RecordSettings(dispensing_mode="A")))
    assert ("A", "settings.record.dispensing_mode") == (plan.fields["M23"], plan.why["M23"].rule)


@pytest.mark.parametrize(
    ("changes", "code", "ok"),
    [
        ({"patient.national_id": "B200000002"}, "holder-mismatch", True),
        ({"prescription.visited_at": "1151118103000"}, "visit-time-mismatch", True),
        ({"prescription.visited_at": "1151120103000"}, "origin-not-earlier", False),
        ({"prescription.institution": None}, "prescriber-missing", False),
        ({"prescription.institution": "5901234567"}, "prescriber-is-pharmacy", True),
        ({"prescription.visited_at": None}, "origin-time-missing", False),
        ({SERIAL: None}, "origin-serial-missing", True),
        ({FORMAT: "1.0"}, "v1-with-id", True),
        ({"dispensed_at": "1151205090013"}, "prescription-old", True),
        ({OWN: "A010", "pharmacy.newly_contracted": True}, "new-contract-other-serial", True),
        ({"patient.national_id": "AX12345678"}, "foreign-id", True),
    ],
)
def test_cross_checks(planned, visit_id, changes, code, ok):
    """What the facts say about each other."""
    plan = planned({ID: visit_id} | changes)
    assert (ok, True) == (plan.ok, code in codes(plan))


def test_a_repaired_id_is_told(planned, visit_id):
    """O and I are never part of an ID."""
    plan = planned({ID: visit_id.replace("0", "O", 1).lower()})
    assert (visit_id, True) == (plan.fields["M16"], "visit-id-repaired" in codes(plan))


def test_an_id_made_after_an_outage_may_hold_another_time(planned, make_id):
    """C000: the ID holds the time it was made."""
    plan = planned({ID: make_id(second=28_000_000), SERIAL: "C000"})
    assert "visit-time-mismatch" not in codes(plan)


@pytest.mark.parametrize(
    "changes",
    [
        {ID: "TOO-SHORT"},
        {ID: "*" * 20},
        {ID: None, "prescription.visit_id_state": "read"},
        {ID: "9" * 20, "prescription.visit_id_state": "absent"},
        {"make_up": {"actual_visited_at": "1151115101500", "actual_visit_id": "9" * 20}},
        {"make_up": {"actual_visited_at": "1151115101500", "actual_visit_id": "short"}},
    ],
)
def test_facts_that_contradict_each_other(planned, changes):
    """The error names the member."""
    with pytest.raises(FactsInvalid) as caught:
        planned(changes)
    assert caught.value.detail["where"].startswith(("prescription.visit_id", "make_up.actual_visit_id"))


def test_findings_and_errors_hold_no_personal_data(planned, visit_id):
    """IDs, numbers and birth dates stay out of every sentence."""
    plan = planned({ID: visit_id, "patient.national_id": "B200000002", "prescription.visited_at": "1151118103000"})
    told = json.dumps([finding.model_dump() for finding in plan.findings], ensure_ascii=False)
    with pytest.raises(NoRuleApplies) as caught:
        planned({"patient.national_id": "B200000002"})
    told += json.dumps(caught.value.as_json(), ensure_ascii=False)
    assert [] == [secret for secret in (visit_id, "B200000002", "0501231", "A123456789") if secret in told]


def test_the_plan_is_repeatable(planned, visit_id):
    """Same facts, same day, same plan."""
    assert planned({ID: visit_id}) == planned({ID: visit_id})


@pytest.mark.parametrize("day", ["1151118", "2026-11-18"])
def test_a_sheet_with_a_day_and_no_clock(planned, visit_id, day):
    """M19 gets six zeros for the time; the time inside the ID is then nothing to compare with."""
    plan = planned({ID: visit_id, "prescription.visited_at": day})
    assert ("1151118000000", {"origin-time-without-clock"}) == (plan.fields["M19"], codes(plan))


@pytest.mark.parametrize(
    ("person", "second", "code"),
    [("B200000000", 27_600_000, "actual-holder-mismatch"), ("A123456789", 1, "actual-time-mismatch")],
)
def test_the_id_of_the_day_without_the_card_is_compared(planned, visit_id, make_id, person, second, code):
    """A make-up with somebody else's ID, or one of another day."""
    base = {ID: visit_id, "prescription.visited_at": "1151114093000", "make_up.actual_visited_at": "1151115101500"}
    plan = planned(base | {"make_up.actual_visit_id": make_id(person, second=second)})
    assert code in codes(plan)


def test_a_sheet_much_older_than_the_rules(planned):
    """The published sample ID is of 2020: its age is told, by the rules of the day of dispensing."""
    plan = planned({ID: "0USE4FA11RP4J370WR4K", "prescription.visited_at": "1090114233615"})
    assert ("upload", "0USE4FA11RP4J370WR4K", "1090114233615") == (plan.action, plan.fields["M16"], plan.fields["M19"])
    assert {"prescription-old"} == codes(plan)


def test_a_late_record_much_older_than_the_rules(planned, facts, visit_id):
    """The rules are those of the go-live; the periods can be told too."""
    late = {ID: visit_id, "dispensed_at": "1090820090013", "prescription.visited_at": "1090819093000"}
    assert LATE == planned(late).fields["M15"]
    assert deadlines(facts(late))


def test_a_make_up_much_older_than_the_rules(planned, visit_id):
    """Too late, not unknown."""
    plan = planned({ID: visit_id, "prescription.visited_at": "1050114233615", "make_up.actual_visited_at": "1050115101500"})
    assert ("none", True) == (plan.action, "make-up-late" in codes(plan))
