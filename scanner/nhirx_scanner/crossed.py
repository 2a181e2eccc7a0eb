"""Foreign ink that runs through a line of print: a pen, a stamp's edge, a rule, dust on a scanner's glass.

An S with a stroke down its back is a clear 9, a 0 is a Q, and every recogniser reads it so: none of them has a doubt that could be
measured. But the stroke goes on beyond the letters, and capitals and digits end where the line ends. From how it comes in it is
followed through the line and taken out; what the letters it ran through say without it is another question (``ocr``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.centreline import Strip, straight
from nhirx_scanner.engines import Gray

Array = NDArray[Any]

_ROWS, _CAPITAL = 64, 24.0
_TOP, _BOTTOM = int((_ROWS - _CAPITAL) / 2), int((_ROWS + _CAPITAL) / 2)
_BEYOND = 9  # rows, over a third of a capital: no tail of a Q or J hangs so low, no Chinese label is so much taller
_INK = 0.45  # of how dark the letters are
_TOUCHES = 12  # pixels within the line
_PAPER = 25  # rows and columns: wider than any stroke of a letter
_BESIDE = 2  # rows outside the letters that may still be theirs
_ALONG = 14  # columns: ink that comes in so wide runs along the line, and all under it may be changed
_STEEPEST = 2.5  # columns a row
_EDGE, _DRIFT = 0.8, 0.05  # columns cut on either side beyond the stroke's own width, and more with every row of the way


@dataclass(frozen=True, slots=True)
class Crossing:
    """``without`` is the line with the ink taken out; ``columns`` (W,) of its picture, whether ink was taken out of the letters there;
    ``scale`` its columns to one of the line's."""

    without: Strip
    columns: Array
    scale: float

    def touched(self, spans: Sequence[tuple[float, float]]) -> list[int]:
        """Which of the places, given by first and last column of the line's own picture, the ink runs through."""
        ends = [(max(0, int(first * self.scale)), int(last * self.scale) + 1) for first, last in spans]
        return [place for place, (first, last) in enumerate(ends) if self.columns[first:last].any()]


def crossing(line: Strip) -> Crossing | None:
    """The ink that touches the letters of a line and goes on above or below them by more than a third of a capital; None without."""
    picture = straight(line, _CAPITAL, _ROWS)
    darker = cv2.subtract(cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((_PAPER, _PAPER), np.uint8)), picture)
    letters = float(np.percentile(darker[_TOP:_BOTTOM], 92))
    count, labels, stats, _ = cv2.connectedComponentsWithStats((darker > _INK * letters).astype(np.uint8), connectivity=8)
    foreign = np.zeros(count, bool)
    for number in range(1, count):
        top, bottom = int(stats[number, cv2.CC_STAT_TOP]), int(stats[number, cv2.CC_STAT_TOP] + stats[number, cv2.CC_STAT_HEIGHT])
        goes_on = top <= _TOP - _BEYOND or bottom >= _BOTTOM + _BEYOND
        foreign[number] = goes_on and int((labels[_TOP + 2 : _BOTTOM - 2] == number).sum()) > _TOUCHES
    if not foreign.any():
        return None
    gone = _followed(foreign[labels])
    without = cv2.inpaint(picture, gone.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    flat = Strip(without, np.full(picture.shape[1], _ROWS / 2 - 0.5, np.float32), _CAPITAL / 2)
    columns: Array = np.any(gone[_TOP - _BESIDE : _BOTTOM + _BESIDE], axis=0)
    return Crossing(flat, columns, _CAPITAL / (2 * line.half))


def _followed(ink: Gray) -> Array:
    """Where foreign ink is, or may be, in the whole strip: outside the letters as it is seen, between them as it comes in."""
    gone = ink.astype(bool)
    inside = slice(_TOP - _BESIDE - 1, _BOTTOM + _BESIDE + 1)
    gone[inside] = False
    for rows, way in (
        (np.arange(_TOP - _BEYOND, _TOP - _BESIDE), 1),
        (np.arange(_BOTTOM + _BESIDE, _BOTTOM + _BEYOND), -1),
    ):
        count, pieces = cv2.connectedComponents(ink[rows].astype(np.uint8), connectivity=8)
        for number in range(1, count):
            ys, xs = np.nonzero(pieces == number)
            seen = np.unique(ys)
            if len(seen) < 3:
                continue
            width = float(np.median([np.ptp(xs[ys == row]) + 1 for row in seen]))
            if width > _ALONG:
                gone[inside, max(0, xs.min() - 1) : xs.max() + 2] = True
                continue
            middles = np.array([xs[ys == row].mean() for row in seen])
            slope = float(np.clip(np.polyfit(rows[seen], middles, 1)[0], -_STEEPEST, _STEEPEST))
            at, start = middles.mean() - slope * rows[seen].mean(), rows[-1] if way > 0 else rows[0]
            for row in range(inside.start, inside.stop):
                half = width / 2 + _EDGE + _DRIFT * max(0, (row - start) * way)
                middle = slope * row + at
                gone[row, max(0, round(middle - half)) : max(0, round(middle + half) + 1)] = True
    return gone
