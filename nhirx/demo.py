"""The main job once, with everything simulated: sheet → scan → rules → card → check → upload → accepted.

The client code that runs here is the code that ships: scanner, resolver, control software client, journal, outbox, worker.
Only the other ends are the sandbox's (``nhirx.sim``), over real TLS on loopback. Nothing is left on the machine.

What the story needs is imported when it is told: the counter takes the sample sheets and the opening hour from here while it starts.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhirx import hookimpl
from nhirx.errors import FileMissing, UploadRejected
from nhirx.identifiers import mask_id, mask_visit_id
from nhirx.roc import TAIPEI

if TYPE_CHECKING:
    from nhirx_scanner import Scan

    from nhirx.dispensing import Dispensing
    from nhirx.host import Host
    from nhirx.model import Holder, Prescription
    from nhirx.outbox import Queued

OPENING = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)
"""When the demo's patient comes to the counter: inside the sheet's validity, so the story is the same on every day."""

Step = Callable[[str, dict[str, Any]], None]
"""Called as each step ends with its name and what came of it."""


class DemoPharmacySystem:
    """Stands for a pharmacy system's plugin: it knows the prescriptions that belong to the sheets."""

    def __init__(self, *prescriptions: Prescription) -> None:
        self._by_visit_id = {one.sheet.visit_id: one for one in prescriptions}

    @hookimpl
    def nhirx_find_prescription(self, scan: Scan) -> Prescription | None:
        return self._by_visit_id.get(scan.visit_id)


def sample(name: str) -> Path:
    """A file of the rendered samples, from the wheel or from the checkout. Raises ``FileMissing``."""
    for folder in (Path(str(resources.files("nhirx"))) / "samples", Path(__file__).resolve().parents[1] / "samples" / "rendered"):
        if (folder / name).is_file():
            return folder / name
    raise FileMissing(path=name)


def prescription_of(name: str) -> Prescription:
    """The prescription that belongs to a sample sheet, from ``name``. Raises ``FileMissing``."""
    from nhirx.model import Prescription

    return Prescription.model_validate_json(sample(name).read_text("utf-8"))


def run(on_step: Step | None = None) -> dict[str, Any]:
    """Do it, and give the object of contract §8. ``on_step`` hears of each step as it ends."""
    from nhirx.host import Host
    from nhirx.outbox import Outbox
    from nhirx.outbox.keys import KeyRing
    from nhirx.plugin.manager import Plugins
    from nhirx.sim import Simulator

    told = on_step or (lambda _name, _content: None)
    began = time.monotonic()

    def clock() -> datetime:
        return OPENING + timedelta(seconds=time.monotonic() - began)

    sheet = sample("demo-sheet.jpg")
    prescription = prescription_of("demo-prescription.json")
    with tempfile.TemporaryDirectory(prefix="nhirx-demo-") as name, Simulator(data=Path(name) / "sim", clock=clock) as sim:
        settings = sim.settings()
        plugins = Plugins(discover=False)
        plugins.register(DemoPharmacySystem(prescription), "demo-pharmacy")
        outbox = Outbox(f"sqlite:///{(Path(name) / 'outbox.sqlite').as_posix()}", clock=clock, ring=KeyRing.new())
        with Host(settings, outbox=outbox, plugins=plugins, clock=clock) as host:
            return _story(host, sheet, told)


def _story(host: Host, sheet: Path, told: Step) -> dict[str, Any]:
    [scan] = host.scan(sheet)
    told("scan", scan.as_json() | {"file": sheet.name})
    prescription = host.find_prescription(scan)
    if prescription is None:
        raise FileMissing(path="demo-prescription.json")
    told("prescription", _sheet(prescription))
    facts = host.facts(prescription, scan=scan)
    plan = host.plan(facts, prescription)
    told("resolve", plan.as_json())
    done = host.dispense(prescription, facts)
    card = _card(done)
    told("card", card)
    check = _check(done)
    told("check", check)
    told("queued", {"visit_id": mask_visit_id(done.record.visit_id if done.record else "")})
    upload = _follow(host, done, told)
    told("accepted", upload)
    return {"scan": scan.as_json(), "resolve": plan.as_json(), "card": card, "check": check, "upload": upload}


def _follow(host: Host, done: Dispensing, told: Step) -> dict[str, Any]:
    """Let the worker send and look for the result until there is one; the sandbox needs a moment, as the NHIA does."""
    worker = host.worker()
    item = host.outbox.queue.item(done.queued or 0)
    sent = False
    until = time.monotonic() + 60
    while item.state not in {"accepted", "rejected", "stuck"} and time.monotonic() < until:
        worker.step()
        item = host.outbox.queue.item(item.id)
        if item.state == "sent" and not sent:
            sent = True
            told("sent", {"opcode": item.opcode})
        host.outbox.queue.hurry()
        time.sleep(0.05)
    if item.state == "rejected":
        raise UploadRejected(count=len(item.result.errors) if item.result else 0)
    return _upload(item)


def _upload(item: Queued) -> dict[str, Any]:
    errors = [error.model_dump(mode="json") for error in item.result.errors] if item.result else []
    return {"state": item.state, "opcode": item.opcode, "errors": errors}


def _sheet(prescription: Prescription) -> dict[str, Any]:
    refill = prescription.sheet.refill
    return {
        "national_id": mask_id(prescription.patient.national_id),
        "lines": len(prescription.orders),
        "days": prescription.days,
        "refill": f"{refill.number}/{refill.of}" if refill else None,
    }


def _card(done: Dispensing) -> dict[str, Any]:
    holder, reading = done.holder, done.reading
    return {
        "holder": _masked(holder) if holder else None,
        "made_by": reading.made_by if reading else None,
        "visited_at": reading.visited_at.isoformat() if reading else None,
        "visit_id": mask_visit_id(reading.visit_id) if reading and reading.visit_id else None,
        "order_signatures": len(done.record.orders) if done.record else 0,
    }


def _masked(holder: Holder) -> dict[str, Any]:
    name = holder.name
    return {
        "name": name[:1] + "○" * (len(name) - 1) if len(name) < 3 else name[:1] + "○" * (len(name) - 2) + name[-1:],
        "national_id": mask_id(holder.national_id),
        "sex": holder.sex,
    }


def _check(done: Dispensing) -> dict[str, Any]:
    """The record's findings in the shape of contract §4, the visit ID masked."""
    record = done.record
    if record is None:
        return {"file_findings": [], "records": []}
    found = [json.loads(error.model_dump_json()) for error in done.checked]
    return {
        "file_findings": [],
        "records": [{"index": 1, "visit_id": mask_visit_id(record.visit_id), "findings": found}],
    }
