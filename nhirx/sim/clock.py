"""The simulator's clock: real time, shifted or stopped, so that an hour can pass in a test without waiting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from nhirx.roc import TAIPEI


class Clock:
    """Call it for the time now, aware, in Taiwan's offset. A ``source`` replaces the machine's clock."""

    def __init__(self, source: Callable[[], datetime] | None = None) -> None:
        self._source = source or (lambda: datetime.now(TAIPEI))
        self._shift = timedelta(0)
        self._stopped: datetime | None = None

    def __call__(self) -> datetime:
        return self._stopped or self._source().astimezone(TAIPEI) + self._shift

    def set(self, moment: datetime) -> None:
        """Go on from ``moment``."""
        self._stopped = None
        self._shift = moment - self._source()

    def stop(self, moment: datetime) -> None:
        """Stand still at ``moment``."""
        self._stopped = moment.astimezone(TAIPEI)

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``, running or stopped."""
        if self._stopped is None:
            self._shift += timedelta(seconds=seconds)
        else:
            self._stopped += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Back to real time."""
        self._stopped, self._shift = None, timedelta(0)
