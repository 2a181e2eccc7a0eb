"""What the requests work on: one host with its reader, its sender, the scans of the last half hour and the open pages."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nhirx.counter.hub import Hub
from nhirx.counter.kept import Pictures
from nhirx.counter.once import Once
from nhirx.counter.options import Options
from nhirx.counter.people import Keys, Operators
from nhirx.counter.reader import Reader
from nhirx.counter.scratch import sweep
from nhirx.counter.sender import Sender
from nhirx.counter.sessions import Session, Sessions
from nhirx.counter.shelf import Shelf
from nhirx.errors import CardBusy, ThingMissing
from nhirx.host import Host

if TYPE_CHECKING:
    from nhirx_scanner import Scanner

    from nhirx.batch.review import Review


class Desk:
    """``start`` on the running loop, ``stop`` before it ends. Everything else may be called from any thread."""

    def __init__(self, host: Host, options: Options) -> None:
        self.host, self.options = host, options
        self.started = options.now()
        self.hub = Hub()
        self.sessions = Sessions(options)
        self.operators = Operators(options.people or options.folder)
        self.keys = Keys(options.folder)
        self.once = Once(options.folder)
        self.shelf = Shelf(options.scan_life, options.most_scans, options.now)
        self.sender = Sender(host, self.hub, idle=options.worker_idle)
        self.reader = Reader(host, self.hub, self.card_in_use, watch=options.watch_readers)
        self.patients: dict[str, str] = {}
        """The patient of each caller's last plan, to compare the card with; in memory only."""
        self._card = threading.Lock()
        self._scanner: Scanner | None = None
        self._pictures: Pictures | None = None
        self._review: Review | None = None
        self._review_guard = threading.Lock()

    def start(self) -> None:
        self.hub.bind(asyncio.get_running_loop())
        self.once.clear(self.options.now())
        sweep(self.options.folder)
        self.reader.start()
        if self.options.send:
            self.sender.start()

    def stop(self) -> None:
        self.reader.stop()
        self.sender.stop()
        self.sessions.save()

    @property
    def scanner(self) -> Scanner:
        """For video: a session per camera is made of it. Text recognition takes longer than a frame may."""
        if self._scanner is None:
            from nhirx_scanner import Scanner

            self._scanner = Scanner(effort="fast")
        return self._scanner

    @property
    def pictures(self) -> Pictures:
        if self._pictures is None:
            self._pictures = Pictures(self.options.folder, self.host.outbox.ring)
        return self._pictures

    @property
    def review(self) -> Review:
        """Raises ``ThingMissing`` where no batch is looked at, and what ``Review`` raises."""
        if self.options.review is None:
            raise ThingMissing(
                what="人工查看清單，請以 nhirx batch review 開啟 / review list here; open it by `nhirx batch review`"
            )
        with self._review_guard:
            if self._review is None:
                from nhirx.batch.review import Review

                self._review = Review(self.options.review)
            return self._review

    def card_in_use(self) -> bool:
        return self._card.locked()

    @contextmanager
    def at_card(self, patience: float | None = None) -> Iterator[None]:
        """One at a time at the card. Raises ``CardBusy`` after ``patience`` seconds (None: as the options say)."""
        if not self._card.acquire(timeout=self.options.card_patience if patience is None else patience):
            raise CardBusy
        try:
            yield
        finally:
            self._card.release()

    def is_locked(self, session: Session) -> bool:
        return self.sessions.is_locked(session, somebody=bool(self.operators.names()))
