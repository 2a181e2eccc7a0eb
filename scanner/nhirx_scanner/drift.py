"""Where each place of a code lies on a line, when the paper is curled or folded: a path over drift and its change."""

from __future__ import annotations

import numpy as np

from nhirx_scanner.forms import Array, Form

_RATE = 4  # samples per module
_NOTHING = 0.15  # grey values: what varies less than this is paper
DRIFTS = np.arange(-28, 29) * 0.25  # modules
_SLOPES = 4  # quarters of a module that the drift may change from place to place, either way
_BEND = 0.1  # cost of each quarter by which that change itself changes


def windows(line: Array, low: float, high: float, form: Form, drifts: Array = DRIFTS, places: Array | None = None) -> Array:
    """(places · drifts × samples), mean free and of length one: what is seen where a character may lie; ``places``: only of these.

    ``drifts`` are evenly spaced, in whole quarters of a module: then all windows are stretches of one line of samples.
    """
    count = round(form.width * _RATE)
    first, step = round(float(drifts[0]) * _RATE), round(float(drifts[1] - drifts[0]) * _RATE)
    shape = (form.symbols, len(drifts), count)
    number = (form.symbols - 1) * count + (len(drifts) - 1) * step + count
    at = low + (high - low) / form.modules * (first + np.arange(number) + 0.5) / _RATE - 0.5
    samples = np.interp(at, np.arange(len(line)), line)
    sums, squares = (np.r_[0.0, np.cumsum(values)] for values in (samples, np.square(samples)))
    starts = count * np.arange(form.symbols)[:, None] + step * np.arange(len(drifts))
    mean = (sums[starts + count] - sums[starts]) / count
    size = np.sqrt(np.maximum(squares[starts + count] - squares[starts] - count * mean * mean, 0)) + _NOTHING
    thin = samples.astype(np.float32)
    stretches = np.lib.stride_tricks.as_strided(thin, shape, (4 * count, 4 * step, 4), writeable=False)
    if places is not None:
        stretches, mean, size = stretches[places], mean[places], size[places]
    seen: Array = np.ascontiguousarray(stretches - mean.astype(np.float32)[..., None]).reshape(-1, count)
    seen /= size.astype(np.float32).reshape(-1, 1)
    return seen


def correlation(seen: Array, shapes: Array) -> Array:
    """1 − correlation of every window with every shape."""
    # On one core (``cores``): handing out so small a product takes longer than the product.
    product: Array = seen @ shapes.T
    return np.subtract(1, product, out=product)


def smooth_path(best: Array) -> tuple[Array, float]:
    """The drift of each place for which costs and bends of the paper are least; ``best`` is places × drifts."""
    count, width = best.shape
    slopes = np.arange(-_SLOPES, _SLOPES + 1)
    bend = _BEND * np.abs(slopes[:, None] - slopes[None]).astype(np.float32)
    total = np.repeat(best[0][None].astype(np.float32), len(slopes), axis=0)
    totals = [total]
    # Every slope moves its row by as many drifts: a slanting view of rows with a wall on either side.
    walled = np.full((len(slopes), width + 2 * _SLOPES), 1e3, np.float32)
    inner = walled[:, _SLOPES : _SLOPES + width]
    stride = walled.strides[0]
    slanting = np.lib.stride_tricks.as_strided(walled[:, 2 * _SLOPES :], inner.shape, (stride - 4, 4), writeable=False)
    for row in best[1:].astype(np.float32):
        np.min(total[None] + bend[:, :, None], axis=1, out=inner)
        total = slanting + row[None]
        totals.append(total)
    slope_at, drift_at = (int(value) for value in np.unravel_index(int(total.argmin()), total.shape))
    cost, path = float(total[slope_at, drift_at]), [drift_at]
    for total in reversed(totals[:-1]):
        drift_at -= int(slopes[slope_at])
        slope_at = int((total[:, drift_at] + bend[slope_at]).argmin())
        path.append(drift_at)
    assert len(path) == count  # noqa: S101 - one drift a place
    return np.array(path[::-1]), cost
