"""``nhirx scan`` as a process: its lines, its exit codes, what it hides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def nhirx(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "nhirx", *words], capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.fixture
def folder(draw, tmp_path) -> Path:
    """Three pages in a folder with a sub-folder: an ID, another ID, and white paper."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "1.png").write_bytes(draw.png(draw.sheet((draw.visit_id(1), "QRCode", 40, 60))))
    (tmp_path / "sub" / "2.png").write_bytes(draw.png(draw.sheet((draw.visit_id(2), "QRCode", 40, 60))))
    (tmp_path / "sub" / "3.png").write_bytes(draw.png(draw.sheet()))
    return tmp_path


def test_one_json_line_per_page_in_order(draw, folder):
    """Paths in the order given, folders sorted; one page has nothing, so the exit code is 1; nothing else on stdout."""
    done = nhirx("scan", str(folder / "sub" / "2.png"), str(folder), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert 1 == done.returncode
    assert ["sub/2.png", "1.png", "sub/2.png", "sub/3.png"] == [Path(x["path"]).relative_to(folder).as_posix() for x in lines]
    assert [draw.visit_id(2), draw.visit_id(1), draw.visit_id(2), None] == [x["visit_id"] for x in lines]


def test_all_found_is_exit_zero(draw, folder):
    """Every page found: 0, and the words for people mask the ID until told otherwise."""
    done = nhirx("scan", str(folder / "1.png"))
    shown = nhirx("scan", str(folder / "1.png"), "--reveal")

    assert (0, 0) == (done.returncode, shown.returncode)
    assert draw.visit_id(1) not in done.stdout
    assert draw.visit_id(1) in shown.stdout


def test_a_missing_path_is_exit_two_and_the_rest_is_done(draw, folder):
    """A path that is not there is said in its line, and the pages after it are still read."""
    done = nhirx("scan", str(folder / "none.png"), str(folder / "1.png"), "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert 2 == done.returncode
    assert ["error", "found"] == [x["status"] for x in lines]
    assert "file-missing" == lines[0]["error"]["code"]


def test_a_broken_file_is_exit_one(save):
    """A file that is no picture: status error in its line, and 1."""
    done = nhirx("scan", save("x.png", b"not a picture"), "--json")

    assert (1, "file-kind-unknown") == (done.returncode, json.loads(done.stdout)["error"]["code"])


def test_no_path_is_a_wrong_call():
    """Called without a path: exit 2, and the error object on stdout."""
    done = nhirx("scan", "--json")

    assert (2, "input") == (done.returncode, json.loads(done.stdout)["error"]["code"])
