"""What a plugin's tests need: the sandbox, invented people, prescriptions, and a counter that dispenses and uploads.

pytest finds these fixtures by itself once nhirx is installed::

    def test_my_plugin(nhirx_counter, nhirx_prescription):
        counter = nhirx_counter(MyPlugin())
        counter.dispense(nhirx_prescription())
        assert counter.send() == ["accepted"]

Nothing is mocked: the control software, the data centre and the Web API answer over TLS on loopback (``nhirx.sim``), the
outbox is a file. Everything heavy is imported when a fixture is used, because pytest loads this module in every project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from nhirx.dispensing import Dispensing
    from nhirx.host import Host
    from nhirx.model import Prescription
    from nhirx.sim import Person, Simulator

__all__ = [
    "Counter",
    "nhirx_counter",
    "nhirx_people",
    "nhirx_prescription",
    "nhirx_sheet",
    "nhirx_sim",
]

_LONGEST = 300


class Counter:
    """One pharmacy with one plugin or more. ``host`` is the real one; ``sim`` is what it talks to."""

    def __init__(self, host: Host, sim: Simulator) -> None:
        self.host, self.sim = host, sim
        self._worker = host.worker()

    def dispense(self, prescription: Prescription) -> Dispensing:
        """Put the patient's card in and dispense. Raises what ``Host.dispense`` raises."""
        patient = prescription.patient.national_id
        for person in self.sim.world.people.values():
            if person.national_id == patient:
                self.sim.insert_card(person)
        return self.host.dispense(prescription, self.host.facts(prescription))

    def send(self) -> list[str]:
        """Upload what waits and fetch the results; the states of all records, oldest first."""
        for _ in range(_LONGEST):
            self.host.outbox.queue.hurry()
            self._worker.step()
            counts = self.host.outbox.counts()
            if not counts["built"] + counts["sending"] + counts["sent"]:
                break
        return [item.state for item in reversed(self.host.outbox.queue.find(limit=_LONGEST))]


@pytest.fixture
def nhirx_sim(tmp_path: Path) -> Iterator[Simulator]:
    """A running sandbox with 王小明's card in the reader; check results are ready at once."""
    from nhirx.sim import Behaviour, Simulator

    with Simulator(tmp_path / "nhirx-sim", behaviour=Behaviour(result_polls=0, auto_start=True)) as sim:
        yield sim


@pytest.fixture
def nhirx_people() -> tuple[Person, ...]:
    """The invented people of the sandbox, the default card's holder first."""
    from nhirx.sim import PEOPLE

    return PEOPLE


@pytest.fixture
def nhirx_prescription(nhirx_sim: Simulator, nhirx_people: tuple[Person, ...]) -> Callable[..., Prescription]:
    """Makes prescriptions: ``nhirx_prescription(person, reference="7")``; 王小明's unless told otherwise."""

    from nhirx.sim.paper import make_prescription

    def make(person: Person | None = None, **changes: Any) -> Prescription:
        return make_prescription(nhirx_sim, person or nhirx_people[0], **changes)

    return make


@pytest.fixture
def nhirx_sheet(tmp_path: Path) -> Callable[[Prescription], Path]:
    """Prints sheets: ``nhirx_sheet(prescription)`` is the path of a picture that the scanner reads."""

    from nhirx.sim.paper import draw_sheet

    def sheet(prescription: Prescription) -> Path:
        return draw_sheet(prescription, tmp_path / f"sheet-{prescription.sheet.visit_id}.png")

    return sheet


@pytest.fixture
def nhirx_counter(nhirx_sim: Simulator, tmp_path: Path) -> Iterator[Callable[..., Counter]]:
    """Opens counters: ``nhirx_counter(MyPlugin(), clock=…)``, or of installed plugins ``nhirx_counter(options={NAME: {…}})``.

    ``options`` holds a table by plugin name, as the settings file does. Nothing is loaded but what is given or named there.
    """
    from importlib.metadata import entry_points

    from nhirx.host import Host
    from nhirx.outbox import Outbox
    from nhirx.outbox.keys import KeyRing
    from nhirx.plugin.manager import Plugins
    from nhirx.settings import PluginSettings

    hosts: list[Host] = []

    def open_counter(
        *plugins: object,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> Counter:
        tables = {name: dict(table) for name, table in (options or {}).items()}
        given = {type(plugin).__name__ for plugin in plugins}
        blocked = tuple({point.name for point in entry_points(group="nhirx")} - (set(tables) - given))
        loaded = Plugins(PluginSettings(options=tables, blocked=blocked), discover=bool(tables))
        for plugin in plugins:
            loaded.register(plugin, type(plugin).__name__)
        settings = nhirx_sim.settings()
        quick = {"poll_first": 0.0, "retry_first": 0.01, "retry_limit": 0.05}
        settings = settings.model_copy(update={"upload": settings.upload.model_copy(update=quick)})
        outbox = Outbox(
            f"sqlite:///{(tmp_path / f'nhirx-{len(hosts)}.sqlite').as_posix()}",
            clock=clock or nhirx_sim.world.clock,
            ring=KeyRing.new(),
        )
        hosts.append(Host(settings, outbox=outbox, plugins=loaded, clock=clock or nhirx_sim.world.clock))
        return Counter(hosts[-1], nhirx_sim)

    yield open_counter
    for host in hosts:
        host.close()
