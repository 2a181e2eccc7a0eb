"""Bars that their texture does not show: broken, dotted, faint, in noise or out of focus.

Where holes or grain have edges of their own, no cell has *one* direction. So the page is turned until the edges of one of its
main directions stand upright, averaged along them, and only then asked for edges: what runs on is kept, all else averages out.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from nhirx_scanner.engines import Gray
from nhirx_scanner.locate import CELL, Bars, Grid, Texture, distinct, rise
from nhirx_scanner.percentiles import percentiles

_AREA = 0.45e6  # pixels that are looked at: finer, it finds no more
_ALONG = 9  # pixels of the mean along the bars
_UPRIGHT = 0.35  # how much more upright than level edges a place must hold
_BINS = 90  # of two degrees


def find_bars(gray: Gray, found: Texture, most: int = 6) -> list[Bars]:
    """Strips of bars in the main directions of the page, the strongest first."""
    candidates = [bars for angle in directions(found) for bars in _along(gray, angle)]
    return distinct(sorted(candidates, key=lambda bars: -bars.score), most)


def directions(found: Texture, most: int = 3) -> list[float]:
    """The directions (radians) across which most edges of the page lie, at least ten degrees apart."""
    clear = found.energy > max(40.0, 2 * float(np.median(found.energy)))
    if np.count_nonzero(clear) < 10:
        clear = found.energy > 20
    weights = (found.coherence * np.sqrt(found.energy))[clear]
    places = (found.direction[clear] % math.pi / math.pi * _BINS).astype(int) % _BINS
    plain = np.bincount(places, weights, _BINS)
    counts: Grid = np.sum([np.roll(plain, step - 2) * weight for step, weight in enumerate((1, 2, 3, 2, 1))], axis=0)
    out: list[float] = []
    while len(out) < most and counts.max() > 0:
        peak = int(counts.argmax())
        around = np.arange(peak - 2, peak + 3)
        middle = float((counts[around % _BINS] * around).sum() / max(float(counts[around % _BINS].sum()), 1e-9))
        out.append((middle + 0.5) * math.pi / _BINS)
        counts[np.arange(peak - 5, peak + 6) % _BINS] = 0
    return out


def _along(gray: Gray, angle: float) -> list[Bars]:
    """Strips whose bars stand across ``angle``."""
    turned, matrix, scale = _turned(gray, angle)
    upright, level = _edges(turned)
    share = (upright - level) / (upright + level + 3.0)
    on_page = upright[upright > 0.01]
    usual = float(np.median(on_page)) if on_page.size else 0.0
    mask: Grid = ((share > _UPRIGHT) & (upright > max(4.0, 3.5 * usual))).astype(np.uint8)
    padded = cv2.copyMakeBorder(mask, 0, 0, 5, 5, cv2.BORDER_CONSTANT, value=(0,))
    mask = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8))[:, 5:-5]
    mask = np.ascontiguousarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, 9), np.uint8)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    out = []
    for index in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[index])
        if w * CELL / scale < 150 or w < 1.2 * h:
            continue
        window = (slice(y, y + h), slice(x, x + w))
        inside = labels[window] == index
        ys, xs = np.nonzero(inside)
        slope = rise(xs.astype(float), ys.astype(float))
        flat = ys - slope * (xs - (w - 1) / 2)
        top, bottom = percentiles(flat, 5, 95)
        if area < 0.5 * w * (bottom - top + 1):
            continue
        score = float((np.sqrt(upright[window]) * share[window])[inside].sum())
        middle = matrix @ np.array([(x + w / 2) * CELL, (y + (top + bottom + 1) / 2) * CELL, 1.0])
        c, s = math.cos(angle), math.sin(angle)
        u, v = middle[0] * c + middle[1] * s, middle[1] * c - middle[0] * s
        half, reach = w * CELL / 2 / scale, (bottom - top + 1) * CELL / 2 / scale
        out.append(Bars(angle, u - half, u + half, v - reach, v + reach, score, slope))
    return out


def _turned(gray: Gray, angle: float) -> tuple[Gray, Grid, float]:
    """The page with ``angle`` level, the matrix (2×3) back to the page, and the scale."""
    height, width = gray.shape
    scale = min(1.0, math.sqrt(_AREA / (height * width)))
    c, s = math.cos(angle), math.sin(angle)
    wide = max(3 * CELL, int((abs(width * c) + abs(height * s)) * scale))
    high = max(3 * CELL, int((abs(width * s) + abs(height * c)) * scale))
    cx, sx = c / scale, s / scale
    matrix = np.array(
        [
            [cx, -sx, width / 2 - (cx * wide - sx * high) / 2],
            [sx, cx, height / 2 - (sx * wide + cx * high) / 2],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # The rim must not go on outwards: its grain would become lines.
    around = cv2.mean(gray)
    turned: Gray = cv2.warpAffine(gray, matrix, (wide, high), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=around)
    return turned, matrix, scale


def _edges(turned: Gray) -> tuple[Grid, Grid]:
    """Per cell: energy of the edges that run on upright, and of those that run on level."""
    high, wide = turned.shape
    rows, columns = high // CELL, wide // CELL
    across = cv2.boxFilter(turned, cv2.CV_32F, (1, _ALONG))
    down = cv2.boxFilter(turned, cv2.CV_32F, (_ALONG, 1))
    across, down = across[:, 2:] - across[:, :-2], down[2:] - down[:-2]
    upright = cv2.copyMakeBorder(cv2.multiply(across, across), 0, 0, 1, 1, cv2.BORDER_REPLICATE)
    level = cv2.copyMakeBorder(cv2.multiply(down, down), 1, 1, 0, 0, cv2.BORDER_REPLICATE)
    out = []
    for energy in (upright, level):
        cells = cv2.resize(energy[: rows * CELL, : columns * CELL], (columns, rows), interpolation=cv2.INTER_AREA)
        # The filter keeps running sums: below nothing means nothing.
        out.append(np.maximum(cv2.blur(cells, (7, 1)), 0.0))
    return out[0], out[1]
