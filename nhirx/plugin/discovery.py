"""Installed plugins: the entry points of the group ``nhirx``, loaded one by one so that a broken one stops nobody."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from nhirx.plugin import NAME


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """One plugin as ``nhirx plugins`` lists it. ``problem_zh`` and ``problem_en`` say why it was refused."""

    name: str
    package: str | None
    version: str | None
    status: Literal["loaded", "blocked", "refused"]
    hooks: tuple[str, ...] = ()
    problem_zh: str | None = None
    problem_en: str | None = None


def installed() -> Iterator[EntryPoint]:
    """The entry points in order of their names; a project installed twice (editable and wheel) counts once."""
    seen: set[tuple[str, str]] = set()
    for point in sorted(entry_points(group=NAME), key=lambda point: (point.name, point.value)):
        if (point.name, point.value) not in seen:
            seen.add((point.name, point.value))
            yield point


def load(point: EntryPoint) -> Any:
    """The plugin behind ``point``; a class is made, without arguments. Raises whatever the plugin's own code raises."""
    found = point.load()
    return found() if inspect.isclass(found) else found


def blocked_names(settings: Iterable[str]) -> frozenset[str]:
    """Names that are not to be loaded: of the settings, and of ``NHIRX_BLOCK_PLUGINS`` (separated by commas)."""
    named = os.environ.get("NHIRX_BLOCK_PLUGINS", "").split(",")
    return frozenset(name.strip().lower() for name in [*settings, *named] if name.strip())


def is_blocked(point: EntryPoint, blocked: frozenset[str]) -> bool:
    """Whether the plugin or the project that brings it is named."""
    return point.name.lower() in blocked or (point.dist is not None and point.dist.name.lower() in blocked)
