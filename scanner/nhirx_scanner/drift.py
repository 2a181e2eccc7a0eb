"""Where each place of a code lies on a line, when the paper is curled or folded: a path over drift and its change."""

from __future__ import annotations

import cv2
import numpy as np

from nhirx_scanner.forms import Array, Form

_RATE = 4  # samples per module
DRIFTS = np.arange(-28, 29) * 0.25  # modules
_SLOPES = 4  # quarters of a module that the drift may change from place to place, either way
_BEND = 0.1  # cost of each quarter by which that change itself changes


def windows(line: Array, low: float, high: float, form: Form, drifts: Array = DRIFTS, places: Array | None = None) -> Array:
    """(places · drifts × samples), mean free: what is seen where a character may lie; ``places``: only of these."""
    numbers = np.arange(form.symbols) if places is None else places
    module, count = (high - low) / form.modules, int(form.width * _RATE)
    within = np.arange(count) / _RATE + 0.5 / _RATE
    at = low + module * (form.width * numbers[:, None, None] + drifts[None, :, None] + within) - 0.5
    seen: Array = np.interp(at.ravel(), np.arange(len(line)), line).reshape(-1, count).astype(np.float32)
    seen -= seen.mean(axis=1, keepdims=True)
    return seen


def correlation(seen: Array, shapes: Array, lengths: Array) -> Array:
    """1 − correlation of every window with every shape."""
    size = np.sqrt((seen**2).sum(axis=1)) + 0.15
    product = cv2.gemm(seen, shapes, 1.0, None, 0.0, flags=cv2.GEMM_2_T)  # type: ignore[call-overload]
    costs: Array = 1 - product / (size[:, None] * lengths[None])
    return costs


def smooth_path(best: Array) -> tuple[Array, float]:
    """The drift of each place for which costs and bends of the paper are least; ``best`` is places × drifts."""
    count, width = best.shape
    slopes = np.arange(-_SLOPES, _SLOPES + 1)
    bend = _BEND * np.abs(slopes[:, None] - slopes[None]).astype(np.float32)
    total = np.repeat(best[0][None].astype(np.float32), len(slopes), axis=0)
    came: list[Array] = []
    for row in best[1:]:
        options = total[None] + bend[:, :, None]
        chosen = options.argmin(axis=1)
        cheapest = np.take_along_axis(options, chosen[:, None], 1)[:, 0]
        total = np.full_like(cheapest, 1e3)
        before = np.zeros(cheapest.shape, np.intp)
        for index, slope in enumerate(slopes):
            to, of = slice(max(0, slope), width + min(0, slope)), slice(max(0, -slope), width - max(0, slope))
            total[index, to], before[index, to] = cheapest[index, of], chosen[index, of]
        total += row[None]
        came.append(before)
    slope_at, drift_at = (int(value) for value in np.unravel_index(int(total.argmin()), total.shape))
    cost, path = float(total[slope_at, drift_at]), [drift_at]
    for before in reversed(came):
        slope_before = int(before[slope_at, drift_at])
        drift_at -= int(slopes[slope_at])
        slope_at = slope_before
        path.append(drift_at)
    assert len(path) == count  # noqa: S101 - one drift a place
    return np.array(path[::-1]), cost
