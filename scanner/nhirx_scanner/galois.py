"""Reed-Solomon over GF(256) with the polynomial of QR codes: correction of errors and of places known to be doubtful.

What runs over all words (syndromes, roots) is done by table in numpy; the short polynomials stay lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EXP = [0] * 512
_LOG = [0] * 256
_value = 1
for _power in range(255):
    _EXP[_power], _LOG[_value] = _value, _power
    _value <<= 1
    if _value & 0x100:
        _value ^= 0x11D
for _power in range(255, 512):
    _EXP[_power] = _EXP[_power - 255]
_EXPS = np.array(_EXP[:255], np.int64)
_LOGS = np.array(_LOG, np.int64)


def times(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def inverse(a: int) -> int:
    return _EXP[255 - _LOG[a]]


def correct(words: Sequence[int], checks: int, doubtful: Sequence[int] = ()) -> list[int] | None:
    """``words`` with its errors undone, None when there are too many. ``doubtful`` are places whose value is not to be trusted.

    ``checks`` of the words are check words; errors cost two of them, doubtful places one.
    """
    count = len(words)
    out = list(words)
    for place in doubtful:
        out[place] = 0
    syndromes = _syndromes(out, checks)
    if not any(syndromes):
        return out
    erased = [1]
    for place in doubtful:
        erased = _product(erased, [1, _EXP[count - 1 - place]])
    folded = _product(syndromes, erased)[:checks][len(doubtful) :]
    errors = _shortest_register(folded)
    if errors is None or 2 * (len(errors) - 1) > checks - len(doubtful):
        return None
    locator = _product(errors, erased)
    roots = _roots(locator, count)
    if len(roots) != len(locator) - 1:
        return None
    evaluator = _product(syndromes, locator)[:checks]
    for power in roots:
        x = _EXP[(255 - power) % 255]
        slope = 0
        for k in range(1, len(locator), 2):
            slope ^= times(locator[k], _EXP[_LOG[x] * (k - 1) % 255])
        if slope == 0:
            return None
        out[count - 1 - power] ^= times(_EXP[power], times(_at(evaluator, x), inverse(slope)))
    return None if any(_syndromes(out, checks)) else out


@cache
def _powers(count: int, checks: int) -> NDArray[Any]:
    """(checks × count): the exponent that each word is multiplied with in each syndrome."""
    return np.arange(checks)[:, None] * np.arange(count - 1, -1, -1)[None] % 255


def _syndromes(words: Sequence[int], checks: int) -> list[int]:
    values = np.asarray(words)
    products = _EXPS[(_LOGS[values][None] + _powers(len(words), checks)) % 255]
    products[:, values == 0] = 0
    sums: list[int] = np.bitwise_xor.reduce(products, axis=1).tolist()
    return sums


@cache
def _inverse_powers(count: int, degree: int) -> NDArray[Any]:
    return np.arange(degree + 1)[:, None] * (255 - np.arange(count)[None]) % 255


def _roots(locator: Sequence[int], count: int) -> list[int]:
    """The powers p below ``count`` for which the locator is zero at the inverse of that power."""
    values = np.asarray(locator)
    products = _EXPS[(_LOGS[values][:, None] + _inverse_powers(count, len(values) - 1)) % 255]
    products[values == 0] = 0
    roots: list[int] = np.nonzero(np.bitwise_xor.reduce(products, axis=0) == 0)[0].tolist()
    return roots


def _product(p: Sequence[int], q: Sequence[int]) -> list[int]:
    out = [0] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        if a:
            log = _LOG[a]
            for j, b in enumerate(q):
                if b:
                    out[i + j] ^= _EXP[log + _LOG[b]]
    return out


def _at(polynomial: Sequence[int], x: int) -> int:
    """The value at ``x``; coefficients from the lowest power up."""
    total, power = 0, 1
    for coefficient in polynomial:
        total ^= times(coefficient, power)
        power = times(power, x)
    return total


def _shortest_register(sequence: Sequence[int]) -> list[int] | None:
    """Berlekamp-Massey: the error locator, lowest power first; None when its degree contradicts its length."""
    current, previous = [1], [1]
    length, shift, last = 0, 1, 1
    for k, symbol in enumerate(sequence):
        off = symbol
        for i in range(1, min(length, len(current) - 1) + 1):
            off ^= times(current[i], sequence[k - i])
        if off == 0:
            shift += 1
            continue
        factor = times(off, inverse(last))
        scaled = [0] * shift + [times(factor, value) for value in previous]
        kept = current
        current = [
            (current[i] if i < len(current) else 0) ^ (scaled[i] if i < len(scaled) else 0)
            for i in range(max(len(current), len(scaled)))
        ]
        if 2 * length <= k:
            previous, last, length, shift = kept, off, k + 1 - length, 1
        else:
            shift += 1
    while len(current) > 1 and current[-1] == 0:
        current.pop()
    return current if len(current) - 1 == length else None


def encode(data: Sequence[int], checks: int) -> list[int]:
    """``data`` followed by its check words."""
    generator = _generator(checks)
    rest = [*data, *[0] * checks]
    for k in range(len(data)):
        if factor := rest[k]:
            for j, value in enumerate(generator):
                rest[k + j] ^= times(factor, value)
    return [*data, *rest[len(data) :]]


@cache
def _generator(checks: int) -> tuple[int, ...]:
    """The generator polynomial, highest power first."""
    out = [1]
    for power in range(checks):
        out = [a ^ times(b, _EXP[power]) for a, b in zip([*out, 0], [0, *out], strict=True)]
    return tuple(out)
