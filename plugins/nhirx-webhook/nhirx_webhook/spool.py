"""Messages on disk until they are delivered, oldest first: a receiver that was off for a day misses nothing."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_PATIENCE = 5.0  # seconds for delivery in one call: below the time limit of a hook


class Spool:
    """A folder of one file per message. Delivery is tried when a message is added and when the program starts."""

    def __init__(self, folder: Path, send: Callable[[bytes], bool]) -> None:
        self._folder = folder
        self._send = send
        folder.mkdir(parents=True, exist_ok=True)
        self.deliver()

    def add(self, message: Mapping[str, Any]) -> None:
        """Store ``message`` with an ID of its own (a receiver may get it twice), then deliver what waits."""
        content = json.dumps({"id": str(uuid.uuid4()), **message}, ensure_ascii=False).encode()
        name = self._folder / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.json"
        partial = name.with_suffix(".part")
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(name)
        self.deliver()

    def deliver(self) -> None:
        """Send in order; stop at the first that is not taken, so that the order is kept."""
        end = time.monotonic() + _PATIENCE
        for path in sorted(self._folder.glob("*.json")):
            if time.monotonic() > end or not self._send(path.read_bytes()):
                return
            path.unlink()
