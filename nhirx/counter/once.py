"""Each dispensing once, however often it is asked for: what stands behind the header ``Idempotency-Key``.

A note is on disk before the card is asked: the key, the request as a keyed hash, and the newest dispensing that this person had
until then. So after a stop anywhere the journal itself tells whether the request had begun something, and what.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from nhirx.counter.files import read_json, write_json

_LIFE = 7 * 86400.0


@dataclass(slots=True)
class Note:
    """``newest`` is the ID of this person's newest dispensing before; ``dispensing`` what came of the request, once known."""

    request: str
    newest: int
    dispensing: int | None = None


class Once:
    def __init__(self, folder: Path) -> None:
        self._folder = folder / "requests"
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """One request of a key at a time: the second of a double click waits for the answer of the first."""
        with self._lock:
            lock = self._busy.setdefault(key, threading.Lock())
        with lock:
            yield
        with self._lock:
            if len(self._busy) > 1000:
                self._busy = {name: held for name, held in self._busy.items() if held.locked()}

    def find(self, key: str) -> Note | None:
        found = read_json(self._path(key), None)
        return None if found is None else Note(**found)

    def keep(self, key: str, note: Note) -> None:
        """On disk when this returns."""
        write_json(self._path(key), asdict(note))

    def forget(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def clear(self, now: float) -> None:
        """Drop notes older than a week."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if now - path.stat().st_mtime > _LIFE:
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}.json"
