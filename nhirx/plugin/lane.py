"""One thread per plugin, with a time limit: a plugin that hangs, exits or raises anything stays in its own lane.

The threads are daemons, so that a hanging plugin never keeps the process alive. What no thread can hold back is
``os._exit`` and a crash of native code: those end the process, and the journal is there for that.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextvars import Context, copy_context
from typing import Any


class NoAnswer(Exception):
    """The plugin did not answer in time, or is still busy with a call that it did not answer in time."""


class Lane:
    """Runs one call after the other. Thread-safe."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Context, Callable[[], Any]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._late: Future[Any] | None = None

    def call(self, work: Callable[[], Any], seconds: float) -> tuple[Any, BaseException | None]:
        """The value of ``work()`` and None, or None and what it raised, whatever that is.

        Raises ``NoAnswer`` after ``seconds``, or at once while an earlier call is overdue. A KeyboardInterrupt of the
        calling thread passes; one raised by ``work`` is returned like everything else.
        """
        if threading.current_thread() is self._thread:
            return _outcome(work)
        future: Future[Any] = Future()
        with self._lock:
            if self._late is not None and not self._late.done():
                raise NoAnswer("still busy with an earlier call")
            self._late = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"nhirx-plugin-{self._name}", daemon=True)
                self._thread.start()
            self._jobs.put((future, copy_context(), work))
        try:
            value: tuple[Any, BaseException | None] = future.result(seconds)
        except (TimeoutError, CancelledError):
            with self._lock:
                if not future.cancel() and not future.done():
                    self._late = future
            raise NoAnswer(f"no answer within {seconds:g} s") from None
        return value

    def close(self) -> None:
        """Let the thread end when it is free."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, context, work = job
            if future.set_running_or_notify_cancel():
                future.set_result(context.run(_outcome, work))


def _outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except BaseException as error:
        return None, error
