"""What print, paper, hands, cameras and scanners do to a sheet. Each fault takes a picture, a generator and a strength 0…1.

Pictures are uint8 BGR. Faults of print and paper are applied to the flat sheet, faults of the camera to the frame. A box is
x, y, width, height in pixels of the picture that is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

Box = tuple[float, float, float, float]
Rng = np.random.Generator


def _inside(image: np.ndarray, box: Box, margin: float = 0.0) -> tuple[slice, slice]:
    x, y, width, height = box
    grow_x, grow_y = width * margin, height * margin
    top, left = max(0, int(y - grow_y)), max(0, int(x - grow_x))
    return slice(top, max(top + 1, int(y + height + grow_y))), slice(left, max(left + 1, int(x + width + grow_x)))


def _blend(part: np.ndarray, target: float | np.ndarray, weight: np.ndarray) -> np.ndarray:
    mixed = part.astype(np.float32) * (1 - weight) + target * weight
    return np.clip(mixed, 0, 255).astype(np.uint8)


def added(image: np.ndarray, change: np.ndarray) -> np.ndarray:
    """``change`` (height, width) int16 added to every channel."""
    return cv2.add(image, cv2.merge([change] * image.shape[2]), dtype=cv2.CV_8U)


# ── print ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def low_ink(image: np.ndarray, rng: Rng, strength: float, boxes: Sequence[Box]) -> np.ndarray:
    """Pale ink with white lines along and across the print direction."""
    for box in boxes:
        rows, columns = _inside(image, box, 0.05)
        part = image[rows, columns]
        height, width = part.shape[:2]
        weight = np.full((height, width, 1), 0.25 + 0.35 * strength, np.float32)
        for _ in range(int(1 + 5 * strength)):
            if rng.random() < 0.6:
                row, thick = int(rng.integers(height)), int(1 + rng.integers(1 + int(3 * strength)))
                weight[row : row + thick] = 0.95
            else:
                column = int(rng.integers(width))
                weight[:, column : column + 1 + int(strength * 1.6)] = 0.85
        image[rows, columns] = _blend(part, 250.0, weight)
    return image


def bleed(image: np.ndarray, rng: Rng, strength: float, boxes: Sequence[Box]) -> np.ndarray:
    """Ink that ran: dark parts grow."""
    for box in boxes:
        rows, columns = _inside(image, box, 0.1)
        part = image[rows, columns]
        grown = cv2.erode(part, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
        image[rows, columns] = cv2.addWeighted(grown, 0.35 + 0.5 * strength, part, 0.65 - 0.5 * strength, 0)
    return image


def broken(image: np.ndarray, rng: Rng, strength: float, boxes: Sequence[Box]) -> np.ndarray:
    """Flecks without ink: a worn ribbon, a rubbed sheet."""
    for box in boxes:
        rows, columns = _inside(image, box)
        part = image[rows, columns]
        height, width = part.shape[:2]
        noise = cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 1.2)
        holes = (noise > np.quantile(noise, 1 - 0.05 - 0.16 * strength)).astype(np.float32)[..., None]
        image[rows, columns] = _blend(part, 245.0, holes * 0.9)
    return image


# ── paper and people ──────────────────────────────────────────────────────────────────────────────────────────────────


def coffee(image: np.ndarray, rng: Rng, strength: float, boxes: Sequence[Box]) -> np.ndarray:
    """A ring of a cup, somewhere near a code."""
    height, width = image.shape[:2]
    x, y, wide, high = boxes[int(rng.integers(len(boxes)))] if boxes else (width / 2, height / 2, 1, 1)
    radius = width * rng.uniform(0.06, 0.10)
    at = (x + wide * rng.uniform(0, 1), y + high * rng.uniform(0, 1))
    reach = int(radius * 1.3)
    rows, columns = _inside(image, (at[0] - reach, at[1] - reach, 2 * reach, 2 * reach))
    part = image[rows, columns]
    if part.size == 0:
        return image
    ys, xs = np.mgrid[rows.start : rows.start + part.shape[0], columns.start : columns.start + part.shape[1]].astype(np.float32)
    distance = np.hypot(xs - at[0], ys - at[1])
    ring = np.exp(-(((distance - radius) / (radius * 0.06)) ** 2)) * (0.35 + 0.4 * strength) + (distance < radius) * 0.10
    tint = np.array([0.30, 0.50, 0.72], np.float32)
    image[rows, columns] = np.clip(part * (1 - ring[..., None] * (1 - tint)), 0, 255).astype(np.uint8)
    return image


def pen(image: np.ndarray, rng: Rng, strength: float, boxes: Sequence[Box]) -> np.ndarray:
    """Handwriting over a code."""
    if not boxes:
        return image
    x, y, width, height = boxes[int(rng.integers(len(boxes)))]
    count = int(4 + rng.integers(4))
    xs = np.linspace(x + width * rng.uniform(-0.05, 0.5), x + width * rng.uniform(0.5, 1.05), count)
    ys = y + height * (0.5 + rng.uniform(-0.5, 0.5, count) * (0.4 + 0.8 * strength))
    points = np.stack([xs, ys], 1).astype(np.int32)
    colour = ((120, 40, 20), (40, 40, 40), (30, 30, 170))[int(rng.integers(3))]
    return cv2.polylines(image, [points], False, colour, 1 + int(strength * 2.5), cv2.LINE_AA)


def stamp_over(image: np.ndarray, rng: Rng, strength: float, boxes: Sequence[Box]) -> np.ndarray:
    """A vermilion stamp that reaches into a code."""
    if not boxes:
        return image
    x, y, width, height = boxes[int(rng.integers(len(boxes)))]
    layer = np.zeros(image.shape[:2], np.uint8)
    radius = int(max(12, height * rng.uniform(0.5, 0.9)))
    at = (int(x + width * rng.uniform(0.05, 0.95)), int(y + height * rng.uniform(-0.2, 1.2)))
    cv2.circle(layer, at, radius, 255, 2 + int(2 * strength), cv2.LINE_AA)
    cv2.putText(
        layer, "RX", (at[0] - radius // 2, at[1] + radius // 3), cv2.FONT_HERSHEY_DUPLEX, radius / 34, 255, 2, cv2.LINE_AA
    )
    reach = 2.2 * radius + 6  # the letters are a little wider than the ring
    rows, columns = _inside(image, (at[0] - reach, at[1] - reach, 2 * reach, 2 * reach))
    part = image[rows, columns]
    weight = layer[rows, columns].astype(np.float32)[..., None] / 255 * (0.35 + 0.5 * strength)
    image[rows, columns] = _blend(part, np.minimum(part, np.array([50, 45, 190], np.uint8)), weight)
    return image


def crumple(image: np.ndarray, rng: Rng, strength: float, boxes: Sequence[Box]) -> np.ndarray:
    """Shade of a sheet that was folded and carried in a pocket."""
    height, width = image.shape[:2]
    small = cv2.GaussianBlur(rng.standard_normal((24, 32)).astype(np.float32), (0, 0), 1.5)
    shade = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * 60 * strength
    for _ in range(int(1 + 3 * strength)):
        start, end = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0, 1, 2) * (width, height)
        cv2.line(shade, tuple(map(int, start)), tuple(map(int, end)), float(-70 * strength), 2, cv2.LINE_AA)
    return added(image, shade.astype(np.int16))


def curl(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    """A sheet that does not lie flat: rows shift and stretch along a gentle wave."""
    height, width = image.shape[:2]
    xs = np.arange(width, dtype=np.float32)
    bend = height * 0.012 * (0.3 + strength)
    phase = rng.uniform(0, 2 * np.pi)
    wave = bend * np.sin(xs / width * 2 * np.pi * rng.uniform(0.5, 1.2) + phase)
    squeeze = width * 0.006 * strength * np.sin(xs / width * 2 * np.pi + phase)
    across = np.broadcast_to((xs + squeeze).astype(np.float32), (height, width))
    down = np.add.outer(np.arange(height, dtype=np.float32), wave.astype(np.float32))
    return cv2.remap(image, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


# ── camera and scanner ────────────────────────────────────────────────────────────────────────────────────────────────


def defocus(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), 0.4 + 1.5 * strength)


def motion(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    length = int(2 + 7 * strength)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    middle = (length - 1) / 2
    for step in np.linspace(-middle, middle, 4 * length):
        kernel[round(middle + step * np.sin(angle)), round(middle + step * np.cos(angle))] = 1
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def light(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    """A lamp on one side and a shadow on the other."""
    height, width = image.shape[:2]
    corners = rng.uniform(1 - 0.65 * strength, 1.05, (2, 2)).astype(np.float32)
    field = cv2.resize((corners * 240).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(image, cv2.merge([field] * 3), scale=1 / 240)


def glare(image: np.ndarray, rng: Rng, strength: float, boxes: Sequence[Box]) -> np.ndarray:
    """A spot of light that washes out part of a code."""
    height, width = image.shape[:2]
    x, y, wide, high = boxes[int(rng.integers(len(boxes)))] if boxes else (0.0, 0.0, float(width), float(height))
    at = (x + wide * rng.uniform(0, 1), y + high * rng.uniform(0, 1))
    spread = width * rng.uniform(0.02, 0.03 + 0.05 * strength)
    across = np.exp(-(((np.arange(width) - at[0]) / spread) ** 2))
    down = np.exp(-(((np.arange(height) - at[1]) / spread) ** 2))
    return added(image, (np.outer(down, across) * 255 * (0.5 + 0.6 * strength)).astype(np.int16))


def noise(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    count = image.shape[0] * image.shape[1]
    grains = _grains()
    start = int(rng.integers(len(grains)))
    picked = np.resize(np.roll(grains, -start) if start + count > len(grains) else grains[start:], count)
    level = np.round((np.arange(256) - 128) / 32 * (2 + 15 * strength)).astype(np.int16)
    return added(image, cv2.LUT(picked.reshape(image.shape[:2]), level))


@lru_cache(maxsize=1)
def _grains() -> np.ndarray:
    """Normal noise, 32 steps to a sigma around 128, drawn once: drawing millions of values for each page took the longest."""
    drawn = np.random.default_rng(32).standard_normal(1 << 23, dtype=np.float32)
    return np.clip(np.round(drawn * 32 + 128), 0, 255).astype(np.uint8)


def fade(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    """Little contrast: an exposure that is too long or too short."""
    low, high = 40 + 90 * strength, 235 - 60 * strength
    return cv2.convertScaleAbs(image, alpha=(high - low) / 255, beta=low)


def jpeg(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    done, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(80 - 55 * strength)])
    assert done
    return cv2.imdecode(packed, cv2.IMREAD_COLOR)


def streaks(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    """Dust on the glass of a document scanner: lines down the whole page."""
    for _ in range(int(1 + 5 * strength)):
        column = int(rng.integers(image.shape[1]))
        image[:, column : column + 1 + int(rng.integers(2))] = int(rng.choice([40, 120, 250]))
    return image


def bilevel(image: np.ndarray, rng: Rng, strength: float) -> np.ndarray:
    """Black and white, as a fax or a G4 scan gives it."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    _, flat = cv2.threshold(grey, float(rng.uniform(128 - 50 * strength, 128 + 60 * strength)), 255, cv2.THRESH_BINARY)
    return cv2.cvtColor(flat, cv2.COLOR_GRAY2BGR)
