"""Bars read by model: a visit ID has twenty characters, so the whole code is known but for what they are.

The strip is averaged to one profile. For each symbology the expected profile of every character is laid over every place of the
code, allowed to drift a little, and scored by correlation; the best path over drift gives each place its scores. Code 128 and
Code 93 then choose the best text *among those whose check characters are right*, so the check decides and not only verifies.

What such a reading is worth is in its numbers (``Reading``); ``is_sure`` draws the line. Nothing here knows what a visit ID means.

Longer than 400 lines because the three symbologies share one matching step and one kind of answer; apart they would only import
each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.symbols import ALPHABET39, ALPHABET93, CODE128, check93, widths39, widths93

Array = NDArray[Any]

_FINE = 8  # samples per module of the templates before blurring
_RATE = 4  # samples per module of the comparison
_DRIFT = np.arange(-14, 15) * 0.25  # modules
_DRIFT_COST = 0.12  # per module of change between neighbours
_BLURS = (0.35, 0.6, 0.9)  # sigma in modules
_SMEARS = (-1.6, -2.6)  # motion: width in modules of an even smear, written as a negative blur
_DARK = {"code128": 0.47, "code39": 0.55, "code93": 0.47}  # share of ink in codes of usual text
_BARS = {"code128": 3, "code39": 5, "code93": 3}  # bars per character
_HOPELESS = 0.25  # mean cost above which no other blur will help

# What a place may hold besides the alphabet: an honest competitor keeps a chart number from being bent into an ID.
_STRANGERS128 = "IO-. $/+%*:;=_abcdefghijklmnopqrstuvwxyz"
_STRANGERS39 = "IO-. $/+%"
_IDS = frozenset(ALPHABET)


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


FORMS = (
    Form("code128", 0.0, 22, 255.0, 11.0),
    Form("code128", 0.0, 21, 244.0, 11.0),  # four digits first, written as two pairs
    *(Form("code39", ratio, 22, 22 * (3 * ratio + 7) - 1, 3 * ratio + 7) for ratio in (2.0, 2.5, 3.0)),
    Form("code93", 0.0, 24, 217.0, 9.0),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with the numbers it stands on: mean and (second) worst ``cost`` of a place (0 perfect), the smallest ``margin`` to
    another text, ``forced``: how much dearer the text is than the one without the check (0: the check had nothing to do), and
    ``weakest``: the second smallest lead of a character over its nearest rival, where the check vouches for one.
    ``strict``: only the characters of visit IDs were allowed, so that the text has the right alphabet says nothing.
    """

    text: str
    symbology: str
    cost: float
    worst: float
    margin: float
    forced: float
    weakest: float = 1.0
    runs_back: bool = False
    strict: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether the numbers alone are good enough to believe the text."""
        if self.strict:
            return False
        if self.symbology == "code39":
            # Nothing checks a Code 39: a stroke of a pen makes one character another, at a cost that only that place shows.
            return self.margin > max(0.1, 2 * self.cost) and self.worst < 0.15 and self.cost < 0.06
        return self.forced < 1e-6 and self.margin > 0.25 and self.weakest > 0.02 and self.worst < 0.2 and self.cost < 0.12

    @property
    def is_fair(self) -> bool:
        """Whether the text is worth believing once something independent says the same.

        The check must have had nothing to do: blurred bars give a dozen wrong texts of low cost, and the check then finds one
        that fits it.
        """
        if self.symbology == "code39":
            return self.margin > max(0.03, 2 * self.cost) and self.worst < 0.15 and self.cost < 0.06
        return (
            self.forced < 1e-6
            and self.margin > max(0.12, 2.5 * self.cost)
            and self.weakest > 0.015
            and self.worst < 0.3
            and self.cost < 0.1
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """What one profile says for one form: ``costs`` per place and character, to be averaged over frames and solved again."""

    form: Form
    backwards: bool
    costs: Array
    reading: Reading


def read_profile(profile: Array, *, enlarged: float = 1.0, like: Reading | None = None) -> list[Reading]:
    """The best readings of one averaged line across a code (grey values, left to right or the other way), the best first.

    ``enlarged``: how many samples a pixel of the page has become. ``like``: only try the form and way round of that reading.
    """
    return [rows.reading for rows in read_rows(profile, enlarged=enlarged, like=like)]


def read_rows(profile: Array, *, enlarged: float = 1.0, like: Reading | None = None) -> list[Rows]:
    """As ``read_profile``, with the costs behind each reading."""
    found = ends(profile)
    if found is None:
        return []
    tries = []
    for backwards in (False, True) if like is None else (like.runs_back,):
        line, low, high = _turned(profile, found, backwards)
        for form in FORMS:
            # Below three quarters of a pixel per module the bars have merged for good.
            if (high - low) / form.modules >= 0.75 * enlarged and (like is None or like.symbology == form.name):
                spread = _spread(line, low, high, form)
                costs = _costs(line, low, high, form, _BLURS[1], spread)
                tries.append((_first_look(costs, form), backwards, form, spread, costs))
    tries.sort(key=lambda item: item[0])
    out: list[Rows] = []
    for _, backwards, form, spread, costs in tries[: 3 if like is None else 1]:
        line, low, high = _turned(profile, found, backwards)
        readings = [_solve(costs, form, backwards)]
        if readings[0].reading.cost < _HOPELESS:
            blurs = (_BLURS[0], _BLURS[2], *(_SMEARS if readings[0].reading.cost > 0.03 else ()))
            readings += [_solve(_costs(line, low, high, form, blur, spread), form, backwards) for blur in blurs]
        out += readings
    return sorted(out, key=lambda rows: rows.reading.cost)


def _spread(line: Array, low: float, high: float, form: Form) -> float:
    """How much wider than meant the bars are printed, in modules: from the share of ink, in quarters."""
    inside = line[int(low) : int(high) + 1]
    dark, light = np.percentile(inside, [2, 98])
    share = float((light - inside).mean()) / max(float(light - dark), 1.0)
    spread = (share - _DARK[form.name]) * form.width / _BARS[form.name]
    return float(np.clip(round(spread * 4) / 4, -0.5, 0.75))


def _turned(profile: Array, found: tuple[float, float], backwards: bool) -> tuple[Array, float, float]:
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
def _templates(form: Form, blur: float, spread: float) -> tuple[Array, Array]:
    """(templates × samples), mean free, and their lengths, for bars printed ``spread`` modules too wide."""
    if form.name == "code128":
        patterns: Sequence[Sequence[float]] = [[float(w) for w in widths] for widths in CODE128]
        before, after = [2.0, 2.0], [2.0]
    elif form.name == "code39":
        every = widths39(form.ratio)
        patterns = [every[ALPHABET39.index(c)] for c in ALPHABET + _STRANGERS39 + "*"]
        before, after = [1.0, 1.0], [1.0]
    else:
        patterns = widths93()
        before, after = [1.0, 1.0], [1.0]
    out = []
    for pattern in patterns:
        around = _wave([*before, *pattern, *after, 2.0], spread, first_dark=len(before) % 2 == 0)
        first = round(sum(before) * _FINE)
        whole = _blurred(around, blur)[first : first + round(sum(pattern) * _FINE)]
        places = (np.arange(int(form.width * _RATE)) + 0.5) / _RATE * _FINE - 0.5
        out.append(np.interp(places, np.arange(len(whole)), whole))
    templates = np.array(out, np.float32)
    templates -= templates.mean(axis=1, keepdims=True)
    return templates, np.sqrt((templates**2).sum(axis=1)) + 1e-6


def _wave(widths: Sequence[float], spread: float, *, first_dark: bool) -> Array:
    """0 for bars, 1 for spaces, each bar ``spread`` modules wider than ``widths`` says."""
    wave = np.ones(round(sum(widths) * _FINE), np.float32)
    more, at, bar = spread / 2 * _FINE, 0.0, first_dark
    for width in widths:
        if bar:
            wave[max(0, round(at - more)) : max(0, round(at + width * _FINE + more))] = 0.0
        at, bar = at + width * _FINE, not bar
    return wave


def _blurred(wave: Array, modules: float) -> Array:
    if modules < 0:
        smear = np.ones(max(1, round(-modules * _FINE)))
        even: Array = np.convolve(np.convolve(wave, smear / smear.sum(), "same"), [0.1, 0.2, 0.4, 0.2, 0.1], "same")
        return even
    sigma = max(modules * _FINE, 0.3)
    reach = int(4 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    blurred: Array = np.convolve(wave, kernel / kernel.sum(), "same")
    return blurred


def _costs(line: Array, low: float, high: float, form: Form, blur: float, spread: float) -> Array:
    """(places × drifts × characters): 1 − correlation of what is there with what the character would look like."""
    templates, lengths = _templates(form, blur, spread)
    count = templates.shape[1]
    module = (high - low) / form.modules
    within = np.arange(count) / _RATE + 0.5 / _RATE
    at = low + module * (form.width * np.arange(form.symbols)[:, None, None] + _DRIFT[None, :, None] + within) - 0.5
    seen = np.interp(at.ravel(), np.arange(len(line)), line).reshape(-1, count).astype(np.float32)
    seen -= seen.mean(axis=1, keepdims=True)
    size = np.sqrt((seen**2).sum(axis=1)) + 0.15
    # Not numpy's product: its library would start threads for this, which costs more than the product when cores are busy.
    costs = 1 - cv2.gemm(seen, templates, 1.0, None, 0.0, flags=cv2.GEMM_2_T) / (size[:, None] * lengths[None])  # type: ignore[call-overload]
    shaped: Array = costs.reshape(form.symbols, len(_DRIFT), -1)
    return shaped


@cache
def _allowed(form: Form) -> tuple[Array, Array, Array]:
    """Template numbers of the start, of the characters, of what may stand at the end."""
    if form.name == "code128":
        return np.array([103, 104, 105]), np.array([ord(c) - 32 for c in ALPHABET + _STRANGERS128]), np.arange(103)
    if form.name == "code39":
        star = len(ALPHABET + _STRANGERS39)
        return np.array([star]), np.arange(star), np.array([star])
    return np.array([47]), np.arange(43), np.array([47])


def _best_places(costs: Array, form: Form) -> Array:
    start, characters, end = _allowed(form)
    best: Array = costs[:, :, characters].min(axis=2)
    best[0] = costs[0][:, start].min(axis=1)
    best[-1] = costs[-1][:, end].min(axis=1)
    if form.name == "code128":
        best[1:4] = costs[1:4, :, :103].min(axis=2)  # pairs of digits and the change to letters
    if form.name == "code93":
        best[-3:-1] = costs[-3:-1].min(axis=2)
    return best


def _first_look(costs: Array, form: Form) -> float:
    best = _best_places(costs, form).min(axis=1)
    return float(np.sort(best[1:-1])[:15].mean() + 0.15 * best[0])


def _solve(costs: Array, form: Form, backwards: bool) -> Rows:
    path = _drift_path(_best_places(costs, form))
    rows = costs[np.arange(form.symbols), path]
    reading = solve_places(rows, form, backwards)
    if reading.cost < _HOPELESS and not _IDS.issuperset(reading.text):
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


def solve_places(costs: Array, form: Form, backwards: bool = False, *, strict: bool = False) -> Reading:
    """The best text for one row of costs per place (places × characters); ``strict`` allows the visit ID's alphabet only."""
    solve = {"code39": _solve39, "code128": _solve128, "code93": _solve93}[form.name]
    return replace(solve(costs, strict), runs_back=backwards, strict=strict)


