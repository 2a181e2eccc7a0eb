"""Type and length of a value: the first pass of the check, over every field of every record.

``shapes`` gives one function per field, as fast as a compiled expression; only a value that fails is looked at again to say why.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Literal

from nhirx import roc
from nhirx.tables.fields import FieldSpec, fields

_DAY = r"[0-9]{3}(?:(?:0[13578]|1[02])(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)(?:0[1-9]|[12][0-9]|30)|02(?:0[1-9]|1[0-9]|2[0-8]))"
_CLOCK = r"(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
_WHOLE = {"date": _DAY, "time": _DAY + _CLOCK, "amount": r"(?=.{1,7}\Z)[0-9]{1,5}(?:\.[0-9])?"}
_CLASS = {"X": "[!-~]", "words": "[ -~]", "text": r"[^\x00-\x1f\x7f]", "9": "[0-9]"}


@functools.cache
def shapes() -> dict[str, Any]:
    """Per field a function that is true for a value of the right shape; 29 February is left to the calendar."""
    found: dict[str, Any] = {}
    for spec in fields().values():
        pattern = _WHOLE.get(spec.type)
        if pattern is None:
            pattern = _CLASS[spec.type] + (f"{{{spec.shortest},{spec.longest}}}" if spec.longest else "+")
        fast = re.compile(pattern, re.ASCII).fullmatch
        found[spec.id] = functools.partial(_fits, fast, spec) if spec.type in {"date", "time"} else fast
    return found


def _fits(fast: Any, spec: FieldSpec, value: str) -> bool:
    return bool(fast(value)) or (roc.is_datetime(value) if spec.type == "time" else roc.is_date(value))


def fault(name: str, value: str) -> Literal["unknown_field", "characters", "length", "impossible"]:
    """Why a value failed: one of the words that ``checks.toml`` gives a code to."""
    spec = fields().get(name)
    if spec is None:
        return "unknown_field"
    if not spec.characters.fullmatch(value):
        return "characters"
    if spec.longest and not spec.shortest <= len(value) <= spec.longest:
        return "length"
    return "impossible" if spec.type in {"date", "time"} else "characters"
