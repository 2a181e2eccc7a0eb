"""A drawing laid on a line: contrast, position and text fitted in turn, then blur, ratio and the width of the bars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from nhirx_scanner.drawing import RATE, TAIL, Drawn, barred, least, rendered, starts
from nhirx_scanner.forms import Array, Form

_STRANGER = 0.4  # cost of a character that no visit ID has, while the text is looked for
_SMEARS = (-1.6, -2.6, -3.6)  # modules


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


def fitted(
    line: Array, low: float, high: float, drawn: Drawn, drift: Array, picked: Array, *, rounds: int = 2, fixed: bool = False
) -> Fit:
    """Contrast, position and text fitted in turn, ``rounds`` times. ``fixed``: the text stays ``picked``."""
    form = drawn.form
    count = round((form.modules + 2 * TAIL) * RATE)
    at = -TAIL + (np.arange(count) + 0.5) / RATE
    module = (high - low) / form.modules
    middles = (np.arange(form.symbols) + 0.5) * form.width
    places = low + module * (at + np.interp(at, middles, _smoothed(drift, 1.0))) - 0.5
    grid = np.arange(len(line))
    inside = (at > -1.5) & (at < form.modules + 1.5)
    for number in range(rounds):
        seen = np.interp(places, grid, line).astype(np.float32)
        drawing = rendered(drawn, picked)
        white, contrast = _contrast(seen, drawing)
        slope = np.gradient(drawing) * RATE
        moved, steep = _evened(np.stack([((white - seen) / contrast - drawing) * slope, slope * slope]), 6 * RATE)
        places = places - module * np.clip(moved / np.maximum(steep, 1e-4), -0.4, 0.4)
        dark = ((white - np.interp(places, grid, line)) / contrast).astype(np.float32)
        if fixed:
            continue
        better = least(drawn, dark, barred(form, _STRANGER)).argmin(axis=1)
        if number and np.array_equal(better, picked):
            break
        picked = better
    left = (dark - rendered(drawn, picked)) * inside
    varies = float(np.square((dark - dark[inside].mean()) * inside).sum())
    square = np.square(left)
    noise = max(float(square.sum()) / int(inside.sum()), 1e-6)
    costs = least(drawn, dark, barred(form))
    leads = (costs - costs.min()) / noise
    sums = np.r_[0.0, np.cumsum(square)]
    first = starts(form) + TAIL * RATE
    span = round(form.width * RATE)
    local = (sums[np.minimum(first + span, count)] - sums[first]) / span
    return Fit(drawn, picked, float(square.sum()) / max(varies, 1e-6), noise, leads, local, places)


def _contrast(seen: Array, drawing: Array) -> tuple[Array, Array]:
    """White level and darkness of the ink along the code, from how the drawing goes with what was seen."""
    mean, level, square, product = _evened(np.stack([drawing, seen, drawing * drawing, drawing * seen]), 18 * RATE)
    spread = square - mean * mean
    together = product - mean * level
    ink = -together / np.maximum(spread, 1e-4)
    usual = max(float(np.median(ink)), 1.0)
    ink = np.clip(ink, 0.4 * usual, 2.5 * usual)
    return level + ink * mean, ink


def polished(best: Fit, line: Array, low: float, high: float, drift: Array) -> Fit:
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
