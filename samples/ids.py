"""Visit IDs with the structure that was derived from published samples, and the placeholders that stand in for them."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from nhirx.identifiers.visit_id import ALPHABET
from nhirx.roc import TAIPEI

_CODES = ("A000", "A010", "C001", "D000", "G000", "MISS", "SM00")


def base34(value: int, width: int) -> str:
    """``value`` in the alphabet of the visit ID, padded with zeros to ``width`` characters."""
    digits = ""
    for _ in range(width):
        value, rest = divmod(value, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    if value:
        raise ValueError(f"{width} characters are too few")
    return digits


def visit_id(national_id: str, issued_at: datetime, prefix: str) -> str:
    """A visit ID of this holder and second. ``prefix`` fills places 1–6, whose meaning is not published."""
    moment = issued_at.astimezone(TAIPEI)
    start = datetime(moment.year, 1, 1, tzinfo=TAIPEI)
    second = int((moment - start).total_seconds())
    return prefix + national_id[:2] + base34(int(national_id[2:9]), 5) + base34(moment.year - 1911, 2) + base34(second, 5)


def prefix(rng: np.random.Generator) -> str:
    return "0" + "".join(ALPHABET[int(rng.integers(len(ALPHABET)))] for _ in range(5))


def moment(rng: np.random.Generator) -> datetime:
    """A second of the opening hours, from 2024 to 2027."""
    day = datetime(2024, 1, 1, tzinfo=TAIPEI) + timedelta(days=int(rng.integers(4 * 365)))
    return day + timedelta(seconds=int(rng.integers(8 * 3600, 21 * 3600)))


def placeholder(rng: np.random.Generator) -> str:
    """Twenty 9s, twenty Fs, or a code and sixteen zeros."""
    choice = int(rng.integers(2 + len(_CODES)))
    if choice < 2:
        return "9F"[choice] * 20
    return _CODES[choice - 2] + "0" * 16
