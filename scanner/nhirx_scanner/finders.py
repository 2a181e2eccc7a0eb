"""Quadrangles in a crop that may be a QR code: from its finder patterns, and where those do not show, from its dark outline."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Quad:
    """Four corners (4×2, clockwise from the corner between the two finder patterns' arms). ``version`` is 0 when unknown."""

    corners: Array
    version: int = 0

    @property
    def side(self) -> float:
        return float(np.mean(np.hypot(*(np.roll(self.corners, -1, 0) - self.corners).T)))


@cache
def _template(module: float, shape: str) -> Array:
    """A finder pattern with its light border, ``module`` pixels per module: square, diamond (turned by 45°) or round (any angle)."""
    size = math.ceil(9 * module) | 1
    k = ((np.arange(size * 4) + 0.5) / 4 - size / 2) / module
    x, y = np.meshgrid(k, k)
    if shape == "round":
        away = np.hypot(x, y) / 1.08
    elif shape == "diamond":
        away = np.maximum(np.abs(x + y), np.abs(x - y)) / math.sqrt(2)
    else:
        away = np.maximum(np.abs(x), np.abs(y))
    light = np.where((away < 1.5) | ((away > 2.5) & (away < 3.5)), 0.0, 1.0)
    pattern = light.reshape(size, 4, size, 4).mean(axis=(1, 3)).astype(np.float32)
    blurred: Array = cv2.GaussianBlur(pattern, (0, 0), 0.5)
    return blurred


def find_finders(crop: Gray, least: float = 0.55) -> list[tuple[float, float, float, float]]:
    """(match, x, y, pixels per module) of the places that look most like a finder pattern, at most a dozen."""
    picture = crop.astype(np.float32)
    smallest = min(crop.shape)
    hits = []
    # The crop is a code of 21 to 29 modules with a margin that may be too large or too small.
    module = max(1.3, smallest / 68)
    while module < min(10.0, smallest / 20):
        # Large modules are looked for in a smaller picture: the pattern is the same and the search is a square cheaper.
        shrink = 1 if module < 4 else 2
        small = picture if shrink == 1 else cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        for shape in ("round", "square", "diamond"):
            template = _template(round(module / shrink, 3), shape)
            pad = template.shape[0] // 2
            padded = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
            match = cv2.matchTemplate(padded, template, cv2.TM_CCOEFF_NORMED)
            if shape == "round" and float(match.max()) < least - 0.1:
                break  # a square one, whichever way it is turned, looks round enough to be seen here
            ys, xs = np.nonzero((match > least) & (match == cv2.dilate(match, np.ones((5, 5), np.uint8))))
            hits += [(float(match[y, x]), (x + 0.5) * shrink, (y + 0.5) * shrink, module) for y, x in zip(ys, xs, strict=True)]
        module *= 1.17
    hits.sort(reverse=True)
    out: list[tuple[float, float, float, float]] = []
    for hit in hits:
        if all(math.dist(hit[1:3], other[1:3]) > 2.5 * max(hit[3], other[3]) for other in out):
            out.append(hit)
            if len(out) == 12:
                break
    return out


def from_finders(crop: Gray, most: int = 6) -> list[Quad]:
    """Quadrangles of three finder patterns at right angles and distances that fit a version."""
    found = find_finders(crop)
    quads: list[tuple[float, Quad]] = []
    for corner, right, below in itertools.permutations(found, 3):
        modules = (corner[3], right[3], below[3])
        if max(modules) > 1.45 * min(modules):
            continue
        at = np.array(corner[1:3])
        u, v = np.array(right[1:3]) - at, np.array(below[1:3]) - at
        lu, lv = math.hypot(*u), math.hypot(*v)
        if u[0] * v[1] <= u[1] * v[0] or max(lu, lv) > 1.4 * min(lu, lv) or abs(float(u @ v)) > 0.3 * lu * lv:
            continue
        apart = (lu + lv) / 2 / (sum(modules) / 3)
        for version, modules_apart in ((1, 14), (2, 18), (3, 22)):
            if 0.78 < apart / modules_apart < 1.28:
                quads.append(
                    (corner[0] + right[0] + below[0] - 1.2 * abs(math.log(apart / modules_apart)), _quad(at, u, v, version))
                )
    quads.sort(key=lambda item: -item[0])
    return [quad for _, quad in quads[:most]]


def _quad(at: Array, u: Array, v: Array, version: int) -> Quad:
    size, apart = 17 + 4 * version, 10 + 4 * version
    du, dv = u / apart, v / apart
    origin = at - 3.5 * du - 3.5 * dv
    return Quad(np.array([origin, origin + size * du, origin + size * (du + dv), origin + size * dv], np.float32), version)


def from_outline(crop: Gray) -> list[Quad]:
    """Quadrangles around the dark mass in the middle, version and way round unknown."""
    smallest = min(crop.shape)
    window = max(9, smallest // 8) | 1
    soft = cv2.GaussianBlur(crop, (0, 0), 1.0)
    paper = cv2.blur(cv2.dilate(soft, np.ones((window, window), np.uint8)), (window, window)).astype(np.float32)
    relative = soft / (paper + 1)
    out: list[Quad] = []
    for threshold in (0.8, 0.65):
        dark = (relative < threshold).astype(np.uint8)
        for reach in (max(3, smallest // 22), max(3, smallest // 14)):
            kernel = np.ones((reach, reach), np.uint8)
            mass = cv2.morphologyEx(cv2.morphologyEx(dark, cv2.MORPH_CLOSE, kernel), cv2.MORPH_OPEN, kernel)
            contours, _ = cv2.findContours(mass, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            for contour in sorted(contours, key=cv2.contourArea)[-2:]:
                box = cv2.minAreaRect(contour)
                low, high = min(box[1]), max(box[1])
                if cv2.contourArea(contour) >= 0.08 * smallest * smallest and low >= 18 and high <= 1.35 * low:
                    quad = Quad(np.array(cv2.boxPoints(box), np.float32))
                    if not any(_alike(quad, other) for other in out):
                        out.append(quad)
    return out


def _alike(quad: Quad, other: Quad) -> bool:
    apart = math.dist(quad.corners.mean(0), other.corners.mean(0))
    return apart < 0.12 * quad.side and abs(other.side - quad.side) < 0.1 * quad.side
