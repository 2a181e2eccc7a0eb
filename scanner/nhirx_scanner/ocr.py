"""The visit ID as printed text, where the extra ``ocr`` is installed: lines are found by rapidocr's detector, read by our own network.

What comes from here is a proposal: text has no check. It is called ``ocr`` so that a person confirms it. Several looks at the line
vote frame by frame and place by place (``textline``, ``ctc``), and among what they leave open the structure of the visit ID and the
sheet's own fields decide (``arbiter``, ``hints``). As a second witness beside bars or modules that were half read it is worth more,
because letters and bars do not fail alike.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET, LENGTH
from nhirx_scanner import ctc, denormals, textline
from nhirx_scanner.arbiter import by_parts, costs, vouched
from nhirx_scanner.centreline import Strip, straight, strip
from nhirx_scanner.crossed import crossing
from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.hints import Hints, hints
from nhirx_scanner.kinds import is_plausible

Array = NDArray[Any]

_WHOLE = -0.12  # mean log probability of a path that leaves nothing out: 9 in 10 lines read rightly are above -0.03
_ASKED = 0.97  # trust of our own network from which on the other one can make it enough
_MOST, _MOST_OTHER, _OTHER = 0.999, 0.99, 0.7  # trust for which either counts at the most, and weight of the other's log odds
_AT_ONCE = 0.99  # trust of the other's first look after which it is not asked for more, where ours has its most
_AREA = 0.6e6  # pixels of the page while lines are looked for; half as many lose one ID in eight of small print
_NARROW, _NARROWEST = 7.0, 4.5  # width by height of a box with twenty characters, and of one that is taller than they are
_GAP = 2.5  # of their height, between two boxes of a line
_MOST_LINES = 10  # that may hold the ID, and of all others that are asked for a person and a day
_MOST_TURNED, _MOST_FIELDS = 2, 40
_USUAL_RATIO = 16.0  # width by height of a line with the ID, with or without its label
_FEWEST = 12  # characters that a line must show at first sight
_GLIMPSE = 9  # and at the very first look, else there is no other: of 1,870 lines that were read, each showed 15 or more
_LEAST_SCORE = -0.9  # mean log probability of a path worth more looks
_STRANGE = 0.3  # less, for a text whose person or time makes no sense: one letter may be misread
_GOOD_SCORE, _FAIR_SCORE = -0.05, -0.15  # of one that ends the search, and of one after which the sheet is hardly upside down
_CAPITALS = (28.0, 22.0)  # pixels of 32: at first sight
_CLOSER = (1.0, 0.88, 1.12)  # of them, when looked at closely
_NEAR = 0.15  # a look whose path is so much worse than the best one saw something else
_WITHOUT = (1.0, 1.12)  # the same, of a line whose strokes were taken out
_STANDS = 0.6  # probability of a letter without the ink that ran through it: eleven of 1,243 strokes had made others of them
_ELSEWHERE = 2  # places that the first look read otherwise: with more of them it does not tell where the letters stand
_GENERAL_ROWS, _GENERAL_CAPITALS = 48, (30.0, 36.0, 24.0)  # of rapidocr's recogniser
_GENERAL_LEAST = -0.6
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that reads as a visit ID. ``trust`` 0…1 is that of its weakest part, ``trusts`` of each (``arbiter.by_parts``)."""

    text: str
    polygon: Polygon
    trust: float
    likely: Array = field(repr=False)
    trusts: tuple[float, ...] = ()

    def agrees(self, text: str) -> bool:
        """Whether the line may well say ``text``: nothing in it is unlikely, and at most two places would be read otherwise."""
        if len(text) != LENGTH or not set(text) <= set(ALPHABET):
            return False
        values = [ALPHABET.index(character) for character in text]
        seen = self.likely[np.arange(LENGTH), values]
        return bool((seen > 0.02).all()) and int((self.likely.argmax(axis=1) != values).sum()) <= 2


@dataclass(frozen=True, slots=True)
class _Sight:
    """What the first look at a line found: how well it reads, and how to look closer."""

    score: float
    corners: Array = field(repr=False)
    line: Strip = field(repr=False)
    capital: float


def is_available() -> bool:
    """Whether detector and runtime are installed. Does not load them."""
    from importlib.util import find_spec

    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def prepare() -> None:
    """Load the networks. The first time takes about a second; a page should not pay for it."""
    _detector()
    textline.prepare()


