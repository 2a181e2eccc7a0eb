"""QR codes read by model: fit the grid to the parts that are known, read every module as *how dark*, let Reed-Solomon decide.

The three finder patterns, the timing lines and the alignment pattern are the same in every code of a version, so the four
corners are moved until those parts match best. The least certain words are then given to Reed-Solomon as doubtful, and the
words that follow from "twenty characters and nothing else" as known. A text is believed only when the code it would make agrees
with nearly all that was seen (``agreement``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner import galois, softqr
from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.equalise import equalised
from nhirx_scanner.finders import Quad
from nhirx_scanner.percentiles import percentiles
from nhirx_scanner.qrform import BLOCKS, VERSIONS, filler, formats, layout, mask, text_of
from nhirx_scanner.qrgrid import sampled
from nhirx_scanner.rectify import sharpened

Array = NDArray[Any]


_LEAST_LEAD = 0.003
_TURNED = (0.45, 0.9)  # match of a code that was laid the wrong way round
_OTHER_WAY = 0.03  # how much better a code must match another way round
_LEAD_ALONE = 0.05  # where nothing but the numbers speaks for a text
_THIRDS = 30  # bits, see softqr
LEAST_FIT = 0.55  # match of the fixed parts below which there is no QR code
LIKELY = 0.64  # match of the fixed parts above which a grid is worth every effort
_SOMETHING_ELSE = 0.95  # agreement with words that hold no ID above which the code is given up
_FORMATS_APART = 0.12
_FORMAT_LIKENESS = 0.45  # −1…1; the best of 32 formats reaches about this on noise


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, the ``fit`` (0…1) of the fixed parts, the ``agreement`` (0…1) of the whole code with what was seen, and its ``lead``
    over the next best text (1 when Reed-Solomon was sure)."""

    text: str
    corners: Polygon
    fit: float
    agreement: float
    lead: float

    @property
    def is_sure(self) -> bool:
        """Whether the numbers alone are good enough to believe the text.

        Of 600 damaged codes that say something else one wrong text led by 0.035, no other by more than 0.026.
        """
        return self.agreement > 0.88 and self.fit > LEAST_FIT and self.lead > _LEAD_ALONE

    @property
    def is_fair(self) -> bool:
        """Whether the text is worth believing once something independent says the same.

        Wrong texts in the alphabet of an ID were never seen to lead by more than 0.010.
        """
        enough = (self.agreement > 0.88 and self.lead > softqr.SURE_LEAD) or (self.agreement > 0.9 and self.lead > 0.015)
        return enough and self.fit > LEAST_FIT


@dataclass(frozen=True, slots=True)
class Fitted:
    """A grid laid over a crop: how well the fixed parts match, which version, where its corners are."""

    match: float
    version: int
    corners: Array

    @property
    def module(self) -> float:
        """Pixels of a module along the upper edge."""
        return float(np.hypot(*(self.corners[1] - self.corners[0]))) / (17 + 4 * self.version)

    @property
    def polygon(self) -> Polygon:
        return tuple((float(x), float(y)) for x, y in self.corners)

    def is_nearly(self, other: Fitted) -> bool:
        """Whether both lay the same grid, within half a module."""
        return self.version == other.version and bool(np.abs(self.corners - other.corners).max() < 0.5 * other.module)


def fit_all(crop: Gray, quads: list[Quad]) -> list[Fitted]:
    """Every quadrangle fitted, the best match first, none twice."""
    soft = cv2.GaussianBlur(crop, (0, 0), 0.6)
    out = []
    for quad in quads:
        if 20 <= quad.side <= 1.5 * max(crop.shape):
            for corners, version in _starts(soft, quad):
                steps = (1.2, 0.6, 0.3, 0.15) if quad.version else (2.2, 1.1, 0.5, 0.25, 0.12)
                match, moved = fit(soft, version, corners, steps)
                out.append(Fitted(match, version, moved))
                # Where light or a stamp has taken a finder pattern, another way round may look like the better start.
                if not _TURNED[0] < match < _TURNED[1]:
                    continue
                turned = np.stack([np.roll(moved, turn, 0) for turn in (1, 2, 3)])
                matches = match_known(soft, version, turned)
                if matches.max() > match + _OTHER_WAY:
                    match, moved = fit(soft, version, turned[int(matches.argmax())], steps)
                    out.append(Fitted(match, version, moved))
    different: list[Fitted] = []
    for one in sorted(out, key=lambda fitted: -fitted.match):
        if not any(one.is_nearly(other) for other in different):
            different.append(one)
    return different


