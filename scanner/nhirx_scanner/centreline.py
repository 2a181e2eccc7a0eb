"""A line of text made straight: where its middle runs and how tall its letters are, seen in the upright strokes.

A box around a line says little about a sheet that does not lie flat: the line wanders up and down by more than a letter's height.
Upright strokes are dense inside the line and rare above and below; rules, shade and paper have none. The best path for a band of
some height is found column by column (dynamic programming), and the picture is bent straight along it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray

Array = NDArray[Any]

TALL = 64  # rows of a strip
_AROUND = 0.2  # of the box, above and below
_STEP = 8  # columns from one point of the path to the next
_HALVES = range(6, 18)  # rows: half of a capital, in a strip
_BEND = 0.15  # what a row up or down costs


@dataclass(frozen=True, slots=True)
class Strip:
    """``picture`` (64, W) around a line; ``middle`` (W,) the row of its centre; ``half`` half of a capital's height, in rows."""

    picture: Gray
    middle: Array
    half: float

    @property
    def flat(self) -> Strip:
        """The same without any bend, for a line in which nothing was seen."""
        return Strip(self.picture, np.full(len(self.middle), TALL / 2 - 0.5, np.float32), 13.0)


def strip(gray: Gray, corners: Array) -> Strip:
    """The line between ``corners`` (4×2, along the line)."""
    along, down = corners[1] - corners[0], corners[3] - corners[0]
    width, height = float(np.hypot(*along)), float(np.hypot(*down))
    along, down = along / max(width, 1e-6), down / max(height, 1e-6)
    origin = corners[0] - along * 0.5 * height - down * _AROUND * height
    scale = TALL / (height * (1 + 2 * _AROUND))
    matrix = np.array([[along[0] / scale, down[0] / scale, origin[0]], [along[1] / scale, down[1] / scale, origin[1]]])
    flags = (cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    size = (max(TALL, int((width + height) * scale)), TALL)
    picture = cv2.warpAffine(gray, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    middle, half = _centre(picture)
    return Strip(picture, middle, half)


def straight(line: Strip, capital: float, rows: int, *, taller: float = 1.0, lower: float = 0.0, right: float = 0.0) -> Gray:
    """``rows`` rows around the middle, a capital ``capital`` rows tall. ``taller`` stretches upright only; ``lower`` and ``right`` move
    by rows and columns of the result, whose width does not depend on these three.
    """
    scale = capital / (2 * line.half)
    width = int(line.picture.shape[1] * scale) // 4 * 4
    columns = np.arange(width, dtype=np.float32) / np.float32(scale)
    middle = np.interp(columns, np.arange(len(line.middle)), line.middle).astype(np.float32)
    across = np.tile(columns + np.float32(right / scale), (rows, 1))
    down = (np.arange(rows, dtype=np.float32)[:, None] - np.float32(rows / 2 - 0.5 - lower)) / np.float32(scale * taller) + middle
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    return cv2.remap(line.picture, across, down, how, borderMode=cv2.BORDER_REPLICATE)


def _centre(picture: Gray) -> tuple[Array, float]:
    edges = np.abs(cv2.Sobel(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1.0), cv2.CV_32F, 1, 0, ksize=3))
    edges = np.minimum(edges, np.percentile(edges, 97))
    dense = cv2.blur(edges, (int(TALL * 1.2) | 1, 1), borderType=cv2.BORDER_REPLICATE)[:, _STEP // 2 :: _STEP]
    sums = np.vstack([np.zeros((1, dense.shape[1]), np.float32), np.cumsum(dense / (dense.mean() + 1e-6), axis=0)])
    half, rows = _path(np.stack([_gain(sums, half) for half in _HALVES]))
    at = np.arange(len(rows)) * _STEP + _STEP // 2
    middle = np.interp(np.arange(picture.shape[1]), at, rows).astype(np.float32)
    middle = cv2.GaussianBlur(middle[None], (0, 0), 2.0 * _STEP, borderType=cv2.BORDER_REPLICATE)[0]
    return middle, half + 0.5


def _gain(sums: Array, half: int) -> Array:
    """How much denser a band of this height is than its surroundings, around every row (64) in every step."""
    rows = np.arange(TALL)
    first, last = np.clip(rows - half, 0, TALL), np.clip(rows + half + 1, 0, TALL)
    beside = max(2, int(half * 0.6))
    above, below = np.clip(first - beside, 0, TALL), np.clip(last + beside, 0, TALL)
    inside = sums[last] - sums[first]
    outside = sums[below] - sums[above] - inside
    gain: Array = (inside / (2 * half + 1) - outside / (2 * beside)) * np.sqrt(2 * half + 1)
    return gain


def _path(gains: Array) -> tuple[int, list[int]]:
    """The half height whose band is densest along its best path, and the path: a row for every step. ``gains`` (heights, 64, steps)."""
    heights, _, steps = gains.shape
    best, came = gains[:, :, 0], np.zeros((steps, heights, TALL), np.int8)
    wall = np.full((heights, 1), -1e9, gains.dtype)
    for step in range(1, steps):
        up = np.concatenate([wall, best[:, :-1]], axis=1) - _BEND
        down = np.concatenate([best[:, 1:], wall], axis=1) - _BEND
        ahead = np.maximum(np.maximum(up, best), down)
        came[step] = np.where(up >= ahead, -1, np.where(best >= ahead, 0, 1))
        best = ahead + gains[:, :, step]
    height, row = np.unravel_index(int(best.argmax()), best.shape)
    path = [int(row)]
    for step in range(steps - 1, 0, -1):
        path.append(path[-1] + int(came[step, height, path[-1]]))
    return _HALVES[int(height)], path[::-1]
