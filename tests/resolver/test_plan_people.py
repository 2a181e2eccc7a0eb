"""Cases of the sources about who is treated and when: make-ups, newborns, people without a status, late records."""

from __future__ import annotations

from datetime import date

import pytest

from nhirx.errors import FactsInvalid, NoRuleApplies
from tests.resolver.conftest import EFFS, ID, LATE, MISS, OWN, SERIAL, codes


def test_a_failed_card_without_a_reason_waits_for_a_person(planned, visit_id):
    """No abnormality is declared by a program."""
    plan = planned({ID: visit_id, "card.state": "failed"})
    assert (False, "hold", None) == (plan.ok, plan.action, plan.call)
    assert {"abnormal-reason-needed"} == {finding.code for finding in plan.blocking}


def test_no_card_holds(planned, visit_id):
    """P15: one ID by 1.54, nothing uploaded."""
    plan = planned({ID: visit_id, "card.state": "absent"})
    assert (True, "hold", "1.54", ()) == (plan.ok, plan.action, plan.call, plan.from_card)
    assert {None} == set(plan.fields.values())
    assert {"no-card", "make-up-until"} <= codes(plan)


def test_no_card_holds_even_in_an_outage(planned, visit_id):
    """An abnormal upload presumes that the card was shown."""
    plan = planned({ID: visit_id, "card.state": "absent", OWN: "A010"})
    assert "hold" == plan.action
    assert "abnormal-needs-card" in codes(plan)


def test_a_make_up(planned, visit_id, make_id):
    """P16: M12=2 with time and ID of the day without the card."""
    owed = make_id(second=27_000_000)
    plan = planned(
        {
            ID: visit_id,
            "prescription.visited_at": "1151114093000",
            "make_up.actual_visited_at": "1151115101500",
            "make_up.actual_visit_id": owed,
        }
    )
    wanted = {"H01": "A", "M12": "2", "M13": None, "M11": None, "M49": "1151115101500", "M52": owed}
    assert wanted == {name: plan.fields[name] for name in wanted}
    assert ("1.53", "M15" in plan.from_card) == (plan.call, True)


@pytest.mark.parametrize("actual", [None, MISS])
def test_a_make_up_without_an_id(planned, visit_id, actual):
    """P17: M12=4 and the placeholder, and a report form."""
    plan = planned(
        {
            ID: visit_id,
            "prescription.visited_at": "1151114093000",
            "make_up.actual_visited_at": "1151115101500",
            "make_up.actual_visit_id": actual,
        }
    )
    assert ("4", MISS, "1151115101500") == tuple(plan.fields[name] for name in ("M12", "M52", "M49"))
    assert "missing-id-report" in codes(plan)


def test_a_make_up_of_a_refill_warns(planned, visit_id):
    """P18: whether the refill fields pass is unknown."""
    plan = planned(
        {ID: visit_id, "prescription.visited_at": "1151114093000", "make_up.actual_visited_at": "1151115101500",
         "prescription.refill": {"number": 1, "of": 3, "days": 28, "total_days": 84}}
    )  # fmt: skip
    assert "make-up-refill" in codes(plan)
    assert "1" == plan.fields["M33"]


def test_a_make_up_that_comes_too_late(planned, visit_id):
    """Figure 9: past the time the patient goes to the NHIA; the words show the count."""
    plan = planned({ID: visit_id, "prescription.visited_at": "1151001093000", "make_up.actual_visited_at": "1151002101500"})
    assert (False, "none", None) == (plan.ok, plan.action, plan.call)
    late = next(finding for finding in plan.findings if finding.code == "make-up-late")
    assert "扣除例假日" in late.zh


@pytest.mark.parametrize("changes", [{OWN: "A010"}, {"card.state": "failed"}])
def test_a_make_up_is_a_proper_read(planned, visit_id, changes):
    """Nothing is published for an abnormality at the make-up itself."""
    base = {ID: visit_id, "prescription.visited_at": "1151114093000", "make_up.actual_visited_at": "1151115101500"}
    with pytest.raises(NoRuleApplies):
        planned(base | changes)


def test_a_make_up_without_the_card_goes_on_waiting(planned, visit_id):
    """No call either: the ID of the day was taken then."""
    plan = planned(
        {
            ID: visit_id,
            "card.state": "absent",
            "prescription.visited_at": "1151114093000",
            "make_up.actual_visited_at": "1151115101500",
        }
    )
    assert ("hold", None) == (plan.action, plan.call)


@pytest.mark.parametrize(("born", "band"), [("1150921", "inside"), ("1150920", "outside")])
def test_a_newborn_of_sixty_days(planned, visit_id, born, band):
    """P19 (figure 9): sixty days still count, sixty-one do not."""
    plan = planned({ID: visit_id, "patient.newborn": {"birth_date": born, "multiple": 2, "mark": "b", "has_id": False}})
    fields = tuple(plan.fields[name] for name in ("M03", "M08", "M09", "M10", "M12"))
    assert (("A123456789", born, "2", "b", "1") if band == "inside" else (None,) * 5) == fields
    assert ("upload" if band == "inside" else "hold") == plan.action


