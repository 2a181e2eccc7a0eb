"""The fields of the upload format as ``fields.toml`` lists them."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

from nhirx.errors import TableInvalid

Kind = Literal["X", "words", "text", "9", "date", "time", "amount"]
Need = Literal["required", "forbidden", "optional", "conditional"]
_KINDS = frozenset({"X", "words", "text", "9", "date", "time", "amount"})
_NEEDS = frozenset({"required", "forbidden", "optional", "conditional"})


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. Lengths are characters, 0 where no source gives one; ``need`` is by upload kind (H01)."""

    id: str
    name: str
    zh: str
    en: str
    type: Kind
    shortest: int
    longest: int
    need: Mapping[str, Need]
    firm: bool
    source: str
    section: str
    confidence: str
    note: str = ""
    forbidden_code: str = "AF"

    @property
    def characters(self) -> re.Pattern[str]:
        """What the characters may be, whatever the length (check AB)."""
        return _CHARACTERS[self.type]


_CHARACTERS = {
    "X": re.compile(r"[!-~]+", re.ASCII),
    "words": re.compile(r"[ -~]+", re.ASCII),
    "text": re.compile(r"[^\x00-\x1f\x7f]+"),
    "9": re.compile(r"[0-9]+", re.ASCII),
    "date": re.compile(r"[0-9]+", re.ASCII),
    "time": re.compile(r"[0-9]+", re.ASCII),
    "amount": re.compile(r"[0-9]+(?:\.[0-9])?", re.ASCII),
}


@functools.cache
def fields() -> Mapping[str, FieldSpec]:
    """Every field by its ID, in the order of the format. Raises ``TableInvalid``."""
    text = resources.files("nhirx.tables").joinpath("fields.toml").read_text("utf-8")
    found: dict[str, FieldSpec] = {}
    for row in tomllib.loads(text)["field"]:
        spec = _spec(row)
        if spec.id in found:
            raise TableInvalid(table="fields.toml", problem=f"{spec.id} stands there twice")
        found[spec.id] = spec
    return MappingProxyType(found)


def _spec(row: dict[str, Any]) -> FieldSpec:
    row = dict(row)
    length = row.pop("length", 0)
    shortest, longest = length if isinstance(length, list) else (length, length)
    try:
        spec = FieldSpec(shortest=shortest, longest=longest, firm=row.pop("firm", True), need=row.pop("need"), **row)
    except (TypeError, KeyError) as error:
        raise TableInvalid(table="fields.toml", problem=f"{row.get('id')}: {error}") from None
    if spec.type not in _KINDS or not set(spec.need.values()) <= _NEEDS:
        raise TableInvalid(table="fields.toml", problem=f"{spec.id}: unknown type or need")
    return spec


def field_words(field: str) -> tuple[str, str]:
    """``M13`` → ``("M13 就醫序號", "M13 visit number")``; a field that is not in the table is its own name."""
    spec = fields().get(field)
    return (f"{field} {spec.zh}", f"{field} {spec.en}") if spec else (field, field)
