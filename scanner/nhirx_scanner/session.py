"""Video: frames in, one answer per frame, agreement built over them.

A frame that reads needs no more. A frame that does not is still worth something: what its bars and modules *probably* are is
averaged with the frames before it, until the mean can be read. An ID is forgotten a few frames after its sheet has gone, and
at once when another one is read.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nhirx.errors import NhirxError
from nhirx_scanner import images
from nhirx_scanner.engines import Read
from nhirx_scanner.kinds import classify
from nhirx_scanner.result import Scan, failed
from nhirx_scanner.vote import decide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nhirx_scanner.engines import Gray
    from nhirx_scanner.scanner import Scanner

MEMORY = 6
"""Frames that an ID is kept for after it was last read, and that are averaged for one that was not."""
_FRAME_MS = 60.0  # milliseconds: one frame at 16 per second


@dataclass(slots=True)
class _Sum:
    """A weighted mean that grows by a frame at a time; ``frames`` since it was last added to."""

    total: NDArray[Any]
    weight: float
    count: int = 1
    age: int = 0

    def add(self, values: NDArray[Any], weight: float) -> NDArray[Any]:
        self.total, self.weight, self.count, self.age = self.total + weight * values, self.weight + weight, self.count + 1, 0
        mean: NDArray[Any] = self.total / self.weight
        return mean


class Session:
    """One look at a stream of frames of the same camera. Not for sharing between threads: a camera has one reader."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = replace(scanner, effort="fast")
        self._recent: deque[list[Read]] = deque(maxlen=MEMORY)
        self._sums: dict[tuple[object, ...], _Sum] = {}

    def push(self, frame: Any) -> Scan:
        """Look at the next frame: (height, width) grey or (height, width, 3) BGR.

        Takes about one frame time; ``limit_ms`` of the scanner is that time where it is set.
        """
        started = time.perf_counter()
        try:
            gray = images.from_array(frame)
        except NhirxError as error:
            return failed(error)
        reads = self._look(gray, started)
        scan = self._answer(reads)
        self._recent.append([read for read in reads if _is_id(read)])
        return replace(scan, ms=(time.perf_counter() - started) * 1000.0)

    def reset(self) -> None:
        """Forget everything, as after a sheet that was dealt with."""
        self._recent.clear()
        self._sums.clear()

    def _look(self, gray: Gray, started: float) -> list[Read]:
        from nhirx_scanner import on_bars
        from nhirx_scanner.stages import fast_pass, regions

        work = fast_pass(gray, self._scanner)
        before = {read.text for reads in self._recent for read in reads}
        if not before or any(_is_id(read) and read.text not in before for read in work.reads):
            # A sheet that was not seen before: what is taken now may be taken for good, and nothing checks a Code 39.
            work.doubts = True
            on_bars.doubt(work)
        if work.done:
            self._sums.clear()
            return work.reads
        if before:
            return work.reads  # it was read a moment ago: a blurred frame in between is not worth the time
        work.until = started + (self._scanner.limit_ms or _FRAME_MS) / 1000.0
        regions(work)
        if not work.done:
            work.take(self._fused(work), only_ids=True)
        return work.reads

    def _fused(self, work: Any) -> list[Read]:
        """The texts that the mean over the last frames gives for the strongest unread regions."""
        for key in [key for key, mean in self._sums.items() if mean.age > MEMORY]:
            del self._sums[key]
        for mean in self._sums.values():
            mean.age += 1
        for bars, cut in work.bars[:1]:
            if read := self._fuse_bars(bars, cut):
                return [read]
        for _, cut in work.blobs[:2]:
            if work.may("modelqr") and (read := self._fuse_qr(cut)):
                return [read]
        return []

    def _fuse_bars(self, bars: Any, cut: Any) -> Read | None:
        import numpy as np

        from nhirx_scanner import read1d
        from nhirx_scanner.on_bars import is_believed

        for rows in read1d.read_rows(cut.picture.mean(axis=0, dtype=np.float32), enlarged=cut.enlarged)[:2]:
            if rows.reading.cost > 0.25:
                break
            reading = rows.reading
            if not is_believed(reading):
                # A sharp frame says more than a blurred one: its costs are lower where it is right.
                mean = self._mean((rows.form, rows.backwards), rows.costs, 1.0 / max(0.02, reading.cost))
                reading = read1d.solve_places(mean, rows.form, rows.backwards)
            if is_believed(reading):
                return Read(reading.text, reading.symbology, bars.polygon, "model")
        return None

    def _fuse_qr(self, cut: Any) -> Read | None:
        from nhirx_scanner import finders, readqr
        from nhirx_scanner.on_blobs import is_believed_qr

        fitted = readqr.fit_all(cut.picture, finders.from_finders(cut.picture))
        if not fitted or fitted[0].match < 0.5:
            return None
        grid = fitted[0]
        seen = readqr.levels(cut.picture, grid.version, grid.corners)
        for modules in (seen, self._mean(("qr", grid.version), seen, grid.match**2)):
            reading = readqr.decode(modules, grid)
            if reading is not None and is_believed_qr(reading):
                return Read(reading.text, "qr", cut.on_page(reading.corners), "model")
        return None

    def _mean(self, key: tuple[object, ...], values: NDArray[Any], weight: float) -> NDArray[Any]:
        if key in self._sums and self._sums[key].total.shape == values.shape:
            return self._sums[key].add(values, weight)
        self._sums[key] = _Sum(values * weight, weight)
        return values

    def _answer(self, reads: list[Read]) -> Scan:
        ids = {read.text for read in reads if _is_id(read)}
        before = [read for frame in self._recent for read in frame]
        if ids:
            if not ids & {read.text for read in before}:
                self._recent.clear()  # another sheet: the one before it is gone
            # The same text in an earlier frame counts as a second reader of the same code.
            again = [_from_before(now) for now in reads if any(_same(now, old) for old in before)]
            return decide([*reads, *again])
        if before:
            last = next(frame for frame in reversed(self._recent) if frame)
            return decide([*reads, *last, *(_from_before(old) for old in last if sum(_same(old, b) for b in before) > 1)])
        return decide(reads)


def _is_id(read: Read) -> bool:
    return classify(read.text, read.symbology) == "visit-id"


def _same(now: Read, old: Read) -> bool:
    return (now.text, now.symbology) == (old.text, old.symbology)


def _from_before(read: Read) -> Read:
    """The same reading, said by an earlier frame."""
    return Read(read.text, read.symbology, read.polygon, "frame", read.trust)
