"""How long to wait after failures, and when to leave the service alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nhirx.errors import NhirxError


def delay(failures: int, first: float, limit: float, draw: Callable[[], float] = random.random) -> timedelta:
    """Seconds before try number ``failures`` + 1: ``min(limit, first · 2^(failures-1)) · (0.5 … 1)``.

    The jitter keeps the counters of a chain from coming back all at once when the service does.
    """
    seconds = min(limit, first * 2 ** min(max(failures - 1, 0), 40))
    return timedelta(seconds=seconds * (0.5 + draw() / 2))


@dataclass(frozen=True, slots=True)
class Pause:
    """The service is left alone until ``until`` because of ``error``; ``failures`` in a row so far."""

    until: datetime
    error: NhirxError
    failures: int


class Breaker:
    """Opens at a failure of the service as a whole, for longer each time; one success closes it."""

    def __init__(self, first: float, limit: float, draw: Callable[[], float] = random.random) -> None:
        self._first, self._limit, self._draw = first, limit, draw
        self.pause: Pause | None = None

    def failed(self, error: NhirxError, now: datetime) -> Pause:
        failures = self.pause.failures + 1 if self.pause else 1
        self.pause = Pause(now + delay(failures, self._first, self._limit, self._draw), error, failures)
        return self.pause

    def succeeded(self) -> None:
        self.pause = None

    def is_open(self, now: datetime) -> bool:
        """Whether to leave the service alone. A pause longer than any we make was left by a clock set back, and is over."""
        return self.pause is not None and now < self.pause.until <= now + timedelta(seconds=self._limit)