@pytest.mark.parametrize(
    ("has_id", "actual", "mark", "original"),
    [(True, True, "2", True), (True, False, "4", MISS), (False, True, "3", True), (False, False, "3", None)],
)
def test_a_newborn_past_sixty_days_is_made_up(planned, visit_id, make_id, has_id, actual, mark, original):
    """P20: with an ID number as any make-up, without one the newborn mark and the ID may be left out."""
    owed = make_id(second=27_100_000)
    plan = planned(
        {ID: visit_id, "dispensed_at": "1151120090013", "prescription.visited_at": "1151114093000",
         "patient.birth_date": "1150901", "patient.newborn": {"birth_date": "1150901", "has_id": has_id},
         "make_up.actual_visited_at": "1151115101500", "make_up.actual_visit_id": owed if actual else None}
    )  # fmt: skip
    assert (mark, owed if original is True else original) == (plan.fields["M12"], plan.fields["M52"])
    assert "1151115101500" == plan.fields["M49"]


def test_the_edge_of_ninety_two_days(planned, visit_id):
    """Ninety-two days count, ninety-three have no rule."""
    base = {ID: visit_id, "prescription.visited_at": "1151114093000", "make_up.actual_visited_at": "1151115101500"}
    assert "3" == planned(base | {"patient.newborn": {"birth_date": "1150815", "has_id": False}}).fields["M12"]
    with pytest.raises(NoRuleApplies):
        planned(base | {"patient.newborn": {"birth_date": "1150814", "has_id": False}})
    with pytest.raises(NoRuleApplies):
        planned(base | {"patient.newborn": {"birth_date": "1150815"}})


@pytest.mark.parametrize(
    ("newborn", "code"),
    [
        ({"birth_date": "1151101"}, "newborn-incomplete"),
        ({"birth_date": "1151101", "multiple": 1, "mark": "B"}, "newborn-order"),
        ({"birth_date": "1151121", "multiple": 1, "mark": "A"}, "newborn-not-born"),
    ],
)
def test_newborn_marks_that_cannot_be(planned, visit_id, newborn, code):
    """Each stops the upload with its own words."""
    plan = planned({ID: visit_id, "patient.newborn": newborn})
    assert (False, True) == (plan.ok, code in codes(plan))


@pytest.mark.parametrize("status", ["IC98", "IC09", "ICND"])
@pytest.mark.parametrize("state", ["present", "absent", "failed"])
def test_no_nhi_status(planned, visit_id, status, state):
    """P21: abnormal, the status as serial, twenty Fs, no call; the card plays no part."""
    plan = planned({ID: visit_id, "patient.no_nhi_status": status, "card.state": state})
    assert ("upload", None, "B", status, EFFS) == (plan.action, plan.call, *(plan.fields[name] for name in ("H01", "M13", "M15")))
    assert () == plan.from_card


def test_a_status_given_as_the_pharmacys_serial(planned, visit_id):
    """The serial says it all."""
    plan = planned({ID: visit_id, OWN: "IC09", "card.state": "absent"})
    assert ("B", "IC09", EFFS) == tuple(plan.fields[name] for name in ("H01", "M13", "M15"))


@pytest.mark.parametrize("serial", ["ICND", None, "0007"])
def test_a_delivery_without_status_has_no_original(planned, serial):
    """D067: with ICND in M18, ID, prescriber and time of the original must be empty."""
    plan = planned({"patient.no_nhi_status": "ICND", SERIAL: serial})
    assert ("ICND", None, None, None) == tuple(plan.fields[name] for name in ("M18", "M16", "M17", "M19"))
    assert plan.ok


@pytest.mark.parametrize("serial", ["IC09", "0007", None])
def test_what_is_unknown_is_not_made_up(planned, serial):
    """P21: the original ID of a visit without status is unpublished; the plan stops and says so."""
    plan = planned({"patient.no_nhi_status": "IC09", SERIAL: serial})
    assert (False, None, EFFS) == (plan.ok, plan.fields["M16"], plan.fields["M15"])
    assert {"origin-id-unknown"} == {finding.code for finding in plan.blocking}


def test_an_unknown_status_is_refused(planned, visit_id):
    """A word that is no status is a mistake of the caller, a status without rule is a gap."""
    with pytest.raises(FactsInvalid, match=r"no_nhi_status"):
        planned({ID: visit_id, "patient.no_nhi_status": "tourist"})
    with pytest.raises(NoRuleApplies):
        planned({ID: visit_id, "patient.no_nhi_status": "FORE"})


@pytest.mark.parametrize(("serial", "kind"), [(None, "A"), ("A010", "B")])
def test_a_late_record_of_before_the_go_live(planned, visit_id, serial, kind):
    """P22: the placeholder for late records, no call, the time of that day."""
    late = {ID: visit_id, "dispensed_at": "1130831090013", "prescription.visited_at": "1130830093000", OWN: serial}
    plan = planned(late)
    assert (None, kind, serial, LATE, "1130831090013") == (
        plan.call,
        *(plan.fields[name] for name in ("H01", "M13", "M15", "M11")),
    )
    assert "M15" not in plan.from_card


def test_the_go_live_day_itself_is_2_0(planned, visit_id):
    """On that day an ordinary ID exists; the note tells of the other case."""
    plan = planned({ID: visit_id, "dispensed_at": "1130901090013", "prescription.visited_at": "1130831093000"})
    assert (None, "1.53") == (plan.fields["M15"], plan.call)
    assert "go-live-day" in codes(plan)


def test_before_the_go_live_nothing_goes_out_in_2_0(planned, visit_id):
    """Asked on a day before it: action none."""
    early = {ID: visit_id, "dispensed_at": "1130820090013", "prescription.visited_at": "1130819093000"}
    plan = planned(early, on=date(2024, 8, 20))
    assert ("none", None) == (plan.action, plan.call)
