"""The bars of Code 128, Code 39 and Code 93 as data: element widths of every character (facts of ISO/IEC 15417, 16388, AIM USS-93)."""

from __future__ import annotations

from functools import cache

_WIDTHS128 = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221"
    "223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321"
    "112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131"
    "311123311321331121312113312311332111314111221411431111111224111422121124121421141122141221112214112412122114"
    "122411142112142211241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141"
    "214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214211232"
)
CODE128 = tuple(_WIDTHS128[k : k + 6] for k in range(0, len(_WIDTHS128), 6))
"""Widths of values 0…105 in modules, bar first. Value 103 starts code set A, 104 set B, 105 set C; the stop is 2331112."""

ALPHABET39 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*"
_CODE39 = (
    0x034, 0x121, 0x061, 0x160, 0x031, 0x130, 0x070, 0x025, 0x124, 0x064, 0x109, 0x049, 0x148, 0x019, 0x118,
    0x058, 0x00D, 0x10C, 0x04C, 0x01C, 0x103, 0x043, 0x142, 0x013, 0x112, 0x052, 0x007, 0x106, 0x046, 0x016,
    0x181, 0x0C1, 0x1C0, 0x091, 0x190, 0x0D0, 0x085, 0x184, 0x0C4, 0x0A8, 0x0A2, 0x08A, 0x02A, 0x094,
)  # fmt: skip

ALPHABET93 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%abcd*"
_CODE93 = (
    0x114, 0x148, 0x144, 0x142, 0x128, 0x124, 0x122, 0x150, 0x112, 0x10A, 0x1A8, 0x1A4, 0x1A2, 0x194, 0x192, 0x18A,
    0x168, 0x164, 0x162, 0x134, 0x11A, 0x158, 0x14C, 0x146, 0x12C, 0x116, 0x1B4, 0x1B2, 0x1AC, 0x1A6, 0x196, 0x19A,
    0x16C, 0x166, 0x136, 0x13A, 0x12E, 0x1D4, 0x1D2, 0x1CA, 0x16E, 0x176, 0x1AE, 0x126, 0x1DA, 0x1D6, 0x132, 0x15E,
)  # fmt: skip


@cache
def widths39(ratio: float) -> tuple[tuple[float, ...], ...]:
    """Element widths of every character of ``ALPHABET39`` at this ratio of wide to narrow, the gap after it included."""
    return tuple((*(ratio if bits >> (8 - k) & 1 else 1.0 for k in range(9)), 1.0) for bits in _CODE39)


@cache
def widths93() -> tuple[tuple[float, ...], ...]:
    """Element widths of every character of ``ALPHABET93``."""
    return tuple(_runs(bits) for bits in _CODE93)


def _runs(bits: int) -> tuple[float, ...]:
    out: list[float] = []
    last = 0
    for place in range(8, -1, -1):
        bit = bits >> place & 1
        if bit == last:
            out[-1] += 1
        else:
            out.append(1.0)
            last = bit
    return tuple(out)


def check93(values: list[int]) -> tuple[int, int]:
    """The two check values C and K of Code 93 for the data ``values``."""
    first = sum((place % 20 + 1) * value for place, value in enumerate(reversed(values))) % 47
    second = sum((place % 15 + 1) * value for place, value in enumerate(reversed([*values, first]))) % 47
    return first, second
