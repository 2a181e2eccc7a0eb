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
    x, y = quads[:, :, 0].astype(np.float64), quads[:, :, 1].astype(np.float64)
    dx1, dx2, dx3 = x[:, 1] - x[:, 2], x[:, 3] - x[:, 2], x[:, 0] - x[:, 1] + x[:, 2] - x[:, 3]
    dy1, dy2, dy3 = y[:, 1] - y[:, 2], y[:, 3] - y[:, 2], y[:, 0] - y[:, 1] + y[:, 2] - y[:, 3]
    area = dx1 * dy2 - dx2 * dy1
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    g, h = (dx3 * dy2 - dx2 * dy3) / area, (dx1 * dy3 - dx3 * dy1) / area
    rows = [
        (x[:, 1] - x[:, 0] + g * x[:, 1]) / size,
        (x[:, 3] - x[:, 0] + h * x[:, 3]) / size,
        x[:, 0],
        (y[:, 1] - y[:, 0] + g * y[:, 1]) / size,
        (y[:, 3] - y[:, 0] + h * y[:, 3]) / size,
        y[:, 0],
        g / size,
        h / size,
    ]
    return np.stack(rows, 1)


def sampled(picture: Gray, quads: Array, size: int, points: Array) -> Array:
    """(n × points): grey values at ``points`` (in modules) of a code of ``size`` modules that fills each of the ``quads``."""
    maps = homographies(quads, size)
    u, v = points[:, 0][None], points[:, 1][None]
    a, b, c, d, e, f, g, h = (maps[:, k][:, None] for k in range(8))
    depth = g * u + h * v + 1
    x, y = (a * u + b * v + c) / depth - 0.5, (d * u + e * v + f) / depth - 0.5
    values: Array = cv2.remap(
        picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return values.astype(np.float32)
