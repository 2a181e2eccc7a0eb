"""The fixed parts of QR codes of versions 1 to 3, the only ones that twenty characters need (facts of ISO/IEC 18004)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
VERSIONS = (1, 2, 3)
BLOCKS = {
    (1, "L"): (1, 26, 19), (1, "M"): (1, 26, 16),
    (2, "L"): (1, 44, 34), (2, "M"): (1, 44, 28), (2, "Q"): (1, 44, 22), (2, "H"): (1, 44, 16),
    (3, "L"): (1, 70, 55), (3, "M"): (1, 70, 44), (3, "Q"): (2, 35, 17), (3, "H"): (2, 35, 13),
}  # fmt: skip
"""(blocks, words of a block, data words of a block) per version and level; versions 1-Q and 1-H cannot hold twenty characters."""
_LEVEL = {"L": 1, "M": 0, "Q": 3, "H": 2}
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@dataclass(frozen=True, slots=True)
class Layout:
    """``known`` is 1 (dark), 0 (light) or −1 per module; ``order`` the (row, column) of the data bits; ``format`` both copies."""

    size: int
    known: Array
    order: Array
    format: tuple[Array, Array]


@cache
def layout(version: int) -> Layout:
    size = 17 + 4 * version
    known = np.full((size, size), -1, np.int8)
    for top, left in ((0, 0), (0, size - 7), (size - 7, 0)):
        for i in range(-1, 8):
            for j in range(-1, 8):
                y, x = top + i, left + j
                if 0 <= y < size and 0 <= x < size:
                    known[y, x] = 1 if max(abs(i - 3), abs(j - 3)) in (0, 1, 3) else 0
    for k in range(8, size - 8):
        known[6, k] = known[k, 6] = 1 - (k & 1)
    if version > 1:
        center = size - 7
        for i in range(-2, 3):
            for j in range(-2, 3):
                known[center + i, center + j] = 0 if max(abs(i), abs(j)) == 1 else 1
    known[size - 8, 8] = 1
    first = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    second = [(size - 1 - k, 8) for k in range(7)] + [(8, size - 8 + k) for k in range(8)]
    taken = known >= 0
    for r, c in first + second:
        taken[r, c] = True
    return Layout(size, known, np.array(_zigzag(taken)), (np.array(first), np.array(second)))


def _zigzag(taken: Array) -> list[tuple[int, int]]:
    size = len(taken)
    out = []
    upwards, column = True, size - 1
    while column > 0:
        if column == 6:
            column -= 1
        for row in range(size - 1, -1, -1) if upwards else range(size):
            out += [(row, c) for c in (column, column - 1) if not taken[row, c]]
        upwards, column = not upwards, column - 2
    return out


@cache
def mask(number: int, size: int) -> Array:
    """True where mask ``number`` turns a module over."""
    i, j = np.indices((size, size))
    rules = (
        (i + j) % 2, i % 2, j % 3, (i + j) % 3, (i // 2 + j // 3) % 2, i * j % 2 + i * j % 3,
        (i * j % 2 + i * j % 3) % 2, ((i + j) % 2 + i * j % 3) % 2,
    )  # fmt: skip
    turned: Array = rules[number] == 0
    return turned


@cache
def formats(version: int) -> tuple[tuple[str, int, Array], ...]:
    """Every (level, mask) of a version with its fifteen format bits as ±1 (dark is +1)."""
    out = []
    for level, bits in _LEVEL.items():
        if (version, level) in BLOCKS:
            for number in range(8):
                word = bits << 3 | number
                rest = word << 10
                for place in range(14, 9, -1):
                    if rest >> place & 1:
                        rest ^= 0x537 << (place - 10)
                code = (word << 10 | rest) ^ 0x5412
                out.append((level, number, np.array([1 if code >> (14 - k) & 1 else -1 for k in range(15)])))
    return tuple(out)


def text_of(words: Sequence[int]) -> str | None:
    """The twenty characters in the data words, None when they hold anything else."""
    bits = "".join(f"{word:08b}" for word in words)
    if bits.startswith("0010") and int(bits[4:13], 2) == 20:
        pairs = [int(bits[13 + 11 * k : 24 + 11 * k], 2) for k in range(10)]
        if max(pairs) < 45 * 45:
            return "".join(ALPHANUMERIC[pair // 45] + ALPHANUMERIC[pair % 45] for pair in pairs)
    if bits.startswith("0100") and int(bits[4:12], 2) == 20 and len(bits) >= 172:
        return "".join(chr(int(bits[12 + 8 * k : 20 + 8 * k], 2)) for k in range(20))
    return None


@cache
def filler(version: int, level: str, mode: str) -> dict[int, int]:
    """Data words known beforehand when twenty characters stand alone: mode and count first, padding after the text."""
    count, _, data = BLOCKS[version, level]
    used = 16 if mode == "alphanumeric" else 22
    known = {place: 0x11 if (place - used) % 2 else 0xEC for place in range(used, count * data)}
    # 0010 000010100 + 110 bits = 123 bits: the terminator fills the last five of word 16. 0100 00010100 + 160 bits = 172.
    return known | ({0: 0x20} if mode == "alphanumeric" else {0: 0x41})
