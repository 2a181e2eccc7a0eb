"""Sources that lie elsewhere, through the file systems of fsspec: this machine's own, an archive, a web server, memory."""

from __future__ import annotations

import sys

import fsspec
import pytest

from nhirx.batch import remote
from nhirx.batch.source import entries
from nhirx.errors import ComponentMissing, FileUnreadable


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(remote, "_PAUSE_SECONDS", 0.0)


def test_address_of_this_machine_gives_what_the_folder_gives(pile, batch, draw, zipped):
    folder = pile(3)
    zipped("pile/more.zip", {"x.png": draw.png(draw.page(draw.visit_id(50)))})
    (folder / "notes.txt").write_text("x")
    (folder / ".hidden.png").write_bytes(b"")
    here = batch(folder, out="here")

    there = batch(folder.as_uri(), out="there")

    assert sorted(line["visit_id"] for line in here.lines) == sorted(line["visit_id"] for line in there.lines)
    assert [here.summary[name] for name in ("seen", "found", "skipped_why")] == [
        there.summary[name] for name in ("seen", "found", "skipped_why")
    ]
    assert all(line["path"].startswith("file://") for line in there.lines)


def test_archive_as_a_store(batch, draw, zipped):
    """A page inside an archive that is opened as a file system."""
    path = zipped("pages.zip", {f"in/{name}.png": draw.png(draw.page(draw.visit_id(number))) for number, name in enumerate("ab")})
    done = batch(f"zip://in/*.png::{path.as_uri()}")

    assert [draw.visit_id(0), draw.visit_id(1)] == [line["visit_id"] for line in done.lines]
    assert done.lines[0]["path"].startswith("zip://in/a.png::file://")


def test_page_that_is_gone_when_it_is_its_turn(pile, batch, monkeypatch):
    """It was in the list, and is an error of its page."""
    from nhirx.batch.journal import Journal

    folder = pile(2)
    whole = Journal.write_plan

    def and_then_gone(journal, found):
        whole(journal, found)
        next(folder.rglob("scan 000.png")).unlink()

    monkeypatch.setattr(Journal, "write_plan", and_then_gone)

    assert ["file-missing", None] == [line.get("error", {}).get("code") for line in batch(folder.as_uri()).lines]


def test_memory(draw):
    """Listed in order of the address, whatever the store's own order is."""
    store = fsspec.filesystem("memory")
    for name in ("b.png", "a.png", "sub/c.tif", "notes.txt"):
        store.pipe(f"/test-remote/{name}", b"x")
    try:
        found = list(entries(["memory://test-remote/"]))
    finally:
        store.rm("/test-remote", recursive=True)

    assert ["memory:///test-remote/" + name for name in ("a.png", "b.png", "notes.txt", "sub/c.tif")] == [
        entry.file.replace("memory://test", "memory:///test") for entry in found
    ]
    assert [None, None, "not-a-picture", None] == [entry.skipped for entry in found]


def test_store_that_refuses(monkeypatch):
    """Asked three times, then told."""
    asked = []

    def refuse(*_args, **_named):
        asked.append(1)
        raise PermissionError("403")

    monkeypatch.setattr(fsspec.core, "url_to_fs", refuse)

    with pytest.raises(FileUnreadable):
        remote.find("memory://x")
    assert 3 == len(asked)


def test_kind_of_store_without_a_package(monkeypatch):
    """It says what is missing; web addresses want a package of their own."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)

    for address in ("nosuchstore://bucket/x", "https://127.0.0.1:9/x.png"):
        with pytest.raises(ComponentMissing):
            remote.find(address)


@pytest.mark.parametrize(("name", "away"), [("s3://b/x.png", True), ("C:\\scans", False), ("c://scans", False), ("a/b", False)])
def test_what_is_an_address(name, away):
    """A drive letter is none."""
    assert away == remote.is_remote(name)
