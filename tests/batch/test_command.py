"""``nhirx batch`` as programs call it: JSON, exit codes, words in two languages."""

from __future__ import annotations

import json

import pytest

from nhirx.batch.run import Progress
from nhirx.cli import main
from nhirx.cli.batch import words
from nhirx.i18n import set_language


def call(capfd, *given):
    with pytest.raises(SystemExit) as caught:
        main(["batch", *map(str, given)])
    shown = capfd.readouterr()
    return caught.value.code, shown.out, shown.err


def test_all_found(pile, tmp_path, capfd):
    code, out, _err = call(capfd, pile(2), "--out", tmp_path / "out", "--workers", 1, "--json")

    assert (0, 2) == (code, json.loads(out)["found"])


def test_page_for_a_person_is_exit_code_one(tmp_path, capfd, draw):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(draw.png(draw.page(None)))
    code, out, _err = call(capfd, tmp_path / "in", "--out", tmp_path / "out", "--workers", 1, "--lang", "zh")

    assert 1 == code
    assert out.startswith("看到 1：讀到 0，未讀到 1，未處理 0")
    assert str(tmp_path / "out" / "report.html") in out


@pytest.mark.parametrize(
    ("more", "error"),
    [(("--engine", "magic"), "invalid-value"), (("--workers", "many"), "input"), ((), "file-missing")],
)
def test_wrong_call(tmp_path, capfd, more, error):
    code, out, _err = call(capfd, tmp_path / "nowhere", "--out", tmp_path / "out", "--json", *more)

    assert (2, error) == (code, json.loads(out)["error"]["code"])


def test_folder_of_the_results_is_a_file(tmp_path, capfd, pile):
    (tmp_path / "out").write_text("x")
    code, out, _err = call(capfd, pile(1), "--out", tmp_path / "out", "--json")

    assert (2, "batch-exists") == (code, json.loads(out)["error"]["code"])


@pytest.mark.parametrize(
    ("progress", "now", "zh", "en"),
    [
        (Progress("list", entries=5), 0.0, "尋找檔案：5", "looking for files: 5"),
        (Progress("write"), 0.0, "寫出結果", "writing the results"),
        (
            Progress("read", entries=100, ended=40, before=10, pages=50, started=100.0, fresh=30),
            110.0,
            "檔案 40/100，本次 50 頁，每秒 5.0 頁，剩餘約 0:00:20",
            "files 40/100, 50 pages in this run, 5.0 pages/s, about 0:00:20 left",
        ),
    ],
)
def test_progress_in_words(progress, now, zh, en):
    """The time left is reckoned from what this run did, not from what an earlier one had done."""
    said = []
    for language in ("zh", "en"):
        set_language(language)
        said.append(words(progress, now))

    assert [zh, en] == said
