"""Messages on disk until they are delivered, oldest first: a receiver that was off for a day misses nothing.

Delivery runs in a thread of its own: the counter waits for the disk, never for somebody else's server.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class Spool:
    """A folder of one file per message. What an earlier run left is delivered first."""

    def __init__(self, folder: Path, send: Callable[[bytes], bool], *, retry: float = 5.0, longest: float = 300.0) -> None:
        """``send`` gives whether the receiver took the message. Seconds between tries double from ``retry`` to ``longest``."""
        self._folder = folder
        self._send = send
        self._retry, self._longest = retry, longest
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if self._waiting():
            self._start()

    def add(self, message: Mapping[str, Any]) -> None:
        """Store ``message`` with an ID of its own (a receiver may get it twice); it is on disk when this returns."""
        content = json.dumps({"id": str(uuid.uuid4()), **message}, ensure_ascii=False).encode()
        name = self._folder / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.json"
        partial = name.with_suffix(".part")
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(name)
        self._start()
        self._wake.set()

    def deliver(self) -> bool:
        """Send in order, and stop at the first that is not taken, so that the order is kept. Whether nothing is left."""
        for path in self._waiting():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue  # another process delivered it
            if not self._send(content):
                return False
            path.unlink(missing_ok=True)
        return True

    def _waiting(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))

    def _start(self) -> None:
        if self._thread is None:
            self._wake.set()
            self._thread = threading.Thread(target=self._run, name="nhirx-webhook", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        pause: float | None = None
        while True:
            self._wake.wait(pause)
            self._wake.clear()
            try:
                done = self.deliver()
            except OSError:
                # A virus scanner may hold a new file for a moment.
                done = False
            longer = self._retry if pause is None else min(pause * 2, self._longest)
            pause = None if done else longer
