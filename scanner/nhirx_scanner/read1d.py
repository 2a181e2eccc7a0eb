"""Bars read by model: a visit ID has twenty characters, so the whole code is known but for what they are.

The strip is averaged to one profile. For each symbology the expected profile of every character is laid over every place of the
code, allowed to drift a little, and scored by correlation; the best path over drift gives each place its scores (``solve1d``
makes a text of them).

What such a reading is worth is in its numbers (``Reading``); ``is_sure`` draws the line. Nothing here knows what a visit ID means.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.forms import FINE, FORMS, Array, Form, Known, allowed, blurred, patterns, tried, wave_of
from nhirx_scanner.solve1d import Reading, solve_places
from nhirx_scanner.spans import spans

__all__ = ["FORMS", "Form", "Reading", "Rows", "ends", "read_profile", "read_rows", "solve_places"]

_RATE = 4  # samples per module of the comparison
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
_DARK = {"code128": 0.47, "code39": 0.55, "code93": 0.47}  # share of ink in codes of usual text
_BARS = {"code128": 3, "code39": 5, "code93": 3}  # bars per character
_PAIRED = 0.03  # what such a pair costs more than a letter, where letters are usual
_FIRST = slice(None, None, 2)  # of the drifts, for the first look
_NO_LOOK, _NO_SOFT_LOOK = (0.14, 0.25), 0.11  # first look above which a line is no code of twenty characters
_MORE_BLURS = 0.03  # mean cost above that limit for which no other blur will help
_IDS = frozenset(ALPHABET)


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
        line, low, high = turned(profile, found, backwards)
        readings = [_solve(costs_of(line, low, high, form, first, spread), form, backwards)]
        if readings[0].reading.cost < limit + _MORE_BLURS:
            blurs = more if readings[0].reading.cost > 0.03 else more[:2]
            readings += [_solve(costs_of(line, low, high, form, blur, spread), form, backwards) for blur in blurs]
        out += readings
    return sorted(out, key=lambda rows: rows.reading.cost)


def _looks(
    profile: Array, found: tuple[float, float], enlarged: float, known: Known | None
) -> list[tuple[float, bool, Form, float, tuple[float, float], float]]:
    """The first look at one stretch of the line: (cost, way round, form, spread, stretch, blur)."""
    steep = _steepness(profile, found)
    if steep < _FLAT:
        return []
    blurs = ((_SHARP if steep > _STEEP else _SOFT)[0], _SMEARED)
    out = []
    for backwards, form in tried(known):
        line, low, high = turned(profile, found, backwards)
        # Below three quarters of a pixel per module the bars have merged for good.
        if (high - low) / form.modules >= 0.75 * enlarged:
            spread = spread_of(line, low, high, form)
            seen = _seen(line, low, high, form, _DRIFT[_FIRST])
            for blur in blurs:
                look = first_look(_costs(seen, form, blur, spread), form) * (_SOFTER if blur == _SMEARED else 1.0)
                out.append((look, backwards, form, spread, found, blur))
    return out


def _steepness(line: Array, found: tuple[float, float]) -> float:
    """How steep the line is beside how much it varies, per module of a code of 255: below one where blur has taken the edges."""
    inside = line[int(found[0]) : int(found[1])]
    return float(np.sqrt(np.square(np.diff(inside)).mean())) / (float(inside.std()) + 1) * (found[1] - found[0]) / 255


def spread_of(line: Array, low: float, high: float, form: Form) -> float:
    """How much wider than meant the bars are printed, in modules: from the share of ink, in quarters."""
    inside = line[int(low) : int(high) + 1]
    dark, light = np.percentile(inside, [2, 98])
    share = float((light - inside).mean()) / max(float(light - dark), 1.0)
    spread = (share - _DARK[form.name]) * form.width / _BARS[form.name]
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
    busy = np.nonzero(level > 0.30 * np.percentile(level, 75))[0]
    if len(busy) < 50:
        return None
    breaks = np.nonzero(np.diff(busy) > 60)[0]
    starts, stops = np.r_[0, breaks + 1], np.r_[breaks, len(busy) - 1]
    longest = int(np.argmax(busy[stops] - busy[starts]))
    low, high = int(busy[starts[longest]]), int(busy[stops[longest]])
    if high <= low:
        return None
    edge = 0.22 * np.percentile(steps[low:high], 90)
    first = low + int(np.argmax(steps[low : low + 60] > edge))
    last = high - int(np.argmax(steps[max(low, high - 60) : high + 1][::-1] > edge))
    return float(first), float(last)


@cache
def templates(form: Form, blur: float, spread: float) -> tuple[Array, Array]:
    """(templates × samples), mean free, and their lengths, for bars printed ``spread`` modules too wide."""
    # What stands beside a character reaches into it when it is blurred.
    before, after = ([2.0, 2.0], [2.0]) if form.name == "code128" else ([1.0, 1.0], [1.0])
    out = []
    for pattern in patterns(form):
        around = wave_of([*before, *pattern, *after, 2.0], spread, first_dark=len(before) % 2 == 0)
        first = round(sum(before) * FINE)
        whole = blurred(around, blur)[first : first + round(sum(pattern) * FINE)]
        places = (np.arange(int(form.width * _RATE)) + 0.5) / _RATE * FINE - 0.5
        out.append(np.interp(places, np.arange(len(whole)), whole))
    shapes = np.array(out, np.float32)
    shapes -= shapes.mean(axis=1, keepdims=True)
    return shapes, np.sqrt((shapes**2).sum(axis=1)) + 1e-6


def costs_of(line: Array, low: float, high: float, form: Form, blur: float, spread: float, drifts: Array = _DRIFT) -> Array:
    """(places × drifts × characters): 1 − correlation of what is there with what the character would look like."""
    return _costs(_seen(line, low, high, form, drifts), form, blur, spread)


def _seen(line: Array, low: float, high: float, form: Form, drifts: Array) -> Array:
    """(places · drifts × samples), mean free."""
    count = int(form.width * _RATE)
    module = (high - low) / form.modules
    within = np.arange(count) / _RATE + 0.5 / _RATE
    at = low + module * (form.width * np.arange(form.symbols)[:, None, None] + drifts[None, :, None] + within) - 0.5
    seen: Array = np.interp(at.ravel(), np.arange(len(line)), line).reshape(-1, count).astype(np.float32)
    seen -= seen.mean(axis=1, keepdims=True)
    return seen


def _costs(seen: Array, form: Form, blur: float, spread: float) -> Array:
    shapes, lengths = templates(form, blur, spread)
    size = np.sqrt((seen**2).sum(axis=1)) + 0.15
    # Not numpy's product: its library would start threads for this, which costs more than the product when cores are busy.
    costs = 1 - cv2.gemm(seen, shapes, 1.0, None, 0.0, flags=cv2.GEMM_2_T) / (size[:, None] * lengths[None])  # type: ignore[call-overload]
    shaped: Array = costs.reshape(form.symbols, -1, costs.shape[1])
    return shaped


def best_places(costs: Array, form: Form, places: Array | None = None, *, usual: bool = False) -> Array:
    """(places × drifts): the cheapest character that may stand at each of ``places`` (all of them when None).

    ``usual``: without the pairs of digits that a Code 128 seldom has behind its beginning.
    """
    start, characters, end = allowed(form)
    best: Array = costs[:, :, characters].min(axis=2)
    last = form.symbols - 1
    for row, place in enumerate(range(form.symbols) if places is None else places.tolist()):
        if place == 0:
            best[row] = costs[row][:, start].min(axis=1)
        elif place == last:
            best[row] = costs[row][:, end].min(axis=1)
        elif form.name == "code128" and not (usual and place > 3):
            # Pairs of digits and the changes between them and letters.
            pairs = costs[row, :, :103].min(axis=1)
            best[row] = pairs if place < 4 else np.minimum(best[row], pairs + _PAIRED)
        elif form.name == "code93" and place >= last - 2:
            best[row] = costs[row].min(axis=1)
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
    change = _DRIFT_COST * np.abs(_DRIFT[:, None] - _DRIFT[None])
    total = best[0].copy()
    came: list[Array] = []
    for row in best[1:]:
        with_change = total[None] + change
        came.append(with_change.argmin(axis=1))
        total = with_change.min(axis=1) + row
    place = int(total.argmin())
    path = [place]
    for row in reversed(came):
        place = int(row[place])
        path.append(place)
    return np.array(path[::-1])
