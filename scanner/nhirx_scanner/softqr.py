"""The most likely twenty characters behind doubtful QR modules: decoding by ordered statistics.

Reed-Solomon mends words and throws away how sure each module was. But a QR code that holds twenty alphanumeric characters and
nothing else has only 110 unknown bits: every other bit follows from them. So the 110 surest independent bits are taken as they
look, the rest is computed, and every change of one or two of those bits is weighed against all modules. That reads codes with
twice as many wrong modules as Reed-Solomon can mend.

Reference for the method: Fossorier and Lin, soft-decision decoding of linear block codes based on ordered statistics (1995).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner import galois
from nhirx_scanner.qrform import BLOCKS, filler, text_of

Array = NDArray[Any]
_PAYLOAD = slice(13, 123)  # bits of ten pairs of characters, after mode and count


@dataclass(frozen=True, slots=True)
class Likely:
    """``agreement``: weighted share of the bits that fit the text; ``lead``: by how much more than those of the next best text."""

    text: str
    agreement: float
    lead: float


@dataclass(frozen=True, slots=True)
class _Code:
    rows: Array  # (110 × bits): what each payload bit changes
    rest: Array  # (bits): the code of a payload of zeros


@cache
def _code(version: int, level: str) -> _Code | None:
    blocks, _, each = BLOCKS[version, level]
    if blocks * each < 16:
        return None
    known = filler(version, level, "alphanumeric")
    header = [0] * (blocks * each * 8)
    header[:13] = [int(bit) for bit in "0010000010100"]
    for place, value in known.items():
        if place:
            header[place * 8 : place * 8 + 8] = [int(bit) for bit in f"{value:08b}"]
    rest = _encoded(header, version, level)
    rows = []
    for place in range(_PAYLOAD.start, _PAYLOAD.stop):
        one = [0] * len(header)
        one[place] = 1
        rows.append(_encoded(one, version, level))
    return _Code(np.array(rows), np.array(rest))


def _encoded(bits: list[int], version: int, level: str) -> list[int]:
    """All bits of the code in their order on the symbol, for these data bits."""
    blocks, words, each = BLOCKS[version, level]
    data = [int("".join(map(str, bits[k : k + 8])), 2) for k in range(0, len(bits), 8)]
    parts = [galois.encode(data[k * each : (k + 1) * each], words - each) for k in range(blocks)]
    order = [parts[b][k] for k in range(each) for b in range(blocks)]
    order += [parts[b][k] for k in range(each, words) for b in range(blocks)]
    return [word >> place & 1 for word in order for place in range(7, -1, -1)]


def decode(bits: Array, version: int, level: str, thirds: int = 0) -> Likely | None:
    """The most likely text for ``bits`` (unmasked, in order; positive is dark is 1; size is sureness).

    Up to two bits are changed, and a third one of the ``thirds`` least sure: each of these costs a fifth of a millisecond.
    """
    code = _code(version, level)
    if code is None:
        return None
    seen = bits[: code.rest.size] * np.where(code.rest == 1, -1.0, 1.0)
    order = np.argsort(-np.abs(seen), kind="stable")
    rows, pivots = _reduced(code.rows[:, order])
    if len(pivots) < len(rows):
        return None
    values = seen[order]
    start = (values[pivots] > 0).astype(np.int64) @ rows % 2
    fits = values * np.where(start == 1, 1.0, -1.0)  # positive where the code and the picture agree
    changes = _changes(rows, fits, np.argsort(np.abs(values[pivots]), kind="stable")[:thirds])
    (best, first), (_, second) = sorted(changes.items(), key=lambda change: change[1])[:2]
    total = float(np.abs(values).sum()) + 1e-9
    word_bits = np.empty_like(start)
    word_bits[order] = start ^ np.bitwise_xor.reduce(rows[sorted(best)], axis=0)
    text = _text(word_bits ^ code.rest, version, level)
    agreement = (total + float(fits.sum()) - 2 * first) / (2 * total)
    return None if text is None else Likely(text, agreement, (second - first) / total)


def _changes(rows: Array, fits: Array, thirds: Array) -> dict[frozenset[int], float]:
    """Sets of rows to change, each with what the change costs (below zero: it gains); the cheapest few of every kind."""
    weights = rows.astype(np.float32)
    upper = _upper(len(rows))
    costs: dict[frozenset[int], float] = {frozenset(): 0.0}
    for third in (-1, *thirds):
        turned = fits if third < 0 else fits * (1 - 2 * rows[third])
        base = 0.0 if third < 0 else float(fits @ rows[third])
        # Changing row i costs what agreed under it; changing two counts their overlap twice.
        overlap = cv2.gemm(weights * turned.astype(np.float32), weights, 1.0, None, 0.0, flags=cv2.GEMM_2_T)  # type: ignore[call-overload]
        single = np.diag(overlap).copy()
        pairs = single[:, None] + single[None] - 2 * overlap
        np.fill_diagonal(pairs, single)
        flat = pairs[upper]
        for place in np.argpartition(flat, 3)[:3]:
            changed = frozenset((int(upper[0][place]), int(upper[1][place])))
            costs[changed if third < 0 else changed ^ {int(third)}] = base + float(flat[place])
    costs[frozenset()] = 0.0
    return costs


@cache
def _upper(count: int) -> tuple[Array, Array]:
    return np.triu_indices(count)


def _reduced(matrix: Array) -> tuple[Array, Array]:
    """The rows combined so that each of the first independent columns has a single 1; and those columns."""
    # Rows packed to bytes: one exclusive-or works on eight columns, and no row is ever a Python number.
    count, width = matrix.shape
    packed = np.packbits(matrix.astype(np.uint8), axis=1)
    pivots: list[int] = []
    for column in range(width):
        done = len(pivots)
        ones = np.flatnonzero(packed[:, column >> 3] & (0x80 >> (column & 7)))
        first = int(np.searchsorted(ones, done))
        if first == len(ones):
            continue
        found = int(ones[first])
        pivot = packed[found].copy()
        packed[ones] ^= pivot
        packed[found] = packed[done]
        packed[done] = pivot
        pivots.append(column)
        if done + 1 == count:
            break
    return np.unpackbits(packed, axis=1, count=width).astype(np.int64), np.array(pivots, np.int64)


def _text(bits: Array, version: int, level: str) -> str | None:
    blocks, _, each = BLOCKS[version, level]
    values = bits.reshape(-1, 8) @ (1 << np.arange(7, -1, -1))
    data = [int(values[k * blocks + b]) for b in range(blocks) for k in range(each)]
    return text_of(data)
