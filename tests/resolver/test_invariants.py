"""Whatever the facts: a plan that keeps the NHI's own cross rules, or one of our errors. Never a traceback, never a guess."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from nhirx.errors import FactsInvalid, NhirxError, NoRuleApplies
from nhirx.model import Facts
from nhirx.resolver import deadlines, plan
from nhirx.tables.load import code_rows

SERIALS = [*code_rows("abnormal_serials"), *code_rows("claims_serials"), "0007", "1500", "1501", "W001", "V001", "QQ12"]
PLACEHOLDERS = [row.attribute("value") for row in code_rows("placeholders").values()]
SHEET_IDS = [
    None,
    "0USE4FA11RP4J370WR4K",
    "0TEST0A112345678903Z",
    *PLACEHOLDERS,
    *(code + "0" * 16 for code in ("C000", "A010", "G000", "C001")),
]
TIMES = [
    "1130520090013",
    "1130831090013",
    "1130901090013",
    "1131001090013",
    "1151115101500",
    "1151118093000",
    "1151120090013",
    "1160120090013",
]


def maybe(*values):
    return st.sampled_from([None, *values])


def mostly(*values, usual=None):
    """``usual`` in four of five cases: else nearly every draw would end at the first odd value."""
    return st.sampled_from([*[usual] * (4 * len(values)), *values])


FACTS = st.fixed_dictionaries(
    {
        "dispensed_at": mostly(*TIMES, usual="1151120090013"),
        "pharmacy": st.fixed_dictionaries(
            {
                "institution": st.just("5901234567"),
                "pharmacist": st.just("B200000002"),
                "newly_contracted": mostly(True, usual=False),
                "format2_since": mostly("1130901", "1160101"),
            }
        ),
        "patient": st.fixed_dictionaries(
            {
                "national_id": st.sampled_from(["A123456789", "AX12345678"]),
                "birth_date": st.just("0501231"),
                "no_nhi_status": mostly("IC98", "IC09", "ICND", "FORE"),
                "newborn": st.none()
                | st.none()
                | st.fixed_dictionaries(
                    {
                        "birth_date": st.sampled_from(["1151001", "1150901", "1150801", "1151121"]),
                        "multiple": maybe(1, 2),
                        "mark": maybe("A", "b"),
                        "has_id": st.sampled_from([None, True, False]),
                    }
                ),
            }
        ),
        "prescription": st.fixed_dictionaries(
            {
                "visit_id": mostly(*SHEET_IDS, usual=SHEET_IDS[1]),
                "visit_id_state": mostly("read", "absent", "illegible"),
                "visit_serial": maybe(*SERIALS),
                "institution": mostly(None, usual="3502060427"),
                "visited_at": mostly(None, *TIMES, usual="1151114093000"),
                "prescriber_format": maybe("2.0", "1.0"),
                "refill": st.none()
                | st.fixed_dictionaries(
                    {
                        "number": mostly(*range(2, 15), usual=1),
                        "of": mostly(*range(1, 15), usual=3),
                        "days": mostly(None, 7, 30, usual=28),
                        "total_days": mostly(None, 28, 90, 400, usual=84),
                        "controlled": st.booleans(),
                    }
                ),
            }
        ),
        "card": st.fixed_dictionaries(
            {
                "state": mostly("absent", "failed", usual="present"),
                "abnormal_serial": mostly(*SERIALS),
            }
        ),
        "make_up": st.none()
        | st.none()
        | st.fixed_dictionaries(
            {
                "actual_visited_at": st.sampled_from(TIMES),
                "actual_visit_id": st.sampled_from([None, SHEET_IDS[1], "MISS" + "0" * 16]),
            }
        ),
    }
)


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(FACTS)
def test_every_plan_keeps_the_cross_rules(data):
    """The rules are those of the NHI's checks: AD14, AD02, D020, D054, D060, D067, and what B never carries."""
    facts = Facts.from_json(data)
    assert deadlines(facts)
    try:
        answer = plan(facts)
    except (NoRuleApplies, FactsInvalid):
        return
    fields = answer.fields
    assert answer.ok == (not answer.blocking)
    assert {None} == {fields[name] for name in answer.from_card} | {None}
    if answer.action != "upload":
        assert ({None}, ()) == (set(fields.values()), answer.from_card)
        return
    assert set(fields) <= set(answer.why)
    assert ("1", "AF") == (fields["H00"], fields["M07"])
    if fields["H01"] == "A":
        assert fields["M13"] is None
        assert "M14" in answer.from_card
    else:
        assert "B" == fields["H01"]
        assert code_rows("abnormal_serials")[fields["M13"]]
        assert {None} == {fields["M01"], fields["M02"], fields["M14"]}
        assert "1" == fields["M12"]
    assert (fields["M12"] == "1") == (fields["M49"] is None)
    assert (fields["M12"] == "4") == (fields["M52"] == "MISS" + "0" * 16)
    if fields["M18"] == "ICND":
        assert {None} == {fields["M16"], fields["M17"], fields["M19"]}
    elif answer.ok:
        assert None not in {fields["M16"], fields["M17"], fields["M19"]}
    if answer.ok and fields["M19"]:
        assert fields["M19"] < (fields["M49"] or data["dispensed_at"])
    assert (answer.call == "1.53") == ("M15" in answer.from_card and fields["H01"] == "A")
    assert ("M15" in answer.from_card) == (fields["M15"] is None)
    assert fields["M18"] not in {"IC02", "IC03", "IC04"}
    if fields["M16"] == "9" * 20:
        assert "dual-track-only" in {finding.code for finding in answer.findings}


ODD_TIMES = ["9991231", "0010101", "9991231235959", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]
ODD_TEXTS = ["", "x", "0", "-1", "9" * 20, "Z" * 20, "\u0000", "１１５", "A010", "2.0", "read"]
ODD = st.sampled_from([*ODD_TIMES, *ODD_TEXTS, 0, -1, 10**30, 1.5, True, [], {}]) | st.text(max_size=25)
MEMBERS = [
    ("dispensed_at",), ("pharmacy", "institution"), ("pharmacy", "pharmacist"), ("pharmacy", "format2_since"), ("patient", "national_id"),
    ("patient", "birth_date"), ("patient", "no_nhi_status"), ("patient", "newborn"), ("prescription", "visit_id"),
    ("prescription", "visit_id_state"), ("prescription", "visit_serial"), ("prescription", "visited_at"), ("prescription", "refill"),
    ("card", "state"), ("card", "abnormal_serial"), ("make_up",), ("card",), ("patient",), ("surprise",),
]  # fmt: skip
REFILLS = st.fixed_dictionaries({name: ODD | st.integers() for name in ("number", "of", "days", "total_days", "controlled")})


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(FACTS, st.lists(st.tuples(st.sampled_from(MEMBERS), ODD | REFILLS), min_size=1, max_size=3))
def test_odd_values_end_in_a_plan_or_in_one_of_our_errors(data, changes):
    """Anything a careless program may send: never a traceback."""
    for path, value in changes:
        place = data
        for name in path[:-1]:
            place = place[name] if isinstance(place.get(name), dict) else {}
        place[path[-1]] = value
    code = 0
    try:
        facts = Facts.from_json(data)
        deadlines(facts)
        json.dumps(plan(facts).as_json())
    except NhirxError as error:
        code = error.exit_code
    assert code in {0, 1, 2}