def _solve39(costs: Array, strict: bool) -> Reading:
    star = len(ALPHABET + _STRANGERS39)
    inner = costs[1:-1, : len(ALPHABET) if strict else star]
    order = np.sort(inner, axis=1)
    each = np.r_[costs[0, star], order[:, 0], costs[-1, star]]
    text = "".join((ALPHABET + _STRANGERS39)[k] for k in inner.argmin(axis=1))
    return Reading(text, "code39", float(each.mean()), float(each.max()), float((order[:, 1] - order[:, 0]).min()), 0.0)


@cache
def _plans(count: int, strict: bool) -> list[list[Array]]:
    """What may stand at each place up to the check: characters throughout, or one or two pairs of digits before them."""
    _, values, _ = _allowed(FORMS[0])
    if strict:
        values = values[: len(ALPHABET)]
    pair, change = np.arange(100), np.array([100])
    if count == 21:
        return [[np.array([105]), pair, pair, change, *[values] * 16]]
    return [[np.array([103, 104]), *[values] * 20], [np.array([105]), pair, change, *[values] * 18]]


@cache
def _sources(count: int, strict: bool, plan: int) -> list[Array]:
    """For each place after the start (values × checksums): from which checksum a value there leads to each checksum."""
    allowed = _plans(count, strict)[plan]
    return [(np.arange(103)[None] - place * values[:, None]) % 103 for place, values in enumerate(allowed) if place]


