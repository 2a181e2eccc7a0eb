"""A Code 39 by the widths of its bars and gaps, for prints that are crisp and uneven.

A driver that rounds every bar to the printer's dots makes narrow ones of one dot and of two. No drawing of the whole code fits
such a print, and yet nothing about it is in doubt: of the five bars of a character two are wide, of its four gaps one. That is
all that is asked here, of each character for itself. It is a check as well: ink that makes one bar wide leaves three wide bars or no
wide gap, and a stroke or a scratch changes how many bars there are.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import LENGTH
from nhirx_scanner.symbols import ALPHABET39, widths39

Array = NDArray[Any]

_ELEMENTS = 10 * (LENGTH + 2) - 1  # bars and gaps, start and stop included
_AROUND = 0.12  # of the line: where contrast is measured
_NEAR, _FEWEST = 0.05, 150  # of the line, for a first count of edges; some narrow bars may not reach the mean around them
_UNEVEN = 0.2  # how much a character may be wider or narrower than the ones around it
_QUIET = 1.2  # wide bars of paper before and after
_PROMINENCES = (0.2, 0.1)  # of the contrast around: what turns less is no bar


@dataclass(frozen=True, slots=True)
class Measured:
    """A text; its least ``margin``, by how much the narrowest wide bar or gap of a character is wider than the widest narrow one, in
    units of the usual difference; and how far the width that is ``off`` most is off, in units of what widths are off in this print."""

    text: str
    margin: float
    off: float

    @property
    def is_clear(self) -> bool:
        """Whether the widths alone are good enough to believe the text.

        Of 28,000 codes with strokes and scratches over whole characters no wrong text had a margin above 0.46 that was as even as this;
        two strokes that make another character of one stand out from a print that is even elsewhere (``off`` 6.8 and more).
        """
        return self.margin > 0.6 and self.off < 5

    @property
    def is_fair(self) -> bool:
        """Whether the text is worth believing once another reader says the same."""
        return self.margin > 0.25 and self.off < 5


def read(profile: Array) -> Measured | None:
    """The twenty characters between start and stop of one averaged line across the code (grey values), in either direction."""
    line = profile.astype(np.float32)[None]
    above = line[0] > cv2.blur(line, (max(3, int(_NEAR * len(profile))) | 1, 1))[0]
    if np.count_nonzero(above[1:] != above[:-1]) < _FEWEST:  # a quick look: most strips are far from so many edges
        return None
    best: Measured | None = None
    for prominence in _PROMINENCES:
        edges = edges_of(profile, prominence)
        for backwards in (False, True):
            at = (len(profile) - 1 - edges)[::-1] if backwards else edges
            widths = np.diff(at)
            # Edge 0 is the first one from paper to ink, either way: the line begins and ends with paper.
            for start in range(0, len(widths) - _ELEMENTS + 1, 2):
                found = _decoded(widths, start)
                if found is not None and (best is None or found.margin > best.margin):
                    best = found
        if best is not None:
            break
    return best


def edges_of(profile: Array, prominence: float) -> Array:
    """Where paper and ink meet, in samples: paper to ink first, alternating. Halfway between each two turns of the line."""
    line = profile.astype(np.float64)
    window = max(3, int(_AROUND * len(line)))
    blocks = [line[start : start + window] for start in range(0, len(line), window)]
    middles = np.array([start + window / 2 for start in range(0, len(line), window)])
    contrast = np.interp(np.arange(len(line)), middles, [float(np.ptp(block)) for block in blocks])
    least = prominence * np.maximum(contrast, 0.5 * float(np.percentile(contrast, 90)))
    turns = _turns(line, least)
    edges = []
    for left, right in itertools.pairwise(turns):
        level = (line[left] + line[right]) / 2
        side = line[left : right + 1] > level
        place = left + int(np.flatnonzero(side != side[0])[0])
        before, after = line[place - 1], line[place]
        edges.append(place - 1 + (level - before) / (after - before))
    return np.array(edges[: len(edges) // 2 * 2])


def _turns(line: Array, least: Array) -> list[int]:
    """Places of the brightest and darkest points in turn, the first a bright one; what turns by less than ``least`` is none."""
    out: list[int] = []
    best, rising = 0, True
    for place, value in enumerate(line.tolist()):
        if (value >= line[best]) == rising:
            best = place
        elif abs(value - line[best]) > least[place]:
            out.append(best)
            best, rising = place, not rising
    if rising and out:
        out.append(best)
    return out


_WIDE = {character: [width > 1 for width in widths[:9]] for character, widths in zip(ALPHABET39, widths39(2.0), strict=True)}


@cache
def _patterns() -> dict[tuple[int, int, int], str]:
    """Two wide bars and the wide gap of a character (places among the five and the four) → the character."""
    out = {}
    for character, widths in zip(ALPHABET39, widths39(2.0), strict=True):
        bars = [place for place in range(5) if widths[2 * place] > 1]
        gaps = [place for place in range(4) if widths[2 * place + 1] > 1]
        if len(bars) == 2 and len(gaps) == 1:
            out[bars[0], bars[1], gaps[0]] = character
    return out


def _decoded(widths: Array, start: int) -> Measured | None:
    each = np.append(widths[start : start + _ELEMENTS], 0.0).reshape(LENGTH + 2, 10)
    bars, gaps = each[:, 0:9:2], each[:, 1:8:2]
    by_width, by_gap = np.sort(bars, axis=1), np.sort(gaps, axis=1)
    wider = max(float(np.mean(by_width[:, 3:].mean(axis=1) - by_width[:, :3].mean(axis=1))), 1e-6)
    opener = max(float(np.mean(by_gap[:, 3] - by_gap[:, :3].mean(axis=1))), 1e-6)
    margins = np.minimum((by_width[:, 3] - by_width[:, 2]) / wider, (by_gap[:, 3] - by_gap[:, 2]) / opener)
    if margins.min() <= 0.1:
        return None
    lengths = each[:, :9].sum(axis=1)
    around = np.convolve(np.pad(lengths, 2, mode="edge"), np.full(5, 0.2), "valid")
    if np.abs(lengths / around - 1).max() > _UNEVEN:
        return None
    wide = float(by_width[:, 3:].mean())
    before = widths[start - 1] if start else np.inf
    after = widths[start + _ELEMENTS] if start + _ELEMENTS < len(widths) else np.inf
    if min(before, after) < _QUIET * wide:
        return None
    known = _patterns()
    pairs = np.sort(np.argsort(bars, axis=1)[:, 3:], axis=1).tolist()
    text = "".join(known.get((one, two, gap), "?") for (one, two), gap in zip(pairs, gaps.argmax(axis=1).tolist(), strict=True))
    if text[0] != "*" or text[-1] != "*" or {"*", "?"} & set(text[1:-1]):
        return None
    return Measured(text[1:-1], float(margins.min()), _off(each[:, :9] / around[:, None], text))


def _off(widths: Array, text: str) -> float:
    """How far the width that is off most is off, in units of their usual (root mean square) deviation; ``widths`` (22, 9) by length."""
    wide = np.array([_WIDE[character] for character in text])
    bar = np.broadcast_to(np.arange(9) % 2 == 0, wide.shape)
    away = np.zeros_like(widths)
    for kind in (wide & bar, wide & ~bar, ~wide & bar, ~wide & ~bar):
        away[kind] = widths[kind] - np.median(widths[kind])
    return float(np.abs(away).max() / max(float(np.sqrt(np.square(away).mean())), 1e-9))
