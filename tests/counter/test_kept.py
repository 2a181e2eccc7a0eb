"""Pictures of illegible sheets and notes of requests: what lies in the folder beside the outbox, and how it ends."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest

from nhirx.cli import main
from nhirx.counter import kept
from nhirx.counter.kept import Illegible, Pictures
from nhirx.counter.once import Note, Once
from nhirx.errors import KeyWrong, StoreDamaged
from nhirx.outbox.keys import KeyRing, load
from nhirx.roc import TAIPEI
from nhirx.settings import OutboxSettings, data_path

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=TAIPEI)


def keep(folder, ring, dispensing):
    pictures = Pictures(folder, ring)
    path = pictures.keep(Illegible("blurred", None, "p1", NOW, b"\xff\xd8\xff"))
    pictures.belongs(path, dispensing)
    return pictures


def test_a_picture_opens_with_its_key_only(tmp_path):
    keep(tmp_path, KeyRing.new(), 7)

    with pytest.raises(KeyWrong):
        Pictures(tmp_path, KeyRing.new()).find(7)
    assert Pictures(tmp_path, KeyRing.new()).find(70) is None


def test_a_new_key_of_the_outbox_seals_the_pictures_too(capfd):
    """`nhirx outbox rekey` drops the old key at its end, so nothing may be left under it."""
    folder, old = data_path() / "counter", load(OutboxSettings())
    keep(folder, old, 3)
    with pytest.raises(SystemExit) as ended:
        main(["outbox", "rekey", "--json"])
    new = load(OutboxSettings())

    assert 0 == ended.value.code
    assert new.current != old.current
    assert "blurred" == Pictures(folder, new).find(3)["cause"]
    assert 0 == kept.reseal(folder, new)


def test_what_is_purged_goes_with_its_pictures(capfd):
    folder, ring = data_path() / "counter", load(OutboxSettings())
    keep(folder, ring, 3)
    [path] = kept.folder(folder).iterdir()
    os.utime(path, (0, 0))
    keep(folder, ring, 4)
    with pytest.raises(SystemExit):
        main(["outbox", "purge", "--before", "1120101", "--by", "p1", "--json"])

    assert (None, "blurred") == (Pictures(folder, ring).find(3), Pictures(folder, ring).find(4)["cause"])


def test_notes_of_requests_are_dropped_after_a_week(tmp_path):
    once = Once(tmp_path)
    once.keep("old", Note("x", 0, 1))
    once.keep("new", Note("y", 1))
    for path in (tmp_path / "requests").iterdir():
        if '"x"' in path.read_text("utf-8"):
            os.utime(path, (0, 0))
    once.clear((NOW + timedelta(days=1)).timestamp())

    assert (None, Note("y", 1)) == (once.find("old"), once.find("new"))


def test_a_damaged_file_is_said_and_not_overwritten(tmp_path):
    once = Once(tmp_path)
    once.keep("k", Note("x", 0))
    [path] = (tmp_path / "requests").iterdir()
    path.write_text("{", "utf-8")

    with pytest.raises(StoreDamaged):
        once.find("k")
