"""QR codes as a reader meets them: printed, spoilt, photographed or scanned, with a grid laid over them as a fit leaves it.

Nothing here is taken from ``samples``: its sheets are what the trained network is measured on. The modules that are not fixed are
drawn at random. A code is made in four steps, each on a small picture: modules → ink → paper and people → pixels of a sensor.
Where the corners of the code come to lie is carried along.
"""

# ruff: noqa: ARG001 - all faults share one signature
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from nhirx_scanner.qrform import formats, layout

Rng = np.random.Generator
Picture = np.ndarray  # float32, 0 is ink and 255 paper
_EDGE = 7  # modules of paper around the code


@dataclass(frozen=True)
class Made:
    """``truth`` (size × size) is 1 where a module is dark; ``corners`` (4×2, pixels of ``picture``) as a fit would leave them."""

    picture: np.ndarray
    truth: np.ndarray
    corners: np.ndarray
    version: int


def modules(rng: Rng, version: int) -> np.ndarray:
    """A code of random data: 1 is dark."""
    form = layout(version)
    truth = np.where(form.known >= 0, form.known, rng.random((form.size, form.size)) < 0.5).astype(np.uint8)
    if version <= 3:
        _, _, bits = formats(version)[int(rng.integers(len(formats(version))))]
        for copy in form.format:
            truth[copy[:, 0], copy[:, 1]] = bits > 0
    return truth


def make(rng: Rng, version: int, harm: float, truth: np.ndarray | None = None) -> Made:
    """One code. ``harm`` 0…1: how much was done to it at most. ``truth`` lays down its modules, else they are drawn."""
    truth = modules(rng, version) if truth is None else truth
    size = len(truth)
    finest = float(np.exp(rng.uniform(np.log(1.7), np.log(7.0))))
    at_once = rng.random() < 0.5
    scale = finest if at_once else float(rng.uniform(5, 8))
    picture = _inked(rng, truth, scale)
    count = int(rng.integers(0, 1 + round(3.4 * harm)))
    for fault in rng.permutation(len(_PAPER))[:count]:
        picture = _PAPER[int(fault)](picture, rng, harm * float(rng.uniform(0.2, 1.1)), scale)
    picture, corners = _sensed(rng, picture, size, scale, finest, harm)
    count = int(rng.integers(0, 1 + round(3.4 * harm)))
    for fault in rng.permutation(len(_LENS))[:count]:
        picture = _LENS[int(fault)](picture, rng, harm * float(rng.uniform(0.2, 1.1)), finest).clip(0, 255)
    picture = _stored(rng, picture, harm)
    slack = float(rng.choice([0.04, 0.1, 0.22], p=[0.3, 0.45, 0.25]))
    away = rng.normal(0, 1, (4, 2)) * slack + rng.normal(0, slack, 2)
    away[2] += rng.normal(0, 1, 2) * slack * (2.0 if version == 1 else 0.8)
    module = np.hypot(*(corners[1] - corners[0])) / size
    return Made(picture, truth, (corners + module * away).astype(np.float32), version)


