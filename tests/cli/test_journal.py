"""What a pharmacist can do at the command line about a dispensing that was stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nhirx.errors import TransportError
from nhirx.host import Host
from nhirx.model import Prescription
from nhirx.outbox import open_outbox
from nhirx.plugin.manager import Plugins
from nhirx.settings import OutboxSettings, Settings
from nhirx.sim import Simulator
from samples import make

PRESCRIPTION = Prescription.model_validate_json((make.HERE / "demo-prescription.json").read_text("utf-8"))


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Simulator]:
    from nhirx.demo import OPENING

    with Simulator(data=tmp_path / "sim", clock=lambda: OPENING) as running:
        yield running


@pytest.fixture
def settings(sim: Simulator, tmp_path: Path) -> Settings:
    return sim.settings().model_copy(update={"outbox": OutboxSettings(url=f"sqlite:///{(tmp_path / 'o.sqlite').as_posix()}")})


@pytest.fixture
def nhirx(settings: Settings, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    service = settings.control.local
    config = tmp_path / "nhirx.toml"
    config.write_text(
        f"""
[pharmacy]
institution = "{settings.pharmacy.institution}"
pharmacist = "{settings.pharmacy.pharmacist}"
[record]
medical_category = "{settings.record.medical_category}"
[outbox]
url = "{settings.outbox.url}"
[control]
kind = "control6"
[control.local]
url = "{service.url}"
ca_file = '{service.ca_file}'
[control.data_centre]
url = "{service.url}"
ca_file = '{service.ca_file}'
""",
        "utf-8",
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"NHIRX_CONFIG": str(config)}
        return subprocess.run(
            [sys.executable, "-m", "nhirx", "journal", *words], env=environment, capture_output=True, text=True, check=False
        )

    return run


def _stopped(settings: Settings, sim: Simulator) -> int:
    """A dispensing that was cut off while the orders were written."""
    from nhirx.demo import OPENING

    sim.fail("/api/v1/Prescription/Write", "reset", times=3)
    outbox = open_outbox(settings, clock=lambda: OPENING)
    with Host(settings, outbox=outbox, plugins=Plugins(discover=False), clock=lambda: OPENING) as host:
        with pytest.raises(TransportError):
            host.dispense(PRESCRIPTION, host.facts(PRESCRIPTION))
        sim.faults.clear()
        return host.outbox.journal.unfinished()[0].id


def test_nothing_stopped_is_said(nhirx: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = nhirx("list")

    assert 0 == done.returncode, done.stderr
    assert "沒有" in done.stdout


def test_a_stopped_dispensing_is_listed_and_resumed(
    nhirx: Callable[..., subprocess.CompletedProcess[str]], settings: Settings, sim: Simulator
) -> None:
    """List says what to do; without a person's word nothing happens; with it the record is queued."""
    number = _stopped(settings, sim)

    listed = nhirx("list", "--json")
    assert ["writing"] == [json.loads(line)["state"] for line in listed.stdout.splitlines()]
    assert PRESCRIPTION.patient.national_id not in listed.stdout

    undecided = nhirx("resume", str(number), "--json")
    assert (1, "transition-refused") == (undecided.returncode, json.loads(undecided.stdout)["error"]["code"])

    done = nhirx("resume", str(number), "--leave-card", "--json")
    assert 0 == done.returncode, done.stdout
    assert "queued" == json.loads(done.stdout)["state"]


def test_a_dispensings_number_cannot_be_given_back_and_a_named_person_closes_it(
    nhirx: Callable[..., subprocess.CompletedProcess[str]], settings: Settings, sim: Simulator
) -> None:
    """The control software refuses it for this kind of visit; closing needs a name and a reason."""
    number = _stopped(settings, sim)

    refused = nhirx("give-back", str(number), "--by", "藥師甲", "--json")
    assert (1, False) == (refused.returncode, json.loads(refused.stdout)["given_back"])

    closed = nhirx("close", str(number), "--by", "藥師甲", "--why", "病人未領藥")
    assert 0 == closed.returncode, closed.stderr
    assert "" == nhirx("list", "--json").stdout
