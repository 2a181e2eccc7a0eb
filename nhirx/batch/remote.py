"""Files that lie elsewhere (``s3://…``, ``https://…``, ``memory://…``, ``zip://…::s3://…``), through fsspec, the extra ``remote``.

Credentials are those that fsspec and its file systems read by themselves (environment, profiles); none is kept in a batch.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from nhirx.batch.full import is_full
from nhirx.errors import ComponentMissing, FileMissing, FileUnreadable

T = TypeVar("T")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # two characters and more: C:// is a drive
_PATTERN = frozenset("*?[")
_TRIES, _PAUSE_SECONDS = 3, 1.0


def is_remote(name: str) -> bool:
    return _URL.match(name) is not None


def find(source: str) -> list[tuple[str, int]]:
    """(address, bytes) of every file of ``source`` — one file, all below a folder, or a pattern — in order of the address.

    Raises ``FileMissing`` when there is none, ``FileUnreadable`` for a store that refuses, ``ComponentMissing``.
    """
    fsspec = _fsspec()
    first, *rest = source.split("::")

    def look() -> list[tuple[str, int]]:
        system, path = fsspec.core.url_to_fs(source)
        if _PATTERN & set(path):
            infos = system.glob(path, detail=True)
        elif system.isfile(path) and not first.endswith("/"):
            infos = {path: system.info(path)}
        else:
            infos = system.find(path, detail=True)
        named = {
            _address(system, name, rest): int(info.get("size") or 0) for name, info in infos.items() if info["type"] == "file"
        }
        return sorted(named.items())

    found = _tried(look, source)
    if not found:
        raise FileMissing(path=source, problem="missing")
    return found


def _address(system: Any, name: str, rest: list[str]) -> str:
    return "::".join([str(system.unstrip_protocol(name)), *rest])


def name_of(address: str) -> str:
    """The file's own name."""
    return address.split("::", maxsplit=1)[0].rstrip("/").rsplit("/", 1)[-1].split("?")[0]


def head(address: str, count: int = 1024) -> bytes:
    """The first bytes. Raises ``FileUnreadable``."""

    def look() -> bytes:
        with _fsspec().open(address, "rb") as file:
            return bytes(file.read(count))

    return _tried(look, address)


def fetch(address: str, target: Path) -> None:
    """The file as ``target`` on this machine. Raises ``FileUnreadable``; a full disk is an ``OSError``."""

    def copy() -> None:
        with _fsspec().open(address, "rb") as file, target.open("wb") as ours:
            shutil.copyfileobj(file, ours, 1 << 20)

    _tried(copy, address)


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError:
        raise ComponentMissing(component="fsspec", how="pip install 'nhirx[remote]'") from None
    return fsspec


def _tried(action: Callable[[], T], address: str) -> T:
    """A store may be out of reach for a moment: what fails is tried again before the file counts as unreadable."""
    for left in range(_TRIES - 1, -1, -1):
        try:
            return action()
        except FileNotFoundError:
            raise FileMissing(path=address, problem="missing") from None
        except (ImportError, ValueError) as error:
            # The address names a kind of store that this machine has no package for.
            raise ComponentMissing(component=address.split("://", maxsplit=1)[0], how=f"pip install ({error})") from None
        except Exception as error:
            if is_full(error):
                raise
            if not left:
                raise FileUnreadable(path=address, problem=type(error).__name__) from None
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError
