"""``NHIRX_TRACE_PLUGINS=1``: every hook call on stderr, with what kind of values passed and how long it took, never whose."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from nhirx.errors import NhirxError
from nhirx.model import Value

_HARMLESS = re.compile(r"(?!.*\d{4})[a-z][a-z0-9-]{0,15}")


def wanted() -> bool:
    """Whether the environment asks for the trace."""
    return os.environ.get("NHIRX_TRACE_PLUGINS", "") not in ("", "0")


def trace(plugin: str, hook: str, arguments: Mapping[str, Any], outcome: str, seconds: float) -> None:
    """One line on stderr."""
    listed = ", ".join(f"{name}={describe(value)}" for name, value in arguments.items())
    sys.stderr.write(f"nhirx-trace {plugin}: {hook}({listed}) -> {outcome} [{seconds * 1000:.1f} ms]\n")


def describe(value: Any) -> str:
    """The kind and size of ``value``. Words of a code (``code128``) and days are shown, everything else may name a person."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return repr(value) if _HARMLESS.fullmatch(value) else f"<{len(value)} characters>"
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Value):
        return f"{type(value).__name__}({', '.join(sorted(value.model_fields_set))})"
    if isinstance(value, NhirxError):
        return f"{type(value).__name__}[{value.code}]"
    if isinstance(value, list | tuple | dict):
        return f"<{type(value).__name__.removeprefix('Frozen').lower()} of {len(value)}>"
    return f"<{type(value).__name__}>"
