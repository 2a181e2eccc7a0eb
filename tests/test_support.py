"""The support file after a full run, searched for the patient in every spelling."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import urllib.parse
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nhirx import support
from nhirx.errors import AlreadyThere
from nhirx.host import Host
from nhirx.logs import MaskingFormatter
from nhirx.model import Prescription
from nhirx.outbox import open_outbox
from nhirx.plugin.manager import Plugins
from nhirx.roc import TAIPEI
from nhirx.settings import OutboxSettings
from nhirx.sim import Behaviour, Simulator
from nhirx.sim.paper import make_prescription

NAME, NUMBER, CARD = "王小明", "A123456789", "000012345678"
NOW = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)


def spellings(prescription: Prescription, made: str) -> set[bytes]:
    """Name, number, birth date, card and both visit IDs, as programs write such things."""
    born = prescription.patient.birth_date
    numbers = {NUMBER, NUMBER.lower(), NUMBER[:9], NUMBER[1:], CARD, CARD[4:], f"{NUMBER[0]} {NUMBER[1:]}", "-".join(NUMBER)}
    dates = {
        "0501231",
        "501231",
        born.isoformat(),
        f"{born:%Y%m%d}",
        f"{born:%Y/%m/%d}",
        "50/12/31",
        "50.12.31",
        "民國50年12月31日",
    }
    visits = {prescription.sheet.visit_id or "", made}
    visits |= {each.lower() for each in visits} | {" ".join(each[at : at + 4] for at in range(0, 20, 4)) for each in visits}
    names = {NAME, NAME[1:], urllib.parse.quote(NAME), NAME.encode("unicode_escape").decode()}
    words = {word for word in numbers | dates | visits | names if word}
    found = {word.encode(encoding, "ignore") for word in words for encoding in ("utf-8", "big5", "utf-16-le", "utf-16-be")}
    plain = [word.encode() for word in {NAME, NUMBER, *visits} if word]
    return found | {base64.b64encode(word)[:-2] for word in plain} | {word.hex().encode() for word in plain}


def bundle_bytes(path: Path) -> bytes:
    """Everything inside, and the same with escapes undone."""
    with zipfile.ZipFile(path) as archive:
        raw = b"\n".join(archive.read(name) for name in archive.namelist())
    return (
        path.read_bytes()
        + raw
        + raw.decode("utf-8").encode("latin-1", "replace").decode("unicode_escape", "replace").encode("utf-8", "replace")
    )


@pytest.fixture
def after_a_run(tmp_path: Path) -> tuple[Path, Prescription, str]:
    """The data folder of a counter that has dispensed and uploaded, with a log that says far too much."""
    home = tmp_path / "home"
    home.mkdir()
    with Simulator(tmp_path / "sim", clock=lambda: NOW, behaviour=Behaviour(result_polls=0, auto_start=True)) as sim:
        (person,) = [each for each in sim.world.people.values() if each.national_id == NUMBER]
        prescription = make_prescription(sim, person)
        url = f"sqlite:///{(home / 'outbox.sqlite').as_posix()}"
        settings = sim.settings().model_copy(update={"outbox": OutboxSettings(url=url, key_file=home / "outbox.key")})
        outbox = open_outbox(settings, clock=lambda: NOW)
        with Host(settings, outbox=outbox, plugins=Plugins(discover=False), clock=lambda: NOW) as host:
            done = host.dispense(prescription, host.facts(prescription))
            made = done.record.visit_id if done.record else ""
            worker = host.worker()
            for _ in range(10):
                worker.step()
                host.outbox.queue.hurry()
            assert "accepted" == host.outbox.queue.item(done.queued or 0).state
    # A log as a careless plugin or an old version would write it, at every level, one secret a line.
    handler = logging.FileHandler(home / "nhirx.log", encoding="utf-8")
    handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("nhirx.test_support")
    log.addHandler(handler)
    log.setLevel(1)
    log.propagate = False
    for secret in sorted(spellings(prescription, made)):
        for level in (5, logging.INFO, logging.ERROR):
            log.log(level, "card-absent: patient %s was here 3 times", secret.decode("utf-8", "replace"))
            log.log(level, "file /home/%s/%s.csv and {'name': '%s'}", NAME, NUMBER, secret.decode("big5", "replace"))
    log.error("plain words stay, and so does upload-service-busy after 17 tries")
    handler.close()
    log.removeHandler(handler)
    with (home / "nhirx.log").open("ab") as file:
        file.write(f"{NAME} {NUMBER}\nTraceback: ValueError('{NAME}')\n".encode())
    return home, prescription, made


def run_doctor(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (home / "nhirx.toml").write_text(
        f"""[pharmacy]
