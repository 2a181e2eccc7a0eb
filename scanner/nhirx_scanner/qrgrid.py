"""From modules to pixels: the grid of a QR code laid over a picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray

Array = NDArray[Any]


def homographies(quads: Array, size: int) -> Array:
    """(n × 8) coefficients that take (0…size)² to each of the quads (n × 4 × 2)."""
    (x0, x1, x2, x3), (y0, y1, y2, y3) = quads.astype(np.float64).transpose(2, 1, 0)
    dx1, dx2, dx3 = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, dy3 = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    area = dx1 * dy2 - dx2 * dy1
    area[np.abs(area) < 1e-9] = 1e-9
    g, h = (dx3 * dy2 - dx2 * dy3) / area, (dx1 * dy3 - dx3 * dy1) / area
    rows = np.empty((8, len(quads)))
    rows[0], rows[1], rows[2] = x1 - x0 + g * x1, x3 - x0 + h * x3, x0
    rows[3], rows[4], rows[5] = y1 - y0 + g * y1, y3 - y0 + h * y3, y0
    rows[6], rows[7] = g, h
    rows[[0, 1, 3, 4, 6, 7]] /= size
    return rows.T


def sampled(picture: Gray, quads: Array, size: int, points: Array) -> Array:
    """(n × points): grey values at ``points`` (in modules) of a code of ``size`` modules that fills each of the ``quads``."""
    count = len(quads)
    maps = np.ones((3, count, 3))
    solved = homographies(quads, size)
    maps[0], maps[1], maps[2, :, :2] = solved[:, 0:3], solved[:, 3:6], solved[:, 6:8]
    at = np.ones((3, len(points)))
    at[:2] = points.T
    # One product for all quads and points: most calls are so small that each step costs more than its arithmetic.
    x, y, depth = (maps.reshape(3 * count, 3) @ at).reshape(3, count, -1)
    x, y = x / depth - 0.5, y / depth - 0.5
    values: Array = cv2.remap(
        picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return values.astype(np.float32)
