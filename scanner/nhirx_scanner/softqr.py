"""The most likely twenty characters behind doubtful QR modules: decoding by ordered statistics.

Reed-Solomon mends words and throws away how sure each module was. But a QR code that holds twenty alphanumeric characters and
nothing else has only 110 unknown bits: every other bit follows from them. So the 110 surest independent bits are taken as they
look, the rest is computed, and every change of one or two of those bits is weighed against all modules. That reads codes with
twice as many wrong modules as Reed-Solomon can mend.

Reference for the method: Fossorier and Lin, soft-decision decoding of linear block codes based on ordered statistics (1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nhirx_scanner import galois
from nhirx_scanner.kinds import is_id_text
from nhirx_scanner.qrform import ALPHANUMERIC, BLOCKS, filler, text_of
from nhirx_scanner.qrprior import SURE, weighed

Array = NDArray[Any]
_PAIRS_KEPT, _PAIRS_OF_THIRD, _COMPARED = 12, 3, 24
SURE_LEAD = 0.03
"""A lead that needs no wider search."""
_HOPELESS = 0.78  # agreement of the likeliest text below which this is no code of twenty characters, or nothing is left of it
_VALUES = np.array([max(0, ALPHANUMERIC.find(chr(letter))) for letter in range(256)])
_PAYLOAD = slice(13, 123)  # bits of ten pairs of characters, after mode and count


@dataclass(frozen=True, slots=True)
class Likely:
    """``agreement``: weighted share of the bits that fit the text; ``lead``: by how much more than those of the next best text, and
    ``lead_of_ids`` than those of the next best that has the alphabet of an ID."""

    text: str
    agreement: float
    lead: float
    lead_of_ids: float


@dataclass(frozen=True, slots=True)
class _Code:
    rows: Array  # (110 × bits): what each payload bit changes
    rest: Array  # (bits): the code of a payload of zeros


@cache
def _code(version: int, level: str) -> _Code:
    blocks, _, each = BLOCKS[version, level]
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


def words_of(texts: Sequence[str], version: int, level: str) -> Array:
    """(texts × bits): the codes of IDs as ±1, in the order of the symbol, what stands beside the text included."""
    code = _code(version, level)
    letters = np.frombuffer("".join(texts).encode("ascii"), np.uint8).reshape(len(texts), -1)
    values = _VALUES[letters].astype(np.int64)
    pairs = values[:, ::2] * 45 + values[:, 1::2]
    payload = (pairs[:, :, None] >> np.arange(10, -1, -1) & 1).reshape(len(texts), -1)
    # In single precision the sums are exact and the product takes a tenth of the time that it takes with whole numbers.
    summed = (payload.astype(np.float32) @ code.rows.astype(np.float32)).astype(np.int64)
    return (summed + code.rest & 1) * 2.0 - 1


def decode(bits: Array, version: int, level: str, thirds: int = 0, sure: float = SURE) -> Likely | None:
    """The most likely text for ``bits`` (unmasked, in order; positive is dark is 1; size is sureness, 1 means log odds of ``sure``).

    Up to two bits are changed, and where that leaves a doubt a third one of the ``thirds`` least sure: each of these costs a
    tenth of a millisecond.
    What an ID may be helps to choose which bits to trust; the choice between the texts is made by what was seen alone.
    """
    code = _code(version, level)
    seen = bits[: code.rest.size]
    odds = weighed(seen, version, level, sure)
    turned = np.where(code.rest == 1, -1.0, 1.0)
    order = np.argsort(-np.abs(odds), kind="stable")
    rows, pivots = _reduced(code.rows[:, order])
    if len(pivots) < len(rows):
        return None
    values = (odds * turned)[order]
    start = (values[pivots] > 0).astype(np.int64) @ rows % 2
    fits = values * np.where(start == 1, 1.0, -1.0)  # positive where the code and the picture agree

    def likeliest(doubtful: Array) -> Likely:
        changes = _changes(rows, fits, doubtful)
        changed = np.array([np.bitwise_xor.reduce(rows[sorted(change)], axis=0) for change in changes])
        words = np.empty_like(changed)
        words[:, order] = start ^ changed
        words ^= code.rest
        matches = (words * 2 - 1) @ seen
        first, *others = np.argsort(-matches, kind="stable")
        total = float(np.abs(seen).sum()) + 1e-9
        text = _text(words[first], version, level) or ""
        # Where none of those compared could be an ID, one that was not may: it leads by no less than by what it leads the last.
        rival = next((place for place in others if is_id_text(_text(words[place], version, level) or "")), others[-1])
        leads = (float(matches[first] - matches[place]) / (2 * total) for place in (others[0], rival))
        return Likely(text, (total + float(matches[first])) / (2 * total), *leads)

    likely = likeliest(np.empty(0, np.int64))
    if thirds and likely.lead < SURE_LEAD and likely.agreement > _HOPELESS:
        likely = likeliest(np.argsort(np.abs(values[pivots]), kind="stable")[:thirds])
    return likely if likely.text else None


def _changes(rows: Array, fits: Array, thirds: Array) -> list[frozenset[int]]:
    """Sets of rows to change, the cheapest of every kind first; what a change costs is what agreed under it."""
    weights, sure = rows.astype(np.float32), fits.astype(np.float32)
    upper = _upper(len(rows))
    costs: dict[frozenset[int], float] = {frozenset(): 0.0}
    # Changing row i costs what agreed under it; changing two counts their overlap twice.
    plain = (weights * sure) @ weights.T
    for third in (-1, *thirds):
        overlap, base = plain, 0.0
        if third >= 0:
            under = np.flatnonzero(rows[third])
            part = weights[:, under]
            overlap, base = plain - 2 * (part * sure[under]) @ part.T, float(fits @ rows[third])
        single = np.diag(overlap).copy()
        pairs = single[:, None] + single[None] - 2 * overlap
        np.fill_diagonal(pairs, single)
        flat = pairs[upper]
        most = _PAIRS_OF_THIRD if third >= 0 else _PAIRS_KEPT
        for place in np.argpartition(flat, most)[:most]:
            change = frozenset((int(upper[0][place]), int(upper[1][place])))
            costs[change if third < 0 else change ^ {int(third)}] = base + float(flat[place])
    costs[frozenset()] = 0.0
    return sorted(costs, key=lambda change: costs[change])[:_COMPARED]


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
