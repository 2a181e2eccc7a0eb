"""The blur of a QR code, learned from the parts of the code that are known, and undone.

About three hundred modules of every small code are known beforehand: finder patterns, timing lines, quiet zone. What lens,
motion, ink and enlargement did to them, they did to the data too. So one linear filter over the neighbourhood of a module is
fitted to the known modules (least squares, held near "the module itself"), and applied to all. It needs no direction and no
length of the blur, undoes a grid that lies half a module off as well, and costs less than a millisecond.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray
from nhirx_scanner.percentiles import percentiles
from nhirx_scanner.qrform import layout
from nhirx_scanner.qrgrid import sampled

Array = NDArray[Any]
_REACH = 3  # half modules to each side
_WIDE = 2 * _REACH + 1
_HELD = 4.0  # in known modules: how strongly the filter is held near the module itself
_ROUNDS = 3
_LEAST_TO_LEARN, _MOST_TO_LEARN = 0.3, 0.6  # how sure a module must be to teach, and the most it counts beside a known one


def equalised(picture: Gray, version: int, corners: Array, rounds: int = _ROUNDS) -> list[Array]:
    """(size × size) as ``readqr.levels`` gives them, after learning from the known modules only, and from the surest others too.

    ``rounds``: one for the first of the two alone, at a third of the price.
    """
    size = layout(version).size + 2
    darkness = _darkness(picture, version, corners)
    near = [darkness[i : i + 2 * size - 1 : 2, j : j + 2 * size - 1 : 2].ravel() for i in range(_WIDE) for j in range(_WIDE)]
    columns = np.stack([np.ones(size * size), *near], 1)
    held = np.zeros(columns.shape[1])
    held[1 + _WIDE * _WIDE // 2] = 1.0
    target, weight = (values.copy() for values in _lesson(version))
    known = weight > 0
    out = []
    for turn in range(rounds):
        weighted = columns * weight[:, None]
        filtered = columns @ np.linalg.solve(weighted.T @ columns + _HELD * np.eye(len(held)), weighted.T @ target + _HELD * held)
        if turn in (0, rounds - 1):
            out.append(filtered.reshape(size, size)[1:-1, 1:-1].clip(-1, 1))
        target = np.where(known, target, np.sign(filtered))
        weight = np.where(known, weight, (np.abs(filtered) - _LEAST_TO_LEARN).clip(0, _MOST_TO_LEARN))
    return out


@cache
def _lesson(version: int) -> tuple[Array, Array]:
    """Colour (±1) and weight of every module with one ring of quiet zone around; weight 0 where nothing is known."""
    known = np.pad(layout(version).known, 1, constant_values=0).ravel()
    return np.where(known == 1, 1.0, -1.0), (known >= 0).astype(np.float64)


def _darkness(picture: Gray, version: int, corners: Array) -> Array:
    """How dark it is at every half module from ``_REACH`` before the quiet zone's first to ``_REACH`` after its last centre."""
    size = layout(version).size
    steps = np.arange(2 * (size + 2) - 1 + 2 * _REACH) / 2 - 0.5 - _REACH / 2
    points = np.stack([axis.ravel() for axis in np.meshgrid(steps, steps)], 1)
    gray = sampled(picture, corners[None], size, points)[0].reshape(len(steps), len(steps))
    kernel = np.ones((11, 11), np.uint8)
    high, low = cv2.blur(cv2.dilate(gray, kernel), (15, 15)), cv2.blur(cv2.erode(gray, kernel), (15, 15))
    faint, full = percentiles(gray, 5, 95)
    darkness: Array = ((high + low) / 2 - gray) * 2 / np.maximum(high - low, max(1.0, 0.4 * (full - faint)))
    return darkness
