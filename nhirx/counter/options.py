"""How one counter is run: where it listens, what it keeps and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 1 << 20
PORT = 8755
"""Where a counter listens that was told nothing else; that of the settings, which a demo does not read."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(slots=True)
class Options:
    """``folder`` holds sessions, operators, keys of programs and kept pictures; ``now`` is the wall clock in seconds since 1970.

    ``names`` are the host names under which the page may be asked for; a request for any other is refused, because it may
    come from a foreign page through DNS rebinding. ``port`` is set when the socket is bound.
    """

    folder: Path
    port: int = 0
    names: tuple[str, ...] = LOOPBACK
    tls: bool = False
    demo: bool = False
    idle: float = 600.0
    """Seconds without a person's act until the page locks."""
    session_life: float = 12 * 3600.0
    """Seconds after its last use at which a session ends."""
    scan_life: float = 30 * 60.0
    most_scans: int = 40
    """Each holds the picture of its page, some hundred kilobytes."""
    most_body: int = 64 * MEGABYTE
    """Bytes of an uploaded file."""
    most_json: int = MEGABYTE
    most_frame: int = 4 * MEGABYTE
    card_patience: float = 60.0
    """Seconds a dispensing waits for the one before it."""
    camera: str | None = None
    watch_readers: bool = True
    worker_idle: float = 1.0
    send: bool = True
    """Whether the background upload runs."""
    review: Path | None = None
    """The output folder of a batch whose pages are looked at."""
    people: Path | None = None
    """Where operators are kept when not in ``folder``."""
    now: Callable[[], float] = field(default=time.time)

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"

    @property
    def cookie(self) -> str:
        """The name of the session's cookie. A browser sends cookies to every port of a host, and a demo may run beside the real counter."""
        return f"nhirx_session_{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.names[0]}:{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """The values of ``Host`` that are answered."""
        plain = 443 if self.tls else 80
        return frozenset(f"{name}:{self.port}" for name in self.names) | (
            frozenset(self.names) if self.port == plain else frozenset()
        )
