"""One line from a strip whose rows are not equally good: what glare, a stamp or a stroke of a pen leaves free counts there, and there only.

``rectify.weighed`` gives every row of a strip one weight. But a spot of light washes out the bars in a part of some rows, and a pen
crosses each row somewhere else. Here every row says at every place how it shows the bars that all show: with what contrast, from what
level, and with how much besides. What the rows say is put together by that, place by place.
"""

from __future__ import annotations

import cv2
import numpy as np

from nhirx_scanner.engines import Gray
from nhirx_scanner.forms import Array
from nhirx_scanner.read1d import ends
from nhirx_scanner.rectify import means, weighed

_MOST, _LEAST_ROWS = 24, 3  # bands; rows of a band
_CODE = 285  # modules across a strip and its margins, as far as that is known
_WIDE, _NEAR = 10, 2.5  # modules over which contrast and level are looked at, and what else is seen
_TURNS = 3
_BARE, _BARE_TURNS = 8, 4  # the same where the bars alone are asked for
_UNEVEN = 1.2


def gathered(piece: Gray) -> Array:
    """The line across a strip, from what its rows show best at each place; grey values."""
    rows, module = _rows(piece)
    wide, near = _WIDE * module, _NEAR * module
    level, detail, contrast, bars = _first(rows, wide)
    line: Array = _evened(weighed(piece)[None], wide)[0]
    line = line + bars * np.sqrt(np.square(contrast).mean(axis=0))
    for _ in range(_TURNS):
        middle = _evened(line[None], wide)[0]
        bars = line - middle
        varies = _square(bars[None], wide)[0]
        least = 0.15 * float(np.median(varies)) + 1e-6
        # Where nothing varies, as on the paper beside a code, a row is taken as it is.
        gain = np.clip((_evened(detail * bars[None], wide) + least) / (varies + least), 0, 4)
        base = level - gain * middle
        besides = _square(rows - base - gain * line[None], near)
        besides += 1.0 + 0.5 * float(np.median(besides))
        worth = np.square(gain) / besides
        every = worth.sum(axis=0)
        held = 0.02 * float(np.median(every)) + 1e-9
        line = ((gain * (rows - base) / besides).sum(axis=0) + held * line) / (every + held)
        # Contrast and level are those of the rows that count there.
        shares = worth / (every + 1e-9)
        line = (
            _evened((shares * gain).sum(axis=0)[None], wide / 2)[0] * line
            + _evened((shares * base).sum(axis=0)[None], wide / 2)[0]
        )
    return line.astype(np.float32)


def bared(piece: Gray) -> Array:
    """The bars across a strip alone: where a spot of light lies on all rows, what is left of them in the best ones, as strong as elsewhere.

    Level and contrast are the same everywhere within the code and say nothing; beside it is paper.
    """
    rows, module = _rows(piece)
    wide, near = _BARE * module, _NEAR * module
    level, detail, _, line = _first(rows, wide)
    for _ in range(_BARE_TURNS):
        middle = _evened(line[None], wide)[0]
        bars = line - middle
        varies = _square(bars[None], wide)[0]
        gain = np.maximum(_evened(detail * bars[None], wide), 0) / (varies + 0.15 * float(np.median(varies)) + 1e-9)
        base = level - gain * middle
        besides = _square(rows - base - gain * line[None], near)
        besides += 1.0 + 0.5 * float(np.median(besides))
        every = (np.square(gain) / besides).sum(axis=0)
        held = 0.02 * float(np.median(every)) + 1e-9
        line = ((gain * (rows - base) / besides).sum(axis=0) + held * line) / (every + held)
        size = np.maximum(_evened((line * line)[None], 2 * wide)[0] - np.square(_evened(line[None], 2 * wide)[0]), 0)
        line = line / np.sqrt(size + 0.3 * float(np.median(size)) + 1e-9)
    even: Array = (128 + 50 * line).astype(np.float32)
    found = ends(weighed(piece))
    if found is not None:
        low, high = int(found[0]), int(found[1])
        paper = float(np.percentile(even[low : high + 1], 92))
        even[: max(0, low - 2)] = paper
        even[high + 3 :] = paper
    return even


def _first(rows: Array, wide: float) -> tuple[Array, Array, Array, Array]:
    """Level, detail and contrast of every row, and the bars that all show, each row by its contrast; as strong as one unit of it."""
    level = _evened(rows, wide)
    detail = rows - level
    contrast = np.sqrt(_square(detail, wide))
    usual = float(np.median(contrast)) + 1e-3
    bars: Array = (contrast * detail).sum(axis=0) / (np.square(contrast).sum(axis=0) + 0.01 * usual * usual * len(rows))
    return level, detail, contrast, bars


def levelled(line: Array, enlarged: float) -> Array:
    """``line`` with paper and ink at the same levels everywhere, as far as they show within twenty modules or so."""
    paper, ink = _rims(line, enlarged)
    depth = paper - ink
    depth = np.maximum(depth, 0.35 * float(np.percentile(depth, 80)) + 1e-3)
    even: Array = np.clip(230 - 180 * (paper - line) / depth, -60, 300).astype(np.float32)
    return even


def is_uneven(line: Array, enlarged: float) -> bool:
    """Whether the paper is as much lighter in one place than in another as it is lighter than the ink: a spot of light lies there."""
    paper, ink = _rims(line, enlarged)
    low, high = np.percentile(paper, [5, 95])
    return float(high - low) > _UNEVEN * float(np.median(paper - ink))


def _rims(line: Array, enlarged: float) -> tuple[Array, Array]:
    """How light the paper is and how dark the ink along a line."""
    reach = int(40 * enlarged) | 1
    kernel = np.ones((1, reach), np.uint8)
    soft = cv2.GaussianBlur(np.ascontiguousarray(line[None], np.float32), (0, 0), 0.5 * enlarged + 0.3)
    return cv2.blur(cv2.dilate(soft, kernel), (reach, 1))[0], cv2.blur(cv2.erode(soft, kernel), (reach, 1))[0]


def _rows(piece: Gray) -> tuple[Array, float]:
    """The strip in bands, and about how wide a module is."""
    count = max(1, min(_MOST, piece.shape[0] // _LEAST_ROWS))
    bands = means(piece, [k * piece.shape[0] // count for k in range(count + 1)])
    return bands.astype(np.float32), piece.shape[1] / _CODE


def _evened(lines: Array, size: float) -> Array:
    """Every line smoothed: two running means."""
    width = (int(size) | 1, 1)
    even: Array = cv2.blur(cv2.blur(lines, width, borderType=cv2.BORDER_REPLICATE), width, borderType=cv2.BORDER_REPLICATE)
    return even


def _square(lines: Array, size: float) -> Array:
    # The filter keeps running sums: below nothing means nothing.
    square: Array = np.maximum(_evened(lines * lines, size), 0)
    return square
