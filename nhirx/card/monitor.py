"""Cards and readers that come and go, as events: the other module that knows pyscard.

pyscard's own monitor joins a thread that sits in the smart card service and can take a minute to stop. This one asks the
service itself and is called back from its wait, so ``stop`` takes milliseconds. When the service goes away everything it
showed is reported as gone, and the wait for its return begins.

Needs pyscard, as ``pcsc`` does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from nhirx.errors import ComponentMissing

_log = logging.getLogger(__name__)
_WAIT = 1000  # milliseconds; only the upper bound of one wait, a change ends it at once
_NEW_READERS = "\\\\?PnP?\\Notification"
_WITHOUT_SERVICE = 1.0  # seconds between two looks for a service that is down


@dataclass(frozen=True, slots=True)
class CardEvent:
    """``mute``: a card lies in the reader and does not answer. ``reader`` is empty for the two events of the service."""

    kind: Literal["reader-added", "reader-removed", "card-inserted", "card-removed", "service-down", "service-up"]
    reader: str = ""
    mute: bool = False


class CardMonitor:
    """Calls ``on_event`` from a thread of its own; what lies in the readers at the start is reported first.

    An exception of ``on_event`` is logged and ends nothing. Use as a context manager, or ``start`` and ``stop``.
    """

    def __init__(self, on_event: Callable[[CardEvent], None]) -> None:
        self._on_event = on_event
        self._stopping = threading.Event()
        self._context: Any = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Raises ``ComponentMissing`` where pyscard is not installed; a service that is down is an event."""
        try:
            import smartcard.scard  # noqa: F401
        except ImportError:
            raise ComponentMissing(component="pyscard", how='pip install "nhirx[card]"') from None
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="nhirx-card-monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """May be called twice. No event comes after it has returned."""
        if self._thread is None:
            return
        from smartcard.scard import SCardCancel

        self._stopping.set()
        while self._thread.is_alive():
            # Between two waits there is nothing to cancel, so it is tried until the thread has seen the wish.
            if (context := self._context) is not None:
                SCardCancel(context)
            self._thread.join(0.02)
        self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        from smartcard.scard import SCARD_SCOPE_USER, SCardEstablishContext, SCardReleaseContext

        down = False
        while not self._stopping.is_set():
            code, context = SCardEstablishContext(SCARD_SCOPE_USER)
            if code != 0:
                if not down:
                    self._tell(CardEvent("service-down"))
                down = True
                self._stopping.wait(_WITHOUT_SERVICE)
                continue
            if down:
                self._tell(CardEvent("service-up"))
                down = False
            self._context = context
            try:
                self._watch(context)
            finally:
                self._context = None
                SCardReleaseContext(context)

    def _watch(self, context: Any) -> None:
        """Report until the wish to stop, or until the service no longer answers."""
        from smartcard.scard import (
            SCARD_E_CANCELLED,
            SCARD_E_NO_READERS_AVAILABLE,
            SCARD_E_TIMEOUT,
            SCARD_E_UNKNOWN_READER,
            SCARD_STATE_CHANGED,
            SCARD_STATE_UNAWARE,
            SCardGetStatusChange,
            SCardListReaders,
        )

        seen: dict[str, int] = {}
        plug = SCARD_STATE_UNAWARE
        try:
            while not self._stopping.is_set():
                code, names = SCardListReaders(context, [])
                if code not in (0, SCARD_E_NO_READERS_AVAILABLE):
                    return
                self._compare(seen, names)
                asked = [*seen.items(), (_NEW_READERS, plug)]
                code, states = SCardGetStatusChange(context, _WAIT, asked)
                if code in (SCARD_E_TIMEOUT, SCARD_E_CANCELLED, SCARD_E_UNKNOWN_READER):
                    continue
                if code != 0:
                    return
                for name, state, _ in states:
                    if name == _NEW_READERS:
                        plug = state & ~SCARD_STATE_CHANGED
                    elif name in seen:
                        self._changed(name, seen[name], state)
                        seen[name] = state & ~SCARD_STATE_CHANGED
        finally:
            if not self._stopping.is_set():
                self._compare(seen, ())

    def _compare(self, seen: dict[str, int], names: Any) -> None:
        from smartcard.scard import SCARD_STATE_UNAWARE

        for name in [name for name in seen if name not in names]:
            for event in _gone(name, seen.pop(name)):
                self._tell(event)
        for name in names:
            if name not in seen:
                seen[name] = SCARD_STATE_UNAWARE
                self._tell(CardEvent("reader-added", name))

    def _changed(self, name: str, before: int, now: int) -> None:
        from smartcard.scard import SCARD_STATE_MUTE, SCARD_STATE_PRESENT

        was, is_there = bool(before & SCARD_STATE_PRESENT), bool(now & SCARD_STATE_PRESENT)
        # A card that is exchanged between two looks leaves its trace in the counter in the upper half only.
        exchanged = was and is_there and before >> 16 != now >> 16
        if was and (not is_there or exchanged):
            self._tell(CardEvent("card-removed", name))
        if is_there and (not was or exchanged):
            self._tell(CardEvent("card-inserted", name, mute=bool(now & SCARD_STATE_MUTE)))

    def _tell(self, event: CardEvent) -> None:
        if self._stopping.is_set():
            return
        try:
            self._on_event(event)
        except Exception:
            _log.exception("a listener for %s failed", event.kind)


def _gone(name: str, state: int) -> Iterator[CardEvent]:
    from smartcard.scard import SCARD_STATE_PRESENT

    if state & SCARD_STATE_PRESENT:
        yield CardEvent("card-removed", name)
    yield CardEvent("reader-removed", name)


WORDS: Mapping[str, tuple[str, str]] = {
    "reader-added": ("已接上讀卡機", "a reader was connected"),
    "reader-removed": ("讀卡機已離線", "a reader was disconnected"),
    "card-inserted": ("已插入卡片", "a card was inserted"),
    "card-removed": ("卡片已取出", "the card was taken out"),
    "service-down": ("智慧卡服務停止", "the smart card service stopped"),
    "service-up": ("智慧卡服務恢復", "the smart card service is back"),
}
"""Each kind for a person, zh-TW and English."""
