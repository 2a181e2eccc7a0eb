"""A QR code that nobody could read, beside an ID that was read elsewhere on the sheet: does it say the same?

What the code would look like if it said the ID is known to the last module, and so it is for every ID that differs from it in
one character. Of these few hundred codes any two differ in a fifth of their modules or more, so a picture far too poor to be
read still tells them apart. ``same`` is answered when the ID fits well and leads all others; ``other`` when another one does,
from where a second and a third character may be changed on the way. A code of anything else fits none of them: no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner import readqr
from nhirx_scanner.engines import Gray, Polygon
from nhirx_scanner.finders import Quad
from nhirx_scanner.kinds import is_plausible
from nhirx_scanner.softqr import words_of

Array = NDArray[Any]
Looks = Callable[[Gray, readqr.Fitted], Iterable[Array]]
_LEAST_FIT = 0.58  # of the fixed parts
_MOST_GRIDS = 2
_AGREES = 0.84  # weighted share of the modules
_AT_ALL = 0.58  # as much as an ID with three other characters has in common with the one asked for
_LEADS = 0.02  # over every other of the few hundred
_CLEARLY = 0.03  # how far another ID must lead the one that was read
_MOST_OTHER = 3  # characters in which a misprinted ID may differ


@dataclass(frozen=True, slots=True)
class Verdict:
    """``text`` is what the code says: the text asked for, or the other one."""

    says: Literal["same", "other"]
    text: str
    corners: Polygon


def compare(crop: Gray, quads: list[Quad], text: str) -> Verdict | None:
    """Whether the QR code under one of the ``quads`` says ``text``."""
    return compare_fitted(crop, readqr.fit_all(crop, quads), text)


def compare_fitted(crop: Gray, grids: list[readqr.Fitted], text: str, looks: Looks = readqr.looks) -> Verdict | None:
    """As ``compare``, from the quadrangles fitted already, the best first. ``looks``: the modules (−1…1) as they are seen in turn."""
    for grid in grids[:_MOST_GRIDS]:
        if grid.match < _LEAST_FIT:
            break
        for seen in looks(crop, grid):
            for level, bits in readqr.forms(seen, grid.version):
                says = _says(bits, grid.version, level, text)
                if says is not None:
                    return Verdict("same" if says == text else "other", says, grid.polygon)
    return None


def _says(bits: Array, version: int, level: str, text: str) -> str | None:
    """``text``, or what these bits say instead; None when nothing stands out."""
    asked, words = text, _family(text, version, level)[1]
    bits = bits[: words.shape[1]]
    total = float(np.abs(bits).sum()) + 1e-9
    match = best_match = float(words[0] @ bits) / total
    if (1 + match) / 2 < _AT_ALL:
        return None
    for _ in range(_MOST_OTHER + 1):
        texts, words = _family(text, version, level)
        matches = words @ bits / total
        first, second = (int(place) for place in np.argsort(-matches, kind="stable")[:2])
        if first:
            text, best_match = texts[first], float(matches[first])
            continue
        lead = float(matches[0] - matches[second]) / 2
        if (1 + best_match) / 2 < _AGREES or lead < _LEADS:
            return None
        if text == asked or ((best_match - match) / 2 > _CLEARLY and is_plausible(text)):
            return text
        return None
    return None


@lru_cache(maxsize=16)
def _family(text: str, version: int, level: str) -> tuple[list[str], Array]:
    """The text and all that differ from it in one character, and what the code of each looks like (±1, single precision)."""
    texts = [text, *(text[:k] + other + text[k + 1 :] for k in range(len(text)) for other in ALPHABET if other != text[k])]
    return texts, words_of(texts, version, level).astype(np.float32)
