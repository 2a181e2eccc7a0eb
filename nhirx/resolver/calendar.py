"""Which days count as holidays (例假日): weekends and public holidays of Taiwan, with a pharmacy's own corrections on top.

The list of public holidays comes from the ``holidays`` package, which also knows the Saturdays that are worked. What it
cannot know (a typhoon day, a change announced late) comes from an override file or from plugins::

    [[day]]
    date = 2026-07-10
    closed = true
    name = "颱風停班"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nhirx.errors import FileMissing, SettingInvalid
from nhirx.tables.schema import Entry, Words


class OverrideDay(Entry):
    date: date
    closed: bool
    name: Words


class _Overrides(Entry):
    day: tuple[OverrideDay, ...] = ()


class Calendar:
    """Holidays by day. ``overrides`` maps a day to its name when it is closed, and to None when it is worked after all."""

    def __init__(self, overrides: Mapping[date, str | None] | None = None) -> None:
        self._overrides = dict(overrides or {})

    def holiday(self, day: date) -> str | None:
        """The name of the holiday, or None for a working day."""
        if day in self._overrides:
            return self._overrides[day]
        return _public_holiday(day)

    def working_days(self, first: date, count: int) -> list[date]:
        """The first ``count`` working days from ``first`` on, that day included when it is one."""
        found: list[date] = []
        day = first
        while len(found) < count:
            if self.holiday(day) is None:
                found.append(day)
            day += timedelta(days=1)
        return found

    def moved_on(self, day: date) -> date:
        """``day``, or the next working day after it when it is a holiday."""
        while self.holiday(day) is not None:
            day += timedelta(days=1)
        return day

    def with_closed(self, days: Mapping[date, str]) -> Calendar:
        """This calendar with further closed days, as plugins tell them."""
        return Calendar({**self._overrides, **days})


def read_calendar(file: Path | None) -> Calendar:
    """The calendar with the overrides in ``file``. Raises ``FileMissing`` and ``SettingInvalid``."""
    if file is None:
        return Calendar()
    try:
        overrides = _Overrides.model_validate(tomllib.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        raise FileMissing(path=str(file)) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingInvalid(setting="rules.calendar_file", problem=f"{file.name}: {where}: {first['msg']}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingInvalid(setting="rules.calendar_file", problem=f"{file.name}: {error}") from None
    return Calendar({day.date: day.name if day.closed else None for day in overrides.day})


def _public_holiday(day: date) -> str | None:
    calendar = _year(day.year)
    if calendar.is_working_day(day):
        return None
    return str(calendar.get(day) or ("星期六" if day.weekday() == 5 else "星期日"))


@cache
def _year(year: int) -> Any:
    import holidays

    return holidays.country_holidays("TW", years=year, language="zh_TW")
