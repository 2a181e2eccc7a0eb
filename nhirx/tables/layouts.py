"""Calls and buffers of control software 5.x, from ``layouts.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One function. ``size`` is the bytes its buffer needs; ``size_each`` the bytes per line where that depends on them."""

    name: str
    args: tuple[str, ...]
    limit: float
    size: int = 0
    size_each: int = 0
    number: str = ""
    cdecl_in: tuple[str, ...] = ()
    returns: str = "code"
    windows: bool = False


@cache
def _tree() -> dict[str, Any]:
    tree: dict[str, Any] = tomllib.loads(files("nhirx.tables").joinpath("layouts.toml").read_text("utf-8"))
    return tree


@cache
def calls() -> Mapping[str, Call]:
    return {
        name: Call(**{"name": name} | {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})
        for name, row in _tree()["call"].items()
    }


def guard() -> int:
    """Bytes behind every buffer that no call may touch."""
    return int(_tree()["guard"]["bytes"])


def value(name: str) -> Any:
    return _tree()["value"][name]


def cut(name: str, data: bytes) -> dict[str, str]:
    """The members of buffer ``name`` without blanks and NULs around them; what is no ASCII counts as blank."""
    return {
        member: data[places[0] - 1 : places[1]].decode("ascii", "ignore").strip(" \x00")
        for member, places in _tree()["buffer"][name].items()
        if member != "call"
    }
