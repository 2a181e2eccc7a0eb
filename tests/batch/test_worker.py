"""What a worker says of files that do not open, without a process around it."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest
from nhirx_scanner import Scanner

from nhirx.batch import archives
from nhirx.batch.worker import Piece, _Files, _work


def said(piece: Piece, folder: Path) -> list[tuple[object, ...]]:
    """The messages of one piece: kind, and the page's code of error or its status."""
    messages: list[tuple[object, ...]] = []
    _work(SimpleNamespace(send=messages.append), Scanner(), _Files(folder), piece)
    return [
        (message[0], message[2].get("error", {}).get("code", message[2]["status"])) if message[0] == "page" else message
        for message in messages
    ]


def test_page_and_end(tmp_path, draw):
    (tmp_path / "a.png").write_bytes(draw.png(draw.page(None)))

    assert [("page", "none"), ("end", 1)] == said(Piece(0, "a.png", str(tmp_path / "a.png")), tmp_path)


def test_full_disk_is_not_booked_as_a_broken_page(tmp_path, zipped, monkeypatch):
    """There is no room to unpack a member: the page is not done, it is read when the batch goes on."""

    def full(*_given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives, "unpack", full)
    path = zipped("a.zip", {"a.png": b"x"})

    assert [("disk", errno.ENOSPC, "No space left on device")] == said(Piece(0, "a.zip!/a.png", str(path), (0,)), tmp_path)


def test_archive_that_went_away(tmp_path):
    piece = Piece(0, "a.zip!/a.png", str(tmp_path / "a.zip"), (0,))

    assert [("page", "file-missing"), ("end", 1)] == said(piece, tmp_path)


@pytest.mark.parametrize("name", ["gone.png", "broken.png"])
def test_page_that_cannot_be_shown(tmp_path, name):
    """A picture for a person is left out when the file is gone or broken by now."""
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    piece = Piece(0, name, str(tmp_path / name), picture=str(tmp_path / "review"))

    assert [("picture", None)] == said(piece, tmp_path)
    assert not list(tmp_path.glob("review*"))


def test_inner_archive_is_unpacked_once_for_its_members(tmp_path, zipped, draw, monkeypatch):
    """A thousand members of an archive in an archive do not unpack it a thousand times."""
    page = draw.png(draw.page(None))
    inner = zipped("inner.zip", {"a.png": page, "b.png": page}).read_bytes()
    path = zipped("outer.zip", {"inner.zip": inner})
    unpack, unpacked = archives.unpack, []
    monkeypatch.setattr(archives, "unpack", lambda *given: (unpacked.append(given[2].name), unpack(*given)))
    files = _Files(tmp_path / "own")

    for index in (0, 1):
        assert files.local(Piece(index, "x", str(path), (0, index)))[0].read_bytes() == page
    assert ["inner-0.zip", "member", "member"] == unpacked