def _solve128(costs: Array, strict: bool) -> Reading:
    last = len(costs) - 1
    plans = _plans(len(costs), strict)
    sums = [sum(float(costs[k, allowed].min()) for k, allowed in enumerate(plan)) for plan in plans]
    number = int(np.argmin(sums))
    plan, free = plans[number], sums[number] + float(costs[last, :103].min())
    start = int(plan[0][costs[0, plan[0]].argmin()])
    # totals[r]: the cheapest text so far whose checksum is r. The check character then prices each r.
    totals = np.full(103, math.inf)
    totals[start % 103] = costs[0, start]
    rows = np.arange(103)
    came: list[Array] = []
    for place, source in enumerate(_sources(len(costs), strict, number), 1):
        options = totals[source] + costs[place, plan[place]][:, None]
        chosen = options.argmin(axis=0)
        came.append(chosen)
        totals = options[chosen, rows]
    totals = totals + costs[last, :103]
    rest = int(totals.argmin())
    residue, picked = rest, []
    for place in range(last - 1, 0, -1):
        value = int(plan[place][came[place - 1][residue]])
        picked.append(value)
        residue = (residue - place * value) % 103
    picked.reverse()
    each = np.array([costs[0, start], *(costs[k + 1, v] for k, v in enumerate(picked)), costs[last, rest]])
    ordered = np.sort(totals)
    ordered_leads = [np.partition(costs[k, allowed], 1) for k, allowed in enumerate(plan[1:], 1) if len(allowed) > 1]
    return Reading(
        _text128(picked, pairs=start == 105),
        "code128",
        float(each.mean()),
        float(np.sort(each)[-2]),
        float(ordered[1] - ordered[0]),
        float(totals[rest] - free),
        float(sorted(float(pair[1] - pair[0]) for pair in ordered_leads)[1]),
    )


