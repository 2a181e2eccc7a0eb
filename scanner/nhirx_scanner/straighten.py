"""A strip of bars made straight: bars that lean, fan out or bend are shifted, row by row, until they stand upright.

Perspective, a folded sheet and a wrong angle all show in the same way: the bars of one row lie a little beside those of the
next. The rows are followed from the middle outwards; where they have moved to is fitted by a smooth curve per row.
"""

from __future__ import annotations

import itertools
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray
from nhirx_scanner.rectify import means

Array = NDArray[Any]
_ROWS, _REACH = 9, 7  # bands that are followed; pixels a band may move against its neighbour


def straightened(picture: Gray) -> Gray:
    """``picture`` (an upright strip) with its bars made parallel, or itself when it is too small to tell."""
    height, width = picture.shape
    count = min(_ROWS, height // 4)
    if count < 3 or width < 120:
        return picture
    edges = [k * height // count for k in range(count + 1)]
    bands = means(picture, edges)
    shifts = _follow(bands)
    if float(np.abs(shifts).max()) < 0.4:
        return picture
    middles = np.array([(a + b) / 2 - 0.5 for a, b in itertools.pairwise(edges)], np.float32)
    rows = np.arange(height, dtype=np.float32)
    # Between the middles of two bands the shift changes evenly; beyond the outermost it goes on as it was.
    place = np.clip(np.interp(rows, middles, np.arange(count)), 0, count - 1)
    low = np.minimum(place.astype(int), count - 2)
    part = (place - low)[:, None].astype(np.float32)
    x = np.arange(width, dtype=np.float32)[None] + shifts[low] * (1 - part) + shifts[low + 1] * part
    y = np.repeat(rows[:, None], width, axis=1)
    straight: Gray = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return straight


def _follow(bands: Array) -> Array:
    """(bands × width): how far each band lies to the right of the middle one."""
    count, width = bands.shape
    windows = _windows(width)
    middle = count // 2
    shifts = np.zeros_like(bands)
    for direction in (1, -1):
        # The reference is the mean of what was aligned so far: one damaged band does not lead the others astray.
        reference, known = bands[middle].copy(), 1
        guess = np.zeros(width, np.float32)
        k = middle + direction
        while 0 <= k < count:
            moved = _shifted(bands[k], guess)
            found = _fit([_match(reference, moved, a, b) for a, b in windows], windows, width)
            guess = guess + found
            shifts[k] = guess
            reference = (reference * known + _shifted(bands[k], guess)) / (known + 1)
            known = min(known + 1, 4)
            k += direction
    return shifts


def _windows(width: int) -> list[tuple[int, int]]:
    count = int(np.clip(width // 150, 2, 7))
    half = max(50, int(0.75 * width / count))
    centers = np.linspace(half + _REACH, width - half - _REACH, count) if width > 2 * (half + _REACH) else [width / 2]
    return [(max(_REACH, int(c - half)), min(width - _REACH, int(c + half))) for c in centers]


def _match(reference: Array, line: Array, a: int, b: int) -> tuple[float, float]:
    """(shift, weight) of ``line`` against ``reference`` between a and b."""
    scores = cv2.matchTemplate(line[None, a - _REACH : b + _REACH], reference[None, a:b], cv2.TM_CCOEFF_NORMED)[0]
    best = int(scores.argmax())
    shift = float(best - _REACH)
    if 0 < best < len(scores) - 1:
        left, top, right = float(scores[best - 1]), float(scores[best]), float(scores[best + 1])
        bend = left - 2 * top + right
        shift += 0.5 * (left - right) / bend if bend < -1e-6 else 0.0
    return shift, max(0.0, float(scores[best]) - 0.3) ** 2


def _fit(found: list[tuple[float, float]], windows: list[tuple[int, int]], width: int) -> Array:
    """A straight line (a parabola from five windows on) through the shifts, by weight."""
    at = np.array([(a + b) / 2 / width for a, b in windows])
    shift, weight = np.array([f[0] for f in found]), np.array([f[1] for f in found])
    x = np.arange(width) / width
    if weight.sum() < 1e-6:
        return np.zeros(width, np.float32)
    degree = 0 if len(at) < 2 or (weight > 0.02).sum() < 2 else 1 if (weight > 0.02).sum() < 5 else 2
    powers = np.vander(at, degree + 1)
    scaled = np.sqrt(weight)
    line, *_ = np.linalg.lstsq(powers * scaled[:, None], shift * scaled, rcond=None)
    fitted: Array = np.clip(np.vander(x, degree + 1) @ line, -_REACH, _REACH).astype(np.float32)
    return fitted


def _shifted(line: Array, shift: Array) -> Array:
    x = np.arange(len(line), dtype=np.float32)
    return np.interp(x + shift, x, line).astype(np.float32)
