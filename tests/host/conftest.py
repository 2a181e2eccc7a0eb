"""A counter with the sandbox behind it: every request in these tests goes over real TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nhirx.host import Host
from nhirx.model import Order, Patient, Prescription, PrescriptionFacts, Refill
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.roc import TAIPEI
from nhirx.sim import Simulator
from samples.ids import visit_id

NOON = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)


class Clock:
    """A clock that a test moves by hand; each reading is a second later, as no two steps are at the same moment."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def sim(tmp_path: Path, clock: Clock) -> Iterator[Simulator]:
    with Simulator(data=tmp_path / "sim", clock=clock) as running:
        running.behaviour.result_polls = 0
        yield running


@pytest.fixture
def plugins() -> Iterator[Plugins]:
    made = Plugins(discover=False)
    yield made
    made.close()


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.new()


@pytest.fixture
def open_host(tmp_path: Path, clock: Clock, sim: Simulator, plugins: Plugins, ring: KeyRing) -> Iterator[Callable[[], Host]]:
    """Opens a host on the same database each time, as a restart does."""
    made: list[Host] = []

    def make() -> Host:
        outbox = Outbox(f"sqlite:///{(tmp_path / 'outbox.sqlite').as_posix()}", clock=clock, ring=ring)
        made.append(Host(sim.settings(), outbox=outbox, plugins=plugins, clock=clock))
        return made[-1]

    yield make
    for host in made:
        host.close()


@pytest.fixture
def host(open_host: Callable[[], Host]) -> Host:
    return open_host()


@pytest.fixture
def issue() -> Callable[[str], str]:
    """Makes a prescriber's visit ID for a person, issued two days before."""
    return lambda national_id: visit_id(national_id, datetime(2026, 11, 18, 9, 30, tzinfo=TAIPEI), "7TEST0")


@pytest.fixture
def sheet_id(issue: Callable[[str], str]) -> str:
    """The visit ID on the sheet of the patient of these tests."""
    return issue("A123456789")


@pytest.fixture
def prescription(sheet_id: str) -> Prescription:
    """The second fill of three for 王小明, with two drugs."""
    return Prescription(
        patient=Patient(national_id="A123456789", birth_date="0501231"),  # type: ignore[arg-type]
        sheet=PrescriptionFacts(
            visit_id=sheet_id,
            visit_serial="0007",
            institution="3502060427",
            visited_at="1151118093000",  # type: ignore[arg-type]
            prescriber_format="2.0",
            refill=Refill(number=1, of=3, days=28, total_days=84),
        ),
        diagnoses=("I10",),
        days=28,
        payment_category="4",
        fee=600,
        copayment=0,
        orders=(
            Order(code="AC12345100", usage="QD", days=28, total=28, route="PO", long_term=True),
            Order(code="BC23456100", usage="BID", days=28, total=56, route="PO", long_term=True),
        ),
        reference="rx-1",
    )
