"""The three 1-D symbologies as shapes of twenty characters: widths, what may stand where, and waves of ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.symbols import ALPHABET39, CODE128, widths39, widths93

Array = NDArray[Any]

FINE = 8  # samples per module of a wave
# What a place may hold besides the alphabet: an honest competitor keeps a chart number from being bent into an ID.
STRANGERS128 = "IO-. $/+%*:;=_abcdefghijklmnopqrstuvwxyz"
STRANGERS39 = "IO-. $/+%"
LETTERS39 = ALPHABET + STRANGERS39 + "*"
"""What is matched at a place of a Code 39; the last is its start and stop."""


@dataclass(frozen=True, slots=True)
class Form:
    """One symbology at one ratio. ``symbols`` are the places that are matched, ``modules`` the width of the whole code."""

    name: str
    ratio: float
    symbols: int
    modules: float
    width: float

    @property
    def start(self) -> int:
        return 34 if self.name != "code128" else 0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a code before it is read: its symbology, and whether it runs backwards."""

    name: str
    backwards: bool


FORMS = (
    Form("code128", 0.0, 22, 255.0, 11.0),
    Form("code128", 0.0, 21, 244.0, 11.0),  # four digits first, written as two pairs
    *(Form("code39", ratio, 22, 22 * (3 * ratio + 7) - 1, 3 * ratio + 7) for ratio in (2.0, 2.5, 3.0)),
    Form("code93", 0.0, 24, 217.0, 9.0),
)


def tried(known: Known | None) -> tuple[tuple[bool, Form], ...]:
    """Every way round and form, or those that agree with what is known."""
    return tuple(
        (backwards, form)
        for backwards in (False, True)
        for form in FORMS
        if known is None or (backwards == known.backwards and form.name == known.name)
    )


@cache
def patterns(form: Form) -> tuple[tuple[float, ...], ...]:
    """Element widths, bar first, of everything that is matched at a place. Places of ``allowed`` count in this order."""
    if form.name == "code128":
        return tuple(tuple(float(width) for width in widths) for widths in CODE128)
    if form.name == "code39":
        every = widths39(form.ratio)
        return tuple(every[ALPHABET39.index(letter)] for letter in LETTERS39)
    return widths93()


@cache
def allowed(form: Form) -> tuple[Array, Array, Array]:
    """Template numbers of the start, of the characters, of what may stand at the end."""
    if form.name == "code128":
        return np.array([103, 104, 105]), np.array([ord(c) - 32 for c in ALPHABET + STRANGERS128]), np.arange(103)
    if form.name == "code39":
        star = len(LETTERS39) - 1
        return np.array([star]), np.arange(star), np.array([star])
    return np.array([47]), np.arange(43), np.array([47])


def wave_of(widths: Sequence[float], spread: float, *, first_dark: bool) -> Array:
    """0 for bars, 1 for spaces, each bar ``spread`` modules wider than ``widths`` says."""
    wave = np.ones(round(sum(widths) * FINE), np.float32)
    more, at, bar = spread / 2 * FINE, 0.0, first_dark
    for width in widths:
        if bar:
            wave[max(0, round(at - more)) : max(0, round(at + width * FINE + more))] = 0.0
        at, bar = at + width * FINE, not bar
    return wave


@cache
def kernel(modules: float) -> Array:
    """What a point becomes, in fine samples: a bell of that sigma in modules, or for a negative number an even smear that wide."""
    if modules < 0:
        smear = np.ones(max(1, round(-modules * FINE)))
        shape = np.convolve(smear / smear.sum(), [0.1, 0.2, 0.4, 0.2, 0.1])
    else:
        sigma = max(modules * FINE, 0.3)
        reach = int(4 * sigma) + 1
        shape = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    even: Array = (shape / shape.sum()).astype(np.float32)
    return even


def blurred(wave: Array, modules: float) -> Array:
    soft: Array = np.convolve(wave, kernel(modules), "same")
    return soft
