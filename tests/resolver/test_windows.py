"""Periods, counted by hand from a wall calendar."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from nhirx.errors import FileMissing, SettingInvalid
from nhirx.resolver.calendar import Calendar, read_calendar
from nhirx.resolver.windows import (
    claims_day,
    correction_window,
    deadlines,
    earliest_refill,
    make_up_window,
    ordinary_validity,
    printed_refill_date,
    refill_window,
    upload_deadline,
)
from nhirx.roc import TAIPEI


@pytest.mark.parametrize(
    ("issued", "last"),
    [
        (date(2026, 2, 3), date(2026, 2, 5)),  # Tuesday to Thursday
        (date(2026, 11, 19), date(2026, 11, 23)),  # third day is a Saturday: on to Monday
        (date(2026, 11, 20), date(2026, 11, 23)),  # third day is a Sunday
        (date(2026, 11, 21), date(2026, 11, 23)),  # only a holiday at the end moves it
        (date(2026, 2, 12), date(2026, 2, 23)),  # Lunar New Year
        (date(2024, 2, 15), date(2024, 2, 17)),  # a Saturday that is worked
    ],
)
def test_three_days_with_the_day_of_issue(issued, last):
    """Counted from the day of issue; a holiday at the end moves it on."""
    assert last == ordinary_validity(issued, calendar=Calendar()).last


def test_the_arithmetic_is_shown():
    """Both languages name the days that were counted."""
    window = ordinary_validity(date(2026, 11, 19), calendar=Calendar())
    assert "115 年 11 月 21 日（六）" in window.zh
    assert "順延至 115 年 11 月 23 日（一）" in window.zh
    assert "2026-11-23 (Mon)" in window.en


@pytest.mark.parametrize(
    ("dispensed", "days", "first"),
    [
        (date(2026, 1, 1), 28, date(2026, 1, 19)),
        (date(2026, 1, 17), 28, date(2026, 1, 31)),  # ends 14 February: fourteen days early
        (date(2026, 1, 25), 28, date(2026, 2, 8)),  # ends 22 February
        (date(2026, 1, 26), 28, date(2026, 2, 13)),  # ends 23 February: ten days again
        (date(2026, 1, 16), 28, date(2026, 2, 3)),  # ends 13 February: ten days
    ],
)
def test_refills_ten_days_early_or_as_announced(dispensed, days, first):
    """The announcement for Lunar New Year 2026 starts on 31 January."""
    assert first == refill_window(dispensed, days).first


@pytest.mark.parametrize(
    ("printed", "words"), [(date(2026, 1, 19), "已含提前日數"), (date(2026, 1, 29), "用完"), (date(2026, 1, 10), "請核對")]
)
def test_a_suggested_date_is_not_counted_twice(printed, words):
    """Some sheets print the day with the ten days already taken off."""
    assert words in printed_refill_date(printed, date(2026, 1, 1), 28).zh


def test_the_earliest_refill_is_a_lower_bound():
    """Second fill of 28 days: eighteen days after the first could have been had."""
    assert date(2026, 11, 19) == earliest_refill(date(2026, 11, 1), 2, 28).first
    assert date(2026, 11, 1) == earliest_refill(date(2026, 11, 1), 1, 28).first


def test_ten_working_days_for_a_make_up():
    """Monday 2 November 2026: the tenth working day after it is the 16th, the 13th when the day itself counts."""
    window = make_up_window(date(2026, 11, 2), calendar=Calendar())
    assert (date(2026, 11, 16), date(2026, 11, 13)) == (window.last, window.safe_last)
    assert "扣除例假日 4 日" in window.zh


def test_a_long_holiday_stretches_the_make_up():
    """Friday 13 February 2026, before Lunar New Year."""
    assert date(2026, 3, 9) == make_up_window(date(2026, 2, 13), calendar=Calendar()).last


def test_a_pharmacys_own_calendar_rules(tmp_path):
    """A typhoon day does not count, a day that is worked after all does."""
    file = tmp_path / "days.toml"
    file.write_text(
        '[[day]]\ndate = 2026-11-10\nclosed = true\nname = "颱風"\n[[day]]\ndate = 2026-11-14\nclosed = false\nname = "補班"\n',
        "utf-8",
    )
    calendar = read_calendar(file)
    assert ("颱風", None) == (calendar.holiday(date(2026, 11, 10)), calendar.holiday(date(2026, 11, 14)))
    assert date(2026, 11, 16) == make_up_window(date(2026, 11, 2), calendar=calendar).last
    closed = calendar.with_closed({date(2026, 11, 16): "盤點"})
    assert date(2026, 11, 17) == make_up_window(date(2026, 11, 2), calendar=closed).last


@pytest.mark.parametrize(
    "text", ["[[day]]\ndate = 1", "[[day", '[[day]]\ndate = 2026-01-01\nclosed = true\nname = "x"\nextra = 1']
)
def test_a_broken_calendar_file_is_told(tmp_path, text):
    """The name of the setting, and what is wrong."""
    file = tmp_path / "days.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingInvalid, match="calendar_file"):
        read_calendar(file)
    with pytest.raises(FileMissing):
        read_calendar(tmp_path / "none.toml")


def test_twenty_four_hours():
    """To the minute, Taiwan's time."""
    assert datetime(2026, 11, 21, 9, 0, 13, tzinfo=TAIPEI) == upload_deadline(datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)).at


@pytest.mark.parametrize(
    ("visited", "on", "last"),
    [
        (date(2024, 5, 3), date(2024, 9, 30), date(2024, 6, 30)),  # the older rule: end of the next month
        (date(2024, 12, 3), date(2024, 5, 1), date(2025, 1, 31)),
        (date(2024, 9, 3), date(2024, 10, 1), date(2024, 12, 3)),  # the newer rule: three months
        (date(2026, 11, 30), date(2026, 12, 1), date(2027, 2, 28)),
    ],
)
def test_corrections_by_the_rule_of_the_day(visited, on, last):
    """Two dated rules."""
    assert last == correction_window(visited, on=on).last


@pytest.mark.parametrize(("visited", "due"), [(date(2026, 11, 20), date(2026, 12, 20)), (date(2026, 12, 1), date(2027, 1, 20))])
def test_claims_are_due_in_the_next_month(visited, due):
    """Also across the year."""
    assert due == claims_day(visited).last


def test_deadlines_of_a_dispensing(facts):
    """Each period that the facts start, soonest first."""
    plain = [window.id for window in deadlines(facts())]
    assert {"upload", "correction", "claims", "ordinary-validity"} == set(plain)
    owed = {window.id for window in deadlines(facts({"card.state": "absent"}))}
    assert "make-up" in owed
    refill = {"prescription.refill": {"number": 1, "of": 3, "days": 28, "total_days": 84}}
    assert "refill-window" in {window.id for window in deadlines(facts(refill))}
