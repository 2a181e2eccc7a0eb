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
from datetime import datetime, timedelta
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
    "draw_sheet",
    "make_prescription",
    "nhirx_counter",
    "nhirx_people",
    "nhirx_prescription",
    "nhirx_sheet",
    "nhirx_sim",
]

_PRESCRIBER = "3502060427"
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


def make_prescription(sim: Simulator, person: Person, **changes: Any) -> Prescription:
    """A prescription of two days ago for ``person``, with one drug for a week; ``changes`` replace its members."""
    from nhirx.model import Order, Patient, Prescription, PrescriptionFacts

    visited = sim.world.clock().replace(microsecond=0) - timedelta(days=2)
    visit_id, visited = sim.world.visit_ids.make("card", _PRESCRIBER, person.national_id, visited)
    usual = Prescription(
        patient=Patient(national_id=person.national_id, birth_date=person.birth_date),
        sheet=PrescriptionFacts(
            visit_id=visit_id,
            visit_serial="0007",
            institution=_PRESCRIBER,
            visited_at=visited,
            prescriber_format="2.0",
        ),
        diagnoses=("I10",),
        days=7,
        payment_category="4",
        fee=300,
        orders=(Order(code="AC12345100", usage="TID", days=7, total=21, route="PO"),),
        reference=f"rx-{visit_id[:4]}",
    )
    return Prescription.model_validate(dict(usual) | changes)


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

    def make(person: Person | None = None, **changes: Any) -> Prescription:
        return make_prescription(nhirx_sim, person or nhirx_people[0], **changes)

    return make


def draw_sheet(prescription: Prescription, path: Path) -> Path:
    """A printed sheet with the prescription's visit ID as text and as Code 128, as a picture at ``path`` (PNG).

    Codes in the sizes of laser printers, nothing worn: a sheet to find a prescription by, not one to measure a scanner with.
    """
    from nhirx_scanner.symbols import CODE128
    from PIL import Image, ImageDraw, ImageFont

    text = prescription.sheet.visit_id or ""
    values = [104, *(ord(character) - 32 for character in text)]  # 104 starts code set B
    values.append((104 + sum(place * value for place, value in enumerate(values[1:], 1))) % 103)
    widths = "".join(CODE128[value] for value in values) + "2331112"
    sheet = Image.new("L", (1240, 700), 255)
    pen = ImageDraw.Draw(sheet)
    x = 200
    for place, width in enumerate(map(int, widths)):
        if place % 2 == 0:
            pen.rectangle((x, 320, x + 3 * width - 1, 430), fill=0)
        x += 3 * width
    font = ImageFont.load_default(size=34)
    pen.text((200, 100), f"prescription {prescription.reference or ''}", fill=0, font=font)
    for place, order in enumerate(prescription.orders):
        pen.text((200, 150 + 40 * place), f"{order.code}  {order.usage or ''}  {order.total:g}", fill=0, font=font)
    pen.text((200, 450), text, fill=0, font=font)
    sheet.save(path)
    return path


@pytest.fixture
def nhirx_sheet(tmp_path: Path) -> Callable[[Prescription], Path]:
    """Prints sheets: ``nhirx_sheet(prescription)`` is the path of a picture that the scanner reads."""

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
