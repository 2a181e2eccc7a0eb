"""Codes drawn as a camera would see them, and the text whose drawing is nearest to a line, found exactly.

Ink adds up: the darkness of a blurred code is the sum of its blurred characters, so what a text costs depends on each character
and on the known overlap of each pair of neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import cv2
import numpy as np

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.forms import FINE, Array, Form, allowed, kernel, patterns, wave_of
from nhirx_scanner.symbols import ALPHABET93

RATE = 4  # samples per module
TAIL = 6  # modules that blur carries a character over its rim
_PAIRED = 1.0  # of a stranger, what a pair of digits costs more where letters are usual
_STOP128 = (2.0, 3.0, 3.0, 1.0, 1.0, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One way to draw: ``blur`` as in ``read1d`` (negative: width of a smear), ``spread`` of the bars, both in modules."""

    form: Form
    blur: float
    spread: float


@lru_cache(maxsize=400)
def _bank(drawn: Drawn) -> tuple[Array, Array, tuple[Array, Array], Array | None]:
    """Darkness of every character with its tails, its square, the overlap of neighbours (and the other way round), and the end of the code."""
    form = drawn.form
    waves, last = _waves(form, drawn.spread)
    pulses = _softened(waves, drawn.blur)
    shift = round(form.width * RATE)
    overlap = _times(pulses[:, shift:], pulses[:, : pulses.shape[1] - shift], 2.0)
    overlaps = overlap, np.ascontiguousarray(overlap.T)
    return pulses, np.square(pulses).sum(axis=1), overlaps, None if last is None else _softened(last[None], drawn.blur)[0]


@lru_cache(maxsize=200)
def _waves(form: Form, spread: float) -> tuple[Array, Array | None]:
    """What ``_bank`` holds, before the blur and in fine samples."""
    last = {"code128": _STOP128, "code93": (1.0,)}.get(form.name)
    every = np.array([_wave(widths, form.width, spread) for widths in patterns(form)], np.float32)
    return every, None if last is None else _wave(last, sum(last), spread)


def _wave(widths: tuple[float, ...], span: float, spread: float) -> Array:
    elements = [float(TAIL), *widths]
    if len(widths) % 2:
        elements.append(float(TAIL))
    else:
        elements[-1] += TAIL  # a space already
    dark = np.zeros(round((span + 2 * TAIL) * RATE) * (FINE // RATE), np.float32)
    wave = wave_of(elements, spread, first_dark=False)
    dark[: len(wave)] = 1 - wave[: len(dark)]
    return dark


def _softened(waves: Array, blur: float) -> Array:
    """Blurred, and sampled at the rate of the comparison: in the middle between two fine samples."""
    soft = cv2.sepFilter2D(waves, cv2.CV_32F, kernel(blur), np.ones(1, np.float32), borderType=cv2.BORDER_CONSTANT)
    sampled: Array = 0.5 * (soft[:, 0::2] + soft[:, 1::2])
    return np.ascontiguousarray(sampled)


def _times(first: Array, second: Array, factor: float = 1.0) -> Array:
    """``first`` · ``second`` transposed. Not numpy's product: its library would start threads for this."""
    left, right = np.ascontiguousarray(first), np.ascontiguousarray(second)
    product: Array = cv2.gemm(left, right, factor, None, 0.0, flags=cv2.GEMM_2_T)  # type: ignore[call-overload]
    return product


@cache
def barred(form: Form, stranger: float = 0.0) -> Array:
    """(places × characters): no cost where a character may stand, ``stranger`` where no visit ID has it, far too much elsewhere."""
    start, characters, end = allowed(form)
    costs = np.full((form.symbols, len(patterns(form))), 1e6, np.float32)
    costs[0, start] = 0
    costs[-1, end] = 0
    last = -3 if form.name == "code93" else -1
    costs[1:last, characters] = 0
    if form.name == "code128":
        costs[1:last, :103] = 0
        usual = np.array([ord(letter) - 32 for letter in ALPHABET])
    elif form.name == "code39":
        usual = np.arange(len(ALPHABET))
    else:
        costs[last:-1] = 0
        usual = np.array([ALPHABET93.index(letter) for letter in ALPHABET])
    strange = np.ones(costs.shape[1], bool)
    strange[usual] = False
    costs[1:last, strange] += stranger
    if form.name == "code128":
        # Behind the beginning, pairs of digits are for one code in five.
        costs[4:last, np.setdiff1d(np.arange(103), characters)] += _PAIRED * stranger
    return costs


def starts(form: Form) -> Array:
    places: Array = np.round(np.arange(form.symbols) * form.width * RATE).astype(int)
    return places


def rendered(drawn: Drawn, picked: Array) -> Array:
    """The darkness of the whole code, 0…1, with a tail on either side."""
    pulses, _, _, last = _bank(drawn)
    form = drawn.form
    length = pulses.shape[1]
    count = round((form.modules + 2 * TAIL) * RATE)
    dark = np.zeros(count + length, np.float32)
    for start, character in zip(starts(form), picked, strict=True):
        dark[start : start + length] += pulses[character]
    if last is not None:
        start = round(form.symbols * form.width * RATE)
        dark[start : start + len(last)] += last
    return dark[:count]


def least(drawn: Drawn, dark: Array, allowed_at: Array) -> Array:
    """(places × characters): what the best text with that character at that place costs."""
    pulses, squares, (overlap, turned), last = _bank(drawn)
    form, length = drawn.form, pulses.shape[1]
    rest = np.concatenate([dark, np.zeros(length, np.float32)])
    if last is not None:
        start = round(form.symbols * form.width * RATE)
        rest[start : start + len(last)] -= last
    windows = np.stack([rest[start : start + length] for start in starts(form)])
    # As small as this, numpy's product starts no threads.
    alone = squares[None] - 2 * (windows @ pulses.T) + allowed_at
    ahead, behind = np.zeros_like(alone), np.zeros_like(alone)
    for place in range(1, form.symbols):
        ahead[place] = ((alone[place - 1] + ahead[place - 1])[:, None] + overlap).min(axis=0)
        back = form.symbols - 1 - place
        behind[back] = ((alone[back + 1] + behind[back + 1])[:, None] + turned).min(axis=0)
    cheapest: Array = alone + ahead + behind
    return cheapest
