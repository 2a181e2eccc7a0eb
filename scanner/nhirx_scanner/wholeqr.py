"""A QR code sought as one whole: its three dark corners, its timing lines and the paper around it, all at once.

Finder patterns are sought one by one elsewhere. Where blur, fading, noise, glare or a stamp has taken one of them, the whole
still stands out: the patch is turned upright by the direction of its edges and compared with all that is known of a code, in
each of the four ways round and at every size that the patch may have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray
from nhirx_scanner.finders import Quad
from nhirx_scanner.qrform import layout

Array = NDArray[Any]
_VERSIONS = (1, 2)  # twenty characters written without waste; a third version would cost as much as these
_MODULE = 1.6  # pixels of a module while looking
_SIZES = tuple(0.36 * 1.12**k for k in range(7))  # side of the code by the shorter side of the crop
_LEAST = 0.22  # correlation; paper and print reach less
_TURNED = math.radians(5)
_UNEVEN = 0.25  # of the light


def from_whole(crop: Gray, most: int = 6, angle: float | None = None) -> list[Quad]:
    """Quadrangles with their version where the crop looks most like a whole code, the likeliest first.

    ``angle``: how the code is turned (radians), if that is known better than by the edges of its modules.
    """
    angle = edge_direction(crop) if angle is None else angle
    middle = (crop.shape[1] / 2, crop.shape[0] / 2)
    found: list[tuple[float, Quad]] = []
    for version in _VERSIONS:
        modules = 17 + 4 * version
        templates = _templates(version)
        side = templates[0].shape[0]
        for size in _SIZES:
            scale = modules * _MODULE / (size * min(crop.shape))
            if scale > 1.6:
                continue  # fewer pixels than modules allow
            reach = math.ceil(max(crop.shape) * scale * 0.98) + side // 3
            turn = cv2.getRotationMatrix2D(middle, math.degrees(angle), scale)
            turn[:, 2] += reach / 2 - np.array(middle)
            soft = cv2.GaussianBlur(crop, (0, 0), 0.45 / scale) if scale < 0.8 else crop
            upright = cv2.warpAffine(soft, turn, (reach, reach), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            if reach < side:
                continue
            for way, template in enumerate(templates):
                match = cv2.matchTemplate(upright, template, cv2.TM_CCOEFF_NORMED)
                _, best, _, at = cv2.minMaxLoc(match)
                if best > _LEAST:
                    low = np.array(at) + _MODULE
                    corners = low + modules * _MODULE * np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
                    inverse = cv2.invertAffineTransform(turn)
                    placed = corners @ inverse[:, :2].T + inverse[:, 2]
                    found.append((best, Quad(np.roll(placed, -way, 0).astype(np.float32), version)))
    found.sort(key=lambda item: -item[0])
    return [quad for _, quad in found[:most]]


def other_views(crop: Gray) -> Iterator[tuple[Gray, list[Quad]]]:
    """The crop again in other ways where there is reason for them: pictures of it, and the quadrangles found there.

    Motion draws lines of its own across the modules: then the outline of the whole tells how the code is turned. And a spot of
    light outshines all contrast around it: then every part of the crop is brought to the same contrast.
    """
    outline = edge_direction(crop, min(crop.shape) / 22)
    apart = (outline - edge_direction(crop) + math.pi / 4) % (math.pi / 2) - math.pi / 4
    if abs(apart) > _TURNED:
        yield crop, from_whole(crop, 4, outline)
    bright = cv2.erode(cv2.dilate(crop, np.ones((5, 5), np.uint8))[2::4, 2::4], np.ones((3, 3), np.uint8))
    low, high = np.percentile(bright, [10, 95])
    if high - low > _UNEVEN * high:
        even = evened(crop)
        yield even, from_whole(even, 4)


def evened(crop: Gray) -> Gray:
    """The same mean and about the same contrast everywhere."""
    values, window = crop.astype(np.float32), int(min(crop.shape) / 3) | 1
    middle = cv2.blur(values, (window, window))
    spread = np.sqrt(np.maximum(cv2.blur(values * values, (window, window)) - middle * middle, 0))
    even: Gray = ((values - middle) / (spread + 0.25 * np.percentile(spread, 70) + 1) * 45 + 128).clip(0, 255).astype(np.uint8)
    return even


def edge_direction(crop: Gray, sigma: float = 1.2) -> float:
    """The angle (radians, −45° … 45°) by which the edges of the middle of the crop are turned."""
    soft = cv2.GaussianBlur(crop, (0, 0), sigma)
    across, down = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    window = np.outer(*(np.hanning(length + 2)[1:-1] for length in crop.shape))
    size = np.hypot(across, down) * window
    four = 4 * np.arctan2(down, across)
    return math.atan2(float((size * np.sin(four)).sum()), float((size * np.cos(four)).sum())) / 4


@cache
def _templates(version: int) -> tuple[Array, ...]:
    """All that is known of a version with a ring of paper, in four ways round; unknown modules are neither dark nor light."""
    known = np.pad(layout(version).known, 1, constant_values=0)
    colours = np.where(known == 1, -1.0, 1.0) - np.where(known == 1, -1.0, 1.0)[known >= 0].mean()
    colours[known < 0] = 0.0
    large = np.repeat(np.repeat(colours, 8, 0), 8, 1).astype(np.float32)
    side = round(len(known) * _MODULE)
    template = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(template * 60 + 128, (0, 0), 0.6).clip(0, 255).astype(np.uint8)
    return tuple(np.ascontiguousarray(np.rot90(grey, -way)) for way in range(4))
