"""Everything that a full run leaves behind is searched for the person: files, logs, what the commands print."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from nhirx import logs
from nhirx.errors import NhirxError
from nhirx.host import Host
from nhirx.model import Prescription
from nhirx.outbox import open_outbox
from nhirx.plugin.manager import Plugins
from nhirx.settings import OutboxSettings
from nhirx.sim import Simulator
from nhirx.sim.people import PEOPLE

NAME, NUMBER, BIRTH = "王小明", "A123456789", "0501231"


def _secrets(prescription: Prescription, made: str) -> list[bytes]:
    """Every spelling in which the person could be found."""
    words = [NAME, NUMBER, NUMBER[:9], BIRTH, "1961-12-31", prescription.sheet.visit_id or "", made]
    return [word.encode(encoding) for word in words if word for encoding in ("utf-8", "big5", "utf-16-le")]


def _found(data: bytes, secrets: list[bytes]) -> list[bytes]:
    return [secret for secret in secrets if secret in data]


def test_a_full_run_leaves_nothing_that_names_the_patient(
    tmp_path: Path, clock: Callable[[], datetime], prescription: Prescription, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Database, write-ahead log, key file, log at DEBUG, errors on the way, and what the commands print."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("NHIRX_DATA", str(home))
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logs.MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("nhirx")
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    said: list[str] = []
    try:
        with Simulator(data=tmp_path / "sim", clock=clock) as sim:
            sim.behaviour.result_polls = 0
            settings = sim.settings().model_copy(
                update={"outbox": OutboxSettings(url=f"sqlite:///{(home / 'outbox.sqlite').as_posix()}")}
            )
            with Host(settings, outbox=open_outbox(settings, clock=clock), plugins=Plugins(discover=False), clock=clock) as host:
                sim.insert_card(PEOPLE[1])
                for fault in ("wrong-card", "status-code"):
                    if fault == "status-code":
                        sim.insert_card()
                        sim.fail("/api/v1/SequelNumber/Next", "status-code", code=4050)
                    with pytest.raises(NhirxError) as stopped:
                        host.dispense(prescription, host.facts(prescription))
                    said += [str(stopped.value), repr(stopped.value), str(stopped.value.as_json())]
                done = host.dispense(prescription, host.facts(prescription))
                worker = host.worker()
                for _ in range(20):
                    worker.step()
                    host.outbox.queue.hurry()
                assert "accepted" == host.outbox.queue.item(done.queued or 0).state
                said += [repr(done), repr(done.record), repr(prescription), str(host.outbox.show(done.queued or 0))]
                made = done.record.visit_id if done.record else ""
                listed = subprocess.run(
                    [sys.executable, "-m", "nhirx", "outbox", "list", "--json"],
                    env=os.environ | {"NHIRX_OUTBOX_URL": settings.outbox.url or ""},
                    capture_output=True,
                    check=True,
                )
                said.append(listed.stdout.decode() + listed.stderr.decode())
                # While everything is open, so that the write-ahead log is searched too.
                left = {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    finally:
        root.removeHandler(handler)
        root.setLevel(logging.NOTSET)
    secrets = _secrets(prescription, made)

    assert {"outbox.sqlite"} <= set(left)
    assert {} == {name: hits for name, data in left.items() if (hits := _found(data, secrets))}
    assert [] == _found(log.getvalue().encode(), secrets)
    assert {} == {text[:60]: hits for text in said if (hits := _found(text.encode(), secrets))}
