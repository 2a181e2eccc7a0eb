"""A strip that nobody could read, beside an ID that was read elsewhere on the sheet: does it say the same?

To ask whether bars say *this* text needs far less of them than to ask what they say. The answer is ``same`` when every place
agrees, ``other`` when nearly all do and the rest clearly say something else that stands on its own feet, and otherwise nothing:
a damaged code, or a code of something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nhirx_scanner.drift import DRIFTS, smooth_path, windows
from nhirx_scanner.forms import FORMS, LETTERS39, Array, Form
from nhirx_scanner.read1d import ends, ink_of, spread_of, turned
from nhirx_scanner.refit import Drawn, Fit, as_text, fitted
from nhirx_scanner.symbols import ALPHABET93, check93
from nhirx_scanner.templates import templates

_BLURS = (0.6, 1.2)
_NO_CODE = 0.25  # mean cost of a place above which the strip is something else
_NO_FIT = 0.45
_CLEAR = 20.0  # lead of a place that says clearly what it says, in units of noise
_MOST_OTHER = 5  # places in which a misprinted ID may differ


@dataclass(frozen=True, slots=True)
class Verdict:
    """``text`` is what the strip says: the text asked for, or the other one."""

    says: Literal["same", "other"]
    text: str
    symbology: str


def expected(form: Form, text: str) -> Array | None:
    """The numbers of the characters, start and check included, that ``form`` prints for ``text``; None when it cannot."""
    if form.name == "code39":
        star = len(LETTERS39) - 1
        return np.array([star, *(LETTERS39.index(letter) for letter in text), star])
    if form.name == "code93":
        values = [ALPHABET93.index(letter) for letter in text]
        return np.array([47, *values, *check93(values), 47])
    values = _values128(text)
    if len(values) + 1 != form.symbols:
        return None
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    return np.array([*values, check])


def _values128(text: str) -> list[int]:
    """Start and characters as writers choose them: digits in pairs at the beginning, at the end, and from four on in between."""
    out, in_pairs = [105 if text[:2].isdigit() else 104], text[:2].isdigit()
    for found in re.finditer(r"\d+|\D+", text):
        run, first, last = found[0], found.start() == 0, found.end() == len(text)
        paired = run.isdigit() and len(run) >= (2 if first or last else 4)
        odd = len(run) % 2 if paired else 0
        before, after = (run[:1], "") if odd and last and not first else ("", run[-1:] if odd else "")
        pairs = run[len(before) : len(run) - len(after)] if paired else ""
        for letters, as_pairs in ((before if paired else run, False), (pairs, True), (after, False)):
            if letters and as_pairs != in_pairs:
                in_pairs = as_pairs
                out.append(99 if in_pairs else 100)
            out += (
                [int(letters[at : at + 2]) for at in range(0, len(letters), 2)]
                if in_pairs
                else [ord(each) - 32 for each in letters]
            )
    return out


def compare(profile: Array, text: str, *, enlarged: float = 1.0) -> Verdict | None:
    """Whether one averaged line across a code says ``text``. ``enlarged`` as in ``refit.read``."""
    found = ends(profile)
    if found is None:
        return None
    best: tuple[float, bool, Drawn, Array, Array] | None = None
    ink = ink_of(profile, found)
    for backwards in (False, True):
        line, low, high = turned(profile, found, backwards)
        for form in FORMS:
            wanted = expected(form, text)
            if wanted is None or (high - low) / form.modules < 0.7 * enlarged:
                continue
            spread = spread_of(ink, form)
            seen = windows(line, low, high, form).reshape(form.symbols, len(DRIFTS), -1)
            for blur in _BLURS:
                costs = 1 - np.einsum("pds,ps->pd", seen, templates(form, blur, spread)[wanted])
                path, cost = smooth_path(costs)
                if best is None or cost / form.symbols < best[0]:
                    best = cost / form.symbols, backwards, Drawn(form, blur, spread), DRIFTS[path], wanted
    if best is None or best[0] > _NO_CODE:
        return None
    _, backwards, drawn, drift, wanted = best
    line, low, high = turned(profile, found, backwards)
    fit = _nearest(line, low, high, drawn, drift, wanted)
    if fit.misfit > _NO_FIT:
        return None
    if _clear(fit, wanted) >= 0.7 * len(wanted) and bool((_behind(fit, wanted) < _CLEAR / 4).all()):
        return Verdict("same", text, drawn.form.name)
    # Held fast to another text the drawing lies a little askew, and what does not fit is taken for noise. Free, it shows what is
    # printed.
    fit = fitted(line, low, high, fit.drawn, drift, wanted, rounds=6)
    free = as_text(fit)
    differs = sum(a != b for a, b in zip(free.text, text, strict=False))
    if _clear(fit, wanted) < len(wanted) - _MOST_OTHER or len(free.text) != len(text) or not 0 < differs <= _MOST_OTHER:
        return None
    # Damage changes a character, and the check is wrong then; a misprint has its own.
    return Verdict("other", free.text, drawn.form.name) if free.forced <= 2 and free.is_sure(plausible=True) else None


def _behind(fit: Fit, wanted: Array) -> Array:
    """How far the wanted character is behind the best one at each place."""
    leads = fit.leads - fit.leads.min(axis=1, keepdims=True)
    behind: Array = leads[np.arange(len(wanted)), wanted]
    return behind


def _clear(fit: Fit, wanted: Array) -> int:
    """At how many places the wanted character leads by far."""
    rivals = fit.leads.copy()
    places = np.arange(len(wanted))
    rivals[places, wanted] = np.inf
    ahead = rivals.min(axis=1) - fit.leads[places, wanted]
    heavy = np.maximum(fit.local / max(float(fit.local.mean()), 1e-9), 1.0)
    return int((ahead / heavy > _CLEAR).sum())


def _nearest(line: Array, low: float, high: float, drawn: Drawn, drift: Array, wanted: Array) -> Fit:
    best = fitted(line, low, high, drawn, drift, wanted, rounds=4, fixed=True)
    for _ in range(2):
        around = [replace(best.drawn, blur=round(best.drawn.blur * factor, 3)) for factor in (1.3, 1 / 1.3)]
        around += [replace(best.drawn, spread=best.drawn.spread + change) for change in (-0.25, 0.25)]
        for other in around:
            if 0.3 < other.blur < 2 and abs(other.spread) <= 1:
                fit = fitted(line, low, high, other, drift, wanted, rounds=3, fixed=True)
                if fit.misfit < best.misfit:
                    best = fit
    return best
