"""ROC digits and aware times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhirx import roc
from nhirx.errors import InvalidValue
from nhirx.roc import TAIPEI

DAYS = st.dates(date(1912, 1, 1), date(2910, 12, 31))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1110303", date(2022, 3, 3)),
        ("0501231", date(1961, 12, 31)),
        ("0010101", date(1912, 1, 1)),
        ("1130229", date(2024, 2, 29)),
        (" 1961-12-31 ", date(1961, 12, 31)),
    ],
)
def test_dates(text, expected):
    assert expected == roc.parse_date(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1110303103120", datetime(2022, 3, 3, 10, 31, 20, tzinfo=TAIPEI)),
        ("2022-03-03T10:31:20", datetime(2022, 3, 3, 10, 31, 20, tzinfo=TAIPEI)),
        ("2022-03-03 10:31", datetime(2022, 3, 3, 10, 31, tzinfo=TAIPEI)),
        ("2022-03-03T02:31:20Z", datetime(2022, 3, 3, 10, 31, 20, tzinfo=TAIPEI)),
        ("2022-03-02T21:31:20-05:00", datetime(2022, 3, 3, 10, 31, 20, tzinfo=TAIPEI)),
    ],
)
def test_times(text, expected):
    found = roc.parse_datetime(text)

    assert expected == found
    assert timedelta(hours=8) == found.utcoffset()


@given(DAYS)
def test_every_day_comes_back(day):
    text = roc.format_date(day)

    assert 7 == len(text)
    assert roc.is_date(text)
    assert day == roc.parse_date(text) == roc.parse_date(day.isoformat())


@given(st.datetimes(datetime(1912, 1, 2), datetime(2910, 12, 30)), st.integers(-14, 14))  # noqa: DTZ001
def test_every_second_comes_back_from_any_offset(moment, hours):
    moment = moment.replace(microsecond=0, tzinfo=timezone(timedelta(hours=hours)))
    text = roc.format_datetime(moment)

    assert 13 == len(text)
    assert roc.is_datetime(text)
    assert moment == roc.parse_datetime(text) == roc.parse_datetime(moment.isoformat())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1130230",
        "1130001",
        "1131301",
        "0000101",
        "113030",
        "11303055",
        "113/03/05",
        "20240305",
        "2024-02-30",
        "民國113",
        "１１３０３０５",
        "-130305",
    ],
)
def test_days_that_are_none(text):
    assert not roc.is_date(text)
    with pytest.raises(InvalidValue) as caught:
        roc.parse_date(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1130305",
        "1130305240000",
        "1130305236000",
        "1130305101560",
        "1130230101500",
        "11303051015",
        "2024-03-05",
        "2024-03-05T25:00:00",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
        "now",
    ],
)
def test_times_that_are_none(text):
    assert not roc.is_datetime(text)
    with pytest.raises(InvalidValue):
        roc.parse_datetime(text)


@given(st.text(max_size=20))
def test_no_text_breaks_it(text):
    for parse in (roc.parse_date, roc.parse_datetime):
        try:
            parse(text)
        except InvalidValue:
            continue
    assert roc.is_date(text) in (True, False)


def test_no_time_without_offset_is_written():
    """A time without offset is a time of nowhere."""
    with pytest.raises(InvalidValue):
        roc.format_datetime(datetime(2024, 3, 5))  # noqa: DTZ001


def test_no_day_before_the_first_year_is_written():
    with pytest.raises(InvalidValue):
        roc.format_date(date(1911, 12, 31))


def test_new_year_in_taiwan():
    """Eight hours before the rest of the world's computers."""
    assert "1140101000000" == roc.format_datetime(datetime(2024, 12, 31, 16, tzinfo=UTC))
