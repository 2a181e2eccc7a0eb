"""What else a sheet says about its visit ID: the holder's ID number and the days that are printed on it.

Places 7–13 of a visit ID hold the number, places 14–20 the second of the visit (derived structure), and a sheet prints both in its
fields. A line that was half read and says the same person and the same day as the fields is hardly another one; a line that says
something else is not refused for it. An ID number is taken up only where its check digit holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from nhirx.identifiers.national_id import check_digit
from nhirx.identifiers.visit_id import ALPHABET

_TEN = re.compile(r"(?=(?<![0-9A-Z])([0-9A-Z]{10})(?![0-9A-Z]))")
_SECOND = frozenset("1289ABCD")
_AS_DIGIT = str.maketrans("BSZDQGLT", "85200617")  # what a digit is taken for
_DAYS = (
    re.compile(r"(?<![0-9A-Z])(1[0-3]\d)\?(0[1-9]|1[0-2])\?([0-3]\d)"),  # 115/11/18, 115 年 11 月 18 日; the hour may follow
    re.compile(r"(?<![0-9A-Z])(1[0-3]\d)(0[1-9]|1[0-2])([0-3]\d)(?![0-9A-Z])"),
    re.compile(r"(?<![0-9A-Z])(20\d\d)\??(0[1-9]|1[0-2])\??([0-3]\d)"),
)
# Small or soft, a stroke between numbers reads as a slender character or as nothing. Then the line has to hold a date and nothing else,
# or a date with an hour. Some digits fall apart in two ways: the one with the fewest strokes and the one with the most are both taken.
_STROKE = r"[?01467JTUV]"
_CLEAR, _LOST = (
    rf"(?<![0-9A-Z])(1[0-3]\d|20\d\d){_STROKE}{{{least},2}}(0[1-9]|1[0-2]){_STROKE}{{{least},2}}([0-3]\d)" for least in (1, 0)
)
_HOUR = rf"\?{{0,3}}([01]\d|2[0-3]){_STROKE}?[0-5]\d"
_SOFT_DAYS = tuple(re.compile(each.replace("2}", few) + r"\?*$") for each in (_CLEAR, _LOST + _HOUR) for few in ("2}", "2}?"))


@dataclass(frozen=True, slots=True)
class Hints:
    """``holders``: places 7–13 of the visit IDs that the persons on the sheet would have; ``days``: dates on it."""

    holders: frozenset[str] = frozenset()
    days: frozenset[date] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.holders or self.days)


def hints(lines: Iterable[str]) -> Hints:
    """From lines as the recogniser tells them: the alphabet's characters, ``?`` for any other."""
    holders: set[str] = set()
    days: set[date] = set()
    for line in lines:
        for found in _TEN.finditer(line):
            if (holder := _holder(found.group(1))) is not None:
                holders.add(holder)
        for pattern in (*_DAYS, *_SOFT_DAYS):
            for found in pattern.finditer(line):
                year = int(found.group(1))
                try:
                    days.add(date(year if year > 1911 else year + 1911, int(found.group(2)), int(found.group(3))))
                except ValueError:
                    continue
    return Hints(frozenset(holders), frozenset(days))


def _holder(text: str) -> str | None:
    if text[0].isdigit() or text[1] not in _SECOND:
        return None
    digits = text[2:].translate(_AS_DIGIT)
    if not digits.isdigit() or check_digit(text[:2] + digits[:7]) != digits[7]:
        return None
    return text[:2] + in_base34(int(digits[:7]), 5)


def in_base34(value: int, width: int) -> str:
    """``value`` in the alphabet of the visit ID."""
    out = ""
    for _ in range(width):
        value, rest = divmod(value, len(ALPHABET))
        out = ALPHABET[rest] + out
    return out
