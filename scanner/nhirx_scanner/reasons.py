"""Why a code that was seen could not be read, measured in its region."""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np

from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.locate import Bars, Blob
from nhirx_scanner.percentiles import percentiles
from nhirx_scanner.rectify import Cut
from nhirx_scanner.result import Reason

_ORDER: tuple[Reason, ...] = ("cropped", "glare", "too-small", "low-contrast", "blur", "damaged")
_MODULES_1D, _MODULES_QR = 255.0, 23.0  # of the usual forms; the true number is not known of a code that was not read
_LEAST_MODULE_1D, _LEAST_MODULE_QR = 1.1, 2.0  # pixels
_BURNT_1D, _BURNT_QR = 14, 6  # modules: more than a character of bars, and than any light patch of modules
_ALL_PAPER = 0.7  # of the brighter pixels
_LEAST_CONTRAST = 45.0  # grey values between paper and ink
_FLATTEST, _WIDEST = 0.08, 0.4  # height by length of a strip with twenty characters; a line of letters is flatter
_SHORTEST = 163.0  # pixels: three quarters of one for each of the fewest modules
# Dark to bright and back: a Code 128 of twenty characters has 139, an EAN 59, a Code 39 of eight 99. Blur hides some, but a
# strip so long that it is hidden in is seldom a short code: those are read then.
_ALTERNATIONS, _ALTERNATIONS_LONG, _LONG = 56, 40, 370.0


def could_hold_id(region: Bars | Blob, cut: Cut, read: Iterable[Polygon] = (), *, flat: bool = False) -> bool:
    """Whether an unread strip may be a visit ID rather than a shorter code or a line of letters. Patches are left in doubt.

    ``read`` are the places of the codes that were read: a strip may run over several that stand in a row. ``flat``: blur has taken so
    much that its bars cannot be counted.
    """
    if not isinstance(region, Bars):
        return True
    picture = _without_gaps(_left_over(cut, read))
    length = region.length * picture.shape[1] / cut.picture.shape[1]
    if length < _SHORTEST or not _FLATTEST < region.height / length < _WIDEST:
        return False
    if length >= _LONG:
        return flat or _alternations(picture) >= _ALTERNATIONS_LONG
    return _alternations(picture) >= _ALTERNATIONS


def _left_over(cut: Cut, read: Iterable[Polygon]) -> Gray:
    """The longest part of a strip that no code was read from."""
    height, width = cut.picture.shape
    inverse = cv2.invertAffineTransform(cut.matrix)
    free = np.ones(width + 2, np.int8)
    free[[0, -1]] = 0
    for polygon in read:
        points = np.array(polygon) @ inverse[:, :2].T + inverse[:, 2]
        if len(points) and 0 <= points[:, 1].mean() <= height:
            left, right = (int(value) for value in np.clip([points[:, 0].min(), points[:, 0].max()], 0, width))
            free[left + 1 : right + 1] = 0
    edges = np.flatnonzero(np.diff(free))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return cut.picture[:, :1]
    longest = int((ends - starts).argmax())
    return cut.picture[:, int(starts[longest]) : int(ends[longest])]


def _without_gaps(picture: Gray) -> Gray:
    """The longest part in which something stands in every tenth of the strip: the lines of a table stand farther apart."""
    width = picture.shape[1]
    if width < 16:
        return picture
    steps = np.abs(np.diff(picture.mean(axis=0, dtype=np.float32)))
    near = cv2.dilate(steps[None], np.ones((1, 2 * int(0.045 * width) + 1), np.uint8))[0]
    busy = np.concatenate(([0], near > 0.2 * percentiles(steps, 95)[0], [0])).astype(np.int8)
    edges = np.flatnonzero(np.diff(busy))
    starts, ends = edges[::2], edges[1::2]
    longest = int((ends - starts).argmax()) if len(starts) else 0
    return picture[:, int(starts[longest]) : int(ends[longest]) + 1] if len(starts) else picture[:, :1]


def _alternations(picture: Gray) -> int:
    """How often a strip turns from darker to brighter and back by an eighth of its contrast there."""
    if picture.shape[1] < 8:
        return 0
    profile = picture.mean(axis=0, dtype=np.float32)[None]
    low, high = percentiles(profile, 3, 97)
    around = int(0.1 * profile.shape[1]) | 1
    window = np.ones((1, around), np.uint8)
    top, bottom = (cv2.blur(each(profile, window), (around, 1)) for each in (cv2.dilate, cv2.erode))
    values = ((profile - bottom) / np.maximum(top - bottom, 0.25 * (high - low) + 2))[0].tolist()
    count, rising, extreme = 0, True, values[0]
    for value in values:
        if (value > extreme) is rising:
            extreme = value
        elif abs(value - extreme) > 1 / 8:
            count, rising, extreme = count + 1, not rising, value
    return count


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
    low, high = percentiles(picture, 5, 95)
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
    """Whether pixels are burnt out over more modules than any gap of a code is wide, and not all paper is: on a scanner it is white
    everywhere. A shorter code has wider modules than a strip of its length is taken to have, and gaps of six of those."""
    burnt = (picture >= 252).astype(np.uint8)
    reach = max(5, math.ceil((_BURNT_1D if linear else _BURNT_QR) * module))
    if burnt.sum() > _ALL_PAPER * (picture > picture.mean()).sum():
        return False
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
