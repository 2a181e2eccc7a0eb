"""Bars read by synthesis: the whole code is drawn as it should look, and the text chosen whose drawing is nearest to what was seen.

``read1d`` scores each character for itself; where bars run into each other that is not enough, for half of what is seen of a
character comes from its neighbours. Ink adds up: the darkness of a blurred code is the sum of the blurred characters. So the
best text is a shortest path over characters whose neighbours meet in known overlaps, found exactly, together with what every
other character at every place would cost at least (``leads``). Before that, a path over drift *and its change* follows paper
that is curled or folded; afterwards contrast, position, blur, and the width of the bars are fitted in turn.

Costs are squared differences in units of the noise that is left (``Fit.noise``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache

import cv2
import numpy as np

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.drift import DRIFTS, correlation, smooth_path, windows
from nhirx_scanner.forms import FINE, FORMS, Array, Form, allowed, kernel, patterns, wave_of
from nhirx_scanner.read1d import best_places, ends, spread_of, templates, turned
from nhirx_scanner.solve1d import runner_up128, solve_places
from nhirx_scanner.symbols import ALPHABET93

_RATE = 4  # samples per module
_TAIL = 6  # modules that blur carries a character over its rim
_STOP128 = (2.0, 3.0, 3.0, 1.0, 1.0, 1.0, 2.0)
_STRANGER = 0.4  # cost of a character that no visit ID has, while the text is looked for
_FIRST_BLURS = (0.6, 1.3, -2.4, -3.6)  # modules
_SMEARS = (-1.6, -2.6, -3.6)
_LOOKS, _LOOKS_EACH = 7, 1  # of form, way round and blur: those that are followed over the whole code, and more of each symbology
_TRIES = 5  # paths that are drawn
_NO_PATH, _NO_FIT, _NO_LEAD = 0.16, 0.4, 4.0
_CLOSE = 0.025  # misfit of a drawing that no other path will better
_LEAST_MODULE = 0.7  # pixels of the page


@dataclass(frozen=True, slots=True)
class Drawn:
    """One way to draw: ``blur`` as in ``read1d`` (negative: width of a smear), ``spread`` of the bars, both in modules."""

    form: Form
    blur: float
    spread: float


Path = tuple[float, bool, Drawn, Array, Array]
"""Cost of a place, way round, how drawn, drift, characters."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How the best drawing lies on a profile. ``misfit``: share of what varies that the drawing does not explain, 0…1.

    ``leads`` (places × characters): how much dearer the best text with that character there is than the best text, in units of
    the ``noise``; ``local``: mean square that is left at each place.
    """

    drawn: Drawn
    picked: Array
    misfit: float
    noise: float
    leads: Array
    local: Array
    places: Array
    backwards: bool = False

    @property
    def uneven(self) -> float:
        """The greatest change of the module's width along the code, as a share of it."""
        smooth = _smoothed(self.places, 4.0)
        steps = np.gradient(smooth)[30:-30]
        return float(np.abs(steps / np.median(steps) - 1).max())


@dataclass(frozen=True, slots=True)
class Refit:
    """A text with what it stands on. ``lead`` is that of the weakest place, where much is left at a place weighed down by it;
    ``usual`` the lead of the middle place; ``margin``: how much dearer the next text is that the check allows; ``forced`` as in ``Reading``."""

    text: str
    symbology: str
    fit: Fit
    lead: float
    usual: float
    margin: float
    forced: float

    def is_sure(self, *, plausible: bool) -> bool:
        """Whether to believe the text; ``plausible``: whether a person and a time can be read from it, which few wrong texts pass."""
        fit = self.fit
        if fit.misfit > 0.26 or fit.uneven > 0.2 or self.usual < 8:
            return False
        if self.symbology == "code39":
            # Out of focus by more than a module, narrow bars may show inverted: a wrong text then fits almost as well.
            dim = fit.drawn.blur > 1.15
            if not plausible:
                return not dim and self.lead > 400 and fit.misfit < 0.06
            return self.lead > (300 if dim else 75) and fit.misfit < 0.12
        if self.symbology == "code128":
            if not plausible:
                return self.forced < 1e-6 and self.margin > 150 and self.usual > 100 and fit.misfit < 0.1
            return self.forced < max(5.0, 0.7 * self.usual) and self.margin > 25 + 0.5 * self.forced
        # Two check characters of Code 93 leave one wrong text in two thousand, but the margin knows texts that differ in one place.
        if not plausible:
            return self.forced < 1e-6 and self.margin > 500 and self.usual > 100 and fit.misfit < 0.1
        return self.forced < max(5.0, 0.5 * self.usual) and self.margin > 100 + 4 * self.forced


