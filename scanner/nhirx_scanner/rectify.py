"""Regions cut out and straightened: an upright strip for bars, a padded square for a QR code, and what may be tried on them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.locate import Bars, Blob


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of the page. ``matrix`` (2×3) takes a point of ``picture`` to the page."""

    picture: Gray
    matrix: NDArray[Any]

    @property
    def enlarged(self) -> float:
        """How many samples a pixel of the page has become."""
        return 1.0 / float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    def on_page(self, polygon: Polygon) -> Polygon:
        points = np.array(polygon, np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]
        return tuple((float(x), float(y)) for x, y in points)


_ROWS = 24  # of a strip, while it is turned this way and that


def strip(gray: Gray, bars: Bars, *, grown: bool = True) -> Cut:
    """The bars upright, two or three times enlarged, their angle refined by where the columns differ most.

    ``grown``: look first whether they go on beyond their ends.
    """
    bars = _grown(gray, bars) if grown else bars
    up = 3.0 if bars.length < 450 else 2.0 if bars.length < 1100 else 1.0
    best, turn = -1.0, 0.0
    for sweep, center in ((np.arange(-3, 3.1, 1.0), 0.0), (np.array([-0.5, 0.5]), None)):
        start = turn if center is None else center
        for offset in np.radians(sweep):
            profile = line_of(_cut(gray, bars, 1.0, margin=0.0, least=0.0, turn=start + float(offset), most=_ROWS).picture)
            contrast = float(np.var(np.diff(profile)))
            if contrast > best:
                best, turn = contrast, start + float(offset)
    return _cut(gray, bars, up, margin=0.06, least=12.0, turn=turn)