def read(
    crop: Gray, quads: list[Quad], believed: Callable[[Reading], bool] | None = None, *, least: float = LEAST_FIT, most: int = 4
) -> tuple[float, Reading | None]:
    """The best fit of any quadrangle, and the first text that is ``believed``, best fitting quadrangle first.

    A code that says something else is no unread one: its fit is given as 0.
    """
    return read_fitted(crop, fit_all(crop, quads), believed, least=least, most=most)


def read_fitted(
    crop: Gray,
    fitted: list[Fitted],
    believed: Callable[[Reading], bool] | None = None,
    *,
    least: float = LEAST_FIT,
    most: int = 4,
) -> tuple[float, Reading | None]:
    """As ``read``, from the quadrangles ``fitted``, the best first."""
    believed = believed or (lambda reading: reading.is_sure or reading.is_fair)
    for grid in fitted[:most]:
        if grid.match < least:
            break
        thirds = _THIRDS if grid.match > LIKELY else 0
        for seen in looks(crop, grid):
            reading = decode(seen, grid, thirds)
            if reading is None:
                continue
            if not reading.text:
                return 0.0, None
            if believed(reading):
                return fitted[0].match, reading
    return fitted[0].match if fitted else 0.0, None


def looks(crop: Gray, grid: Fitted) -> Iterator[Array]:
    """The modules as they look in ever dearer ways, the likeliest to be read first."""
    sharp = sharpened(crop, max(0.8, 0.35 * grid.module), 1.2)
    learned = equalised(crop, grid.version, grid.corners)
    yield learned[0]
    if grid.match >= LIKELY:
        yield learned[1]
        yield equalised(crop, grid.version, free_corner(crop, grid))[1]
    settled = settle(sharp, grid)
    yield levels(sharp, grid.version, settled.corners)
    if grid.match >= LIKELY:
        yield equalised(crop, grid.version, settled.corners, 1)[0]
        yield levels(sharpened(crop, max(1.0, 0.6 * grid.module), 3.0), grid.version, settled.corners)


def free_corner(crop: Gray, grid: Fitted) -> Array:
    """The corners, the one without a finder pattern moved to where the modules are clearest once the blur is undone.

    In a strong blur nothing else holds it, and the fit of the fixed parts drags it along.
    """

    def clearness(at: Array) -> float:
        corners = grid.corners.copy()
        corners[2] = at
        return float(np.abs(equalised(crop, grid.version, corners, 1)[0]).mean())

    module = grid.module
    starts = (grid.corners[2], grid.corners[1] + grid.corners[3] - grid.corners[0])
    best, at = max(((clearness(start), start) for start in starts), key=lambda item: item[0])
    for step in (0.9, 0.45):
        moves = [at + np.float32(step * module) * np.array(move, np.float32) for move in ((1, 0), (-1, 0), (0, 1), (0, -1))]
        score, moved = max(((clearness(move), move) for move in moves), key=lambda item: item[0])
        if score > best:
            best, at = score, moved
    corners = grid.corners.copy()
    corners[2] = at
    return corners


def _starts(soft: Gray, quad: Quad) -> list[tuple[Array, int]]:
    """Where to begin the fit: the quadrangle itself when its version is known, else the best versions and ways round."""
    if quad.version:
        return [(quad.corners, quad.version)]
    center = quad.corners.mean(axis=0)
    options: list[tuple[float, Array, int]] = []
    for version in VERSIONS:
        size = 17 + 4 * version
        tries = np.array(
            [(np.roll(quad.corners, -turn, 0) - center) * grow + center for turn in range(4) for grow in (1.0, 1 + 1 / size)]
        )
        scores = match_known(soft, version, tries)
        options += [(float(score), corners, version) for score, corners in zip(scores, tries, strict=True)]
    options.sort(key=lambda item: -item[0])
    return [(corners, version) for _, corners, version in options[:4]]


