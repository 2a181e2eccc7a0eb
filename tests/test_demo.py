"""The demo is the product in one command, so it is held to what it promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def _demo(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nhirx", "demo", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = _demo("--json", cwd=tmp_path_factory.mktemp("anywhere"))
    assert 0 == done.returncode, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_demo_ends_accepted_with_a_receipt(story: dict[str, Any]) -> None:
    """Contract §8: what was scanned, resolved, read, checked, uploaded, answered."""
    assert {"scan", "resolve", "card", "check", "upload"} == set(story)
    assert "accepted" == story["upload"]["state"]
    assert story["upload"]["opcode"]


def test_the_demos_parts_agree_with_each_other(story: dict[str, Any]) -> None:
    """The ID that was scanned is the one in the record, and every field has its rule."""
    fields, why = story["resolve"]["fields"], story["resolve"]["why"]

    assert "found" == story["scan"]["status"]
    assert story["scan"]["visit_id"] == fields["M16"]
    assert set() == set(fields) - set(why) - {"H00"}
    assert [] == [
        finding for record in story["check"]["records"] for finding in record["findings"] if finding["severity"] == "error"
    ]


def test_the_card_part_names_nobody(story: dict[str, Any]) -> None:
    """Name, number and visit ID of the holder are masked."""
    text = json.dumps(story["card"], ensure_ascii=False)

    assert None is re.search(r"[A-Z][12][0-9]{8}|王小明", text)
    assert "王○明" in text


@pytest.mark.parametrize(("language", "last"), [("zh", "檢核通過"), ("en", "Accepted")])
def test_the_story_is_told_in_both_languages(tmp_path: Path, language: str, last: str) -> None:
    """A pharmacist can read what happened, and no ID number stands in it."""
    done = _demo("--lang", language, cwd=tmp_path)

    assert 0 == done.returncode, done.stderr
    assert last in done.stdout.splitlines()[-1]
    assert None is re.search(r"A123456789|王小明|0501231", done.stdout)


def test_the_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    """No file in the working folder, none in the person's data folder, none in the temporary folder."""
    temporary, data, cwd = tmp_path / "tmp", tmp_path / "data", tmp_path / "cwd"
    for folder in (temporary, data, cwd):
        folder.mkdir()

    _demo("--json", cwd=cwd, TMPDIR=str(temporary), TEMP=str(temporary), NHIRX_DATA=str(data))

    assert [] == [*temporary.iterdir(), *data.iterdir(), *cwd.iterdir()]


def test_the_demo_runs_from_an_installed_wheel(tmp_path: Path, wheel: Path) -> None:
    """The sheet and the prescription travel in the wheel; the checkout is not needed."""
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)], check=True)

    done = _demo("--json", cwd=tmp_path, PYTHONPATH=str(site))

    assert 0 == done.returncode, done.stderr
    assert "accepted" == json.loads(done.stdout.splitlines()[-1])["upload"]["state"]
