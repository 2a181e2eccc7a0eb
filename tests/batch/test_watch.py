"""A folder that is written into while it is watched: what is complete is read, once, also over a restart."""

from __future__ import annotations

import json

import pytest

from nhirx.batch.run import Options
from nhirx.batch.watch import watch
from nhirx.batch.worker import Reading


@pytest.fixture
def look(tmp_path):
    """``look(*acts)``: watch with one act before each look but the first; answers the summaries of the looks that had news."""

    def go(folder, *acts):
        told, left = [], list(acts)

        def done(summary):
            if summary is not None:
                told.append(summary)
            return not left

        options = Options((str(folder),), tmp_path / "out", 1, resume=True, reading=Reading(low_priority=False))
        watch(options, done=done, pause=lambda _seconds: left.pop(0)())
        return told

    return go


def nothing():
    """Only time goes by."""


def names(out):
    return [json.loads(line)["path"].rsplit("/", 1)[-1] for line in (out / "results.jsonl").read_text("utf-8").splitlines()]


def test_file_that_is_being_written_is_waited_for(tmp_path, draw, look):
    """It grows between two looks; only when it has stayed the same for one is it read."""
    folder = tmp_path / "in"
    folder.mkdir()
    data = draw.png(draw.page(draw.visit_id(1)))
    path = folder / "a.png"
    path.write_bytes(data[:100])

    told = look(folder, lambda: path.write_bytes(data[:200]), lambda: path.write_bytes(data), nothing)

    assert [(1, 1)] == [(summary["seen"], summary["found"]) for summary in told]


def test_what_comes_later_is_added_and_nothing_read_twice(tmp_path, draw, look, pile):
    """Also over a restart, and with a name that comes before those already read."""
    folder = tmp_path / "in"
    folder.mkdir()
    page = draw.png(draw.page(draw.visit_id(1)))
    (folder / "m.png").write_bytes(page)
    first = look(folder, nothing, lambda: (folder / "a.png").write_bytes(draw.png(draw.page(draw.visit_id(3)))), nothing)
    before = (tmp_path / "out" / "work" / "pages.jsonl").read_bytes()
    (folder / "z.png").write_bytes(draw.png(draw.page(draw.visit_id(2))))
    second = look(folder, nothing)

    assert [1, 2] == [summary["seen"] for summary in first]
    assert 3 == second[-1]["seen"]
    assert ["m.png", "a.png", "z.png"] == names(tmp_path / "out")
    assert (tmp_path / "out" / "work" / "pages.jsonl").read_bytes().startswith(before)


def test_file_that_goes_away_between_two_looks(tmp_path, draw, look):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"x")

    assert [] == look(folder, (folder / "a.png").unlink, nothing)
