"""Cases of the sources, from facts to fields. Each is written from the document, not from the table."""

from __future__ import annotations

import json
from datetime import date

import pytest

from nhirx.errors import FactsInvalid, NoRuleApplies
from nhirx.resolver import deadlines
from nhirx.settings import RecordSettings, RuleSettings, Settings

NINES, EFFS, LATE, MISS = "9" * 20, "F" * 20, "SM00" + "0" * 16, "MISS" + "0" * 16
ID = "prescription.visit_id"
SERIAL = "prescription.visit_serial"
FORMAT = "prescription.prescriber_format"
OWN = "card.abnormal_serial"
AFTER_RECOVERY = ["C000", "D000", "D001", "D010", "D011", "G000"]
READING = ["A000", "A001", "A010", "A011", "A020", "A021", "A030", "A031", "E000"]
AT_VISIT = ["C001", "B000", "B001"]


def codes(plan):
    return {finding.code for finding in plan.findings}


def test_a_legible_id_and_a_working_card(planned, visit_id):
    """P1: normal upload, M13 empty, the printed ID and number go into M16 and M18."""
    plan = planned({ID: visit_id})
    assert (True, "upload", "1.53") == (plan.ok, plan.action, plan.call)
    wanted = {
        "H00": "1", "H01": "A", "M03": "A123456789", "M04": "0501231", "M05": "5901234567", "M06": "B200000002", "M07": "AF",
        "M12": "1", "M13": None, "M15": None, "M16": visit_id, "M17": "3502060427", "M18": "0007", "M19": "1151118093000",
        "M21": None, "M26": None, "M33": None, "M49": None, "M52": None,
    }  # fmt: skip
    assert wanted == {name: plan.fields[name] for name in wanted}
    assert ("M01", "M02", "M11", "M14", "M15") == plan.from_card
    assert () == plan.findings


def test_every_field_says_why(planned, visit_id):
    """Rule, source and confidence for each field, filled or not."""
    plan = planned({ID: visit_id})
    assert set() == set(plan.fields) - set(plan.why)
    assert {"confirmed", "single", "inferred"} >= {reason.confidence for reason in plan.why.values()}
    assert all(plan.fields[name] is None for name in plan.from_card)


@pytest.mark.parametrize(
    "changes",
    [
        {FORMAT: "1.0"},
        {"prescription.visit_id_state": "illegible"},
        {ID: NINES},
        {"prescription.visit_id_state": "illegible", SERIAL: "C000"},
    ],
)
def test_no_id_to_be_had_gives_nines(planned, changes):
    """P2: the prescriber is on 1.0, or the print is illegible."""
    plan = planned(changes)
    assert ("A", NINES) == (plan.fields["H01"], plan.fields["M16"])
    assert "dual-track-only" in codes(plan)


@pytest.mark.parametrize("code", AFTER_RECOVERY + READING)
def test_an_abnormal_sheet_without_id(planned, code):
    """P3, P4, P6 (figures 4, 5, 8): its serial and sixteen zeros; the pharmacy itself is normal."""
    plan = planned({SERIAL: code})
    assert ("A", None, code + "0" * 16, code) == tuple(plan.fields[name] for name in ("H01", "M13", "M16", "M18"))
    assert "1.53" == plan.call


@pytest.mark.parametrize("code", AFTER_RECOVERY + READING + AT_VISIT + ["Z000", "E001"])
def test_an_abnormal_sheet_with_a_printed_id(planned, make_id, code):
    """P5, P9: an ID that is printed is used, and the serial stays."""
    plan = planned({SERIAL: code, ID: make_id(second=12345)})
    assert (make_id(second=12345), code) == (plan.fields["M16"], plan.fields["M18"])


@pytest.mark.parametrize("code", READING)
def test_before_october_2024_reading_failures_had_their_id_at_once(planned, code):
    """The older slides know no zeros for these serials, so there is no rule."""
    early = {
        SERIAL: code,
        "dispensed_at": "1130920090013",
        "prescription.visited_at": "1130919093000",
        "pharmacy.format2_since": None,
    }
    with pytest.raises(NoRuleApplies):
        planned(early)
    assert (
        code + "0" * 16
        == planned(early | {"dispensed_at": "1131001090013", "prescription.visited_at": "1130930093000"}).fields["M16"]
    )


@pytest.mark.parametrize("code", ["C000", "D000", "G000"])
def test_before_october_2024_outages_had_zeros_too(planned, code):
    """Both documents agree on these."""
    early = {
        SERIAL: code,
        "dispensed_at": "1130520090013",
        "prescription.visited_at": "1130519093000",
        "pharmacy.format2_since": None,
    }
    assert code + "0" * 16 == planned(early).fields["M16"]


@pytest.mark.parametrize("code", [*AT_VISIT, "Z000"])
def test_serials_with_an_id_at_the_visit_have_no_zeros(planned, code):
    """Figure 6: these visits have a real ID; a sheet without it has no rule."""
    with pytest.raises(NoRuleApplies):
        planned({SERIAL: code})