def read(gray: Gray, may: Callable[[], bool], boxes: Sequence[Array] | None = None) -> Line | None:
    """The line on the page that reads best as a plausible visit ID. ``may`` is asked before every look; ``boxes`` are found if not given."""
    boxes = find_boxes(gray) if boxes is None else boxes
    sight = _best_sight(gray, boxes, may)
    if sight is None:
        return None
    frames = [told for closer in _CLOSER if may() and (told := textline.looks(sight.line, sight.capital * closer)) is not None]
    paths = [path for told in frames if (path := ctc.best_path(told, textline.CHARACTERS)) is not None]
    line, fields = _settled(paths, sight.corners, None), Hints()
    # Twenty can be forced out of nineteen or of twenty-one, and every one of them looks right: but not the path as a whole.
    if max((path.score for path in paths), default=-math.inf) < _WHOLE:
        return line and replace(line, trust=0.0)
    if may():  # of a sure line as well: a J that was a U to nobody was another person than the one on the sheet
        fields = _fields(gray, boxes, sight, may)
        line = _with_hints(frames, sight.corners, fields) or line if fields else line
    if line is None or line.trust < _ASKED:
        return line
    if not _stands_without_strokes(line, sight, fields):
        return replace(line, trust=0.0)
    # A stroke that is cut by glare or a worn ribbon makes another letter, and a clear one: our own network has no doubt then.
    return replace(line, trust=_jointly(line.trusts, _witness(line, sight, fields)) if may() else 0.0)


def _best_sight(gray: Gray, boxes: Sequence[Array], may: Callable[[], bool]) -> _Sight | None:
    sight: _Sight | None = None
    lines = _wide(boxes)
    for upside_down in (False, True):
        # Some letters read as others upside down, and never well: the likeliest lines are turned unless one reads well as it is.
        reads_fairly = sight is not None and sight.score > _FAIR_SCORE
        for corners in lines[: _MOST_TURNED if upside_down and reads_fairly else _MOST_LINES]:
            if not may():
                break
            seen = _first_look(gray, np.roll(corners, 2, axis=0) if upside_down else corners)
            if seen is not None and (sight is None or seen.score > sight.score):
                sight = seen
            if sight is not None and sight.score > _GOOD_SCORE:
                return sight
    return sight if sight is not None and sight.score > _LEAST_SCORE else None


def find_lines(gray: Gray) -> list[Array]:
    """Corners (4×2, along the line) of the lines of text that may hold twenty characters, the likeliest first.

    A line that runs upwards or downwards is given in its one reading direction; the other one is its turned copy.
    """
    return _wide(find_boxes(gray))


def find_boxes(gray: Gray) -> list[Array]:
    """Corners of all lines of text, each along its longer side."""
    scale = min(1.0, math.sqrt(_AREA / gray.size))
    if min(gray.shape) * scale < 32:  # a sliver would shrink to nothing
        return []
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else gray
    boxes = _detector().text_det(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)).boxes
    found = []
    for box in boxes if boxes is not None else ():
        found.append(_in_order(np.array(box, np.float64) / scale))
    return found


def _in_order(corners: Array) -> Array:
    """The corners in turn, clockwise, the first two along the line from left to right, or upwards where it runs so.

    The detector's own order is crossed where a line stands nearly upright.
    """
    dx, dy = (corners - corners.mean(axis=0)).T
    turn = corners[np.argsort(np.arctan2(dy, dx))]
    width, height = _sides(turn)
    turn = np.roll(turn, 1, axis=0) if height > width else turn
    along_x, along_y = turn[1] - turn[0]
    runs_back = along_x < 0 if abs(along_x) >= abs(along_y) else along_y > 0
    result: Array = np.roll(turn, 2, axis=0) if runs_back else turn
    return result


def _sides(corners: Array) -> tuple[float, float]:
    return float(np.hypot(*(corners[1] - corners[0]))), float(np.hypot(*(corners[3] - corners[0])))


def _wide(boxes: Sequence[Array]) -> list[Array]:
    """Boxes that may hold twenty characters, the likeliest first; then what may be one line in several boxes or in too tall a one."""
    found = []
    for rank, corners in (*((0, each) for each in boxes), *((1, each) for each in _joined(boxes))):
        width, height = _sides(corners)
        if width >= _NARROWEST * height and width >= 100:
            rank = rank or int(width < _NARROW * height)
            found.append((rank, abs(np.log(width / max(height, 1.0) / _USUAL_RATIO)), corners))
    found.sort(key=lambda item: item[:2])
    return [corners for _, _, corners in found]


