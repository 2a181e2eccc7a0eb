"""Visit IDs of the sandbox: true in every place whose meaning is known, and the simulator's own in the six that are not.

Places 7–20 hold person, year and second as in every visit ID (``nhirx.identifiers.visit_id``). Nobody outside the NHIA knows
places 1–6, so here they are **an invention of this simulator**, made so that it can judge an ID without a list of all it made::

    place   1                              2–3                      4                    5–6
    holds   service and running number     which institution,       running number       keyed check
            (card, no card, virtual card)  by first appearance      (low part)           over all the rest

A client must never look into places 1–6: the real ones differ.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nhirx import roc
from nhirx.identifiers.visit_id import ALPHABET, VisitId
from nhirx.roc import TAIPEI
from nhirx.sim.signatures import Signer

SERVICES = ("card", "no-card", "virtual-card")
_BASE = len(ALPHABET)
_HIGH = _BASE // len(SERVICES)
_PER_SECOND = _HIGH * _BASE
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Made:
    """What the simulator sees in an ID of its own."""

    service: str
    institution: str
    holder_prefix: str | None
    made_at: datetime | None


class VisitIds:
    """Makes and reads IDs. ``institutions`` is the register of the sandbox; ``remember`` stores an addition to it."""

    def __init__(self, signer: Signer, institutions: list[str], remember: Callable[[str], None]) -> None:
        self._signer = signer
        self._institutions = institutions
        self._remember = remember
        self._lock = threading.Lock()
        self._count: dict[tuple[str, str, datetime], int] = {}

    def recall(self, service: str, national_id: str, second: datetime) -> None:
        """An ID made before a restart: its place in that second is taken."""
        self._take(service, national_id, second)

    def make(self, service: str, institution: str, national_id: str, moment: datetime) -> tuple[str, datetime]:
        """A new ID and the second it holds: that of ``moment``, or a later one when that second is used up."""
        with self._lock:
            second = moment.astimezone(TAIPEI).replace(microsecond=0)
            while self._count.get((service, national_id, second), 0) >= _PER_SECOND:
                second += timedelta(seconds=1)
            count = self._take(service, national_id, second)
            index = self._index(institution)
        place1 = SERVICES.index(service) * _HIGH + count // _BASE
        head = ALPHABET[place1] + _encode(index, 2) + ALPHABET[count % _BASE]
        year = roc.format_datetime(second)[:3]
        start = datetime(second.year, 1, 1, tzinfo=TAIPEI)
        tail = (
            national_id[:2]
            + _encode(int(national_id[2:9]), 5)
            + _encode(int(year), 2)
            + _encode(int((second - start).total_seconds()), 5)
        )
        return head + self._check(head, tail) + tail, second

    def read(self, text: str) -> Made | None:
        """What ``text`` holds when this sandbox made it, else None."""
        if not VisitId.is_valid(text) or text != text.strip().upper() or len(text) != 20:
            return None
        head, check, tail = text[:4], text[4:6], text[6:]
        if self._check(head, tail) != check:
            return None
        service, index = ALPHABET.index(text[0]) // _HIGH, _decode(text[1:3])
        if service >= len(SERVICES) or index >= len(self._institutions):
            return None
        seen = VisitId(text)
        return Made(SERVICES[service], self._institutions[index], seen.holder_prefix, seen.issued_at)

    def _take(self, service: str, national_id: str, second: datetime) -> int:
        # By second, not only the newest: a clock that is set back must not make an ID for the second time.
        key = (service, national_id, second)
        count = self._count.pop(key, 0)
        self._count[key] = count + 1
        if len(self._count) > _REMEMBERED:
            self._count.pop(next(iter(self._count)))
        return count

    def _check(self, head: str, tail: str) -> str:
        return _encode(self._signer.check(head, tail) % _BASE**2, 2)

    def _index(self, institution: str) -> int:
        if institution not in self._institutions:
            self._remember(institution)
            self._institutions.append(institution)
        return self._institutions.index(institution)


def _encode(value: int, places: int) -> str:
    text = ""
    for _ in range(places):
        value, digit = divmod(value, _BASE)
        text = ALPHABET[digit] + text
    return text


def _decode(text: str) -> int:
    value = 0
    for character in text:
        value = value * _BASE + ALPHABET.index(character)
    return value
