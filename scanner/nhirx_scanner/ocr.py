"""The visit ID as printed text, read by rapidocr where the extra ``ocr`` is installed.

What comes from here is a proposal: text has no check. It is given only when two differently cut pictures of the line read the
same and person and time in it make sense; and it is called ``ocr`` so that a person confirms it. As a second witness beside
bars or modules that were half read it is worth more, because letters and bars do not fail alike.
"""

from __future__ import annotations

import functools
import re
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.kinds import is_id_text, is_plausible

Array = NDArray[Any]

_WORK = 1600  # pixels of the longer side while lines are looked for
_MOST_LINES = 9
_HEIGHT = 48  # pixels: what the recogniser scales every line to
_LEAST_SCORE = 0.80
_RUN = re.compile(r"[0-9A-Z]{20,}")
_SEPARATORS = re.compile(r"[\s.\-–—_·•,、]+")
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that reads as a visit ID. ``twice``: a second cut of the line read the same."""

    text: str
    polygon: Polygon
    score: float
    twice: bool


def is_available() -> bool:
    """Whether the recogniser is installed. Does not load it."""
    from importlib.util import find_spec

    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def read(gray: Gray, may: Callable[[], bool]) -> Line | None:
    """The first line on the page that reads as a plausible visit ID. ``may`` is asked before every line."""
    candidates = find_lines(gray)
    for upside_down in (False, True):
        for corners in candidates[:_MOST_LINES]:
            if not may():
                return None
            found = _read_line(gray, corners, upside_down)
            if found is not None:
                return found
    return None


def _read_line(gray: Gray, corners: Array, upside_down: bool) -> Line | None:
    if upside_down:
        corners = np.roll(corners, 2, axis=0)
    text, score = _recognise(_cut(gray, corners, 0.12))
    value = id_in(text)
    if value is None or score < _LEAST_SCORE or not is_plausible(value):
        return None
    again, _ = _recognise(_cut(gray, corners, 0.3))
    polygon = tuple((float(x), float(y)) for x, y in corners)
    return Line(value, polygon, score, id_in(again) == value)


def id_in(text: str) -> str | None:
    """The visit ID in a recognised line: its last twenty characters of a run, O and I read as 0 and 1."""
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper().replace("O", "0").replace("I", "1")
    runs = _RUN.findall(plain.rsplit(":", 1)[-1]) or _RUN.findall(plain)
    for run in runs:
        value: str = run[-20:]
        if is_id_text(value):
            return value
    return None


def find_lines(gray: Gray) -> list[Array]:
    """Corners (4×2, from the upper left, along the line) of everything that looks like a line of about twenty characters."""
    scale = min(1.0, _WORK / max(gray.shape))
    if min(gray.shape) * scale < 40:  # a sliver would shrink to nothing
        return []
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else gray
    ink = cv2.morphologyEx(small, cv2.MORPH_BLACKHAT, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15)))
    level = max(14.0, 0.35 * float(np.percentile(ink, 99.5)))
    dark = (ink > level).astype(np.uint8)
    joined = cv2.dilate(dark, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13)))
    contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        (x, y), (w, h), angle = cv2.minAreaRect(contour)
        if w < h:
            w, h, angle = h, w, angle - 90
        w, h = w - 12, h - 12  # what the dilation added
        if h < 7 or h > 60 or w < 7 * h or w < 120:
            continue
        found.append((abs(np.log(w / h / 15.0)), _corners(x, y, w, h, angle) / scale))
    found.sort(key=lambda item: item[0])
    return [corners for _, corners in found]


def _corners(x: float, y: float, w: float, h: float, angle: float) -> Array:
    # Lines run from left to right: within a right angle of level.
    turn = np.radians((angle + 90) % 180 - 90)
    along, down = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    middle = np.array([x, y])
    return np.array([middle + a * along * w / 2 + b * down * h / 2 for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))])


def _cut(gray: Gray, corners: Array, margin: float) -> Gray:
    along, down = corners[1] - corners[0], corners[3] - corners[0]
    width, height = float(np.hypot(*along)), float(np.hypot(*down))
    along, down = along / max(width, 1e-6), down / max(height, 1e-6)
    pad = margin * height + 1
    origin = corners[0] - (along * 1.5 + down) * pad
    scale = _HEIGHT / (height + 2 * pad)
    size = (max(_HEIGHT, int((width + 3 * pad) * scale)), _HEIGHT)
    matrix = np.array([[along[0] / scale, down[0] / scale, origin[0]], [along[1] / scale, down[1] / scale, origin[1]]])
    flags = (cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(gray, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _recognise(line: Gray) -> tuple[str, float]:
    answer = _engine()(cv2.cvtColor(line, cv2.COLOR_GRAY2BGR), use_det=False, use_cls=False, use_rec=True)
    texts = answer.txts or ("",)
    return str(texts[0]), float((answer.scores or (0.0,))[0])


@functools.cache
def _load() -> Any:
    from rapidocr import RapidOCR

    quiet = {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return RapidOCR(params=quiet)


def _engine() -> Any:
    with _LOCK:
        return _load()
