"""Why a code that was seen could not be read, measured in its region."""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np

from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.locate import Bars, Blob
from nhirx_scanner.rectify import Cut
from nhirx_scanner.result import Reason

_ORDER: tuple[Reason, ...] = ("cropped", "glare", "too-small", "low-contrast", "blur", "damaged")
_MODULES_1D, _MODULES_QR = 255.0, 23.0  # of the usual forms; the true number is not known of a code that was not read
_LEAST_MODULE_1D, _LEAST_MODULE_QR = 1.1, 2.0  # pixels
_LEAST_CONTRAST = 45.0  # grey values between paper and ink


def reasons(gray: Gray, regions: Iterable[tuple[Bars | Blob, Cut]]) -> tuple[Reason, ...]:
    """Everything that is wrong with the regions, the first thing to mend first; ``damaged`` when nothing else explains it."""
    found: set[Reason] = set()
    for region, cut in regions:
        found |= _of(gray, region, cut)
    if not found:
        found.add("damaged")
    return tuple(reason for reason in _ORDER if reason in found)


def _of(gray: Gray, region: Bars | Blob, cut: Cut) -> set[Reason]:
    out: set[Reason] = set()
    linear = isinstance(region, Bars)
    module = region.length / _MODULES_1D if isinstance(region, Bars) else region.size / _MODULES_QR
    scale = 1.0 / float(np.hypot(cut.matrix[0, 0], cut.matrix[1, 0]))
    picture = cut.picture
    low, high = (float(value) for value in np.percentile(picture, [5, 95]))
    contrast = high - low
    if _touches_edge(gray, region.polygon, 4 * max(1.0, module)):
        out.add("cropped")
    if module < (_LEAST_MODULE_1D if linear else _LEAST_MODULE_QR):
        out.add("too-small")
    if contrast < _LEAST_CONTRAST:
        out.add("low-contrast")
    if _is_glaring(picture, module * scale, linear):
        out.add("glare")
    if contrast >= 8 and _edge_width(picture, contrast) / scale > max(0.9, 0.55 * module):
        out.add("blur")
    return out


def _touches_edge(gray: Gray, polygon: Polygon, near: float) -> bool:
    height, width = gray.shape
    return any(x < near or y < near or x > width - near or y > height - near for x, y in polygon)


def _is_glaring(picture: Gray, module: float, linear: bool) -> bool:
    """Whether pixels are burnt out over more modules than any gap of a code is wide."""
    burnt = (picture >= 252).astype(np.uint8)
    reach = max(5, math.ceil(6 * module))
    middle = burnt[:, burnt.shape[1] // 8 : -max(1, burnt.shape[1] // 8)]
    if min(middle.shape) < 3 or reach >= middle.shape[1]:
        return False
    kernel = np.ones((min(reach, middle.shape[0]), reach), np.uint8)
    return bool(cv2.erode(middle, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0,)).any()) and (
        linear or burnt.mean() < 0.6
    )


def _edge_width(picture: Gray, contrast: float) -> float:
    """Sigma (pixels) of the blur that would make the steepest edges as flat as they are."""
    gx = cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=3)
    steepest = float(np.percentile(cv2.magnitude(gx, gy), 99.5)) / 8.0
    return contrast / (max(steepest, 0.5) * math.sqrt(2 * math.pi))