def read(profile: Array, *, enlarged: float = 1.0) -> Refit | None:
    """The best text for one averaged line across a code, or None where no code of twenty characters lies.

    ``enlarged``: how many samples a pixel of the page has become.
    """
    found = ends(profile)
    if found is None:
        return None
    paths = _in_turn(sorted(_paths(profile, found, enlarged), key=lambda path: path[0]))
    best: Fit | None = None
    best_line: tuple[Array, float, float, Array] | None = None
    seen: set[tuple[object, ...]] = set()
    for cost, backwards, drawn, drift, picked in paths:
        key = (backwards, drawn.form, *picked.tolist())
        if cost > _NO_PATH:
            continue
        if len(seen) == _TRIES or (best is not None and best.misfit < _CLOSE):
            break
        if key in seen:
            continue
        seen.add(key)
        line, low, high = turned(profile, found, backwards)
        fit = fitted(line, low, high, drawn, drift, picked)
        if best is None or fit.misfit < best.misfit:
            best, best_line = replace(fit, backwards=backwards), (line, low, high, drift)
    if best is None or best_line is None or best.misfit > _NO_FIT:
        return None
    if float(np.median(np.partition(best.leads, 1, axis=1)[:, 1])) < _NO_LEAD:
        return None
    return as_text(replace(_polished(best, *best_line), backwards=best.backwards))


def _in_turn(paths: list[Path]) -> list[Path]:
    """The best of each symbology before the others."""
    first = {path[2].form.name: path for path in reversed(paths)}
    return [path for path in paths if path is first[path[2].form.name]] + [
        path for path in paths if path is not first[path[2].form.name]
    ]


def _paths(profile: Array, found: tuple[float, float], enlarged: float) -> list[Path]:
    """(cost of a place, way round, how drawn, drift, characters) for every form and way round."""
    looks: list[tuple[float, bool, Drawn]] = []
    for backwards in (False, True):
        line, low, high = turned(profile, found, backwards)
        for form in FORMS:
            if (high - low) / form.modules < _LEAST_MODULE * enlarged:
                continue
            spread = spread_of(line, low, high, form)
            seen = windows(line, low, high, form, DRIFTS[::2])
            for blur in _FIRST_BLURS:
                costs = correlation(seen, *templates(form, blur, spread)).reshape(form.symbols, len(DRIFTS[::2]), -1)
                look = float(best_places(costs, form).min(axis=1).mean())
                looks.append((look, backwards, Drawn(form, blur, spread)))
    looks.sort(key=lambda look: look[0])
    followed = looks[:_LOOKS]
    for name in dict.fromkeys(form.name for form in FORMS):
        # Blurred bars of any symbology look most like the one that has most characters to choose from.
        followed += [look for look in looks if look[2].form.name == name and look not in followed][:_LOOKS_EACH]
    out = []
    for _, backwards, drawn in followed:
        form = drawn.form
        line, low, high = turned(profile, found, backwards)
        costs = correlation(windows(line, low, high, form), *templates(form, drawn.blur, drawn.spread))
        costs = costs.reshape(form.symbols, len(DRIFTS), -1)
        path, cost = smooth_path(best_places(costs, form))
        picked = (costs[np.arange(form.symbols), path] + _barred(form)).argmin(axis=1)
        out.append((cost / form.symbols, backwards, drawn, DRIFTS[path], picked))
    return out


@lru_cache(maxsize=400)
def _bank(drawn: Drawn) -> tuple[Array, Array, Array, Array | None]:
    """Darkness of every character with its tails, its square, the overlap of neighbours, and the end of the code."""
    form = drawn.form
    waves, last = _waves(form, drawn.spread)
    pulses = _softened(waves, drawn.blur)
    shift = round(form.width * _RATE)
    overlap = _times(pulses[:, shift:], pulses[:, : pulses.shape[1] - shift], 2.0)
    return pulses, np.square(pulses).sum(axis=1), overlap, None if last is None else _softened(last[None], drawn.blur)[0]


@lru_cache(maxsize=200)
def _waves(form: Form, spread: float) -> tuple[Array, Array | None]:
    """What ``_bank`` holds, before the blur and in fine samples."""
    last = {"code128": _STOP128, "code93": (1.0,)}.get(form.name)
    every = np.array([_wave(widths, form.width, spread) for widths in patterns(form)], np.float32)
    return every, None if last is None else _wave(last, sum(last), spread)


