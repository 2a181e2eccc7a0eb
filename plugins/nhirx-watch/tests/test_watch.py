"""Folders in, folders out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from nhirx_watch import Watch
from nhirx_watch.inbox import Inbox
from nhirx_watch.outbox import Outbox
from PIL import Image, ImageOps

from nhirx.errors import PluginRefused
from nhirx.model import CheckError, Prescription, Receipt, UploadRecord
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

VISIT_ID = "0USE4FA11RP4J370WR4K"
NOW = datetime(2026, 11, 20, 1, 0, 13, tzinfo=UTC)
RECORD = UploadRecord(fields={"M15": VISIT_ID})


class Page:
    def __init__(self, status: str = "found", confidence: str | None = "agreed") -> None:
        self.answer = {"path": "x", "status": status, "confidence": confidence, "visit_id": VISIT_ID}

    def as_json(self) -> dict[str, Any]:
        return dict(self.answer)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    return tmp_path / "in", tmp_path / "out"


def answers(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def test_a_file_is_read_when_it_stands_still(folders):
    """The first look only remembers; a file that grew in between waits one look more."""
    inbox, outbox = folders
    (inbox / "a.png").write_bytes(b"1")
    watched = Inbox(inbox, lambda path: [Page()], Outbox(outbox))

    assert 0 == watched.look()
    (inbox / "a.png").write_bytes(b"12")
    assert 0 == watched.look()
    assert 1 == watched.look()
    assert ["a.png"] == [path.name for path in (inbox / "done").iterdir()]
    assert [("scanned", "a.png", True)] == [(found["event"], found["file"], found["clear"]) for found in answers(outbox)]


@pytest.mark.parametrize(
    ("pages", "to"),
    [
        ([Page()], "done"),
        ([Page(), Page()], "done"),
        ([Page("none", None)], "look"),
        ([Page(), Page("conflict", None)], "look"),
        ([Page("found", "ocr")], "look"),
        ([Page("error", None)], "look"),
        ([], "look"),
    ],
)
def test_what_a_person_has_to_see_is_set_apart(folders, pages, to):
    inbox, outbox = folders
    (inbox / "a.PDF").write_bytes(b"1")
    Inbox(inbox, lambda path: pages, Outbox(outbox)).run(seconds=0, once=True)

    assert [to] == [path.name for path in inbox.iterdir()]
    assert (to == "done") == answers(outbox)[0]["clear"]


def test_nothing_is_written_over(folders):
    """Scanners count from one every day."""
    inbox, outbox = folders
    for _ in range(3):
        (inbox / "scan1.png").write_bytes(b"1")
        Inbox(inbox, lambda path: [Page()], Outbox(outbox)).run(seconds=0, once=True)

    assert ["scan1-2.png", "scan1-3.png", "scan1.png"] == sorted(path.name for path in (inbox / "done").iterdir())
    assert 3 == len(answers(outbox))


def test_other_files_and_folders_stay(folders):
    inbox, outbox = folders
    (inbox / "Thumbs.db").write_bytes(b"1")
    (inbox / "a.png").mkdir()
    Inbox(inbox, lambda path: [Page()], Outbox(outbox)).run(seconds=0, once=True)

    assert ["Thumbs.db", "a.png"] == sorted(path.name for path in inbox.iterdir())
    assert [] == answers(outbox)


def test_stop_before_the_move_reads_once_more(folders, monkeypatch):
    """The answer is on disk first: a stop in between costs a second reading, never the file."""
    inbox, outbox = folders
    (inbox / "a.png").write_bytes(b"1")
    watched = Inbox(inbox, lambda path: [Page()], Outbox(outbox))
    with monkeypatch.context() as stopped:
        stopped.setattr(Inbox, "_move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            watched.run(seconds=0, once=True)
    Inbox(inbox, lambda path: [Page()], Outbox(outbox)).run(seconds=0, once=True)

    assert 2 == len(answers(outbox))
    assert (inbox / "done" / "a.png").exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "con:aux", "處方 1", "...", ""])
def test_names_stay_in_the_folder(folders, name):
    _, outbox = folders
    written = Outbox(outbox).write(name, {"a": 1})

    assert outbox == written.parent
    assert {"a": 1} == json.loads(written.read_text("utf-8"))


def test_news_comes_as_files(folders):
    """Dispensed, rejected, accepted: one file each, in order of their names."""
    inbox, outbox = folders
    plugins = Plugins(PluginSettings(options={"watch": {"inbox": str(inbox), "outbox": str(outbox)}}), discover=False)
    moments = iter(NOW.replace(microsecond=number) for number in range(10))
    plugins.register(Watch(now=lambda: next(moments)), "watch")
    receipt = Receipt(opcode="OP-1", received_at=NOW)
    prescription = Prescription.model_validate({"patient": {"national_id": "A123456789", "birth_date": "0501231"}, "sheet": {}})
    plugins.dispensed(RECORD, prescription, "R1")
    plugins.record_rejected(RECORD, None, (CheckError(field="M15", code="D002"),), "R1")
    plugins.record_accepted(RECORD, receipt, "R1")

    found = answers(outbox)

    assert ["dispensed", "rejected", "accepted"] == [answer["event"] for answer in found]
    assert {"R1"} == {answer["reference"] for answer in found}
    assert ("D002", "OP-1") == (found[1]["errors"][0]["code"], found[2]["opcode"])


@pytest.mark.parametrize("options", [{"inbox": "/nowhere"}, {"in": "."}], ids=str)
def test_wrong_options_are_refused(options):
    with pytest.raises(PluginRefused, match=r"plugins\.options\.watch"):
        Plugins(PluginSettings(options={"watch": options}), discover=False).register(Watch(), "watch")


def test_command_reads_a_real_page(folders, tmp_path):
    """``nhirx watch --once`` in a process of its own, with a page that holds the ID twice."""
    inbox, outbox = folders
    page = Image.new("L", (1000, 700), 255)
    for symbology, place in ((zxingcpp.BarcodeFormat.Code128, (60, 60)), (zxingcpp.BarcodeFormat.QRCode, (60, 300))):
        code = Image.fromarray(zxingcpp.create_barcode(VISIT_ID, symbology).to_image(scale=3))
        page.paste(ImageOps.expand(code, 30, 255), place)
    page.save(inbox / "sheet.png")
    config = tmp_path / "nhirx.toml"
    config.write_text(f"[plugins.options.watch]\ninbox = '{inbox}'\noutbox = '{outbox}'\n", "utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "nhirx", "watch", "--once", "--seconds", "0.05"],
        env=os.environ | {"NHIRX_CONFIG": str(config)},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert 0 == ended.returncode, ended.stderr
    assert [VISIT_ID] == [page["visit_id"] for page in answers(outbox)[0]["pages"]]
    assert (inbox / "done" / "sheet.png").exists()


def test_command_needs_its_folders(tmp_path):
    config = tmp_path / "nhirx.toml"
    config.write_text("", "utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "nhirx", "watch"],
        env=os.environ | {"NHIRX_LANG": "en", "NHIRX_CONFIG": str(config)},
        capture_output=True,
        check=False,
    )

    assert 2 == ended.returncode
    assert b"set inbox and outbox" in ended.stderr
