"""From readings to one answer: what was read twice, which ID the sheet carries, and when nothing may be said.

The rule above all others: an ID that is not on the page is never reported. So

* QR, Code 128 and Code 93 check themselves; one reading of them by a library is enough (``checked``);
* Code 39 checks nothing: one reading counts only when person and time inside it make sense, otherwise it needs a second
  engine or another printed form that says the same;
* two IDs are two sheets only when one printed form occurs twice (bars are one form, of whichever kind), or when each ID stands on
  its own forms away from the other, or when the print says so (``witness``);
  all else is a conflict, and then nobody is told which one is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from nhirx_scanner.engines import CHECKED, Polygon, Read
from nhirx_scanner.kinds import classify, is_plausible
from nhirx_scanner.result import Code, Confidence, Kind, Reason, Scan

_FORM_ORDER = ("qr", "code128", "code39", "code93", "text")
SAME_SHEET_DISTANCE = 5
"""IDs that differ in so few places on two *different* printed forms are one ID misprinted or misread, not two sheets."""
_BARS = frozenset({"code39", "code128", "code93"})
_STRIP, _ACROSS = 0.4, 0.45  # height of a strip by its length; how far one reaches across, by how far along

Apart = Callable[[tuple[float, float], tuple[float, float]], bool]
LEAST_TRUST_IN_TEXT = 0.9996
"""Of a line's weakest part, both recognisers taken together, from which on it is proposed. Of 1,100 sheets with text alone, made by two
generators, about 600 were above it and none wrongly (the worst wrong line had 0.9994: a W that a lamp made a V, a 5 that lost its corner). Of
3,000 lines spoilt alone some 1,850 were, and one of them wrongly: an R whose leg was not printed is a P to whoever reads it."""


@dataclass(slots=True)
class Place:
    """One code at one place of the page with everything that was read there."""

    text: str
    symbology: str
    polygon: Polygon
    kind: Kind
    engines: set[str] = field(default_factory=set)
    reads: int = 0
    trust: float = 0.0

    @property
    def center(self) -> tuple[float, float]:
        return sum(p[0] for p in self.polygon) / len(self.polygon), sum(p[1] for p in self.polygon) / len(self.polygon)

    @property
    def size(self) -> float:
        return max(math.dist(self.polygon[0], other) for other in self.polygon)

    def as_code(self) -> Code:
        return Code(self.text, self.symbology, self.kind, self.polygon, max(1, self.reads))


def places(reads: Iterable[Read]) -> list[Place]:
    """Readings of the same text and symbology at the same place, put together. ``reads`` of a place counts its engines."""
    out: list[Place] = []
    for read in reads:
        candidate = Place(read.text, read.symbology, read.polygon, classify(read.text, read.symbology))
        for place in out:
            if (place.text, place.symbology) == (read.text, read.symbology) and _overlap(place, candidate):
                candidate = place
                break
        else:
            out.append(candidate)
        candidate.engines.add(read.engine)
        candidate.reads = len(candidate.engines)
        candidate.trust = max(candidate.trust, read.trust)
    return out


def _overlap(first: Place, second: Place) -> bool:
    """Whether the two lie at the same place. A strip of bars reaches far along itself, and as far across as bars are tall."""
    larger = max(first, second, key=lambda place: place.size)
    reach = 0.6 * max(larger.size, 8.0)
    if math.dist(first.center, second.center) > reach:
        return False
    (x0, y0), (x1, y1), (x2, y2) = larger.polygon[:3]
    sides = sorted(((x1 - x0, y1 - y0), (x2 - x1, y2 - y1)), key=lambda side: math.hypot(*side))
    length = math.hypot(*sides[1])
    if math.hypot(*sides[0]) > _STRIP * length:
        return True
    dx, dy = second.center[0] - first.center[0], second.center[1] - first.center[1]
    return abs(dx * sides[1][1] - dy * sides[1][0]) / max(length, 1.0) <= _ACROSS * reach


def is_supported(group: Sequence[Place]) -> bool:
    """Whether the readings of one ID are enough to report it."""
    if confidence_of(group) in ("agreed", "checked"):
        return True
    if any(place.symbology == "text" and place.trust >= LEAST_TRUST_IN_TEXT for place in group) and is_plausible(group[0].text):
        return True
    return any(place.symbology == "code39" for place in group) and is_plausible(group[0].text)


def confidence_of(group: Sequence[Place]) -> Confidence:
    """How sure the readings of one ID are."""
    forms = {place.symbology for place in group}
    engines: set[str] = set().union(*(place.engines for place in group))
    if len(forms) > 1 or len(engines - {"ocr"}) > 1:
        return "agreed"
    if forms & CHECKED:
        return "checked"
    return "ocr" if forms == {"text"} else "single"


def decide(reads: Iterable[Read], *, seen: Sequence[Reason] | None = None, apart: Apart | None = None) -> Scan:
    """The answer for one page. ``seen`` are the reasons why a code that was seen could not be read, None when none was seen.

    ``apart`` tells whether two places lie on two sheets; it is asked only when that decides between two answers.
    """
    found = places(reads)
    codes = tuple(place.as_code() for place in _in_reading_order(found))
    groups = _groups(found)
    supported = [group for group in groups if is_supported(group)]
    if not supported:
        if groups or seen is not None:
            return Scan("unreadable", codes=codes, reasons=tuple(seen or ("damaged",)))
        return Scan("none", codes=codes)
    if len(supported) == 1:
        group = supported[0]
        if any(_contradicts(other, group) for other in groups if other is not group):
            return Scan("conflict", codes=codes)
        if confidence_of(group) == "single" and any(_is_read_otherwise(group, other) for other in groups if other is not group):
            return Scan("unreadable", codes=codes, reasons=tuple(seen or ("damaged",)))
        return _found("found", [group], codes)
    if _are_separate_sheets(supported, apart):
        return _found("several", supported, codes)
    return Scan("conflict", codes=codes)


def _found(status: str, groups: list[list[Place]], codes: tuple[Code, ...]) -> Scan:
    ids = tuple(group[0].text for group in groups)
    forms = {place.symbology for group in groups for place in group}
    order: tuple[Confidence, ...] = ("agreed", "checked", "single", "ocr")
    weakest = max((confidence_of(group) for group in groups), key=order.index)
    return Scan(
        "found" if status == "found" else "several",
        visit_id=ids[0] if status == "found" else None,
        visit_ids=ids,
        codes=codes,
        evidence=tuple(form for form in _FORM_ORDER if form in forms),
        confidence=weakest,
    )


def _groups(found: Iterable[Place]) -> list[list[Place]]:
    """The visit IDs on the page, each with the places that say it, from top to bottom."""
    by_text: dict[str, list[Place]] = {}
    for place in _in_reading_order(found):
        if place.kind == "visit-id":
            by_text.setdefault(place.text, []).append(place)
    return list(by_text.values())


def _contradicts(weak: Sequence[Place], strong: Sequence[Place]) -> bool:
    """Whether an unsupported ID is a printed form that says something else (and no mere misreading of the same bars)."""
    if {place.symbology for place in weak} == {"text"}:
        return False
    same_place = any(_overlap(a, b) for a in weak for b in strong)
    return not same_place


def _is_read_otherwise(group: Sequence[Place], other: Sequence[Place]) -> bool:
    """Whether the same bars were read as another ID as well: nothing checks a Code 39, so neither reading is believed."""
    return any(a.symbology == b.symbology == "code39" and _overlap(a, b) for a in group for b in other)


def _are_separate_sheets(groups: Sequence[Sequence[Place]], apart: Apart | None) -> bool:
    return all(_two_sheets(a, b, apart) for index, a in enumerate(groups) for b in groups[index + 1 :])


def _two_sheets(first: Sequence[Place], second: Sequence[Place], apart: Apart | None) -> bool:
    if any(_overlap(a, b) for a in first for b in second):
        return False  # one code, read in two ways
    shared = {place.symbology for place in first} & {place.symbology for place in second}
    if shared:
        return True  # a sheet carries each printed form once
    if distance(first[0].text, second[0].text) <= SAME_SHEET_DISTANCE:
        return False
    if all(any(place.symbology in _BARS for place in group) for group in (first, second)):
        return True  # nor has it bars of two kinds
    return _turned(first, second) or (apart is not None and apart(first[0].center, second[0].center))


def distance(first: str, second: str) -> int:
    """In how many places two IDs differ."""
    return sum(a != b for a, b in zip(first, second, strict=True))


def _turned(first: Sequence[Place], second: Sequence[Place]) -> bool:
    """Whether the two lie at clearly different angles, as two sheets on a table do and the print of one sheet never does."""
    a, b = _angle(first[0].polygon), _angle(second[0].polygon)
    off = abs(a - b) % (math.pi / 2)
    return min(off, math.pi / 2 - off) > math.radians(8)


def _angle(polygon: Polygon) -> float:
    (x0, y0), (x1, y1) = polygon[0], polygon[1]
    return math.atan2(y1 - y0, x1 - x0)


def _in_reading_order(found: Iterable[Place]) -> list[Place]:
    return sorted(found, key=lambda place: (place.center[1], place.center[0]))
