"""One page while it is worked on: what was read, what was seen and not read yet, and how long it may take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nhirx_scanner import rectify
from nhirx_scanner.engines import Polygon, Read
from nhirx_scanner.kinds import classify
from nhirx_scanner.locate import Bars, Blob
from nhirx_scanner.reasons import could_hold_id
from nhirx_scanner.rectify import Cut
from nhirx_scanner.result import Scan
from nhirx_scanner.vote import decide

if TYPE_CHECKING:
    from nhirx_scanner.engines import Gray
    from nhirx_scanner.locate import Texture
    from nhirx_scanner.readqr import Fitted
    from nhirx_scanner.refit import Refit
    from nhirx_scanner.scanner import Scanner

Grids = list[tuple[Blob, Cut, "Fitted"]]

SECOND_BARS, SECOND_BLOBS = 2, 2
"""Regions that are asked for another printed form once one was read. Counted, not timed: the answer is that of any machine."""


@dataclass(slots=True)
class Work:
    """One page while it is worked on."""

    gray: Gray
    scanner: Scanner
    until: float  # seconds of ``clock``
    clock: Callable[[], float] = time.perf_counter
    reads: list[Read] = field(default_factory=list)
    bars: list[tuple[Bars, Cut]] = field(default_factory=list)
    blobs: list[tuple[Blob, Cut]] = field(default_factory=list)
    qr_like: set[Blob] = field(default_factory=set)
    found: Texture | None = None
    doubtful: dict[str, Read] = field(default_factory=dict)  # texts that the models found and did not believe
    twice: dict[Bars, str] = field(default_factory=dict)  # what the model read of a strip's mean and of what its bands agree on
    unlike: set[Bars] = field(default_factory=set)  # strips that no code of twenty characters looks like
    flat: set[Bars] = field(default_factory=set)  # of these, strips that no code could look like: blur has taken too much
    retried: set[Bars] = field(default_factory=set)  # strips that the library was asked about again
    rest: list[tuple[Bars | Blob, Cut]] = field(default_factory=list)  # regions too small for an ID, not read either
    stacks: dict[Bars, Gray] = field(default_factory=dict)
    drawn: list[tuple[Bars, Cut, Refit | None]] = field(
        default_factory=list
    )  # strips with what their mean says, which is not sure
    grids: Grids = field(default_factory=list)  # QR codes as they were laid over patches that stayed unread
    lines: tuple[Polygon, ...] = ()  # of text, once they were looked for
    two_sheets: bool = False  # the print says so
    doubts: bool = False  # every Code 39 that a library reads is asked of the model: always in files, in video for a new sheet
    _said: tuple[tuple[Read, ...], Scan] | None = None  # what was asked last, and the answer

    @property
    def thorough(self) -> bool:
        return self.scanner.effort == "thorough"

    def may(self, stage: str) -> bool:
        return stage not in self.scanner.skip and self.clock() < self.until

    def take(self, found: Iterable[Read], *, only_ids: bool = False) -> bool:
        """Keep what was found; True when an ID (or placeholder) is among it. Second engines are believed about IDs only."""
        hit = False
        for read in found:
            is_id = classify(read.text, read.symbology) in ("visit-id", "placeholder")
            if is_id or not only_ids:
                self.reads.append(read)
            hit = hit or is_id
        return hit

    def drop(self, region: Bars | Blob) -> None:
        """The region was read: it is unread no more."""
        self.bars = [item for item in self.bars if item[0] is not region]
        self.blobs = [item for item in self.blobs if item[0] is not region]

    def stacked(self, bars: Bars, cut: Cut) -> Gray:
        """The strip averaged over its bands, as several stages ask for it."""
        if bars not in self.stacks:
            self.stacks[bars] = rectify.bands(cut.picture)
        return self.stacks[bars]

    def give(self, ms: float) -> None:
        """At least so much time from now on."""
        self.until = max(self.until, self.clock() + ms / 1000.0)

    @property
    def has_placeholder(self) -> bool:
        """Whether the sheet has said that it carries no ID."""
        return any(classify(read.text, read.symbology) == "placeholder" for read in self.reads)

    @property
    def unread(self) -> list[tuple[Bars | Blob, Cut]]:
        """The regions that look like a code that could hold an ID and were not read; none where a placeholder was read."""
        if self.has_placeholder:
            return []
        bars = [item for item in self.bars if item[0] not in self.unlike and self.could_hold_id(*item)]
        seen: list[tuple[Bars | Blob, Cut]] = [*bars, *(item for item in self.blobs if item[0] in self.qr_like)]
        # What blur has made unlike any code speaks where nothing else does.
        return seen or [*(item for item in self.bars if item[0] in self.flat and self.could_hold_id(*item))]

    def could_hold_id(self, bars: Bars, cut: Cut) -> bool:
        return could_hold_id(bars, cut, [read.polygon for read in self.reads], flat=bars in self.flat)

    @property
    def open_bars(self) -> list[tuple[Bars, Cut]]:
        """The strips worth another try: all, or once a form was read the few strongest that may be another one."""
        if not self.done:
            return list(self.bars)
        strong = sorted(self.bars, key=lambda item: -item[0].score)
        return [item for item in strong if item[0] not in self.unlike and self.could_hold_id(*item)][:SECOND_BARS]

    @property
    def open_blobs(self) -> list[tuple[Blob, Cut]]:
        """As ``open_bars``, the patches."""
        if not self.done:
            return list(self.blobs)
        return self.strongest_blobs(SECOND_BLOBS)

    def strongest_blobs(self, most: int) -> list[tuple[Blob, Cut]]:
        return sorted(self.blobs, key=lambda item: -item[0].score)[:most]

    @property
    def settled(self) -> bool:
        """Whether nothing that is still unread could change the answer."""
        scan = self.answer
        return scan.status in ("several", "conflict") or scan.confidence == "agreed"

    @property
    def done(self) -> bool:
        return self.answer.status in ("found", "several", "conflict")

    @property
    def answer(self) -> Scan:
        """What the readings so far say. It is asked far oftener than anything is read."""
        reads = tuple(self.reads)
        if self._said is None or self._said[0] != reads:
            self._said = reads, decide(self.reads)
        return self._said[1]


def placed(reads: Iterable[Read], cut: Cut, factor: float = 1) -> list[Read]:
    """Readings of a piece that was enlarged ``factor`` times, placed on the page."""
    out = []
    for read in reads:
        shrunk = tuple((x / factor, y / factor) for x, y in read.polygon)
        out.append(read.moved(cut.on_page(shrunk)))
    return out


def is_known(center: tuple[float, float], reach: float, polygons: Iterable[Polygon]) -> bool:
    """Whether something was read there already."""
    for polygon in polygons:
        middle = (sum(p[0] for p in polygon) / 4, sum(p[1] for p in polygon) / 4)
        if math.dist(middle, center) < max(10.0, reach):
            return True
        if cv2.pointPolygonTest(np.array(polygon, np.float32).reshape(-1, 1, 2), center, False) >= 0:
            return True
    return False
