"""The comparison of the precheck: is every record of format 1.0 there in 2.0 with the same person, birth date, second and kind?

A pharmacy may change over when all of them are (the share, rounded as the NHI rounds it, is 100 %). For each one that is
missing the nearest 2.0 record is shown with the key fields that differ, because the usual cause is a time stamp that is
some seconds off.

Source: ``nhi-slides-2024-04`` (report and its rounding), ``field-notes`` §10.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from nhirx import roc
from nhirx.errors import InvalidValue
from nhirx.records.source import Source
from nhirx.records.xml import ReadRecord, iter_records
from nhirx.tables.conversion import conversion

Key = tuple[str, str, str, str]
"""ID number, birth date, visit time, visit type."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many 1.0 records there are and how many of them 2.0 has."""

    v1: int
    matched: int

    @property
    def percent(self) -> int | None:
        """Whole percent, a half rounded up; None of nothing."""
        return None if not self.v1 else (200 * self.matched + self.v1) // (2 * self.v1)

    def as_json(self) -> dict[str, Any]:
        return {"v1": self.v1, "matched": self.matched, "percent": self.percent}


@dataclass(frozen=True, slots=True)
class Missing:
    """A 1.0 record without a partner; ``index`` is its place in the file, ``nearest`` the most similar 2.0 record."""

    index: int
    key: Key
    nearest: Key | None
    nearest_index: int | None
    differs: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        old_names, names = zip(*conversion().key, strict=True)
        nearest = None
        if self.nearest is not None:
            nearest = {"index": self.nearest_index} | dict(zip(names, self.nearest, strict=True))
        # The record is one of format 1.0 and the comparison is made in terms of 2.0, so its key is given by both names.
        key = dict(zip(old_names, self.key, strict=True)) | dict(zip(names, self.key, strict=True))
        return {"index": self.index} | key | {"nearest": nearest, "differs": list(self.differs)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole comparison. ``extra`` counts 2.0 records without a 1.0 partner, which do no harm."""

    total: Share
    by_date: dict[str, Share]
    by_visit_type: dict[str, Share]
    missing: tuple[Missing, ...]
    extra: int

    @property
    def qualifies(self) -> bool:
        """Whether the rounded share is 100 %."""
        return self.total.percent == 100

    def as_json(self) -> dict[str, Any]:
        """The object of contract §6, with ``qualifies`` and ``extra`` beside it."""
        return {
            "total": self.total.as_json(),
            "by_date": {day: share.as_json() for day, share in sorted(self.by_date.items())},
            "by_visit_type": {kind: share.as_json() for kind, share in sorted(self.by_visit_type.items())},
            "missing": [item.as_json() for item in self.missing],
            "extra": self.extra,
            "qualifies": self.qualifies,
        }


def compare(v1: Source, v2: Source) -> Comparison:
    """Compare two files. A 2.0 record answers for one 1.0 record; a 1.0 record sent twice is one record.

    Raises what ``read`` raises for either file.
    """
    old = _keys(iter_records(v1), 0)
    new = _keys(iter_records(v2), 1)
    left = {key: index for key, index in new.items() if key not in old}
    neighbours = _Neighbours(left)
    by_date: dict[str, Counter[bool]] = defaultdict(Counter)
    by_kind: dict[str, Counter[bool]] = defaultdict(Counter)
    missing: list[Missing] = []
    for key, index in old.items():
        matched = key in new
        by_date[key[2][:7]][matched] += 1
        by_kind[key[3]][matched] += 1
        if not matched:
            nearest = neighbours.of(key)
            missing.append(Missing(index, key, nearest, left.get(nearest) if nearest else None, _differing(key, nearest)))
    matches = len(old) - len(missing)
    return Comparison(Share(len(old), matches), _shares(by_date), _shares(by_kind), tuple(missing), len(left))


def _keys(records: Iterable[ReadRecord], side: int) -> dict[Key, int]:
    """Every key with the place of its first record. A record of the other format does not belong into the file and is left out."""
    names = [pair[side] for pair in conversion().key]
    found: dict[Key, int] = {}
    for record in records:
        if record.version == ("2.0" if side else "1.0"):
            first, second, third, fourth = (record.fields.get(name, "").strip().upper() for name in names)
            found.setdefault((first, second, third, fourth), record.index)
    return found


def _shares(counts: dict[str, Counter[bool]]) -> dict[str, Share]:
    return {name: Share(count[True] + count[False], count[True]) for name, count in counts.items()}


def _differing(key: Key, nearest: Key | None) -> tuple[str, ...]:
    if nearest is None:
        return ()
    return tuple(pair[1] for pair, one, other in zip(conversion().key, key, nearest, strict=True) if one != other)


_LOOKED_AT = 500  # per missing record: enough for every visit of a person, and a file of one person stays linear


class _Neighbours:
    """The unmatched 2.0 records, found by any of their key fields."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_value: dict[tuple[int, str], list[Key]] = defaultdict(list)
        for key in keys:
            for place in (0, 1, 2):
                if key[place]:
                    self._by_value[(place, key[place])].append(key)

    def of(self, key: Key) -> Key | None:
        """The record that shares the most key fields; among equals the one nearest in time. It shares person or second, or both
        birth date and day: a stranger of the same day is no neighbour."""
        candidates = dict.fromkeys(islice(self._candidates(key), _LOOKED_AT))
        return min(candidates, key=lambda other: (self._unlike(key, other), _seconds(key[2], other[2]), other), default=None)

    def _candidates(self, key: Key) -> Iterator[Key]:
        for place in (0, 2):
            yield from self._by_value.get((place, key[place]), ())
        for other in self._by_value.get((1, key[1]), ()):
            if other[2][:7] == key[2][:7]:
                yield other

    @staticmethod
    def _unlike(key: Key, other: Key) -> int:
        return sum(one != two for one, two in zip(key, other, strict=True))


def _seconds(one: str, other: str) -> float:
    first, second = _moment(one), _moment(other)
    return abs((first - second).total_seconds()) if first and second else float("inf")


def _moment(text: str) -> datetime | None:
    try:
        return roc.parse_datetime(text)
    except InvalidValue:
        return None
