"""Bars read by model: a visit ID has twenty characters, so the whole code is known but for what they are.

The strip is averaged to one profile. For each symbology the expected profile of every character is laid over every place of the
code, allowed to drift a little, and scored by correlation; the best path over drift gives each place its scores (``solve1d``
makes a text of them).

What such a reading is worth is in its numbers (``Reading``); ``is_sure`` draws the line. Nothing here knows what a visit ID means.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.drift import correlation, windows
from nhirx_scanner.forms import FORMS, Array, Form, Known, allowed, patterns, tried
from nhirx_scanner.percentiles import percentiles
from nhirx_scanner.solve1d import Reading, solve_places
from nhirx_scanner.spans import spans
from nhirx_scanner.templates import templates

__all__ = ["FORMS", "Form", "Reading", "Rows", "ends", "read_profile", "read_rows", "solve_places"]

_DRIFT = np.arange(-14, 15) * 0.25  # modules
_DRIFT_COST = 0.12  # per module of change between neighbours
# Sigma in modules; motion, the width in modules of an even smear, is written as a negative blur. The first is for the first look.
_SHARP, _SOFT = (0.6, 0.35, 0.9, -1.6, -2.6), (1.0, 0.6, 1.4, -2.6, -3.6)
_SMEARED, _SOFTER, _PIECE = (
    -2.6,
    1.2,
    1.8,
)  # of the first look: another blur; what its cost, and that of a part of the line, weighs
_FLAT, _STEEP = 0.42, 0.85  # steepness below which nothing of twenty characters is left, and below which it is soft
_FILLED = 0.3  # of its length, by which bars may be longer or shorter than the strip they fill
_DARK = {"code128": 0.47, "code39": 0.55, "code93": 0.47}  # share of ink in codes of usual text
_BARS = {"code128": 3, "code39": 5, "code93": 3}  # bars per character
_PAIRED = 0.03  # what such a pair costs more than a letter, where letters are usual
_FIRST = slice(None, None, 2)  # of the drifts, for the first look
_NO_LOOK, _NO_SOFT_LOOK = (0.14, 0.25), 0.11  # first look above which a line is no code of twenty characters
_MORE_BLURS = 0.03  # mean cost above that limit for which no other blur will help
_IDS = frozenset(ALPHABET)
_VALUES128 = np.arange(103)


@dataclass(frozen=True, slots=True)
class Rows:
    """What one profile says for one form: ``costs`` per place and character, to be averaged over frames and solved again."""

    form: Form
    backwards: bool
    costs: Array
    reading: Reading


def read_profile(profile: Array, *, enlarged: float = 1.0, known: Known | None = None) -> list[Reading]:
    """The best readings of one averaged line across a code (grey values, left to right or the other way), the best first.

    ``enlarged``: how many samples a pixel of the page has become. ``known``: nothing else is tried.
    """
    return [rows.reading for rows in read_rows(profile, enlarged=enlarged, known=known)]


def read_rows(profile: Array, *, enlarged: float = 1.0, known: Known | None = None) -> list[Rows]:
    """As ``read_profile``, with the costs behind each reading."""
    usual = ends(profile)
    tries = [each for found in spans(profile, usual, enlarged) for each in _looks(profile, found, enlarged, known)]
    if not tries:
        return []
    # A piece of a code, and soft shapes, go with some text more easily than the whole and sharp ones.
    found = min(tries, key=lambda item: item[0] * (1.0 if item[4] == usual else _PIECE))[4]
    tries = sorted((each for each in tries if each[4] == found), key=lambda item: item[0])
    steep = _steepness(profile, found)
    # A soft line of anything goes with some text; noise, and edges sharper than drawn, cost a true one much.
    sharp = float(np.clip(_NO_LOOK[0] + 0.1 * (255 / tries[0][2].modules * steep - 1.5), *_NO_LOOK))
    limit = sharp if steep > _STEEP else _NO_SOFT_LOOK
    if tries[0][0] > limit:
        return []
    out: list[Rows] = []
    every = _SHARP if steep > _STEEP else _SOFT
    followed: set[tuple[bool, Form]] = set()
    for _, backwards, form, spread, _, first in tries:
        if (backwards, form) in followed:
            continue
        if len(followed) == (3 if known is None else 1):
            break
        followed.add((backwards, form))
        more = [blur for blur in every if blur != first]
        seen = windows(*turned(profile, found, backwards), form, _DRIFT)
        readings = [_solve(_costs(seen, form, first, spread), form, backwards)]
        if readings[0].reading.cost < limit + _MORE_BLURS:
            blurs = more if readings[0].reading.cost > 0.03 else more[:2]
            readings += [_solve(_costs(seen, form, blur, spread), form, backwards) for blur in blurs]
        out += readings
    return sorted(out, key=lambda rows: rows.reading.cost)


def _looks(
    profile: Array, found: tuple[float, float], enlarged: float, known: Known | None
) -> list[tuple[float, bool, Form, float, tuple[float, float], float]]:
    """The first look at one stretch of the line: (cost, way round, form, spread, stretch, blur)."""
    steep = _steepness(profile, found)
    if steep < _FLAT:
        return []
    blurs, ink = ((_SHARP if steep > _STEEP else _SOFT)[0], _SMEARED), ink_of(profile, found)
    out = []
    for backwards, form in tried(known):
        line, low, high = turned(profile, found, backwards)
        # Below three quarters of a pixel per module the bars have merged for good.
        if (high - low) / form.modules >= 0.75 * enlarged:
            spread = spread_of(ink, form)
            seen = windows(line, low, high, form, _DRIFT[_FIRST])
            for blur in blurs:
                look = first_look(_costs(seen, form, blur, spread), form) * (_SOFTER if blur == _SMEARED else 1.0)
                out.append((look, backwards, form, spread, found, blur))
    return out


def _steepness(line: Array, found: tuple[float, float]) -> float:
    """How steep the line is beside how much it varies, per module of a code of 255: below one where blur has taken the edges."""
    inside = line[int(found[0]) : int(found[1])]
    return float(np.sqrt(np.square(np.diff(inside)).mean())) / (float(inside.std()) + 1) * (found[1] - found[0]) / 255


def is_flat(profile: Array, length: float) -> bool:
    """Whether bars fill a strip of ``length`` samples, and blur has taken so much that nobody can tell of what kind of code."""
    found = ends(profile)
    return found is not None and abs((found[1] - found[0]) / length - 1) < _FILLED and _steepness(profile, found) < _FLAT


def ink_of(profile: Array, found: tuple[float, float]) -> float:
    """The share of ink between the ends of a code."""
    inside = profile[int(found[0]) : int(found[1]) + 1]
    dark, light = percentiles(inside, 2, 98)
    return float((light - inside).mean()) / max(light - dark, 1.0)


def spread_of(ink: float, form: Form) -> float:
    """How much wider than meant the bars are printed, in modules: from the share of ink, in quarters."""
    spread = (ink - _DARK[form.name]) * form.width / _BARS[form.name]
    return float(np.clip(round(spread * 4) / 4, -0.5, 0.75))


def turned(profile: Array, found: tuple[float, float], backwards: bool) -> tuple[Array, float, float]:
    if not backwards:
        return profile, *found
    last = len(profile) - 1
    return profile[::-1], last - found[1], last - found[0]


def ends(profile: Array) -> tuple[float, float] | None:
    """Where the code begins and ends in the profile: its first and last clear edge."""
    steps = np.abs(np.gradient(cv2.GaussianBlur(profile[None].astype(np.float32), (0, 0), 1.0)[0]))
    level = cv2.blur(steps[None], (31, 1))[0]
    busy = np.nonzero(level > 0.30 * percentiles(level, 75)[0])[0]
    if len(busy) < 50:
        return None
    breaks = np.nonzero(np.diff(busy) > 60)[0]
    starts, stops = np.r_[0, breaks + 1], np.r_[breaks, len(busy) - 1]
    longest = int(np.argmax(busy[stops] - busy[starts]))
    low, high = int(busy[starts[longest]]), int(busy[stops[longest]])
    if high <= low:
        return None
    edge = 0.22 * percentiles(steps[low:high], 90)[0]
    first = low + int(np.argmax(steps[low : low + 60] > edge))
    last = high - int(np.argmax(steps[max(low, high - 60) : high + 1][::-1] > edge))
    return float(first), float(last)


def _costs(seen: Array, form: Form, blur: float, spread: float) -> Array:
    """(places × drifts × characters): 1 − correlation of what is there with what the character would look like."""
    return correlation(seen, templates(form, blur, spread)).reshape(form.symbols, -1, len(patterns(form)))


def best_places(costs: Array, form: Form, places: Array | None = None, *, usual: bool = False) -> Array:
    """(places × drifts): the cheapest character that may stand at each of ``places`` (all of them when None).

    ``usual``: without the pairs of digits that a Code 128 seldom has behind its beginning.
    """
    start, characters, end = allowed(form)
    numbers = np.arange(form.symbols) if places is None else places
    last = form.symbols - 1
    # Picked by their numbers, characters come to lie so that the least of them is found many times faster than along a row.
    best: Array = costs[:, :, characters].min(axis=2)
    if form.name == "code128":
        # Pairs of digits and the changes between them and letters.
        few = 4 if usual else last
        paired = numbers < few
        pairs = costs[paired][:, :, _VALUES128].min(axis=2)
        first = numbers[paired, None] < 4
        best[paired] = np.where(first, pairs, np.minimum(best[paired], pairs + np.float32(_PAIRED)))
    for row in np.flatnonzero((numbers == 0) | (numbers == last) | ((form.name == "code93") & (numbers >= last - 2))):
        place = numbers[row]
        best[row] = (costs[row][:, start if place == 0 else end] if place in (0, last) else costs[row]).min(axis=1)
    return best


def first_look(costs: Array, form: Form) -> float:
    # The more may stand at a place, the more the bars of other codes look like it; five places are left out anyhow.
    best = best_places(costs, form, usual=True).min(axis=1)
    return float(np.sort(best[1:-1])[:15].mean() + 0.15 * best[0])


def _solve(costs: Array, form: Form, backwards: bool) -> Rows:
    path = _drift_path(best_places(costs, form))
    rows = costs[np.arange(form.symbols), path]
    reading = solve_places(rows, form, backwards)
    if reading.cost < _NO_LOOK[1] and not _IDS.issuperset(reading.text):
        strict = solve_places(rows, form, backwards, strict=True)
        if strict.is_fair:
            reading = strict
    return Rows(form, backwards, rows, reading)


def _drift_path(best: Array) -> Array:
    """The drift of each place that costs least, changes included."""
    change = (_DRIFT_COST * np.abs(_DRIFT[:, None] - _DRIFT[None])).astype(best.dtype)
    totals = [best[0]]
    for row in best[1:]:
        totals.append((totals[-1][None] + change).min(axis=1) + row)
    path = [int(totals[-1].argmin())]
    for total in reversed(totals[:-1]):
        path.append(int((total + change[path[-1]]).argmin()))
    return np.array(path[::-1])
