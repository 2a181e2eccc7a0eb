"""Waits double, never beyond the limit, and a success ends them."""

from datetime import datetime, timedelta

import pytest

from nhirx.errors import ServiceTimeout
from nhirx.roc import TAIPEI
from nhirx.upload.breaker import Breaker, delay

NOW = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)
ERROR = ServiceTimeout(url="https://localhost", seconds=1)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (1000, 3600)])
def test_the_wait_doubles_up_to_the_limit(failures: int, seconds: float) -> None:
    longest, shortest = (delay(failures, 5, 3600, lambda draw=draw: draw) for draw in (1.0, 0.0))

    assert (timedelta(seconds=seconds), timedelta(seconds=seconds / 2)) == (longest, shortest)


def test_a_failure_opens_and_a_success_closes() -> None:
    breaker = Breaker(10, 60, lambda: 1.0)

    assert not breaker.is_open(NOW)

    breaker.failed(ERROR, NOW)
    breaker.failed(ERROR, NOW)

    assert (True, False, 2) == (breaker.is_open(NOW), breaker.is_open(NOW + timedelta(seconds=20)), breaker.pause.failures)

    breaker.succeeded()

    assert not breaker.is_open(NOW)


def test_a_clock_set_back_does_not_prolong_the_pause() -> None:
    breaker = Breaker(10, 60, lambda: 1.0)
    breaker.failed(ERROR, NOW)

    assert not breaker.is_open(NOW - timedelta(hours=1))
