"""A whole dispensing, card to acceptance, beside one misbehaving plugin at a time: real projects, installed with pip."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.plugin.conftest import install_projects

_MARK = "from nhirx import hookimpl\n"
_TOLD = ("prescription_scanned", "card_read", "visit_number_issued", "dispensed", "record_queued", "record_accepted")


def _hooks(names: tuple[str, ...], body: str) -> str:
    return _MARK + "".join(f"\n@hookimpl\ndef nhirx_{name}():\n    {body}\n" for name in names)


# name → (source, how the dispensing ends, whether a number was taken)
AT_THE_COUNTER = {
    "find-raises": (_hooks(("find_prescription",), "raise RuntimeError('A123456789')"), "plugin-failed", 0),
    "find-exits": (_hooks(("find_prescription",), "raise SystemExit(0)"), "plugin-failed", 0),
    "find-hangs": (_hooks(("find_prescription",), "__import__('time').sleep(600)"), "plugin-failed", 0),
    "find-interrupts": (_hooks(("find_prescription",), "raise KeyboardInterrupt"), "plugin-failed", 0),
    "find-wrong-type": (_hooks(("find_prescription",), "return {'reference': 'R1'}"), "plugin-nonsense", 0),
    "calendar-raises": (_hooks(("calendar",), "raise RuntimeError"), "plan-blocked", 0),
    "calendar-wrong-type": (_hooks(("calendar",), "return ['2026-01-01']"), "plan-blocked", 0),
    "check-raises": (_hooks(("check",), "raise RuntimeError"), "plan-blocked", 0),
    "check-hangs": (_hooks(("check",), "__import__('time').sleep(600)"), "plan-blocked", 0),
    "check-wrong-type": (_hooks(("check",), "return True"), "plan-blocked", 0),
    "told-raises": (_hooks(_TOLD, "raise RuntimeError('A123456789')"), "accepted", 1),
    "told-exits": (_hooks(_TOLD, "raise SystemExit(0)"), "accepted", 1),
    "told-hangs": (_hooks(_TOLD, "__import__('time').sleep(600)"), "accepted", 1),
    "told-answers": (_hooks(_TOLD, "return object()"), "accepted", 1),
    # By every way there is, around the freeze too: what it changes is its own copy.
    "forges": (
        _MARK
        + """
def forge(value, **fields):
    for name, content in fields.items():
        object.__setattr__(value, name, content)

@hookimpl
def nhirx_check(plan, prescription):
    dict.__setitem__(plan.fields, "M07", "XX")
    dict.__setitem__(plan.fields, "M16", "9" * 20)
    forge(plan, action="none", call=None, fields={})
    forge(prescription, orders=(), fee=999999)
    forge(prescription.patient, national_id="B200000004")

@hookimpl
def nhirx_visit_number_issued(reading):
    forge(reading, visit_id="Z" * 20)

@hookimpl
def nhirx_dispensed(record):
    dict.__setitem__(record.fields, "M15", "Z" * 20)

@hookimpl
def nhirx_record_queued(record):
    record.fields["M07"] = "XX"
""",
        "accepted",
        1,
    ),
    # It keeps what it answered, and changes it when nobody looks any more.
    "turns-round": (
        _MARK
        + """
import json, os
from nhirx import Prescription
kept = []

@hookimpl
def nhirx_find_prescription(scan):
    kept.append(Prescription.model_validate_json(os.environ["PRESCRIPTION"]))
    return kept[0]

@hookimpl
def nhirx_card_read():
    object.__setattr__(kept[0], "orders", ())
    object.__setattr__(kept[0].patient, "national_id", "B200000004")
""",
        "accepted",
        1,
    ),
    "retired-hook": (_hooks(("scan_finished",), "pass"), "accepted", 1),
    "newer-than-nhirx": (_MARK + "from nhirx import a_name_of_tomorrow", "accepted", 1),
}


COUNTER = """
import json, os, sys, tempfile, time
from pathlib import Path
from types import SimpleNamespace
from nhirx import errors, logs
from nhirx.host import Host
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings
from nhirx.sim import PEOPLE, Behaviour, Simulator
from nhirx.sim.paper import make_prescription

logs.set_up()
for name in sys.argv[2:]:
    with tempfile.TemporaryDirectory() as folder, Simulator(Path(folder), behaviour=Behaviour(result_polls=0, auto_start=True)) as sim:
        made = make_prescription(sim, PEOPLE[0])
        os.environ["PRESCRIPTION"] = made.model_dump_json()
        others = tuple(set(json.loads(sys.argv[1])) - {name})
        plugins = Plugins(PluginSettings(time_limit=0.5, blocked=others))
        outbox = Outbox(f"sqlite:///{folder}/o.sqlite", clock=sim.world.clock, ring=KeyRing.new())
        settings = sim.settings()
        quick = settings.upload.model_copy(update={"poll_first": 0.0, "retry_first": 0.01, "retry_limit": 0.05})
        started = time.perf_counter()
        with Host(settings.model_copy(update={"upload": quick}), outbox=outbox, plugins=plugins, clock=sim.world.clock) as host:
            fields, lines = {}, 0
            try:
                scan = SimpleNamespace(visit_id=made.sheet.visit_id, codes=(), status="found", visit_ids=(), confidence="agreed")
                plugins.prescription_scanned(scan)
                found = host.find_prescription(scan) or made
                done = host.dispense(found, host.facts(found))
                worker = host.worker()
                for _ in range(10):
                    host.outbox.queue.hurry()
                    worker.step()
                item = host.outbox.queue.item(done.queued)
                ended, fields, lines = item.state, dict(item.record.fields), len(item.record.orders)
            except errors.NhirxError as error:
                ended = error.code
        print(json.dumps({
            "name": name, "ended": ended, "issued": len(sim.ledger.issued()), "seconds": round(time.perf_counter() - started, 2),
            "fields": [fields.get("M07"), fields.get("M03"), fields.get("M15") in sim.ledger.issued(), lines],
        }), flush=True)
"""


@pytest.fixture(scope="module")
def counter_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_projects(tmp_path_factory, {name: source for name, (source, *_) in AT_THE_COUNTER.items()})


def test_dispensing_beside_each_of_them(counter_site):
    """One at a time, from the scan to the acceptance: stopped before the card, or not disturbed at all, and never late."""
    every = sorted({*AT_THE_COUNTER, *(point.name for point in entry_points(group="nhirx"))})
    ended = subprocess.run(
        [sys.executable, "-c", COUNTER, json.dumps(every), *AT_THE_COUNTER],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        env=os.environ | {"PYTHONPATH": str(counter_site), "NHIRX_LANG": "en"},
    )
    answers = {answer["name"]: answer for answer in map(json.loads, ended.stdout.splitlines())}
    expected = {name: (how, issued) for name, (_, how, issued) in AT_THE_COUNTER.items()}

    assert 0 == ended.returncode, ended.stderr
    assert expected == {name: (answer["ended"], answer["issued"]) for name, answer in answers.items()}
    good = {name: answer["fields"] for name, answer in answers.items() if answer["ended"] == "accepted"}
    assert {name: ["AF", "A123456789", True, 1] for name in good} == good
    # The limit is half a second; the plugin that hangs in six hooks is waited for once. Slack for a busy machine.
    assert {} == {name: answer["seconds"] for name, answer in answers.items() if answer["seconds"] > 12}
    assert 0.5 <= answers["told-hangs"]["seconds"]
    assert "A123456789" not in ended.stderr
