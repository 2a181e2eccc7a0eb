"""A counter for trying everything out: sandbox, invented people, a pharmacy system that knows the sample sheets.

Nothing is left on the machine and nothing leaves it. Its clock begins in the opening hours of the day of the sample sheet, so the story is the
same on every day.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from nhirx.counter.options import Options
from nhirx.demo import OPENING, DemoPharmacySystem, sample
from nhirx.host import Host
from nhirx.model import Prescription
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.sim import Simulator


@contextmanager
def demo(options: Options | None = None) -> Iterator[tuple[Host, Options, Simulator]]:
    """Host, options and sandbox, which end together. ``options`` names no folder of its own: everything is temporary."""
    began = time.monotonic()

    def clock() -> datetime:
        return OPENING + timedelta(seconds=time.monotonic() - began)

    with tempfile.TemporaryDirectory(prefix="nhirx-counter-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with Simulator(data=folder / "sim", clock=clock) as sim:
            plugins = Plugins(discover=False)
            prescription = Prescription.model_validate_json(sample("demo-prescription.json").read_text("utf-8"))
            plugins.register(DemoPharmacySystem(prescription), "demo-pharmacy")
            outbox = Outbox(f"sqlite:///{(folder / 'outbox.sqlite').as_posix()}", clock=clock, ring=KeyRing.new(), who="counter")
            chosen = options or Options(folder=folder)
            chosen.folder, chosen.demo, chosen.watch_readers = folder / "counter", True, False
            with Host(sim.settings(), outbox=outbox, plugins=plugins, clock=clock) as host:
                yield host, chosen, sim