@cache
def _known_points(version: int) -> tuple[Array, Array]:
    """Centres (in modules) of the modules whose colour is known, the border around the code included, and their template."""
    form = layout(version)
    around = np.pad(form.known, 1, constant_values=0)
    rows, columns = np.nonzero(around >= 0)
    colour = np.where(around[rows, columns] == 1, -1.0, 1.0).astype(np.float32)
    colour -= colour.mean()
    return np.stack([columns - 0.5, rows - 0.5], 1).astype(np.float32), colour / np.sqrt((colour**2).sum())


def match_known(picture: Gray, version: int, quads: Array) -> Array:
    """How well the fixed parts of ``version`` match under each quadrangle: correlation, −1…1."""
    points, colour = _known_points(version)
    seen = sampled(picture, quads, 17 + 4 * version, points)
    seen -= seen.mean(axis=1, keepdims=True)
    matches: Array = (seen * colour).sum(axis=1) / (np.sqrt((seen**2).sum(axis=1)) + 1e-6)
    return matches


_MOVES = np.array(
    [[[dx, dy]] * 4 for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    + [
        [[dx * (k == corner), dy * (k == corner)] for k in range(4)]
        for corner in range(4)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ],
    np.float32,
)


_SETTLING = np.r_[12:16, 8:12, 16:20, 0:4]


def fit(picture: Gray, version: int, corners: Array, steps: tuple[float, ...]) -> tuple[float, Array]:
    """The corners moved, in ever smaller steps (in modules), to where the fixed parts match best; and that match."""
    module = float(np.hypot(*(corners[1] - corners[0]))) / (17 + 4 * version)
    best = float(match_known(picture, version, corners[None])[0])
    for step in steps:
        for _ in range(6):
            moves = _MOVES * np.float32(step * module)
            scores = match_known(picture, version, corners[None] + moves)
            gains = scores - best
            if gains.max() <= 1e-4:
                break
            # The best move of every corner at once usually beats the single best one and saves rounds.
            together = sum(
                moves[4 + 4 * k + int(gains[4 + 4 * k : 8 + 4 * k].argmax())]
                for k in range(4)
                if gains[4 + 4 * k : 8 + 4 * k].max() > 1e-4
            )
            choice = int(scores.argmax())
            options = np.stack([corners + moves[choice], corners + together])
            scores = match_known(picture, version, options)
            best, corners = float(scores.max()), options[int(scores.argmax())]
    return best, corners


def settle(picture: Gray, grid: Fitted) -> Fitted:
    """The grid moved a little to where the modules of the data are clearest, above all at the corner without a finder pattern.

    In version 1 nothing known lies there, and a curled or leaning sheet moves it by more than a module.
    """
    size = 17 + 4 * grid.version
    k = np.arange(size) + 0.5
    points = np.stack([a.ravel() for a in np.meshgrid(k, k)], 1)
    corners, module = grid.corners, float(np.hypot(*(grid.corners[1] - grid.corners[0]))) / size

    def clearness(quads: Array) -> Array:
        seen = sampled(picture, quads, size, points)
        low, high = percentiles(seen[0], 10, 90)
        clear = np.minimum(np.abs(seen - (low + high) / 2), (high - low) / 2).mean(axis=1) / max(high - low, 1.0)
        scores: Array = 2 * clear + match_known(picture, grid.version, quads)
        return scores

    best = float(clearness(corners[None])[0])
    for step in (0.8, 0.4, 0.2):
        for _ in range(4):
            tries = corners[None] + _MOVES[_SETTLING] * np.float32(step * module)
            scores = clearness(np.concatenate([corners[None], tries]))[1:]
            if scores.max() <= best + 1e-3:
                break
            best, corners = float(scores.max()), tries[int(scores.argmax())]
    return Fitted(grid.match, grid.version, corners)


def levels(picture: Gray, version: int, corners: Array) -> Array:
    """(size × size) how dark each module is: +1 surely dark, −1 surely light, 0 no idea."""
    size = 17 + 4 * version
    column, row = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    offsets = [(dx, dy, wx * wy) for dx, wx in ((-0.25, 1), (0.0, 2), (0.25, 1)) for dy, wy in ((-0.25, 1), (0.0, 2), (0.25, 1))]
    points = np.concatenate([np.stack([column.ravel() + dx, row.ravel() + dy], 1) for dx, dy, _ in offsets])
    seen = sampled(picture, corners[None], size, points)[0].reshape(len(offsets), size, size)
    gray = (np.array([w for _, _, w in offsets], np.float32)[:, None, None] / 16 * seen).sum(axis=0)
    kernel = np.ones((5, 5), np.uint8)
    high, low = cv2.blur(cv2.dilate(gray, kernel), (7, 7)), cv2.blur(cv2.erode(gray, kernel), (7, 7))
    contrast = np.maximum(high - low, 1)
    darkness = ((high + low) / 2 - gray) / contrast * 2
    everywhere = np.percentile(gray, 90) - np.percentile(gray, 10) + 1e-3
    sure: Array = np.sign(darkness) * np.minimum(np.abs(darkness), 1) * np.minimum(contrast / everywhere, 1)
    return sure


def decode(seen: Array, grid: Fitted, thirds: int = 0) -> Reading | None:
    """The text of modules seen as ``levels`` gives them, None when no sense can be made of them, empty when it is no twenty
    characters but something else."""
    for level, bits in forms(seen, grid.version):
        for mode in ("alphanumeric", "byte", ""):
            if (found := _mend(bits, grid.version, level, mode)) is not None:
                text, agreement = found
                if not text and agreement < _SOMETHING_ELSE:
                    continue
                return Reading(text, grid.polygon, grid.match, agreement, 1.0)
        likely = softqr.decode(bits, grid.version, level, thirds)
        if likely is not None and likely.lead > _LEAST_LEAD:
            return Reading(likely.text, grid.polygon, grid.match, likely.agreement, likely.lead)
    return None


def forms(seen: Array, version: int) -> Iterator[tuple[str, Array]]:
    """The likeliest levels, with the bits in their order and unmasked as the format beside that level says."""
    form = layout(version)
    copies = [seen[places[:, 0], places[:, 1]] for places in form.format]
    weight = float(np.abs(copies[0]).sum() + np.abs(copies[1]).sum()) + 1e-6
    ranked = [(float((item[2] * (copies[0] + copies[1])).sum()) / weight, item) for item in formats(version)]
    ranked.sort(key=lambda entry: -entry[0])
    for likeness, (level, number, _) in ranked[:3]:
        if likeness < max(_FORMAT_LIKENESS, ranked[0][0] - _FORMATS_APART):
            break
        unmasked = np.where(mask(number, form.size), -seen, seen)
        yield level, unmasked[form.order[:, 0], form.order[:, 1]]


def _mend(bits: Array, version: int, level: str, mode: str) -> tuple[str, float] | None:
    """The text of these bits, and how far they agree with it; no text where words without error hold anything else."""
    blocks, words_each, data_each = BLOCKS[version, level]
    total = blocks * words_each
    table = bits[: total * 8].reshape(total, 8)
    words = (table > 0).astype(np.int64) @ (1 << np.arange(7, -1, -1))
    sure = np.abs(table).min(axis=1) * 0.7 + np.abs(table).mean(axis=1) * 0.3
    known = filler(version, level, mode) if mode else {}
    data: list[int] = []
    corrected = np.zeros(total, np.int64)
    for block in range(blocks):
        # Words of the blocks take turns: first all data words, then all check words.
        at = [k * blocks + block for k in range(data_each)]
        at += [data_each * blocks + k * blocks + block for k in range(words_each - data_each)]
        seen = [int(words[k]) for k in at]
        doubt = [float(sure[k]) for k in at]
        fixed = {k: known[k + block * data_each] for k in range(data_each) if k + block * data_each in known}
        for k, value in fixed.items():
            seen[k], doubt[k] = value, 9.0
        mend = _mend_block(seen, doubt, words_each - data_each, fixed)
        if mend is None:
            return None
        data += mend[:data_each]
        corrected[at] = mend
    text = text_of(data)
    if text is None and mode:
        return None
    truth = np.where(corrected[:, None] >> np.arange(7, -1, -1) & 1, 1.0, -1.0)
    weight = np.abs(table)
    return text or "", float((weight * (np.sign(table) == truth)).sum() / max(float(weight.sum()), 1e-6))


def _mend_block(words: list[int], sure: list[float], checks: int, fixed: dict[int, int]) -> list[int] | None:
    order = [int(k) for k in np.argsort(sure)]
    most = checks - 3
    for doubtful in sorted({0, most // 4, most // 2, 3 * most // 4, most}):
        mend = galois.correct(words, checks, order[:doubtful])
        if mend is not None:
            return mend if all(mend[k] == value for k, value in fixed.items()) else None
    return None