def test_a_2_0_prescriber_without_id_has_no_rule(planned):
    """Nothing says what to send; the ID has to be asked for."""
    with pytest.raises(NoRuleApplies):
        planned()
    with pytest.raises(NoRuleApplies):
        planned({FORMAT: None})


@pytest.mark.parametrize("code", ["C000", "A010", "G000"])
def test_a_sheet_that_prints_the_zeros_itself(planned, code):
    """The printed placeholder is used; without a serial the code in it is the serial."""
    plan = planned({ID: code + "0" * 16, SERIAL: None})
    assert (code + "0" * 16, code) == (plan.fields["M16"], plan.fields["M18"])
    assert {"origin-serial-assumed", "placeholder-printed"} <= codes(plan)


@pytest.mark.parametrize("text", [MISS, LATE, EFFS, "C001" + "0" * 16, "D000" + "0" * 16])
def test_a_placeholder_that_cannot_be_an_original_id(planned, text):
    """With an ordinary serial none of these can be right."""
    with pytest.raises(NoRuleApplies):
        planned({ID: text})


@pytest.mark.parametrize("code", ["C000", "D000", "D001", "D010", "D011", *READING])
def test_our_own_outage(planned, visit_id, code):
    """P10: abnormal upload with the real time; the ID comes from 1.54 after recovery."""
    plan = planned({ID: visit_id, "card.state": "failed", OWN: code})
    assert ("B", code, "1.54", "1151120090013") == (plan.fields["H01"], plan.fields["M13"], plan.call, plan.fields["M11"])
    assert ("M15",) == plan.from_card
    assert (None, None, None, "1") == tuple(plan.fields[name] for name in ("M01", "M02", "M14", "M12"))
    assert {"make-id-after-recovery", "report-abnormal"} <= codes(plan)


@pytest.mark.parametrize("code", READING)
def test_our_own_reading_failure_before_october_2024(planned, visit_id, code):
    """The older slides want the ID at once."""
    plan = planned(
        {
            ID: visit_id,
            OWN: code,
            "dispensed_at": "1130920090013",
            "prescription.visited_at": "1130919093000",
            "pharmacy.format2_since": None,
        }
    )
    assert "make-id-now" in codes(plan)
    assert "make-id-after-recovery" not in codes(plan)


@pytest.mark.parametrize("code", [*AT_VISIT, "Z000"])
def test_our_own_case_that_needs_its_id_at_once(planned, visit_id, code):
    """P10 and P11: chip faulty, exceptional visit, PIN refused."""
    plan = planned({ID: visit_id, OWN: code})
    assert ("B", code, "1.54") == (plan.fields["H01"], plan.fields["M13"], plan.call)
    assert "make-id-now" in codes(plan)


def test_an_exceptional_visit_has_no_card(planned, visit_id):
    """Just enrolled, or the card is being re-issued: there is none to show."""
    plan = planned({ID: visit_id, OWN: "C001", "card.state": "absent"})
    assert ("upload", "B", "C001") == (plan.action, plan.fields["H01"], plan.fields["M13"])


@pytest.mark.parametrize("code", ["E001", "F000", "Z001", "C002"])
def test_other_published_serials_follow_the_older_slides(planned, visit_id, code):
    """They name every other serial at once: ID at the visit, abnormal upload; only one source, so a warning."""
    plan = planned({ID: visit_id, OWN: code})
    assert ("B", code) == (plan.fields["H01"], plan.fields["M13"])
    assert "single" == plan.why["M13"].confidence
    assert "serial-rarely-used" in codes(plan)


@pytest.mark.parametrize("code", ["J000", "Z009", "HVIT", "TM01", "FORE", "IC07", "QQQQ", "0007"])
def test_serials_a_pharmacy_has_no_use_for(planned, visit_id, code):
    """Hospital codes, unknown ones, running numbers: no rule."""
    with pytest.raises(NoRuleApplies):
        planned({ID: visit_id, OWN: code})


def test_both_sides_newly_contracted(planned):
    """P7 (figure 7)."""
    plan = planned({SERIAL: "G000", "pharmacy.newly_contracted": True})
    assert ("B", "G000", "1.54", "1") == (plan.fields["H01"], plan.fields["M13"], plan.call, plan.fields["M12"])
    assert ("G000" + "0" * 16, "G000", "1151120090013") == tuple(plan.fields[name] for name in ("M16", "M18", "M11"))


@pytest.mark.parametrize("changes", [{"pharmacy.newly_contracted": True}, {OWN: "G000"}])
def test_only_the_pharmacy_is_newly_contracted(planned, visit_id, changes):
    """P8: own fields as P7, the original as the sheet says."""
    plan = planned({ID: visit_id} | changes)
    assert ("B", "G000", visit_id, "0007") == tuple(plan.fields[name] for name in ("H01", "M13", "M16", "M18"))


def test_only_the_prescriber_is_newly_contracted_and_we_are_down(planned):
    """Figure 8, right half: our own serial in M13, theirs in M16 and M18."""
    plan = planned({SERIAL: "G000", OWN: "A020", "card.state": "failed"})
    assert ("B", "A020", "G000" + "0" * 16, "G000") == tuple(plan.fields[name] for name in ("H01", "M13", "M16", "M18"))


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
