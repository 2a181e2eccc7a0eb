"""The pictures of sheets that a person declared illegible, with cause and note: sealed with the key of the outbox.

They are what an audit asks for when an ID was reported as unreadable. ``reseal`` and ``purge`` go along with those of the outbox.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nhirx.counter.files import write_bytes
from nhirx.outbox.keys import KeyRing
from nhirx.settings import data_path

_PURPOSE = "counter.illegible"


def folder(data: Path) -> Path:
    return data / "kept"


def place() -> Path:
    """The counter's own folder, beside the outbox."""
    return data_path() / "counter"


@dataclass(frozen=True, slots=True)
class Illegible:
    """What was declared of one sheet. ``picture`` is a JPEG, None where there was none to keep."""

    cause: str
    note: str | None
    by: str
    at: datetime
    picture: bytes | None


class Pictures:
    def __init__(self, data: Path, ring: KeyRing) -> None:
        self._folder = folder(data)
        self._ring = ring

    def keep(self, declared: Illegible) -> Path:
        """On disk, sealed, when this returns; ``belongs`` names the dispensing once there is one."""
        content: dict[str, Any] = {
            "cause": declared.cause,
            "note": declared.note,
            "by": declared.by,
            "at": declared.at.isoformat(timespec="seconds"),
            "picture": base64.b64encode(declared.picture).decode() if declared.picture else None,
        }
        path = self._folder / f"open-{secrets.token_hex(8)}.sealed"
        write_bytes(path, self._ring.seal(json.dumps(content, ensure_ascii=False), _PURPOSE))
        return path

    def belongs(self, path: Path, dispensing: int) -> None:
        path.replace(path.with_name(f"{dispensing}-{path.name.removeprefix('open-')}"))

    def drop(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def find(self, dispensing: int) -> dict[str, Any] | None:
        """Cause, note, by, at and picture (base64) of a dispensing, or None."""
        for path in sorted(self._folder.glob(f"{dispensing}-*.sealed")):
            content: dict[str, Any] = json.loads(self._ring.open(path.read_bytes(), _PURPOSE))
            return content
        return None


def reseal(data: Path, ring: KeyRing) -> int:
    """Seal every picture with the current key of ``ring``, which must open the old as well; how many."""
    done = 0
    for path in sorted(folder(data).glob("*.sealed")):
        sealed = path.read_bytes()
        if sealed[1:5].hex() != ring.current:
            write_bytes(path, ring.seal(ring.open(sealed, _PURPOSE), _PURPOSE))
            done += 1
    return done


def purge(data: Path, before: datetime) -> int:
    """Erase the pictures kept before ``before``; how many."""
    old = [path for path in folder(data).glob("*.sealed") if path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
