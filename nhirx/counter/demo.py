"""A counter for trying everything out: sandbox, invented people, a pharmacy system that knows the sample sheets.

Nothing is left on the machine and nothing leaves it. Its clock begins in the opening hours of the day of the sample sheet, so the story is the
same on every day.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nhirx import hookimpl
from nhirx.counter.options import Options
from nhirx.demo import OPENING, DemoPharmacySystem, prescription_of
from nhirx.sim import PEOPLE, Person, Simulator

if TYPE_CHECKING:
    from nhirx_scanner import Scan

    from nhirx.host import Host
    from nhirx.model import Prescription


@dataclass(frozen=True, slots=True)
class Begun:
    """A demo whose addresses are known. ``host`` imports and makes the rest; it is called once, and ends with the demo."""

    options: Options
    sim: Simulator
    host: Callable[[], Host]


@contextmanager
def demo(options: Options | None = None) -> Iterator[tuple[Host, Options, Simulator]]:
    """Host, options and sandbox, which end together. ``options`` names no folder of its own: everything is temporary."""
    with begin(options) as begun:
        yield begun.host(), begun.options, begun.sim


@contextmanager
def begin(options: Options | None = None) -> Iterator[Begun]:
    """The same with what takes long left for later, so that a page can be on its way meanwhile."""
    began = time.monotonic()

    def clock() -> datetime:
        return OPENING + timedelta(seconds=time.monotonic() - began)

    with tempfile.TemporaryDirectory(prefix="nhirx-counter-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Simulator(data=folder / "sim", clock=clock) as sim, ExitStack() as stack:
            chosen = options or Options(folder=folder)
            chosen.folder, chosen.demo, chosen.watch_readers = folder / "counter", True, False
            yield Begun(chosen, sim, lambda: stack.enter_context(_host(folder, sim, clock)))


def _host(folder: Path, sim: Simulator, clock: Callable[[], datetime]) -> Host:
    from nhirx.host import Host
    from nhirx.outbox import Outbox
    from nhirx.outbox.keys import KeyRing
    from nhirx.plugin.manager import Plugins

    plugins = Plugins(discover=False)
    known = [prescription_of(name) for name in ("demo-prescription.json", "demo-prescription-2.json")]
    plugins.register(_PharmacySystem(sim, *known), "demo-pharmacy")
    outbox = Outbox(f"sqlite:///{(folder / 'outbox.sqlite').as_posix()}", clock=clock, ring=KeyRing.new(), who="counter")
    return Host(sim.settings(), outbox=outbox, plugins=plugins, clock=clock)


class _PharmacySystem(DemoPharmacySystem):
    """Knows both sample sheets, and plays the patient: with the sheet comes the card.

    The second patient's card holds an old birth date. The NHI corrects its files while she is at the counter, so only the NHI can
    see that her record is wrong: it comes back, as records do.
    """

    def __init__(self, sim: Simulator, *prescriptions: Prescription) -> None:
        super().__init__(*prescriptions)
        self._world = sim.world

    @hookimpl
    def nhirx_find_prescription(self, scan: Scan) -> Prescription | None:
        found = super().nhirx_find_prescription(scan)
        if found is not None:
            self._world.insert(replace(_person(found.patient.national_id), birth_date=found.patient.birth_date))
        return found

    @hookimpl
    def nhirx_visit_number_issued(self) -> None:
        there = self._world.slot.person
        if there is not None:
            self._world.people[there.card_number] = _person(there.national_id)


def _person(national_id: str) -> Person:
    return next(one for one in PEOPLE if one.national_id == national_id)