def _joined(boxes: Sequence[Array]) -> list[Array]:
    """Boxes that stand in one line with little between them, as one: groups of four or five characters are found apart, and so is
    what stands left and right of a stamp."""
    if not boxes:
        return []
    every = np.stack(boxes)
    tall, wide = (np.hypot(*(every[:, corner] - every[:, 0]).T) for corner in (3, 1))
    begins, finishes = (every[:, 0] + every[:, 3]) / 2, (every[:, 1] + every[:, 2]) / 2
    out = []
    for first in range(len(every)):
        along = (every[first, 1] - every[first, 0]) / max(wide[first], 1e-6)
        last, free = first, np.arange(len(every)) != first
        while True:
            # The box that goes on where the last one ends, in its line and about as tall.
            ways, high = begins - finishes[last], tall[last]
            ahead, aside = ways @ along, np.abs(ways[:, 1] * along[0] - ways[:, 0] * along[1])
            alike = np.abs(tall / max(high, 1.0) - 1.15) < 0.55
            fits = free & alike & (ahead > -0.5 * high) & (ahead < _GAP * high) & (aside < 0.6 * high)
            if not fits.any():
                break
            last = int(np.where(fits, ahead, np.inf).argmin())
            free[last] = False
            out.append(np.stack([every[first, 0], every[last, 1], every[last, 2], every[first, 3]]))
    return out


def _first_look(gray: Gray, corners: Array) -> _Sight | None:
    """The best of a few looks at a line: bent straight with its letters taken for larger or smaller, or as its box lies."""
    line = strip(gray, corners)
    best: _Sight | None = None
    for number, (seen, capital) in enumerate((*((line, capital) for capital in _CAPITALS), (line.flat, _CAPITALS[-1]))):
        told = textline.first_look(seen, capital)
        count = 0 if told is None else ctc.count_characters(told, textline.CHARACTERS)
        if number == 0 and count < _GLIMPSE:
            return None
        if told is None or count < _FEWEST:
            continue
        path = ctc.best_path(told, textline.CHARACTERS)
        if path is None:
            continue
        # Other lines have twenty letters too, and read well: those that can be no ID come last.
        score = path.score if is_plausible(path.text) else path.score - _STRANGE
        if best is None or score > best.score:
            best = _Sight(score, corners, seen, capital)
        if path.score > _GOOD_SCORE:
            break
    return best


def _settled(paths: Sequence[ctc.Path], corners: Array, fields: Hints | None) -> Line | None:
    """The looks put together; None when they make no plausible ID."""
    if not paths:
        return None
    least = max(path.score for path in paths) - _NEAR
    paths = [path for path in paths if path.score >= least]
    likely = ctc.together(paths)
    text, trusts = by_parts(likely, fields)
    if text is None:
        return None
    polygon = tuple((float(x), float(y)) for x, y in corners)
    return Line(text, polygon, min(trusts), likely, trusts)


def _with_hints(frames: Sequence[Array], corners: Array, fields: Hints) -> Line | None:
    lines = []
    for sought in costs(fields):
        paths = [path for told in frames if (path := ctc.best_path(told, textline.CHARACTERS, sought)) is not None]
        lines.append(_settled(paths, corners, fields))
    return max((line for line in lines if line is not None), key=lambda line: line.trust, default=None)


def _fields(gray: Gray, boxes: Sequence[Array], sight: _Sight, may: Callable[[], bool]) -> Hints:
    """Persons and days in the other lines of the page."""
    told = []
    for corners in boxes[:_MOST_FIELDS]:
        if not may():
            break
        if corners is sight.corners or _sides(corners)[0] < 3 * _sides(corners)[1]:
            continue
        frames = textline.first_look(strip(gray, corners), _CAPITALS[-1])
        if frames is not None:
            told.append(ctc.plain(frames, textline.CHARACTERS))
    return hints(told)


