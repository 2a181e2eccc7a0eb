"""Where a code begins and ends on a line across it, when other things stand beside it.

A strip found by its texture may hold a neighbour's bars, a table's line or dust beside the code. What lies between is paper: wider
than any space inside a code, which is four modules at most, while the bars of a code stand three modules apart. So the line is cut at
every wide light place, and each stretch of pieces that could hold twenty characters is a candidate.
"""

from __future__ import annotations

import cv2
import numpy as np

from nhirx_scanner.forms import Array
from nhirx_scanner.percentiles import percentiles

_WIDE = 1.7  # light places wider than so many distances between bars may be the rim of a code
_LIGHT = 0.72  # of the way from ink to paper
_LEAST_BARS = 34  # twenty characters have 67 bars or more; blur and stains take some
_MOST = 3


def spans(profile: Array, usual: tuple[float, float] | None, enlarged: float = 1.0) -> list[tuple[float, float]]:
    """(low, high) in samples, ``usual`` first. ``enlarged``: how many samples a pixel of the page has become."""
    out = [] if usual is None else [usual]
    line = cv2.GaussianBlur(np.ascontiguousarray(profile[None], np.float32), (0, 0), 0.5 * enlarged + 0.3)[0]
    reach = int(40 * enlarged) | 1
    kernel = np.ones((1, reach), np.uint8)
    paper = cv2.blur(cv2.dilate(line[None], kernel), (reach, 1))[0]
    ink = cv2.blur(cv2.erode(line[None], kernel), (reach, 1))[0]
    contrast = paper - ink
    # Where nothing is printed there is no contrast either.
    level = np.maximum(contrast, 0.35 * percentiles(contrast, 80)[0])
    dark = np.nonzero((paper - line) > (1 - _LIGHT) * level)[0]
    if len(dark) < 50:
        return out
    lows = (
        np.flatnonzero((line[1:-1] <= line[:-2]) & (line[1:-1] < line[2:]) & ((paper - line)[1:-1] > (1 - _LIGHT) * level[1:-1]))
        + 1
    )
    if len(lows) < _LEAST_BARS:
        return out
    apart = float(np.median(np.diff(lows)))
    gaps = np.diff(dark) - 1
    wide = np.nonzero(gaps > _WIDE * apart)[0]
    starts: Array = np.concatenate([dark[:1], dark[wide + 1]])
    stops: Array = np.concatenate([dark[wide], dark[-1:]])
    bars = np.searchsorted(lows, stops, "right") - np.searchsorted(lows, starts)
    sizes = np.r_[np.inf, gaps[wide], np.inf]
    found: list[tuple[float, float, float]] = []
    for first in range(len(starts)):
        for last in range(first, min(len(starts), first + 8)):
            count, length = int(bars[first : last + 1].sum()), float(stops[last] - starts[first])
            if not _LEAST_BARS <= count <= 140 or length < 150 * enlarged:
                continue
            inner = float(sizes[first + 1 : last + 1].max()) if last > first else 0.0
            outer = min(float(sizes[first]), float(sizes[last + 1]))
            found.append((inner / min(outer, 20 * apart), float(starts[first]), float(stops[last])))
    for _, low, high in sorted(found):
        if all(abs(low - a) + abs(high - b) > 1.5 * apart for a, b in out):
            out.append((low, high))
        if len(out) == _MOST:
            break
    return out