def _text128(values: list[int], *, pairs: bool) -> str:
    digits = values[: values.index(100)] if pairs else []
    letters = values[len(digits) + 1 :] if pairs else values
    return "".join(f"{value:02d}" for value in digits) + "".join(chr(value + 32) for value in letters)


def _weakest(data: Array) -> float:
    ordered = np.partition(data, 1, axis=1)
    return float(np.partition(ordered[:, 1] - ordered[:, 0], 1)[1])


def _solve93(costs: Array, strict: bool) -> Reading:
    """Two check characters of 47 values each: the text is taken place by place, and changed in one place if they ask for it."""
    data = costs[1:21, :43].copy()
    if strict:
        data[:, [ALPHABET93.index(c) for c in "IO-. $/+%"]] = 9.0
    picked = data.argmin(axis=1)
    ordered = np.sort(data, axis=1)
    plain = float(data[np.arange(20), picked].sum())
    # Every text that differs in one place, at once: how its price and its two check values move.
    step = np.arange(43)[None] - picked[:, None]
    first_weights, second_weights = np.arange(20, 0, -1), (np.arange(20, 0, -1) % 15) + 1
    first, second = check93([int(value) for value in picked])
    firsts = (first + first_weights[:, None] * step) % 47
    seconds = (second + second_weights[:, None] * step + (firsts - first)) % 47
    prices = plain + data - data[np.arange(20), picked][:, None] + costs[21, firsts] + costs[22, seconds]
    place, value = np.unravel_index(int(prices.argmin()), prices.shape)
    price = float(prices[place, value])
    best = picked.copy()
    best[place] = value
    rivals = np.sort(prices[prices > price + 1e-9].ravel())
    checks = int(firsts[place, value]), int(seconds[place, value])
    free = float(ordered[:, 0].sum() + costs[21].min() + costs[22].min())
    each = np.array([costs[0, 47], *data[np.arange(20), best], costs[21, checks[0]], costs[22, checks[1]], costs[23, 47]])
    text = "".join(ALPHABET93[int(k)] for k in best)
    margin = float(rivals[0] - price) if len(rivals) else 0.0
    return Reading(text, "code93", float(each.mean()), float(np.sort(each)[-2]), margin, price - free, _weakest(data))