def _stands_without_strokes(line: Line, sight: _Sight, fields: Hints) -> bool:
    """Whether no pen and no stamp may have made a letter of the line another one: a stroke through an S makes a clear 9, to whoever
    reads it. Where ink runs through a place, the place must say the same without it, or the sheet's own fields must say it."""
    crossed = crossing(sight.line)
    if crossed is None:
        return True
    told = textline.looks(sight.line, sight.capital)
    path = ctc.best_path(told, textline.CHARACTERS) if told is not None else None
    if path is None or sum(one != other for one, other in zip(path.text, line.text, strict=True)) > _ELSEWHERE:
        return False
    column = textline.STRIDE * 2 * sight.line.half / sight.capital
    touched = set(crossed.touched([(first * column, (last + 1) * column) for first, last in path.frames]))
    touched -= vouched(line.text, fields)
    if not touched:
        return True
    without = [
        look for closer in _WITHOUT if (look := textline.looks(crossed.without, 2 * crossed.without.half * closer)) is not None
    ]
    paths = [path for look in without if (path := ctc.best_path(look, textline.CHARACTERS)) is not None]
    if not paths:
        return False
    likely = ctc.together(paths)
    return all(likely[place, ALPHABET.index(line.text[place])] >= _STANDS for place in touched)


def _jointly(own: Sequence[float], other: Sequence[float]) -> float:
    """Trust in the weakest part of what both recognisers read: log odds are added, the other counts for less. Two doubts about one part
    are no certainty: neither makes up for more than a little of the other. The other one was all but sure of a 0 that was a Q, where
    ours had a doubt. But a doubt of one about the first place is no matter where the other doubts the last."""
    if not other:
        return 0.0
    odds = min(_odds(ours, _MOST) + _OTHER * _odds(theirs, _MOST_OTHER) for ours, theirs in zip(own, other, strict=True))
    return 1 / (1 + math.exp(-odds))


def _odds(trust: float, most: float) -> float:
    held = min(max(trust, 1 - most), most)
    return math.log(held / (1 - held))


def _witness(line: Line, sight: _Sight, fields: Hints) -> tuple[float, ...]:
    """How far rapidocr's recogniser, made for any text and of another training, trusts in each part; nothing when it reads otherwise."""
    paths: list[ctc.Path] = []
    for capital in _GENERAL_CAPITALS:
        path = _general(sight, capital)
        if path is None:
            continue
        paths.append(path)
        if len(paths) == 1 and line.trust >= _MOST:
            sure = _says(ctc.together(paths), line, fields)
            if min(sure, default=0.0) >= _AT_ONCE:
                return sure
    return _says(ctc.together(paths), line, fields) if paths else ()


def _says(likely: Array, line: Line, fields: Hints) -> tuple[float, ...]:
    """The trusts that ``likely`` (20, 34) gives to the line's text, none when it gives another. The sheet's fields weigh here as well."""
    text, trusts = by_parts(likely, fields)
    return trusts if text == line.text else ()


def _general(sight: _Sight, capital: float) -> ctc.Path | None:
    line = straight(sight.line, capital, _GENERAL_ROWS)
    values = np.repeat(line[None, None].astype(np.float32) / 127.5 - 1, 3, axis=1)
    path = ctc.best_path(_detector().text_rec.session(values)[0], _characters())
    return path if path is not None and path.score > _GENERAL_LEAST else None


@functools.cache
def _characters() -> tuple[str, ...]:
    return tuple(_detector().text_rec.postprocess_op.character)


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
    engine: Any = RapidOCR(params=quiet)
    # It loads its networks at their first use.
    blank = np.full((_GENERAL_ROWS, 320, 3), 255, np.uint8)
    engine(blank, use_det=True, use_cls=False, use_rec=False)
    engine(blank, use_det=False, use_cls=False, use_rec=True)
    for name, part in (("det", engine.text_det), ("rec", engine.text_rec)):
        files = list(Path(engine.cfg.Global.model_root_dir).glob(f"*_{name}_*.onnx"))
        if len(files) == 1:  # else it is not known which of them is in use
            part.session.session = _mended(part.session.session, files[0])
    return engine


def _mended(session: Any, path: Path) -> Any:
    """The same network without weights that make it slow; the given one where its file cannot be read."""
    import onnxruntime

    try:
        model = denormals.cleared(path.read_bytes())
    except (OSError, ValueError):
        return session
    return onnxruntime.InferenceSession(model, session.get_session_options(), providers=session.get_providers())


def _detector() -> Any:
    with _LOCK:
        return _load()
