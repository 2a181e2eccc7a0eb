"""The upload in the background: one thread that drains the outbox while the page is open, can be paused, and tells its news."""

from __future__ import annotations

import logging
import threading
from typing import Any

from nhirx.counter.answers import log_defect
from nhirx.counter.hub import Hub
from nhirx.errors import NhirxError
from nhirx.host import Host
from nhirx.model import CheckResult
from nhirx.news import News
from nhirx.outbox import Queued
from nhirx.upload.client import UploadClient
from nhirx.upload.worker import Worker

_log = logging.getLogger(__name__)


class Sender:
    """``start`` to ``stop``. ``send_now`` forgets a pause of the service: a person says that the line is up again."""

    def __init__(self, host: Host, hub: Hub, *, idle: float) -> None:
        self._host, self._hub, self._idle = host, hub, idle
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._at_once = threading.Event()
        self._paused = False
        self._worker: Worker | None = None
        self._thread: threading.Thread | None = None
        self._news: News | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="nhirx-sender", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the step at hand has ended; what was not sent waits in the outbox."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(15)
            self._thread = None
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def wake(self) -> None:
        self._wake.set()

    def pause(self) -> None:
        self._paused = True
        self._tell()

    def resume(self) -> None:
        self._paused = False
        self._tell()
        self._wake.set()

    def send_now(self) -> None:
        self._paused = False
        self._at_once.set()
        self._wake.set()

    def state(self) -> dict[str, Any]:
        """The object ``worker`` of ``GET /state``."""
        pause = self._worker.pause if self._worker else None
        if self._thread is None:
            state, zh, en = "off", "背景上傳未啟動。", "The background upload is not running."
        elif self._paused:
            state, zh, en = "paused", "由人員暫停，資料保存在待上傳區。", "Paused by a person; the records wait in the outbox."
        elif pause is not None:
            state, zh, en = "running", pause.error.zh, pause.error.en
        else:
            state, zh, en = "running", "", ""
        return {
            "state": state,
            "reason_zh": zh,
            "reason_en": en,
            "breaker": "open" if pause is not None else "closed",
            "code": pause.error.code if pause is not None else None,
            "until": pause.until.isoformat(timespec="seconds") if pause is not None else None,
        }

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        told = self._condition()
        while not self._stopping.is_set():
            moved = False
            if not self._paused:
                try:
                    moved = self._step()
                except NhirxError as error:
                    _log.error("%s", error)
                except Exception as error:
                    log_defect(error)
            if (now := self._condition()) != told:
                told = now
                self._tell()
            if not moved:
                self._wake.wait(self._idle)
            self._wake.clear()

    def _step(self) -> bool:
        at_once = self._at_once.is_set()
        if self._worker is None or at_once:
            if self._worker is not None:
                self._worker.close()
            self._worker = self._made()
        if at_once:
            self._at_once.clear()
            self._host.outbox.queue.hurry()
        return self._worker.step(at_once=at_once).moved

    def _made(self) -> Worker:
        host = self._host
        client = UploadClient(host.settings, host.control.upload_signature)
        return Worker(host.outbox, client, clock=host.clock, settings=host.settings, notify=self._notify)

    def _notify(self, event: str, item: Queued, result: CheckResult | None) -> None:
        self._hub.tell(record_event(item.id, event, item.opcode, item.dispensing_id))
        if self._news is None:
            self._news = News(self._host.outbox, self._host.plugins)
        self._news(event, self._host.outbox.queue.item(item.id), result)

    def _condition(self) -> tuple[Any, ...]:
        state = self.state()
        return state["state"], state["code"]

    def _tell(self) -> None:
        self._hub.tell({"type": "worker", **self.state()})


def record_event(item: int, state: str, opcode: str | None, dispensing: int | None) -> dict[str, Any]:
    return {"type": "record", "id": item, "state": state, "opcode": opcode, "dispensing": dispensing}
