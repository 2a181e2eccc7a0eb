"""A clock that tests turn by hand, keys, records of nobody, and an outbox on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from nhirx.model import CardReading, UploadRecord
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.roc import TAIPEI

VISITS = ("0USE4FA11RP4J370WR4K", "0USE4FA11RP4J370WR4L", "0USE4FA11RP4J370WR4M", "0USE4FA11RP4J370WR4N")


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)

    def __call__(self) -> datetime:
        return self.time

    def turn(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.new()


@pytest.fixture
def outbox(database_url: str, clock: Clock, ring: KeyRing) -> Iterator[Outbox]:
    with Outbox(database_url, clock=clock, ring=ring) as opened:
        yield opened


@pytest.fixture
def visits() -> tuple[str, ...]:
    return VISITS


@pytest.fixture
def record() -> Callable[..., UploadRecord]:
    def make(visit_id: str = VISITS[0], **fields: str) -> UploadRecord:
        plain = {"H00": "1", "H01": "A", "M03": "A123456789", "M07": "AF", "M15": visit_id}
        return UploadRecord(fields=plain | fields, orders=({"D03": "1", "D06": "AC12345100"},))

    return make


@pytest.fixture
def reading(clock: Clock) -> Callable[..., CardReading]:
    def make(visit_id: str | None = VISITS[0], made_by: str = "card") -> CardReading:
        return CardReading(
            made_by=made_by,
            visited_at=clock(),
            institution="5901234567",
            visit_id=visit_id,
            sam_id="SAM000000001",
            card_number="000012345678",
            visit_serial="0007",
            security_signature="ab" * 128,
        )

    return make
