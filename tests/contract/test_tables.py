"""Every decision table is unique and complete: each combination of facts, at each day of change, has one row or a declared gap."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from nhirx.errors import NoRuleApplies
from nhirx.tables.decide import decide
from nhirx.tables.load import rule_book
from nhirx.tables.schema import DecisionTable

TABLES = sorted(rule_book().decisions)


def change_dates(table: DecisionTable) -> list:
    """The first day of every span, and the day after its last."""
    spans = [*table.row, *table.uncovered]
    return sorted({span.since for span in spans} | {span.until + timedelta(days=1) for span in spans if span.until})


def combinations(table: DecisionTable) -> list[dict[str, str]]:
    values = {fact.id: fact.values for fact in rule_book().vocabulary.fact}
    names = table.table.facts
    return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*(values[name] for name in names))]


@pytest.mark.parametrize("name", TABLES)
def test_exactly_one_row_or_one_declared_gap(name):
    """Facts × days of change: one row, or no row and exactly one reason why."""
    table = rule_book().decisions[name]
    wrong = []
    for facts in combinations(table):
        for day in change_dates(table):
            rows = [row.id for row in table.row if row.holds_on(day) and row.covers(facts)]
            gaps = [gap.en for gap in table.uncovered if gap.holds_on(day) and gap.covers(facts)]
            if len(rows) + len(gaps) != 1:
                wrong.append((day.isoformat(), facts, rows, gaps))
    assert [] == wrong[:5]


@pytest.mark.parametrize("name", TABLES)
def test_every_row_can_apply(name):
    """A row that no combination reaches on any day would be dead text."""
    table = rule_book().decisions[name]
    reached = set()
    for facts in combinations(table):
        for day in change_dates(table):
            try:
                reached.add(decide(table, facts, day).row.id)
            except NoRuleApplies:
                continue
    assert {row.id for row in table.row} == reached


def test_a_day_before_the_first_rule_has_none():
    """Nothing is extrapolated into the past."""
    table = rule_book().decisions["record"]
    first = min(row.since for row in table.row)
    with pytest.raises(NoRuleApplies) as caught:
        decide(table, {}, first - timedelta(days=1))
    assert "no-rule" == caught.value.code
