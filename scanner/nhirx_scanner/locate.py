"""Where codes may be: bars are many edges of one direction, QR codes are dark and dense with edges of both.

Everything is decided on the structure tensor of the picture, averaged over cells of 8×8 pixels. So a code is found from its
texture, long before its bars can be told apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.percentiles import percentiles

CELL = 8
_STRIPE = 8  # cell rows worked on at once: keeps the intermediate pictures in the cache, which is three times as fast
_DIRECTIONS = 12
_BLOBS = ((0.75, 0.12), (0.5, 0.12), (0.3, 0.12), (0.17, 0.12))  # least edges and darkness, by the brightness of the paper
_FADED = ((0.2, 0.04), (0.1, 0.03))
_PALE = 0.3  # of the brightness of the paper: less between dark and light is a pale page

Grid = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Texture:
    """Per cell: ``energy`` of the gradient, ``coherence`` 0…1 (1: one direction only), ``direction`` of the gradient (radians)."""

    energy: Grid
    coherence: Grid
    direction: Grid


@dataclass(frozen=True, slots=True)
class Bars:
    """A strip of bars: in coordinates turned by ``angle`` it reaches from ``u0`` to ``u1`` across and ``v0`` to ``v1`` along the bars.

    Seen askew, the bars do not stand at right angles to the line they stand on: v is counted from a line that rises by ``slope``
    per pixel of u from the middle on.
    """

    angle: float
    u0: float
    u1: float
    v0: float
    v1: float
    score: float
    slope: float = 0.0

    @property
    def length(self) -> float:
        return self.u1 - self.u0

    @property
    def height(self) -> float:
        return self.v1 - self.v0

    @property
    def center(self) -> tuple[float, float]:
        u, v = (self.u0 + self.u1) / 2, (self.v0 + self.v1) / 2
        c, s = math.cos(self.angle), math.sin(self.angle)
        return u * c - v * s, u * s + v * c

    @property
    def polygon(self) -> Polygon:
        c, s = math.cos(self.angle), math.sin(self.angle)
        rise = self.slope * self.length / 2
        corners = (
            (self.u0, self.v0 - rise),
            (self.u1, self.v0 + rise),
            (self.u1, self.v1 + rise),
            (self.u0, self.v1 - rise),
        )
        return tuple((u * c - v * s, u * s + v * c) for u, v in corners)


@dataclass(frozen=True, slots=True)
class Blob:
    """A dense dark patch around (x, y), ``size`` pixels wide: perhaps a QR code."""

    x: float
    y: float
    size: float
    score: float

    @property
    def center(self) -> tuple[float, float]:
        return self.x, self.y

    @property
    def polygon(self) -> Polygon:
        r = self.size / 2
        return ((self.x - r, self.y - r), (self.x + r, self.y - r), (self.x + r, self.y + r), (self.x - r, self.y + r))


def texture(gray: Gray) -> Texture | None:
    """The structure tensor of ``gray`` per cell; None for a picture of less than two cells."""
    height, width = gray.shape
    rows, columns = height // CELL, width // CELL
    if rows < 2 or columns < 2:
        return None
    inside = gray[: rows * CELL, : columns * CELL]
    xx, yy, xy = (np.empty((rows, columns), np.float32) for _ in range(3))
    for top in range(0, rows, _STRIPE):
        bottom = min(rows, top + _STRIPE)
        above = 1 if top else 0
        part = inside[top * CELL - above : bottom * CELL + 1]
        count = (bottom - top) * CELL
        gx = cv2.Sobel(part, cv2.CV_32F, 1, 0, ksize=3)[above : above + count]
        gy = cv2.Sobel(part, cv2.CV_32F, 0, 1, ksize=3)[above : above + count]
        for out, first, second in ((xx, gx, gx), (yy, gy, gy), (xy, gx, gy)):
            product = cv2.multiply(first, second)
            out[top:bottom] = cv2.resize(product, (columns, bottom - top), interpolation=cv2.INTER_AREA)
    xx, yy, xy = (cv2.blur(a, (3, 3)) for a in (xx, yy, xy))
    energy = xx + yy
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (energy + 50.0)
    return Texture(energy, coherence, 0.5 * np.arctan2(2 * xy, xx - yy))


def find_bars(found: Texture, most: int = 8) -> list[Bars]:
    """Strips of bars, the strongest first."""
    energy = found.energy
    strong = (energy > max(150.0, 3 * float(np.median(energy)))) & (found.coherence > 0.55)
    # Whole degrees 0…179, 180 where nothing is strong: one table look-up per direction instead of arithmetic on every cell.
    degrees = np.where(strong, np.degrees(found.direction).astype(np.int16) % 180, 180).astype(np.uint8)
    candidates: list[Bars] = []
    for step in range(_DIRECTIONS):
        toward = -math.pi / 2 + step * math.pi / _DIRECTIONS
        mask: Grid = cv2.LUT(degrees, _near(step))
        if cv2.countNonZero(mask) < 10:
            continue
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, _line(2, toward))  # a lone edge (sheet, table line) is no code
        if cv2.countNonZero(mask) < 10:
            continue
        # Glare, folds and stains leave gaps across the bars: close them in that direction only.
        padded = cv2.copyMakeBorder(mask, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=0)
        closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, _line(4, toward))[4:-4, 4:-4]
        count, labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(closed), connectivity=8)
        for index in range(1, count):
            if stats[index, cv2.CC_STAT_AREA] >= 10:
                x, y, w, h = (int(value) for value in stats[index, :4])
                window = (slice(y, y + h), slice(x, x + w))
                cells = (labels[window] == index) & (mask[window] > 0)
                if (bars := _fit(found, cells, x, y)) is not None:
                    candidates.append(bars)
    return distinct(sorted(candidates, key=lambda bars: -bars.score), most)


@cache
def _near(step: int) -> Grid:
    """Table of 256: 1 for the degrees within 14 of direction ``step``."""
    off = np.abs((np.arange(180) + 0.5 - math.degrees(-math.pi / 2 + step * math.pi / _DIRECTIONS) + 90) % 180 - 90)
    table = np.zeros(256, np.uint8)
    table[:180] = off < 14
    return table


@cache
def _line(reach: int, angle: float) -> Grid:
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    dx, dy = reach * math.cos(angle), reach * math.sin(angle)
    cv2.line(kernel, (round(reach - dx), round(reach - dy)), (round(reach + dx), round(reach + dy)), (1,), 1)
    return kernel


def _fit(found: Texture, cells: Grid, x: int, y: int) -> Bars | None:
    rows, columns = np.nonzero(cells)
    if len(columns) < 8:
        return None
    directions = found.direction[y : y + cells.shape[0], x : x + cells.shape[1]][cells]
    weights = np.sqrt(found.energy[y : y + cells.shape[0], x : x + cells.shape[1]][cells])
    angle = 0.5 * math.atan2(float((weights * np.sin(2 * directions)).sum()), float((weights * np.cos(2 * directions)).sum()))
    c, s = math.cos(angle), math.sin(angle)
    px, py = (columns + x + 0.5) * CELL, (rows + y + 0.5) * CELL
    u, v = px * c + py * s, py * c - px * s
    u0, u1 = percentiles(u, 1, 99)
    slope = rise(u, v)
    v0, v1 = percentiles(v - slope * (u - (u0 + u1) / 2), 3, 97)
    length, height = u1 - u0 + CELL, v1 - v0 + CELL
    fill = len(columns) * CELL * CELL / (length * height)
    if length < 110 or height < 6 or length < 1.2 * height or fill < 0.35:
        return None
    half = CELL / 2
    return Bars(angle, u0 - half, u1 + half, v0 - half, v1 + half, float(weights.sum()) * min(fill, 1.0), slope)


def rise(u: Grid, v: Grid) -> float:
    """How much v rises per u along the strip. Zero when it is too short to tell, or so steep that it is no strip."""
    du, dv = u - u.mean(), v - v.mean()
    spread = float((du * du).sum())
    slope = float((du * dv).sum()) / spread if spread > 0 else 0.0
    return slope if abs(slope) < 0.5 and spread > 4 * float((dv * dv).sum()) else 0.0


def distinct(candidates: list[Bars], most: int) -> list[Bars]:
    out: list[Bars] = []
    for bars in candidates:
        x, y = bars.center
        if not any(_holds(other, x, y) for other in out):
            out.append(bars)
        if len(out) == most:
            break
    return out


def _holds(bars: Bars, x: float, y: float) -> bool:
    c, s = math.cos(bars.angle), math.sin(bars.angle)
    u, v = x * c + y * s, y * c - x * s
    v -= bars.slope * (u - (bars.u0 + bars.u1) / 2)
    return bars.u0 - 5 < u < bars.u1 + 5 and bars.v0 - 5 < v < bars.v1 + 5


def find_blobs(gray: Gray, found: Texture, most: int = 6, *, faded: bool = False) -> list[Blob]:
    """Dense dark patches that may be QR codes, the strongest first; after them those that show on ``faded`` paper only."""
    rows, columns = found.energy.shape
    small = cv2.resize(gray[: rows * CELL, : columns * CELL], (columns, rows), interpolation=cv2.INTER_AREA)
    paper = cv2.blur(cv2.dilate(small, np.ones((9, 9), np.uint8)).astype(np.float32), (9, 9))
    edges = np.sqrt(found.energy) / (paper + 20)
    dark = 1 - small / (paper + 1)
    # A page that is pale as a whole has little of either: then half as much will do.
    low, high = percentiles(small, 2, 98)
    gain = float(np.clip(_PALE * (high + 1) / max(high - low, 1.0), 1.0, 2.5))
    edges, dark = edges * gain, dark * gain
    out: list[Blob] = []
    pale: set[Blob] = set()
    # Blurred and faded codes only show at low thresholds, where sharp ones run into the text around them: so several.
    for threshold, darkness in _BLOBS + _FADED if faded else _BLOBS:
        mask: Grid = ((edges > threshold) & (dark > darkness) & (found.coherence < 0.8)).astype(np.uint8)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        sizes = stats[1:count, 2:4].max(axis=1) if count > 1 else np.empty(0)
        fits = np.nonzero((stats[1:count, 4] >= 6) & (sizes >= 3) & (sizes <= 70))[0] + 1
        for index in fits[np.argsort(-stats[fits, 4])][:40]:
            x, y, w, h, area = (int(value) for value in stats[index])
            ys, xs = np.nonzero(labels[y : y + h, x : x + w] == index)
            _, (rw, rh), _ = cv2.minAreaRect(np.stack([xs, ys], 1).astype(np.float32))
            if max(rw, rh) + 1 > 2.2 * (min(rw, rh) + 1) or area < 0.45 * (rw + 1) * (rh + 1):
                continue
            blob = Blob(
                (x + w / 2) * CELL, (y + h / 2) * CELL, float(max(w, h) * CELL), float(edges[y : y + h, x : x + w][ys, xs].sum())
            )
            if not any(_same(blob, other) for other in out):
                out.append(blob)
                if (threshold, darkness) in _FADED:
                    pale.add(blob)
    return sorted(out, key=lambda blob: (blob in pale, -blob.score))[:most]


def _same(blob: Blob, other: Blob) -> bool:
    reach = 0.5 * other.size
    return abs(blob.x - other.x) < reach and abs(blob.y - other.y) < reach and abs(blob.size - other.size) < 0.35 * other.size