institution = "5901234567"
pharmacist = "{NUMBER}"
[outbox]
url = "sqlite:///{(home / "outbox.sqlite").as_posix()}"
key_file = "{(home / "outbox.key").as_posix()}"
[plugins.options.csv]
folder = "/home/{NAME}/{NUMBER}"
[plugins.options.webhook]
url = "https://{NUMBER}@example.test/{NAME}"
"{NAME}" = "x"
""",
        "utf-8",
    )
    return subprocess.run(
        [sys.executable, "-m", "nhirx", "doctor", "--only", "clock", "--only", "database", "--only", "plugins", *words],
        env=os.environ | {"NHIRX_DATA": str(home), "NHIRX_CONFIG": str(home / "nhirx.toml")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_no_spelling_of_the_patient_is_in_the_bundle(after_a_run, tmp_path):
    """After a real run, with a log and settings full of the patient: nothing of it leaves, and it says enough to help."""
    home, prescription, made = after_a_run
    secrets = spellings(prescription, made)
    ended = run_doctor(home, "--bundle", str(tmp_path / "support.zip"))
    content = bundle_bytes(tmp_path / "support.zip")
    with zipfile.ZipFile(tmp_path / "support.zip") as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}

    assert ended.returncode in {0, 1}
    assert [secret for secret in secrets if secret in (home / "nhirx.log").read_bytes()] != []  # the search finds what is there
    assert [] == sorted(secret for secret in secrets if secret in content)
    assert {"made.json", "report.json", "versions.json", "settings.json", "plugins.json", "counts.json", "logs.txt"} == set(parts)
    assert 1 == json.loads(parts["counts.json"])["accepted"]
    assert ("<set>", "auto") == (
        json.loads(parts["settings.json"])["pharmacy"]["institution"],
        {"<usual>": "auto"}.get(json.loads(parts["settings.json"])["control"]["kind"]),
    )
    assert "refused" == {each["name"]: each["status"] for each in json.loads(parts["plugins.json"])}["csv"]
    assert "upload-service-busy after 17 tries" in parts["logs.txt"]
    assert {"clock", "database", "plugins"} == {each["name"] for each in json.loads(parts["report.json"])}


def test_a_file_that_is_there_is_kept(tmp_path):
    """A support file never takes another's place."""
    (tmp_path / "support.zip").write_text("mine", "utf-8")

    with pytest.raises(AlreadyThere):
        support.write(tmp_path / "support.zip", [], now=NOW)
    assert "mine" == (tmp_path / "support.zip").read_text("utf-8")


def test_broken_machine_still_gives_a_file(tmp_path, monkeypatch):
    """Settings that cannot be read: every part that needs them says so, the others are there."""
    (tmp_path / "nhirx.toml").write_text("[pharmacy\n", "utf-8")
    monkeypatch.setenv("NHIRX_CONFIG", str(tmp_path / "nhirx.toml"))
    support.write(tmp_path / "support.zip", [], now=NOW + timedelta(days=1))

    with zipfile.ZipFile(tmp_path / "support.zip") as archive:
        assert {"error"} == set(json.loads(archive.read("settings.json")))
        assert "nhirx" in json.loads(archive.read("versions.json"))["packages"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("card-absent: no card", "card-absent: no card"),
        ("born 1961-12-31 or 50/12/31", "born * or *"),
        ("tel 091 345 678 rang 2 times", "tel * rang 2 times"),
        ("病人 王小明 gone", "* gone"),
        ("C:\\Users\\Wang\\a.csv is missing", "* is missing"),
        ("postgresql://wang:secret@host/db failed", "* failed"),
        ("rule 'Wang' at line 12: KeyError", "rule * at line 12: KeyError"),
        ("a1234567890123 \\u738b e78e8b 0912", "*"),
    ],
)
def test_told(words, expected):
    assert expected == support.told(words)
