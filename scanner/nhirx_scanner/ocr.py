"""The visit ID as printed text, read by rapidocr where the extra ``ocr`` is installed.

What comes from here is a proposal: text has no check. It is called ``ocr`` so that a person confirms it. Several looks at the line
vote place by place (``ctc``), and among what they leave open the structure of the visit ID decides: a person's number, a year, a
second of that year. As a second witness beside bars or modules that were half read it is worth more, because letters and bars do
not fail alike.
"""

from __future__ import annotations

import functools
import itertools
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET, LENGTH, VisitId
from nhirx_scanner import ctc
from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.kinds import is_plausible

Array = NDArray[Any]

LISTED = 0.73
"""Trust from which on a line is told at all."""
_AREA = 0.6e6  # pixels of the page while lines are looked for; half as many lose one ID in eight of small print
_MOST_LINES = 12
_HEIGHT = 48  # pixels: what the recogniser scales every line to
_USUAL_RATIO = 16.0  # width by height of a line with the ID, with or without its label
_FEWEST = 14  # characters that a line must show at first sight
_LEAST_SCORE, _GOOD_SCORE = -0.45, -0.03  # mean log probability of a path worth more looks, and of one that ends the search
_LEGIBLE = 0.85  # a line the right way round reaches 0.9 and more, one upside down 0.75 at most
_YEARS = range(109, 136)  # ROC years in which visit IDs are issued: an arbiter between look-alikes, no more
_PERSON, _TIME = range(6, 13), range(13, 20)
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that reads as a visit ID. ``trust`` 0…1 is that of its weakest part; ``twice``: every look read the same."""

    text: str
    polygon: Polygon
    trust: float
    twice: bool
    likely: Array = field(repr=False)

    def agrees(self, text: str) -> bool:
        """Whether the line may well say ``text``: nothing in it is unlikely, and at most two places would be read otherwise."""
        if len(text) != LENGTH or not set(text) <= set(ALPHABET):
            return False
        values = [ALPHABET.index(character) for character in text]
        seen = self.likely[np.arange(LENGTH), values]
        return bool((seen > 0.02).all()) and int((self.likely.argmax(axis=1) != values).sum()) <= 2


def is_available() -> bool:
    """Whether the recogniser is installed. Does not load it."""
    from importlib.util import find_spec

    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def prepare() -> None:
    """Load the networks. The first time takes about a second; a page should not pay for it."""
    _engine()


def read(gray: Gray, may: Callable[[], bool]) -> Line | None:
    """The line on the page that reads best as a plausible visit ID. ``may`` is asked before every look."""
    found: tuple[float, Array] | None = None
    candidates, clearest = find_lines(gray), 0.0
    for upside_down in (False, True):
        for corners in candidates[: _MOST_LINES if not upside_down else _MOST_LINES // 2]:
            if not may():
                break
            placed = np.roll(corners, 2, axis=0) if upside_down else corners
            path, clear = _first_look(_cut(gray, placed, 0.12))
            clearest = max(clearest, clear)
            if path is None or path.score < _LEAST_SCORE:
                continue
            if found is None or path.score > found[0]:
                found = (path.score, placed)
            if path.score > _GOOD_SCORE:
                break
        if found is not None or clearest > _LEGIBLE:
            break
    return None if found is None else look_closely(gray, found[1])


def look_closely(gray: Gray, corners: Array) -> Line | None:
    """Several looks at the line between ``corners``, put together; None when they make no plausible ID."""
    paths = [path for line in _looks(gray, corners) if (path := ctc.best_path(*_frames(line))) and path.score > _LEAST_SCORE]
    if len(paths) < 2:
        return None
    likely = ctc.together(paths)
    text, trust = arbitrated(likely)
    if text is None:
        return None
    polygon = tuple((float(x), float(y)) for x, y in corners)
    return Line(text, polygon, trust, all(path.text == text for path in paths), likely)


def arbitrated(likely: Array) -> tuple[str | None, float]:
    """The most probable text whose person and time make sense, and how far it leads: ``likely`` is (20, 34)."""
    free = likely[:6]
    text = "".join(ALPHABET[int(value)] for value in free.argmax(axis=1))
    trust = float(free.max(axis=1).min())
    for places, makes_sense in ((_PERSON, _is_person), (_TIME, _is_time)):
        words = {word: share for word, share in _words(likely[places.start : places.stop]) if makes_sense(word)}
        if not words:
            return None, 0.0
        best = max(words, key=words.__getitem__)
        text += best
        # What the structure rules out does not count, but it was seen: half of it stays a doubt.
        trust = min(trust, words[best] / (0.5 * sum(words.values()) + 0.5))
    return (text, trust) if is_plausible(text) else (None, 0.0)


def _words(likely: Array) -> Iterator[tuple[str, float]]:
    """Every word of the characters that are likely at each place, with its probability."""
    choices = []
    for row in likely:
        best = np.argsort(-row)[:3]
        choices.append([(ALPHABET[int(value)], float(row[value])) for value in best if row[value] > 0.004])
    for word in itertools.product(*choices):
        yield "".join(character for character, _ in word), float(np.prod([share for _, share in word]))


def _is_person(word: str) -> bool:
    return VisitId("000000" + word + "3D00000").holder_prefix is not None


def _is_time(word: str) -> bool:
    moment = VisitId("000000" + "A100000" + word).issued_at
    return moment is not None and moment.year - 1911 in _YEARS


def find_lines(gray: Gray) -> list[Array]:
    """Corners (4×2, along the line) of the lines of text that may hold twenty characters, the likeliest first.

    A line that runs upwards or downwards is given in its one reading direction; the other one is its turned copy.
    """
    scale = min(1.0, math.sqrt(_AREA / gray.size))
    if min(gray.shape) * scale < 32:  # a sliver would shrink to nothing
        return []
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else gray
    boxes = _engine().text_det(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)).boxes
    found = []
    for box in boxes if boxes is not None else ():
        corners = np.array(box, np.float64) / scale
        width, height = float(np.hypot(*(corners[1] - corners[0]))), float(np.hypot(*(corners[3] - corners[0])))
        if height > width:
            corners, width, height = np.roll(corners, 1, axis=0), height, width
        if width >= 7 * height and width >= 100:
            found.append((abs(np.log(width / max(height, 1.0) / _USUAL_RATIO)), corners))
    found.sort(key=lambda item: item[0])
    return [corners for _, corners in found]


def _looks(gray: Gray, corners: Array) -> Iterator[Gray]:
    """The line cut closely and widely, stretched, and a little blurred: what is really there is read in all of them."""
    for margin in (0.12, 0.3, 0.02):
        yield _cut(gray, corners, margin)
    line = _cut(gray, corners, 0.15)
    yield cv2.resize(line, (line.shape[1] * 5 // 4, _HEIGHT))
    yield cv2.GaussianBlur(line, (0, 0), 0.8)


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


def _first_look(line: Gray) -> tuple[ctc.Path | None, float]:
    """The path where the line has characters enough, and how clearly it reads as text of any kind, 0…1."""
    frames, characters = _frames(line)
    best = frames.max(axis=1)[frames.argmax(axis=1) > 0]
    path = ctc.best_path(frames, characters) if ctc.count_characters(frames, characters) >= _FEWEST else None
    return path, float(best.mean()) if len(best) > 3 else 0.0


def _frames(line: Gray) -> tuple[Array, tuple[str, ...]]:
    """What the recogniser sees in a line of 48 pixels: (time, characters), and its characters, the first of them the blank."""
    recogniser = _engine().text_rec
    values = np.repeat(line[None, None].astype(np.float32) / 127.5 - 1, 3, axis=1)
    return recogniser.session(values)[0], _characters()


@functools.cache
def _characters() -> tuple[str, ...]:
    return tuple(_engine().text_rec.postprocess_op.character)


@functools.cache
def _load() -> Any:
    from rapidocr import RapidOCR

    quiet = {
        "Global.log_level": "error",
        # Its own idea of a good size is to enlarge: a picture of a postage stamp would cost as much as a page.
        "Det.limit_type": "max",
        "Det.limit_side_len": 4096,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        # Without it every look asks the system for all its memory again, and threads wait for each other there.
        "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
    }
    engine = RapidOCR(params=quiet)
    # It loads its networks at their first use.
    blank = np.full((_HEIGHT, 320, 3), 255, np.uint8)
    engine(blank, use_det=True, use_cls=False, use_rec=False)
    engine(blank, use_det=False, use_cls=False, use_rec=True)
    return engine


def _engine() -> Any:
    with _LOCK:
        return _load()
