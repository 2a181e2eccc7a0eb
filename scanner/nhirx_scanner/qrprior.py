"""What twenty characters of a visit ID may be, said to the bits of a QR code before it is decoded.

Two characters share eleven bits. Of their 2,048 values an ID uses far fewer: its alphabet leaves 1,156, and where it spells a
person and a time, often a few hundred. So for each pair the bits as seen and the values that may stand there are weighed
together, and every bit comes out surer, or turned. The structure is derived, not published: it weighs and never forbids.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.qrform import ALPHANUMERIC, BLOCKS

Array = NDArray[Any]
_SELDOM = 3e-3  # weight of a character of the alphabet where the derived structure does not expect it
_RARE = 0.1  # and of those that it knows but few people have
SURE = 3.5
"""Log odds of a module seen as clear as the known ones."""
_PAIRS, _BITS = 10, 11


@cache
def _weights() -> Array:
    """(20 × 45): how likely each alphanumeric character of a QR code is at each place of a visit ID, the likeliest 1."""
    weights = np.zeros((2 * _PAIRS, len(ALPHANUMERIC)))
    weights[:, [ALPHANUMERIC.index(character) for character in ALPHABET]] = _SELDOM
    usual = dict.fromkeys(range(2 * _PAIRS), ALPHABET)
    # A letter and a figure of the ID number; seven figures of it in base 34; ROC years 113 to 130; a second of the year.
    usual |= {6: ALPHABET[10:], 7: "12", 8: ALPHABET[:8], 13: "3", 14: ALPHABET[11:29], 15: ALPHABET[:24]}
    weights[7, [ALPHANUMERIC.index(character) for character in "89ABCDXY"]] = _RARE
    for place, characters in usual.items():
        weights[place, [ALPHANUMERIC.index(character) for character in characters]] = 1.0
    return weights


@cache
def _values() -> tuple[tuple[Array, Array], ...]:
    """For each pair its possible values as bits (±1) and the logarithm of how likely each is."""
    weights = _weights()
    bits = (np.arange(1 << _BITS)[:, None] >> np.arange(_BITS - 1, -1, -1) & 1) * 2.0 - 1
    out = []
    for pair in range(_PAIRS):
        likely = np.outer(weights[2 * pair], weights[2 * pair + 1]).ravel()
        possible = np.flatnonzero(likely)
        out.append((bits[possible], np.log(likely[possible])))
    return tuple(out)


@cache
def _places(version: int, level: str) -> Array:
    """(10 × 11): where on the symbol, in the order of its bits, each bit of each pair stands."""
    blocks, _, each = BLOCKS[version, level]
    turns = {block * each + k: k * blocks + block for k in range(each) for block in range(blocks)}
    bits = range(13, 13 + _PAIRS * _BITS)  # after mode and count
    return np.array([turns[bit // 8] * 8 + bit % 8 for bit in bits]).reshape(_PAIRS, _BITS)


def weighed(seen: Array, version: int, level: str, sure: float = SURE) -> Array:
    """Log odds of each bit being one, from how it is ``seen`` (±1 are log odds of ±``sure``, in the order of the symbol) and from
    what an ID may be."""
    odds = sure * np.asarray(seen, np.float64)
    for places, (values, likely) in zip(_places(version, level), _values(), strict=True):
        scores = values @ (odds[places] / 2) + likely
        share = np.exp(scores - scores.max())
        total = float(share.sum())
        ones = share @ (values > 0)
        odds[places] = np.log((ones + 1e-12) / (total - ones + 1e-12))
    return odds
