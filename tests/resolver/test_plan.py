"""Cases of the sources, from facts to fields: which original ID, which serial. Each is written from the document, not from the table."""

from __future__ import annotations

import pytest

from nhirx.errors import NoRuleApplies
from tests.resolver.conftest import EFFS, FORMAT, ID, LATE, MISS, NINES, OWN, SERIAL, codes

AFTER_RECOVERY = ["C000", "D000", "D001", "D010", "D011", "G000"]

READING = ["A000", "A001", "A010", "A011", "A020", "A021", "A030", "A031", "E000"]
AT_VISIT = ["C001", "B000", "B001"]


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
