"""What a code of the control software means, which exception it becomes, and which abnormal serials it may lead to.

The table is ``codes/reader_codes.toml``: groups (exception, advice, candidate serials) and codes (group and words). A code
outside the table is still an error with its number; nothing is guessed about it. Sources stand in the table.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from nhirx import errors
from nhirx.errors import ControlSoftwareError, NhirxError, TableInvalid


@dataclass(frozen=True, slots=True)
class Group:
    """Codes that are one kind of trouble. ``error`` is None for success and for notices, which stop nothing."""

    name: str
    error: type[NhirxError] | None
    advice_zh: str
    advice_en: str
    before: tuple[str, ...]
    """Candidate abnormal serials while no visit number was obtained; the operator chooses, or none."""
    after: tuple[str, ...]
    """The same once a number was obtained."""


@dataclass(frozen=True, slots=True)
class Code:
    number: str
    group: Group
    zh: str
    en: str
    source: str
    confidence: str

    @property
    def is_failure(self) -> bool:
        return self.group.error is not None


def code(number: int | str) -> Code | None:
    """The row of ``number`` (``5003``, ``"5003"``, or with its namespace ``"VNHI_UPLOAD:5003"``), or None."""
    return _table()[1].get(_key(number))


def is_failure(number: int | str) -> bool:
    """Whether the code stops the step. A code that the table lacks does."""
    row = code(number)
    return row is None or row.is_failure


def error_for(number: int | str, *, call: str = "") -> NhirxError:
    """The exception for a failing code. ``detail`` holds ``number``, ``group`` and both lists of candidate serials."""
    row = code(number)
    key = _key(number)
    if row is None:
        return ControlSoftwareError(
            number=key,
            meaning_zh="不在已知的代碼表中。請記下代碼與當時的操作，向控制軟體廠商查詢。",
            meaning_en="not in any known list. Note it with what was being done, and ask the vendor of the control software.",
            call=call,
        )
    group = row.group
    kind = group.error or ControlSoftwareError
    return kind(
        zh=f"{row.zh}。{group.advice_zh}（代碼 {key}）",
        en=f"{row.en}. {group.advice_en} (code {key})",
        number=key,
        group=group.name,
        serials_before=list(group.before),
        serials_after=list(group.after),
        call=call,
    )


def abnormal_serials(error: NhirxError, *, numbered: bool = False) -> tuple[str, ...]:
    """Candidate abnormal serials for any failure on the way to the card, before or after a number was obtained.

    They are proposals: a person declares the abnormality. Empty where none fits, as for a foreign card or a wrong person.
    """
    named = error.detail.get("serials_after" if numbered else "serials_before")
    if named is not None:
        return tuple(named)
    for kind in type(error).__mro__:
        group = _by_error().get(getattr(kind, "code", ""))
        if group is not None:
            return group.after if numbered else group.before
    return ()


def group(name: str) -> Group:
    """The group ``name`` of the table, for failures whose kind is known without a code."""
    return _table()[0][name]


def _key(number: int | str) -> str:
    text = str(number).strip()
    return str(int(text)) if text.lstrip("-").isdecimal() else text


@cache
def _tree() -> dict[str, Any]:
    tree: dict[str, Any] = tomllib.loads(files("nhirx.tables.codes").joinpath("reader_codes.toml").read_text("utf-8"))
    return tree


@cache
def _table() -> tuple[dict[str, Group], dict[str, Code]]:
    tree = _tree()
    groups = {
        name: Group(
            name=name,
            error=getattr(errors, row["error"]) if "error" in row else None,
            advice_zh=row.get("advice_zh", ""),
            advice_en=row.get("advice_en", ""),
            before=tuple(row.get("before", ())),
            after=tuple(row.get("after", ())),
        )
        for name, row in tree["group"].items()
    }
    codes = {
        number: Code(number, groups[name], zh, en, *_origin(number))
        for name, rows in tree["code"].items()
        for number, (zh, en) in rows.items()
    }
    return groups, codes


@cache
def _by_error() -> dict[str, Group]:
    """Groups for failures that come without a code of the control software: those of PC/SC and of the network."""
    groups = _table()[0]
    return {getattr(errors, name).code: groups[group] for name, group in _tree()["without_code"].items()}


def _origin(number: str) -> tuple[str, str]:
    """Source and confidence of a code."""
    namespace, _, _ = number.rpartition(":")
    for row in _tree()["origin"]:
        if row["namespace"] == namespace if "namespace" in row else not namespace and row["first"] <= int(number) <= row["last"]:
            return row["source"], row["confidence"]
    raise TableInvalid(table="reader_codes.toml", problem=f"code {number} has no origin")
