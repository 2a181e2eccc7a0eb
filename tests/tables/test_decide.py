"""One row, or an error that says why there is none."""

from __future__ import annotations

from datetime import date

import pytest

from nhirx.errors import NoRuleApplies, TableInvalid
from nhirx.tables.decide import decide, finding, limit
from nhirx.tables.load import read_rule_book


@pytest.fixture
def coat(folder):
    return read_rule_book(folder).decisions["coat"]


def test_the_row_of_the_day_answers(coat):
    """Facts beyond those of the table do no harm."""
    decision = decide(coat, {"weather": "dry", "wind": "none"}, date(2024, 6, 30))
    assert ("coat.dry", "almanac p1", "inferred") == (decision.reason.rule, decision.reason.source, decision.reason.confidence)
    assert {"M01": ""} == dict(decision.then)


def test_a_declared_gap_tells_its_reason(coat):
    """The day after the last rule, the gap speaks."""
    with pytest.raises(NoRuleApplies) as caught:
        decide(coat, {"weather": "dry"}, date(2024, 7, 1))
    assert "nothing from July on" in caught.value.en
    assert "七月起沒有規定" in caught.value.zh


def test_a_day_before_every_rule_has_no_reason(coat):
    """Without a declared gap the facts and the day are told."""
    with pytest.raises(NoRuleApplies) as caught:
        decide(coat, {"weather": "wet"}, date(2023, 12, 31))
    assert {"weather": "wet"} == caught.value.detail["facts"]
    assert "2023-12-31" in caught.value.en


def test_two_rules_at_once_are_a_fault_of_the_table(coat):
    """The first row is never taken just because it comes first."""
    twin = coat.row[0].model_copy(update={"id": "coat.twin"})
    with pytest.raises(TableInvalid, match=r"coat\.wet, coat\.twin"):
        decide(coat.model_copy(update={"row": (*coat.row, twin)}), {"weather": "wet"}, date(2024, 1, 1))


def test_a_limit_follows_its_dates():
    """The correction period changed with the newer document."""
    assert (1, 3) == (limit("correction-months", date(2024, 9, 30)).value, limit("correction-months", date(2024, 10, 1)).value)


def test_an_unknown_limit_or_finding_is_refused():
    """Names of limits and findings are part of the tables."""
    with pytest.raises(NoRuleApplies):
        limit("no-such-limit", date(2024, 1, 1))
    with pytest.raises(TableInvalid):
        finding("no-such-finding")
