"""A strip of bars cut out anew: where its code ends, how high it is, and how its line rises, from a close look around it.

The texture of a page is looked at in coarse cells, and over gaps: a code can come with its neighbour's bars, the rim of the sheet,
or without a part that is faint. Close by, in a window turned so that the bars stand upright, small cells tell bars from the rest,
and light places wider than any space of a code are not crossed.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from nhirx_scanner.engines import Gray
from nhirx_scanner.forms import Array
from nhirx_scanner.locate import Bars, rise
from nhirx_scanner.percentiles import percentiles
from nhirx_scanner.rectify import Cut, window

_CELL = 4  # pixels
_ALONG = 11  # pixels of the mean along the bars
_UPRIGHT = 0.3  # how much more upright than level edges a place must hold
_FAINT = 0.12  # share of the strip's usual edges below which a place is empty
_REACH, _LONG = 0.8, 500.0  # of the strip's length, to either side; pixels of a strip that hardly misses a part of its code


def recut(gray: Gray, bars: Bars, cut: Cut) -> Bars | None:
    """The code that ``cut`` shows a part or too much of, or None when it is no more than was seen before."""
    angle = math.atan2(-cut.matrix[0, 1], cut.matrix[1, 1])
    middle = cut.matrix @ np.array([cut.picture.shape[1] / 2, cut.picture.shape[0] / 2, 1.0])
    reach_u = bars.length / 2 + (_REACH * bars.length if bars.length < _LONG else 100.0)
    reach_v = bars.height / 2 + max(40.0, 0.15 * bars.length)
    x, y = float(middle[0]), float(middle[1])
    wide = window(gray, (x, y), angle, reach_u, reach_v)
    upright, level = _edges(wide)
    rows, columns = upright.shape
    if rows < 4 or columns < 20:
        return None
    inside = upright[
        max(0, rows // 2 - max(1, int(bars.height / 4 / _CELL))) : rows // 2 + max(1, int(bars.height / 4 / _CELL)) + 1,
        max(0, columns // 2 - int(bars.length / 2.5 / _CELL)) : columns // 2 + int(bars.length / 2.5 / _CELL) + 1,
    ]
    usual = percentiles(inside, 60)[0]
    mask: Array = ((upright - level > _UPRIGHT * (upright + level + 1.0)) & (upright > _FAINT * usual)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 1), np.uint8))
    padded = cv2.copyMakeBorder(mask, 2, 2, 4, 4, cv2.BORDER_CONSTANT, value=(0,))
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))[2:-2, 4:-4]
    closed = cv2.morphologyEx(np.ascontiguousarray(closed), cv2.MORPH_OPEN, np.ones((3, 5), np.uint8))
    count, labels, stats, centers = cv2.connectedComponentsWithStats(np.ascontiguousarray(closed), connectivity=4)
    best, index = 0.0, 0
    for k in range(1, count):
        off = abs(float(centers[k][0]) - columns / 2) * _CELL / bars.length
        weight = float(stats[k, cv2.CC_STAT_AREA]) * math.exp(-2 * max(0.0, off - 0.3))
        if weight > best:
            best, index = weight, k
    if not index:
        return None
    ys, xs = np.nonzero(labels == index)
    slope = rise(xs.astype(float), ys.astype(float))
    across = (xs.min() + xs.max()) / 2
    flat = ys - slope * (xs - across)
    top, bottom = percentiles(flat, 4, 96)
    low, high = float(xs.min()), float(xs.max()) + 1
    u = ((low + high) / 2) * _CELL - reach_u
    v = ((top + bottom + 1) / 2) * _CELL - reach_v
    c, s = math.cos(angle), math.sin(angle)
    center = x + c * u - s * v, y + s * u + c * v
    along, down = center[0] * c + center[1] * s, center[1] * c - center[0] * s
    half, tall = (high - low) * _CELL / 2, (bottom - top + 1) * _CELL / 2
    if 2 * half < 150 or 2 * half < 1.2 * tall:
        return None
    return Bars(angle, along - half, along + half, down - tall, down + tall, bars.score, slope)


def _edges(wide: Gray) -> tuple[Array, Array]:
    """Per cell: energy of the edges that run on upright, and of those that run on level."""
    rows, columns = wide.shape[0] // _CELL, wide.shape[1] // _CELL
    out = []
    for size, dx, dy in (((1, _ALONG), 1, 0), ((_ALONG, 1), 0, 1)):
        even = cv2.boxFilter(wide, cv2.CV_32F, size)
        edges = cv2.Sobel(even, cv2.CV_32F, dx, dy, ksize=1)
        energy = cv2.multiply(edges, edges)
        cells = cv2.resize(energy[: rows * _CELL, : columns * _CELL], (columns, rows), interpolation=cv2.INTER_AREA)
        out.append(np.maximum(cv2.blur(cells, (3, 1) if dx else (5, 3)), 0.0))
    return out[0], out[1]
