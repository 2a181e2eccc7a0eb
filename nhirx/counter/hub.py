"""News for the open pages: told from any thread, waiting in a bounded line for each page. A page too slow for it is let go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

Event = dict[str, Any]
_LINE = 64
"""Events a page may be behind. It comes back by itself and asks for the state, so nothing is lost with the rest."""


class Hub:
    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines: set[asyncio.Queue[Event | None]] = set()

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def tell(self, event: Event) -> None:
        """Hand ``event`` to every page. Nothing waits, from whatever thread; without a running server nobody hears it."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._put, event)

    @contextlib.contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Event | None]]:
        """A line of events; None in it means that it overflowed and is over."""
        line: asyncio.Queue[Event | None] = asyncio.Queue(_LINE)
        self._lines.add(line)
        try:
            yield line
        finally:
            self._lines.discard(line)

    def end(self) -> None:
        """Send every listener away; called on the loop."""
        for line in list(self._lines):
            self._close(line)

    def _put(self, event: Event) -> None:
        for line in list(self._lines):
            try:
                line.put_nowait(event)
            except asyncio.QueueFull:
                self._close(line)

    def _close(self, line: asyncio.Queue[Event | None]) -> None:
        self._lines.discard(line)
        while not line.empty():
            line.get_nowait()
        line.put_nowait(None)