def _grown(gray: Gray, bars: Bars) -> Bars:
    """The region with its ends moved outwards to where the bars really end: a fold or a shadow may have cut it short."""
    reach = 0.6
    wide = _cut(gray, bars, 1.0, margin=reach, least=0.0, turn=0.0).picture
    middle = wide[wide.shape[0] // 4 : max(wide.shape[0] // 4 + 1, 3 * wide.shape[0] // 4)]
    steps = np.abs(np.diff(line_of(middle)))
    activity = cv2.blur(steps[None], (15, 1))[0]
    first = int(reach / (1 + 2 * reach) * len(activity))
    last = len(activity) - first
    level = 0.35 * float(np.median(activity[first:last]))
    low, high, gap = first, last, max(14, int(0.05 * bars.length))
    busy = activity > level
    while low > 0 and busy[max(0, low - gap) : low].any():
        low = max(0, low - gap) + int(busy[max(0, low - gap) : low].argmax())
    while high < len(busy) and busy[high : high + gap].any():
        high += int(np.nonzero(busy[high : high + gap])[0][-1]) + 1
    return replace(bars, u0=bars.u0 - (first - low), u1=bars.u1 + (high - last))


def _cut(gray: Gray, bars: Bars, up: float, *, margin: float, least: float, turn: float, most: int | None = None) -> Cut:
    """``most``: only so many rows, as far apart as that makes them."""
    x, y = bars.center
    length = bars.length + 2 * max(least, margin * bars.length) if least or margin else bars.length
    width, height = max(8, int(length * up)), max(4, int(max(6.0, bars.height) * up))
    c, s = math.cos(bars.angle + turn) / up, math.sin(bars.angle + turn) / up
    rows = height if most is None else min(height, most)
    lower = height / rows
    # Rows follow the line the bars stand on, columns follow the bars.
    ux, uy = c - bars.slope * s, s + bars.slope * c
    matrix = np.array(
        [[ux, -s * lower, x - ux * width / 2 + s * height / 2], [uy, c * lower, y - uy * width / 2 - c * height / 2]]
    )
    picture = cv2.warpAffine(
        gray,
        matrix,
        (width, rows),
        flags=(cv2.INTER_CUBIC if up > 1 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Cut(picture, matrix)


def window(gray: Gray, center: tuple[float, float], angle: float, reach_u: float, reach_v: float) -> Gray:
    """The page around ``center``, turned by ``angle``, as far as ``reach_u`` to the sides and ``reach_v`` up and down."""
    width, height = int(2 * reach_u), int(2 * reach_v)
    c, s = math.cos(angle), math.sin(angle)
    x, y = center
    matrix = np.array([[c, -s, x - c * width / 2 + s * height / 2], [s, c, y - s * width / 2 - c * height / 2]])
    turned: Gray = cv2.warpAffine(
        gray, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return turned


def square(gray: Gray, blob: Blob, margin: float = 0.28) -> Cut:
    """The patch with a margin of ``margin`` of its size on each side."""
    reach = blob.size / 2 * (1 + 2 * margin) + 6
    left, top = int(max(0, blob.x - reach)), int(max(0, blob.y - reach))
    right, bottom = int(min(gray.shape[1], blob.x + reach)), int(min(gray.shape[0], blob.y + reach))
    return Cut(np.ascontiguousarray(gray[top:bottom, left:right]), np.array([[1.0, 0.0, left], [0.0, 1.0, top]]))


def barness(picture: Gray) -> float:
    """0…1: how much of what varies in a strip varies across it only. Bars are near 1, lines of text far below one half."""
    total = float(cv2.meanStdDev(picture)[1][0, 0]) ** 2
    return float(line_of(picture).var()) / total if total > 1 else 0.0


def line_of(picture: Gray) -> NDArray[Any]:
    """The mean over all rows."""
    line: NDArray[Any] = cv2.reduce(picture, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[0]
    return line


def means(picture: Gray, edges: list[int]) -> NDArray[Any]:
    """(bands × columns): the mean of the rows between every two of ``edges``."""
    return np.stack([line_of(picture[low:high]) for low, high in itertools.pairwise(edges)])


def bands(picture: Gray) -> Gray:
    """A strip averaged along its bars over 1, 2, 3 and 5 bands, each also sharpened, stacked as one picture.

    Broken bars, dot-matrix print and low ink vanish in the mean.
    """
    height = picture.shape[0]
    rows = []
    for count in (1, 2, 3, 5):
        for part in range(count):
            low = part * height // count
            piece = picture[low : max(low + 1, (part + 1) * height // count)]
            rows.append(line_of(piece))
            if count <= 3:
                rows.append(middling(piece))
    profiles = np.array(rows, np.float32)
    stacked = [profiles]
    for sigma, amount in ((2.0, 1.5), (3.0, 2.5), (4.5, 3.5)):
        stacked.append(profiles + amount * (profiles - cv2.GaussianBlur(profiles, (0, 0), sigmaX=sigma, sigmaY=1e-3)))
    return np.repeat(np.vstack(stacked).clip(0, 255).astype(np.uint8), 4, axis=0)


def middling(piece: Gray) -> NDArray[Any]:
    """The line that most of a strip agrees on: the median over the means of at most 15 bands, so that no pen stroke shows in it."""
    count = min(15, piece.shape[0])
    lines = means(piece, [k * piece.shape[0] // count for k in range(count + 1)])
    return _median(lines)


def _median(lines: NDArray[Any]) -> NDArray[Any]:
    """The median of every column. So few values sort faster than numpy looks for their median."""
    ordered = np.sort(np.ascontiguousarray(lines.T), axis=1)
    line: NDArray[Any] = (ordered[:, (len(lines) - 1) // 2] + ordered[:, len(lines) // 2]) / 2
    return line


def weighed(piece: Gray) -> NDArray[Any]:
    """The mean over at most 12 bands of a strip, each by its contrast and by how well it goes with the rest."""
    count = min(12, piece.shape[0])
    lines = means(piece, [k * piece.shape[0] // count for k in range(count + 1)])
    detail = lines - cv2.blur(lines, (151, 1))
    usual = _median(detail)
    sizes = np.sqrt(np.square(detail).sum(axis=1)) + 1e-3
    alike = (detail @ usual) / (sizes * (float(np.sqrt(np.square(usual).sum())) + 1e-3))
    weights = np.clip(alike, 0, 1) ** 2 * sizes + 1e-6
    line: NDArray[Any] = (weights @ lines / weights.sum()).astype(np.float32)
    return line


def enlargement(picture: Gray) -> int:
    """How many times a QR crop is enlarged before it is read."""
    smallest = min(picture.shape)
    return 4 if smallest < 110 else 3 if smallest < 220 else 2 if smallest < 420 else 1


def enlarged(picture: Gray) -> Gray:
    factor = enlargement(picture)
    if factor == 1:
        return picture
    large: Gray = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return large


def sharpened(picture: Gray, sigma: float, amount: float) -> Gray:
    """Unsharp masking; ``sigma`` in pixels of ``picture``."""
    sharp: Gray = cv2.addWeighted(picture, 1 + amount, cv2.GaussianBlur(picture, (0, 0), sigma), -amount, 0)
    return sharp


def treatments(large: Gray, factor: int) -> Iterator[Gray]:
    """What else to try on a QR crop enlarged ``factor`` times, the most useful first."""
    yield cv2.createCLAHE(4, (4, 4)).apply(large)
    window = int(min(large.shape) / 5) | 1
    if window >= 3:
        yield cv2.adaptiveThreshold(large, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, window, 4)
    yield cv2.GaussianBlur(large, (0, 0), 0.7 * factor)
    yield cv2.medianBlur(large, 5)
