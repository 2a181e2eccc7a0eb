"""The functions a condition of ``tables/checks.toml`` may call.

They take values as they were read and never raise: what is malformed has been said by the shape check, here it counts as 0 or
as nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from nhirx import roc
from nhirx.errors import InvalidValue
from nhirx.identifiers import NationalId, VisitId

_REAL = re.compile(r"(?!9{20}|F{20}|.{4}0{16})[0-9A-HJ-NP-Z]{20}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,4})?", re.ASCII)


def number(text: str) -> int:
    """0 for anything that is no number of a sane length: the shape check has spoken already."""
    return int(text) if text.isdecimal() and len(text) < 12 else 0


def amount(text: str) -> float:
    return float(text) if _AMOUNT.fullmatch(text) else 0.0


def day(text: str) -> str:
    return text[:7]


def days(first: str, last: str) -> int:
    """Days from one ROC date (or time) to another; 0 when one of them is none."""
    try:
        return (roc.parse_date(last[:7]) - roc.parse_date(first[:7])).days
    except InvalidValue:
        return 0


def real(text: str) -> bool:
    """Whether it can be a visit ID and is no placeholder."""
    return _REAL.fullmatch(text) is not None


def code(text: str) -> str:
    """The code of a code-and-sixteen-zeros placeholder, else nothing."""
    return text[:4] if len(text) == 20 and text.endswith("0" * 16) else ""


def stranger(visit_id: str, national_id: str) -> bool:
    """Whether the ID names somebody else (derived); a person's visits share the cache line, M15 and M16 of a record do."""
    holder = _holder(visit_id[6:13])
    return holder is not None and holder != national_id[:9]


@functools.lru_cache(maxsize=8192)
def _holder(places: str) -> str | None:
    return VisitId(f"000000{places}0000000").holder_prefix


def made_at(visit_id: str) -> str:
    """When the ID was made, in ROC digits (derived); nothing when it is no ID or does not say."""
    moment = VisitId(visit_id).issued_at if real(visit_id) else None
    if moment is None:
        return ""
    return f"{moment.year - 1911:03d}{moment.month:02d}{moment.day:02d}{moment.hour:02d}{moment.minute:02d}{moment.second:02d}"


@functools.lru_cache(maxsize=8192)
def mistyped(national_id: str) -> bool:
    try:
        return NationalId.parse(national_id).check_digit_holds is False
    except InvalidValue:
        return False


def place(letter: str) -> int:
    """``A`` and ``a`` are 1."""
    return ord(letter.upper()[:1] or "@") - 64 if letter.isascii() else 0


def digits(text: str) -> bool:
    return text.isdecimal()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (number, amount, day, days, real, code, stranger, made_at, mistyped, place, digits)
}
