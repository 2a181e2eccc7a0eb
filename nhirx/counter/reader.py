"""The state of the card reader for the page: by PC/SC where a reader is there, else by what the control software says.

Nothing of a card is kept beyond its stay in the reader; what is shown proves nothing, a dispensing reads the card again.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nhirx.counter.hub import Hub
from nhirx.errors import NhirxError
from nhirx.host import Host
from nhirx.model import Holder

if TYPE_CHECKING:
    from nhirx.card.monitor import CardEvent
    from nhirx.card_watch import CardWatch

_log = logging.getLogger(__name__)
_LOOK = 1.5
"""Seconds between two questions to the control software, asked only while PC/SC shows no reader."""

WORDS = {
    "card": ("讀卡機裡有卡片", "a card is in the reader"),
    "no-card": ("請插入健保卡", "insert the NHI card"),
    "no-reader": ("找不到讀卡機，請檢查連接線", "no card reader: check its cable"),
    "no-service": ("讀卡機控制軟體與智慧卡服務都沒有回應", "neither control software nor smart card service answers"),
    "unknown": ("讀卡機狀態未知，取號時才會知道", "state of the reader unknown until a number is taken"),
}


class Reader:
    """``start`` to ``stop``; ``state`` at any moment. ``busy`` tells whether the card is in use, so that nobody disturbs it."""

    def __init__(self, host: Host, hub: Hub, busy: Callable[[], bool], *, watch: bool) -> None:
        self._host, self._hub, self._busy, self._watching = host, hub, busy, watch
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._readers: set[str] = set()
        self._cards: dict[str, Holder | NhirxError | None] = {}
        self._control: str | None = None
        self._told: str | None = None
        self._watch: CardWatch | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._watching:
            watch = self._host.watch_cards(self._seen)
            try:
                self._watch = watch.start()
            except NhirxError as error:
                _log.info("readers are not watched: %s", error.code)
        self._thread = threading.Thread(target=self._run, name="nhirx-reader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._watch is not None:
            self._watch.stop()
        if self._thread is not None:
            self._thread.join(15)

    @property
    def holder(self) -> Holder | None:
        """Who was read when the card was put in, while it is in; None where PC/SC does not tell."""
        with self._lock:
            return next((found for found in self._cards.values() if isinstance(found, Holder)), None)

    def state(self) -> dict[str, Any]:
        """The object ``reader`` of ``GET /state``."""
        with self._lock:
            name = self._name()
            problem = next((one for one in self._cards.values() if isinstance(one, NhirxError)), None)
            shown = any(isinstance(one, Holder) for one in self._cards.values())
        zh, en = WORDS[name]
        if problem is not None and not shown:
            zh, en = problem.zh, problem.en
        return {"state": name, "words_zh": zh, "words_en": en, "code": problem.code if problem and not shown else None}

    def _name(self) -> str:
        if self._readers:
            return "card" if self._cards else "no-card"
        return self._control or "unknown"

    def _seen(self, event: CardEvent, found: Holder | NhirxError | None) -> None:
        with self._lock:
            match event.kind:
                case "reader-added":
                    self._readers.add(event.reader)
                case "reader-removed":
                    self._readers.discard(event.reader)
                    self._cards.pop(event.reader, None)
                case "card-inserted":
                    self._cards[event.reader] = found
                case "card-removed":
                    self._cards.pop(event.reader, None)
                case _:
                    self._readers.clear()
                    self._cards.clear()
        self._tell(always=event.kind in ("card-inserted", "card-removed"))

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._readers and not self._busy():
                with contextlib.suppress(NhirxError):
                    status = self._host.control.status()
                    self._control = ("card" if status.card_present else "no-card") if status.reachable else "no-service"
                self._tell()
            self._stopping.wait(_LOOK)

    def _tell(self, *, always: bool = False) -> None:
        state = self.state()
        if always or state["state"] != self._told:
            self._told = state["state"]
            self._hub.tell({"type": "card", **state})
