"""What the structure of the visit ID, and the sheet's own fields, make of a line that was read with doubts.

The structure decides between look-alikes: a person's number in places 7–13, a year and a second of that year in 14–20. A person or a
day that the sheet prints elsewhere weighs more: as much as it is likelier than any other one. Places 1–6 stand for themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET, VisitId
from nhirx_scanner.hints import Hints, in_base34
from nhirx_scanner.kinds import is_plausible

Array = NDArray[Any]

PERSON, TIME = slice(6, 13), slice(13, 20)
_YEARS = range(109, 136)  # ROC years in which visit IDs are issued: an arbiter between look-alikes, no more
_KNOWN_HOLDER, _KNOWN_DAY = 1e7, 5e2
_STRANGE = 4.0  # what a character that the fields do not expect costs the path, in logs: ink over one does not lead it astray
_UNSEEN = 1e-4  # of the best: a word that was not seen at all is no doubt, though it fell on a day the sheet prints
_DAY = 86400


def arbitrated(likely: Array, hints: Hints | None = None) -> tuple[str | None, float]:
    """The most probable text whose person and time make sense, and how far it leads: ``likely`` is (20, 34)."""
    text, trusts = by_parts(likely, hints)
    return text, min(trusts, default=0.0)


def by_parts(likely: Array, hints: Hints | None = None) -> tuple[str | None, tuple[float, ...]]:
    """As ``arbitrated``, with the trust 0…1 of each part: places 1–6 one by one, the person, the time. No text has none."""
    free = likely[: PERSON.start]
    text = "".join(ALPHABET[int(value)] for value in free.argmax(axis=1))
    trusts = [float(value) for value in free.max(axis=1)]
    # A person on the sheet is its patient, seen in the line or not; of its days each may be another one than the visit's.
    for rows, makes_sense, known, least_seen in (
        (likely[PERSON], _is_person, _known_holders(hints), 0.0),
        (likely[TIME], _is_time, _known_times(hints, likely[TIME]), _UNSEEN),
    ):
        shares = {word: share for word, share in _words(rows) if makes_sense(word)}
        weights = dict(shares)
        seen = least_seen * max(shares.values(), default=0.0)
        for word, weight in known.items():
            share = _share(rows, word)
            if share < seen:
                continue
            shares[word] = share
            weights[word] = share * weight
        if not weights:
            return None, ()
        best = max(weights, key=weights.__getitem__)
        text += best
        # What the structure rules out does not count, but it was seen: half of it stays a doubt.
        trusts.append(weights[best] / (sum(weights.values()) + 0.5 * max(0.0, 1 - sum(shares.values()))))
    return (text, tuple(trusts)) if is_plausible(text) else (None, ())


def vouched(text: str, hints: Hints) -> set[int]:
    """The places of ``text`` that the sheet's own fields say as well: those of its person, and those that tell its day."""
    places: set[int] = set()
    if text[PERSON] in hints.holders:
        places |= set(range(PERSON.start, PERSON.stop))
    if any(text[TIME].startswith(prefix) for day in hints.days for prefix in _prefixes(day)):
        places |= set(range(TIME.start, TIME.start + 4))
    return places


def costs(hints: Hints) -> list[Array]:
    """For ``ctc.best_path``: one (20, 34) for every holder, or one for none, that expects what the fields say."""
    out = []
    for holder in sorted(hints.holders) or [""]:
        table = np.zeros((20, len(ALPHABET)))
        _expect(table, PERSON.start, [holder] if holder else [])
        _expect(table, TIME.start, sorted({prefix for day in hints.days for prefix in _prefixes(day)}))
        out.append(table)
    return out


def _expect(table: Array, place: int, words: list[str]) -> None:
    for offset, characters in enumerate(zip(*words, strict=True)):
        table[place + offset] = -_STRANGE
        table[place + offset, [ALPHABET.index(character) for character in characters]] = 0.0


def _known_holders(hints: Hints | None) -> dict[str, float]:
    return dict.fromkeys(hints.holders, _KNOWN_HOLDER) if hints else {}


def _known_times(hints: Hints | None, rows: Array) -> dict[str, float]:
    words: dict[str, float] = {}
    for day in hints.days if hints else ():
        for prefix in _prefixes(day):
            for end, _ in _words(rows[len(prefix) :]):
                moment = VisitId("000000" + "A100000" + prefix + end).issued_at
                if moment is not None and moment.date() == day:
                    words[prefix + end] = _KNOWN_DAY
    return words


def _prefixes(day: date) -> list[str]:
    """Places 14–17 of the visit IDs of a day: its year, and the first two characters of its seconds."""
    year = day.year - 1911
    if year not in _YEARS:
        return []
    first = (day - date(day.year, 1, 1)).days * _DAY
    size = len(ALPHABET) ** 3
    return [in_base34(year, 2) + in_base34(high, 2) for high in range(first // size, (first + _DAY - 1) // size + 1)]


def _share(rows: Array, word: str) -> float:
    return float(np.prod([row[ALPHABET.index(character)] for row, character in zip(rows, word, strict=True)]))


def _words(likely: Array) -> Iterator[tuple[str, float]]:
    """Every word of the characters that are likely at each place, with its probability."""
    choices = []
    for row in likely:
        best = np.argsort(-row)[:3]
        choices.append([(ALPHABET[int(value)], float(row[value])) for value in best if row[value] > 0.004])
    for word in itertools.product(*choices):
        yield "".join(character for character, _ in word), float(np.prod([share for _, share in word]))


def _is_person(word: str) -> bool:
    return VisitId("000000" + word + "3D00000").holder_prefix is not None


def _is_time(word: str) -> bool:
    moment = VisitId("000000" + "A100000" + word).issued_at
    return moment is not None and moment.year - 1911 in _YEARS
