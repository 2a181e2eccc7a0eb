"""The eye of nhirx: finds and reads the visit ID on a picture of a prescription.

``Scanner().scan(picture)`` answers with a :class:`Scan`. Names are loaded at first use, so importing the package costs next
to nothing; of the host it uses the identifiers and the errors only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nhirx_scanner.camera import Camera
    from nhirx_scanner.result import Code, Scan
    from nhirx_scanner.scanner import Scanner
    from nhirx_scanner.session import Session

__all__ = ["Camera", "Code", "Scan", "Scanner", "Session"]

_HOME = {
    "Camera": "nhirx_scanner.camera",
    "Code": "nhirx_scanner.result",
    "Scan": "nhirx_scanner.result",
    "Scanner": "nhirx_scanner.scanner",
    "Session": "nhirx_scanner.session",
}


def __getattr__(name: str) -> Any:
    if home := _HOME.get(name):
        import importlib

        value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
