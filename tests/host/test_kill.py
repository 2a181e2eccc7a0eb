"""The program is killed at every step of a dispensing: no number is lost and the card is written once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from nhirx.host import Host
from nhirx.model import Prescription
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.sim import Simulator

AGENT = Path(__file__).with_name("killed.py")

# Every step of a dispensing, and the state in which the journal is found after a kill before and after it. "" is: nothing
# was begun. "opened" with a number issued is the one moment in which only the intent is known; a person sees it.
STEPS = [
    ("control.read_holder", "", ""),
    ("journal.open", "", "opened"),
    ("control.visit_number", "opened", "opened"),
    ("journal.numbered", "opened", "numbered"),
    ("plugins.visit_number_issued", "numbered", "numbered"),
    ("journal.writing", "numbered", "writing"),
    ("control.write_orders", "writing", "writing"),
    ("journal.written", "writing", "written"),
    ("journal.filled_and_queued", "written", "filled"),
    ("plugins.dispensed", "filled", "filled"),
    ("plugins.record_queued", "filled", "filled"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("step", "before", "after"), STEPS, ids=[step for step, *_ in STEPS])
def test_a_kill_at_any_step_loses_no_number_and_writes_nothing_twice(
    tmp_path: Path, clock: Callable[[], datetime], prescription: Prescription, step: str, before: str, after: str, when: str
) -> None:
    """After the restart each number is in the journal, and what goes on ends accepted; the simulator's ledger is the judge."""
    ring = KeyRing.new()
    url = f"sqlite:///{(tmp_path / 'outbox.sqlite').as_posix()}"
    with Simulator(data=tmp_path / "sim", clock=clock) as sim:
        sim.behaviour.result_polls = 0
        settings = sim.settings()
        config = {
            "url": url,
            "ring": ring.format(),
            "settings": settings.model_dump(mode="json"),
            "now": clock().isoformat(),
            "prescription": prescription.model_dump(mode="json"),
        }
        (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
        killed = subprocess.run([sys.executable, AGENT, tmp_path, step, when], capture_output=True, text=True, check=False)
        assert -signal.SIGKILL == killed.returncode, killed.stderr

        outbox = Outbox(url, ring=ring, clock=clock)
        with Host(settings, outbox=outbox, plugins=Plugins(discover=False), clock=clock) as host:
            found = [begun.state for begun in host.outbox.journal.of_person("A123456789")]
            expected = after if when == "after" else before
            issued = set(sim.ledger.issued())
            assert ([expected] if expected else []) == found

            if expected in {"numbered", "writing", "written"}:
                [begun] = host.outbox.journal.unfinished()
                assert begun.reading is not None
                assert {begun.reading.visit_id} == issued
                # Whether the orders stand on the card is known before "writing" only; after it a person leaves the card alone.
                host.resume(begun.id, write_again=False if expected == "writing" else None)
            worker = host.worker()
            for _ in range(20):
                worker.step()
                host.outbox.queue.hurry()
            counts = host.outbox.counts()

        accepted = {visit_id for visit_id, record in sim.ledger.records().items() if record["state"] == "accepted"}
        unsure = {"opened"} & set(found)
        assert issued == accepted or unsure
        assert (0, 0) == (counts["built"], counts["sent"])
        assert len(list(sim.ledger.events("orders"))) <= 1