def _wave(widths: tuple[float, ...], span: float, spread: float) -> Array:
    elements = [float(_TAIL), *widths]
    if len(widths) % 2:
        elements.append(float(_TAIL))
    else:
        elements[-1] += _TAIL  # a space already
    dark = np.zeros(round((span + 2 * _TAIL) * _RATE) * (FINE // _RATE), np.float32)
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
def _barred(form: Form, stranger: float = 0.0) -> Array:
    """(places × characters): no cost where a character may stand, ``stranger`` where no visit ID has it, far too much elsewhere."""
    start, characters, end = allowed(form)
    costs = np.full((form.symbols, len(patterns(form))), 1e6, np.float32)
    costs[0, start] = 0
    costs[-1, end] = 0
    last = -3 if form.name == "code93" else -1
    costs[1:last, characters] = 0
    if form.name == "code128":
        costs[1:4, :103] = 0
        usual = np.array([ord(letter) - 32 for letter in ALPHABET])
    elif form.name == "code39":
        usual = np.arange(len(ALPHABET))
    else:
        costs[last:-1] = 0
        usual = np.array([ALPHABET93.index(letter) for letter in ALPHABET])
    strange = np.ones(costs.shape[1], bool)
    strange[usual] = False
    costs[1:last, strange] += stranger
    return costs


def _starts(form: Form) -> Array:
    places: Array = np.round(np.arange(form.symbols) * form.width * _RATE).astype(int)
    return places


def rendered(drawn: Drawn, picked: Array) -> Array:
    """The darkness of the whole code, 0…1, with a tail on either side."""
    pulses, _, _, last = _bank(drawn)
    form = drawn.form
    length = pulses.shape[1]
    count = round((form.modules + 2 * _TAIL) * _RATE)
    dark = np.zeros(count + length, np.float32)
    for start, character in zip(_starts(form), picked, strict=True):
        dark[start : start + length] += pulses[character]
    if last is not None:
        start = round(form.symbols * form.width * _RATE)
        dark[start : start + len(last)] += last
    return dark[:count]


def fitted(
    line: Array, low: float, high: float, drawn: Drawn, drift: Array, picked: Array, *, rounds: int = 2, fixed: bool = False
) -> Fit:
    """Contrast, position and text fitted in turn, ``rounds`` times. ``fixed``: the text stays ``picked``."""
    form = drawn.form
    count = round((form.modules + 2 * _TAIL) * _RATE)
    at = -_TAIL + (np.arange(count) + 0.5) / _RATE
    module = (high - low) / form.modules
    middles = (np.arange(form.symbols) + 0.5) * form.width
    places = low + module * (at + np.interp(at, middles, _smoothed(drift, 1.0))) - 0.5
    grid = np.arange(len(line))
    inside = (at > -1.5) & (at < form.modules + 1.5)
    for number in range(rounds):
        seen = np.interp(places, grid, line).astype(np.float32)
        drawing = rendered(drawn, picked)
        white, contrast = _contrast(seen, drawing)
        slope = np.gradient(drawing) * _RATE
        moved, steep = _evened(np.stack([((white - seen) / contrast - drawing) * slope, slope * slope]), 6 * _RATE)
        places = places - module * np.clip(moved / np.maximum(steep, 1e-4), -0.4, 0.4)
        dark = ((white - np.interp(places, grid, line)) / contrast).astype(np.float32)
        if fixed:
            continue
        better = _least(drawn, dark, _barred(form, _STRANGER)).argmin(axis=1)
        if number and np.array_equal(better, picked):
            break
        picked = better
    left = (dark - rendered(drawn, picked)) * inside
    varies = float(np.square((dark - dark[inside].mean()) * inside).sum())
    square = np.square(left)
    noise = max(float(square.sum()) / int(inside.sum()), 1e-6)
    costs = _least(drawn, dark, _barred(form))
    leads = (costs - costs.min()) / noise
    sums = np.r_[0.0, np.cumsum(square)]
    first = _starts(form) + _TAIL * _RATE
    span = round(form.width * _RATE)
    local = (sums[np.minimum(first + span, count)] - sums[first]) / span
    return Fit(drawn, picked, float(square.sum()) / max(varies, 1e-6), noise, leads, local, places)


def _contrast(seen: Array, drawing: Array) -> tuple[Array, Array]:
    """White level and darkness of the ink along the code, from how the drawing goes with what was seen."""
    mean, level, square, product = _evened(np.stack([drawing, seen, drawing * drawing, drawing * seen]), 18 * _RATE)
    spread = square - mean * mean
    together = product - mean * level
    ink = -together / np.maximum(spread, 1e-4)
    usual = max(float(np.median(ink)), 1.0)
    ink = np.clip(ink, 0.4 * usual, 2.5 * usual)
    return level + ink * mean, ink


def _least(drawn: Drawn, dark: Array, barred: Array) -> Array:
    """(places × characters): what the best text with that character at that place costs."""
    pulses, squares, overlap, last = _bank(drawn)
    form, length = drawn.form, pulses.shape[1]
    rest = np.concatenate([dark, np.zeros(length, np.float32)])
    if last is not None:
        start = round(form.symbols * form.width * _RATE)
        rest[start : start + len(last)] -= last
    windows = np.stack([rest[start : start + length] for start in _starts(form)])
    # As small as this, numpy's product starts no threads.
    alone = squares[None] - 2 * (windows @ pulses.T) + barred
    ahead, behind = np.zeros_like(alone), np.zeros_like(alone)
    for place in range(1, form.symbols):
        ahead[place] = ((alone[place - 1] + ahead[place - 1])[:, None] + overlap).min(axis=0)
        back = form.symbols - 1 - place
        behind[back] = (overlap + (alone[back + 1] + behind[back + 1])[None]).min(axis=1)
    least: Array = alone + ahead + behind
    return least


def _polished(best: Fit, line: Array, low: float, high: float, drift: Array) -> Fit:
    """Blur, width of the bars, and ratio changed as long as that brings the drawing nearer."""

    def tried(drawn: Drawn, rounds: int = 2) -> None:
        nonlocal best
        if 0.25 < abs(drawn.blur) < (2.0 if drawn.blur > 0 else 5.0) and abs(drawn.spread) <= 1:
            fit = fitted(line, low, high, drawn, drift, best.picked, rounds=rounds)
            if fit.misfit < best.misfit:
                best = fit

    for step in (1.3, 1.14):
        for factor in (step, 1 / step):
            tried(replace(best.drawn, blur=round(best.drawn.blur * factor, 3)))
        for change in (step - 1.05, 1.05 - step):
            tried(replace(best.drawn, spread=round((best.drawn.spread + change) * 16) / 16))
        if best.drawn.form.name == "code39":
            ratio = best.drawn.form.ratio
            for other in (ratio + step - 1.05, ratio - step + 1.05):
                if 1.8 < other < 3.3:
                    tried(replace(best.drawn, form=_form39(round(other * 16) / 16)))
        if step == 1.3 and best.misfit > 0.02:
            for smear in _SMEARS:
                tried(replace(best.drawn, blur=smear))
            if best.drawn.blur < 0:
                tried(replace(best.drawn, blur=0.9))
    tried(best.drawn, rounds=6)
    return best


@cache
def _form39(ratio: float) -> Form:
    return Form("code39", ratio, 22, 22 * (3 * ratio + 7) - 1, 3 * ratio + 7)


def as_text(fit: Fit) -> Refit:
    """The text that the fit speaks for, with its check characters right."""
    form = fit.drawn.form
    # What a pen or a worn print head did to a place must not be taken for a text that the check then mends somewhere else.
    heavy = np.maximum(fit.local / max(float(fit.local.mean()), 1e-9), 1.0)
    leads = fit.leads.astype(np.float64) / heavy[:, None]
    reading = solve_places(leads, form, fit.backwards)
    margin = min(reading.margin, runner_up128(leads)) if form.name == "code128" else reading.margin
    ordered = np.partition(fit.leads, 1, axis=1)[:, 1]
    weighed = ordered / heavy
    inner = slice(1, -1)
    return Refit(
        reading.text,
        form.name,
        fit,
        float(weighed[inner].min()),
        float(np.median(ordered)),
        margin,
        reading.forced,
    )


def _evened(lines: Array, sigma: float) -> Array:
    """Every line smoothed widely: two running means are as good as a bell here, and many times as quick."""
    size = (round(sigma * 2.45) | 1, 1)
    even: Array = cv2.blur(
        cv2.blur(lines.astype(np.float32), size, borderType=cv2.BORDER_REPLICATE), size, borderType=cv2.BORDER_REPLICATE
    )
    return even


def _smoothed(values: Array, sigma: float) -> Array:
    line = np.ascontiguousarray(values[None], np.float32)
    smooth: Array = cv2.GaussianBlur(line, (0, 0), sigmaX=sigma, sigmaY=1e-3, borderType=cv2.BORDER_REPLICATE)[0]
    return smooth
