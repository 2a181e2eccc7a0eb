"""Type and length of a value: the first pass of the check, over every field of every record.

``shapes`` gives one function per field, as fast as a compiled expression; only a value that fails is looked at again to say why.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Literal

from nhirx import roc
from nhirx.records.write import unencodable
from nhirx.tables.fields import fields

_DAY = r"[0-9]{3}(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)|02(?:0[1-9]|1[0-9]|2[0-8]))"
_CLOCK = r"(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
_WHOLE = {"date": _DAY, "time": _DAY + _CLOCK, "amount": r"(?=.{1,7}\Z)[0-9]{1,5}(?:\.[0-9])?"}
_CLASS = {"X": "[!-~]", "words": "[ -~]", "text": "[ -~]", "9": "[0-9]"}


Fits = Callable[[str], object]


@functools.lru_cache(maxsize=1_000)
def shapes(names: tuple[str, ...]) -> tuple[Fits, ...]:
    """For each field a function that is true for a value of the right shape. One that is not true asks ``fault``: the
    expressions know no leap years and no Chinese, and a field that does not exist fits nothing."""
    known = _shapes()
    return tuple(known.get(name, _NOTHING) for name in names)


@functools.cache
def _shapes() -> dict[str, Fits]:
    found: dict[str, Fits] = {}
    for spec in fields().values():
        pattern = _WHOLE.get(spec.type)
        if pattern is None:
            pattern = _CLASS[spec.type] + (f"{{{spec.shortest},{spec.longest}}}" if spec.longest else "+")
        found[spec.id] = re.compile(pattern, re.ASCII).fullmatch
    return found


_NOTHING: Fits = re.compile(r"(?!)").fullmatch


def fault(name: str, value: str) -> Literal["unknown_field", "characters", "length", "impossible", "not_big5"] | None:
    """Why a value fits no shape, in a word that ``checks.toml`` gives a code to; None when it fits after all."""
    spec = fields().get(name)
    if not value:
        return None
    if spec is None:
        return "unknown_field"
    if not spec.characters.fullmatch(value):
        return "characters"
    if spec.longest and not spec.shortest <= len(value) <= spec.longest:
        return "length"
    if spec.type in {"date", "time"}:
        return None if (roc.is_datetime(value) if spec.type == "time" else roc.is_date(value)) else "impossible"
    if spec.type == "text":
        return None if unencodable(value, "cp950") is None else "not_big5"
    return "characters"