# ── ink and paper ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _inked(rng: Rng, truth: np.ndarray, scale: float) -> Picture:
    size = len(truth)
    side = round((size + 2 * _EDGE) * scale)
    dark = np.pad(truth, _EDGE)
    fine = cv2.resize(dark * 255, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    ink = cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    if rng.random() < 0.5:
        ink = _surroundings(rng, ink, size, scale)
    kind = rng.random()
    if kind < 0.25:  # dots grow, or shrink
        grown = (cv2.dilate if rng.random() < 0.7 else cv2.erode)(ink, np.ones((3, 3), np.uint8))
        share = float(rng.uniform(0.2, 0.9)) * min(1.0, scale / 4)
        ink = (1 - share) * ink + share * grown
    elif kind < 0.4:  # rough rims
        rough = cv2.GaussianBlur(rng.standard_normal(ink.shape, np.float32), (0, 0), float(rng.uniform(0.6, 1.6)))
        soft = cv2.GaussianBlur(ink, (0, 0), 0.12 * scale + 0.3)
        ink = ((soft - 0.5) * 4 + rough / rough.std() * float(rng.uniform(0.2, 0.8)) + float(rng.normal(0.5, 0.3))).clip(0, 1)
    elif kind < 0.47:  # a printer of dots
        x = np.arange(side) * float(rng.uniform(1.5, 3.0))
        ink = ink * (0.75 + 0.25 * np.multiply.outer(np.cos(x), np.cos(x))).astype(np.float32)
    paper, black = float(rng.uniform(205, 255)), float(rng.uniform(0, 70))
    return paper + (black - paper) * ink


def _surroundings(rng: Rng, ink: Picture, size: int, scale: float) -> Picture:
    """Lines, letters or something dark beyond the quiet zone."""
    quiet = float(rng.uniform(1.6, 4.5))
    low, high = (_EDGE - quiet) * scale, (_EDGE + size + quiet) * scale
    around = np.zeros_like(ink)
    for _ in range(int(rng.integers(1, 5))):
        where = float(rng.uniform(0, len(ink)))
        if rng.random() < 0.5:
            words, font, tall = (
                "".join(chr(int(c)) for c in rng.integers(48, 90, 14)),
                int(rng.integers(8)),
                float(rng.uniform(0.3, 0.9)),
            )
            around = np.maximum(around, _written(ink.shape, words, (int(rng.uniform(-20, 20)), int(where)), font, tall, 1))
        elif rng.random() < 0.5:
            cv2.line(around, (0, int(where)), (len(ink), int(where)), 1.0, int(rng.integers(1, 3)))
        else:
            cv2.line(around, (int(where), 0), (int(where), len(ink)), 1.0, int(rng.integers(1, 3)))
    if rng.random() < 0.25:
        around[: int(low) - int(rng.integers(0, 3))] = float(rng.uniform(0.3, 1))
    around[max(0, int(low)) : int(high), max(0, int(low)) : int(high)] = 0
    return np.maximum(ink, around)


def _written(shape: tuple[int, ...], words: str, at: tuple[int, int], font: int, tall: float, thick: int) -> Picture:
    layer = np.zeros(shape, np.uint8)
    cv2.putText(layer, words, at, font, tall, 255, thick, cv2.LINE_AA)
    return layer.astype(np.float32) / 255


def _low_ink(picture: Picture, rng: Rng, strength: float, scale: float) -> Picture:
    side = len(picture)
    keep = np.full((side, side), 1 - float(rng.uniform(0.1, 0.25 + 0.55 * strength)), np.float32)
    for _ in range(int(rng.integers(0, 2 + int(6 * strength)))):
        start, thick, pale = int(rng.integers(side)), int(rng.integers(1, 2 + int(0.8 * scale * strength))), rng.uniform(0, 0.3)
        if rng.random() < 0.6:
            keep[start : start + thick] = pale
        else:
            keep[:, start : start + thick] = pale
    return 250 - (250 - picture) * keep


def _thermal(picture: Picture, rng: Rng, strength: float, scale: float) -> Picture:
    """Ink that pales in patches."""
    small = rng.uniform(1 - 0.95 * min(1.0, strength), 1, (4, 4)).astype(np.float32)
    return 250 - (250 - picture) * cv2.resize(small, picture.shape, interpolation=cv2.INTER_CUBIC).clip(0.04, 1)


def _speckled(picture: Picture, rng: Rng, strength: float, scale: float) -> Picture:
    """Flecks without ink, or with too much."""
    rough = cv2.GaussianBlur(rng.standard_normal(picture.shape, np.float32), (0, 0), float(rng.uniform(0.5, 0.5 * scale)))
    level = float(np.quantile(rough[::3, ::3], 1 - 0.02 - 0.22 * strength))
    goal = 245.0 if rng.random() < 0.8 else 30.0
    share = ((rough - level) / (0.15 * rough.std()) + 0.5).clip(0, 1) * float(rng.uniform(0.5, 0.95))
    return picture + (goal - picture) * share


def _strokes(picture: Picture, rng: Rng, strength: float, scale: float) -> Picture:
    """Pen strokes, a stamp, a marker."""
    side = len(picture)
    layer = np.zeros_like(picture)
    for _ in range(int(rng.integers(1, 3))):
        kind, thick = rng.random(), max(1, round(float(rng.uniform(0.2, 0.3 + 0.9 * strength)) * scale))
        if kind < 0.55:
            knots = int(rng.integers(3, 9))
            points = np.cumsum(rng.normal(0, 0.25 * side, (knots, 2)), 0) + rng.uniform(0.2, 0.8, 2) * side
            cv2.polylines(layer, [points.astype(np.int32)], False, 1.0, thick, cv2.LINE_AA)
        elif kind < 0.85:
            middle = tuple(int(v) for v in rng.uniform(0, 1, 2) * side)
            cv2.circle(layer, middle, int(rng.uniform(0.15, 0.7) * side), 1.0, thick, cv2.LINE_AA)
            if rng.random() < 0.6:
                tall = float(rng.uniform(0.8, 3))
                layer = np.maximum(layer, _written(layer.shape, "RX", middle, int(rng.integers(4)), tall, thick + 1))
        else:
            start, end = (tuple(int(v) for v in rng.uniform(-0.2, 1.2, 2) * side) for _ in range(2))
            cv2.line(layer, start, end, 1.0, round(4 * scale), cv2.LINE_AA)
            layer *= 0.3
    colour = float(rng.uniform(10, 170))
    share = layer * float(rng.uniform(0.3, 1.0))
    return picture + (np.minimum(picture, colour) - picture) * share


def _stained(picture: Picture, rng: Rng, strength: float, scale: float) -> Picture:
    """A ring of a cup, a wet spot, a fold, shade of a crumpled sheet, print that shows through."""
    side = len(picture)
    kind = rng.random()
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    if kind < 0.3:
        at, radius = rng.uniform(-0.3, 1.3, 2) * side, float(rng.uniform(0.2, 1.2)) * side
        away = np.hypot(x - at[0], y - at[1])
        ring = np.exp(-np.square((away - radius) / (radius * float(rng.uniform(0.04, 0.12))))) * (0.2 + 0.5 * strength)
        return picture * (1 - (ring + (away < radius) * 0.1) * float(rng.uniform(0.3, 0.9)))
    if kind < 0.65:
        small = rng.standard_normal((6, 6), np.float32) * 45 * strength
        shade = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
        for _ in range(int(rng.integers(0, 4))):
            start, end = (tuple(int(v) for v in rng.uniform(-0.2, 1.2, 2) * side) for _ in range(2))
            cv2.line(shade, start, end, float(rng.uniform(-90, 50)) * strength, int(rng.integers(1, 4)), cv2.LINE_AA)
        return picture + shade
    if kind < 0.85:
        behind = np.zeros_like(picture)
        for row in range(0, side, max(6, round(4 * scale))):
            words = "".join(chr(int(c)) for c in rng.integers(48, 90, 24))
            behind = np.maximum(behind, _written(behind.shape, words, (int(rng.uniform(-30, 10)), row), 0, 0.12 * scale, 1))
        soft = cv2.GaussianBlur(np.ascontiguousarray(behind[:, ::-1]), (0, 0), 0.2 * scale + 0.3)
        return picture - 110 * strength * soft
    at, reach = rng.uniform(0, 1, 2) * side, float(rng.uniform(0.08, 0.3)) * side
    spot = np.exp(-(((np.square(x - at[0]) + np.square(y - at[1])) / reach**2) ** 2))
    blurred = cv2.GaussianBlur(picture, (0, 0), 0.6 * scale)
    return picture + (blurred * 0.8 - picture) * spot * min(1.0, strength + 0.2)


_PAPER: tuple[Callable[[Picture, Rng, float, float], Picture], ...] = (
    _low_ink, _low_ink, _thermal, _speckled, _speckled, _strokes, _strokes, _stained,
)  # fmt: skip


# ── the sensor ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sensed(rng: Rng, picture: Picture, size: int, scale: float, finest: float, harm: float) -> tuple[Picture, np.ndarray]:
    """Turned, in perspective, a little curled, at ``finest`` pixels of a module; and the corners of the code there."""
    flat = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float64) * scale + _EDGE * scale
    angle = float(rng.uniform(-0.8, 0.8) if rng.random() < 0.5 else rng.normal(0, 0.04))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lean = harm * float(rng.uniform(0, 0.04))
    side = size * finest
    corners = ((flat - flat.mean(0)) / (size * scale) @ turn.T + rng.uniform(-lean, lean, (4, 2))) * side
    edge = 3.2 * finest
    low, high = corners.min(0) - edge, corners.max(0) + edge
    corners = corners - low
    width, height = (int(v) for v in np.ceil(high - low))
    if finest < 0.8 * scale:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.35 * scale / finest)
    back = cv2.getPerspectiveTransform(corners.astype(np.float32), flat.astype(np.float32))
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    u = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth
    v = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth
    if rng.random() < 0.35:
        bend = harm * scale * float(rng.uniform(0, 0.6))
        along, across = (u, v) if rng.random() < 0.5 else (v, u)
        wave = bend * np.sin(along / (size * scale) * float(rng.uniform(1.5, 5)) + float(rng.uniform(0, 6)))
        # The fit follows what of it a shift can follow.
        across += wave - wave.mean()
    seen = cv2.remap(picture, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return seen, corners + 0.5


def _defocus(picture: Picture, rng: Rng, strength: float, finest: float) -> Picture:
    if rng.random() < 0.7:
        return cv2.GaussianBlur(picture, (0, 0), 0.35 + (1.2 + 0.15 * finest) * strength * float(rng.uniform(0.5, 1.1)))
    radius = 0.6 + (1.5 + 0.2 * finest) * strength
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return cv2.filter2D(picture, -1, disc / disc.sum())


def _motion(picture: Picture, rng: Rng, strength: float, finest: float) -> Picture:
    length = 1.5 + (4 + 1.0 * finest) * strength * float(rng.uniform(0.4, 1.1))
    angle, bend = float(rng.uniform(0, np.pi)), float(rng.normal(0, 0.25)) if rng.random() < 0.4 else 0.0
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for step in np.linspace(-0.5, 0.5, 40):
        away = angle + bend * step
        x, y = reach + length * step * np.cos(away), reach + length * step * np.sin(away)
        i, j = int(y), int(x)
        for di, wi in ((0, 1 - y + i), (1, y - i)):
            for dj, wj in ((0, 1 - x + j), (1, x - j)):
                kernel[min(i + di, 2 * reach), min(j + dj, 2 * reach)] += wi * wj
    return cv2.filter2D(picture, -1, kernel / kernel.sum())


def _light(picture: Picture, rng: Rng, strength: float, finest: float) -> Picture:
    """A slope of light, or the rim of a shadow."""
    height, width = picture.shape
    slope = cv2.resize(rng.uniform(1 - 0.7 * strength, 1.1, (2, 2)).astype(np.float32), (width, height))
    if rng.random() < 0.3:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        angle = float(rng.uniform(0, 2 * np.pi))
        far = (x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle) + float(rng.uniform(-0.3, 0.3)) * width
        slope = slope * (1 - 0.6 * strength / (1 + np.exp(-(far / float(rng.uniform(0.5, 6))).clip(-30, 30))))
    return picture * slope


def _glare(picture: Picture, rng: Rng, strength: float, finest: float) -> Picture:
    height, width = picture.shape
    at, spread = rng.uniform(0, 1, 2) * (width, height), float(rng.uniform(0.12, 0.6)) * width
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    longer = float(rng.uniform(1, 3))
    spot = np.exp(-(np.square((x - at[0]) / spread) + np.square((y - at[1]) / (spread * longer))))
    return picture + spot * 255 * float(rng.uniform(0.3, 0.5 + 0.7 * strength))


def _noise(picture: Picture, rng: Rng, strength: float, finest: float) -> Picture:
    rough = rng.standard_normal(picture.shape, np.float32) * (1 + 19 * strength)
    if rng.random() < 0.3:
        rough = cv2.GaussianBlur(rough, (0, 0), 0.6) * 1.8
    return picture + rough


def _fade(picture: Picture, rng: Rng, strength: float, finest: float) -> Picture:
    low, high = float(rng.uniform(0, 150)) * strength, 255 - float(rng.uniform(0, 110)) * strength
    return low + picture * (max(high - low, 25) / 255)


def _dust(picture: Picture, rng: Rng, strength: float, finest: float) -> Picture:
    """Lines of a document scanner's glass."""
    picture = picture.copy()
    for _ in range(int(rng.integers(1, 2 + int(5 * strength)))):
        column = int(rng.integers(picture.shape[1]))
        picture[:, column : column + int(rng.integers(1, 3))] = float(rng.uniform(20, 255))
    return picture


_LENS: tuple[Callable[[Picture, Rng, float, float], Picture], ...] = (
    _defocus, _defocus, _motion, _motion, _motion, _light, _glare, _noise, _noise, _fade, _fade, _dust,
)  # fmt: skip


def _stored(rng: Rng, picture: Picture, harm: float) -> np.ndarray:
    """Sharpened by the camera, black and white, or JPEG; 8 bits."""
    if rng.random() < 0.1:
        picture = picture + float(rng.uniform(0.5, 2)) * (
            picture - cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.8, 1.6)))
        )
    grey = picture.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.18:
        grey = _bilevel(rng, grey)
    if rng.random() < 0.75:
        _, packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(max(5.0, 92 - 78 * harm), 95))])
        grey = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    return grey


def _bilevel(rng: Rng, grey: np.ndarray) -> np.ndarray:
    kind = rng.random()
    if kind < 0.5:
        # Around the middle between ink and paper, seldom far off.
        low, high = (float(v) for v in np.percentile(grey, [10, 90]))
        level = low + (high - low) * float(np.clip(rng.normal(0.5, 0.2), 0.1, 0.92))
        return np.where(grey > level, 255, 0).astype(np.uint8)
    if kind < 0.65:
        return cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    if kind < 0.85:
        window = int(rng.integers(5, 40)) * 2 + 1
        return cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, window, float(rng.uniform(2, 14)))
    pattern = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) * 16 + 8
    if kind < 0.93:
        tiled = np.tile(pattern, (grey.shape[0] // 4 + 1, grey.shape[1] // 4 + 1))[: grey.shape[0], : grey.shape[1]]
    else:
        tiled = rng.uniform(20, 235, grey.shape)
    return np.where(grey > tiled, 255, 0).astype(np.uint8)
