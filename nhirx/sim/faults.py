"""Failures on command: what a vendor has to survive, made to happen on the next request or the next hundred.

Each kind says whether the request was carried out before things went wrong, because that is what recovery depends on.
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nhirx.errors import InvalidValue

KINDS: dict[str, tuple[bool, str]] = {
    # kind: (the request is carried out, what the client sees)
    "refuse": (False, "the connection ends before any answer"),
    "hang": (False, "no answer for `seconds` (default: until the simulator stops)"),
    "reset": (False, "the connection is reset (RST)"),
    "html": (False, "HTTP 200 with a web page"),
    "half-json": (True, "HTTP 200 with the first half of the JSON"),
    "http500": (False, "HTTP 500 with a JSON error"),
    "status-code": (False, "a well-formed answer with statusCode or RtnCode `code`"),
    "slow": (True, "the right answer after `seconds`"),
    "accept-then-hang": (True, "carried out, then no answer for `seconds`"),
    "accept-then-reset": (True, "carried out, then the connection is reset"),
    "lie-length": (True, "Content-Length larger than the body, then the connection ends"),
    "answer-twice": (True, "the right answer, followed by a second copy of it"),
    "string-code": (True, "the right answer with its code as text"),
    "missing-keys": (True, "the right answer without half of its members"),
    "tls-expired": (False, "a server certificate that has expired (next connection, whatever its path)"),
    "tls-wrong-name": (False, "a server certificate for another name (next connection)"),
    "tls-unknown-ca": (False, "a server certificate of another authority (next connection)"),
}
_TLS = "tls-"


@dataclass(slots=True)
class Fault:
    """``kind`` for the next ``times`` requests whose path matches ``path`` (a pattern with ``*``)."""

    path: str
    kind: str
    times: int = 1
    code: str | int | None = None
    seconds: float | None = None
    after: int = 0
    """Matching requests that still go well before the first failure."""

    @property
    def carried_out(self) -> bool:
        return KINDS[self.kind][0]


class Faults:
    """The failures that wait for a request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(
        self, path: str, kind: str, *, times: int = 1, code: Any = None, seconds: float | None = None, after: int = 0
    ) -> None:
        """Raises ``InvalidValue`` for a kind that does not exist or a count below 1."""
        if kind not in KINDS:
            raise InvalidValue(what="kind", problem="one of " + ", ".join(KINDS))
        if times < 1 or after < 0:
            raise InvalidValue(what="times", problem="1 or more")
        with self._lock:
            self._waiting.append(Fault(path, kind, times, code, seconds, after))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, path: str) -> Fault | None:
        """The failure for this request, used up by one."""
        return self._take(lambda fault: not fault.kind.startswith(_TLS) and fnmatch.fnmatchcase(path, fault.path))

    def take_certificate(self) -> str | None:
        """Which bad certificate the next connection is shown, or None: the good one. No path is known at that point."""
        fault = self._take(lambda one: one.kind.startswith(_TLS))
        return None if fault is None else fault.kind.removeprefix(_TLS)

    def _take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if not fits(fault):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    return None
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"path": fault.path, "kind": fault.kind, "times": fault.times, "after": fault.after} for fault in self._waiting
            ]
