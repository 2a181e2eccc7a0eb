"""``nhirx plugins`` and ``nhirx plugins new`` (the list with unfit plugins is in tests/plugin/test_installed.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nhirx.cli import main


@pytest.fixture
def call(capfd):
    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["plugins", *words])
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return run


def test_plugins_of_this_repository_are_fit(call):
    """As the test set-up installs them: every project in plugins/ is found and loaded."""
    code, out, _ = call("--json")
    answers = {answer["package"]: answer for answer in map(json.loads, out.splitlines())}
    projects = {path.parent.name for path in (Path(__file__).parents[2] / "plugins").glob("*/pyproject.toml")}

    assert 0 == code
    assert projects <= set(answers)
    assert {"loaded"} == {answers[project]["status"] for project in projects}
    assert {"name", "package", "version", "status", "hooks", "problem"} == set(answers["nhirx-csv"])


@pytest.mark.parametrize(("language", "word"), [("zh", "已載入"), ("en", "loaded")])
def test_people_read_their_language(call, language, word):
    assert f"nhirx-tutorial 0.1.0）  {word}" in call("--lang", language)[1]


def test_settings_that_are_wrong_refuse_the_plugin(call, tmp_path):
    config = tmp_path / "nhirx.toml"
    config.write_text(
        "[plugins.options.csv]\nfolder = '/nowhere'\n[plugins.options.webhook]\nurl = 'http://far.example'\n", "utf-8"
    )
    code, out, _ = call("--config", str(config), "--json")
    refused = {answer["name"]: answer["problem"] for answer in map(json.loads, out.splitlines()) if answer["status"] == "refused"}

    assert 1 == code
    assert {"csv", "webhook"} == set(refused)
    assert "/nowhere" in refused["csv"]["zh"]


def test_new_project_works_and_is_tested(call, tmp_path):
    """What is written is a project: its tests pass, its entry point leads to its plugin."""
    code, out, _ = call("new", "my-pharmacy", "--folder", str(tmp_path), "--json")
    answer = json.loads(out)
    project = Path(answer["project"])
    about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(project), str(project)],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == code
    assert ("nhirx-my-pharmacy", {"my-pharmacy": "nhirx_my_pharmacy:MyPharmacyPlugin"}) == (
        about["name"],
        about["entry-points"]["nhirx"],
    )
    assert all(Path(file).is_file() for file in answer["files"])
    assert 0 == ended.returncode, ended.stdout
    assert "4 passed" in ended.stdout


def test_new_project_is_in_the_house_style(tmp_path, call):
    """What we write for others passes what we ask of ourselves."""
    call("new", "a1", "--folder", str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E,F,I,B,UP", "--line-length", "130", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == ended.returncode, ended.stdout


@pytest.mark.parametrize("name", ["", "My", "my_plugin", "1st", "a b", "../x", "a--b", "-a", "x" * 41, "處方"])
def test_name_that_is_no_package_is_refused(call, tmp_path, name):
    code, out, _ = call("new", "--folder", str(tmp_path), "--json", "--", name)

    assert 2 == code
    assert "invalid-value" == json.loads(out)["error"]["code"]
    assert [] == list(tmp_path.iterdir())


def test_nothing_is_written_over(call, tmp_path):
    call("new", "a1", "--folder", str(tmp_path))
    code, out, _ = call("new", "a1", "--folder", str(tmp_path), "--json")

    assert 2 == code
    assert "already-there" == json.loads(out)["error"]["code"]


def test_name_may_come_with_the_prefix(call, tmp_path):
    call("new", "nhirx-a1", "--folder", str(tmp_path))

    assert ["nhirx-a1"] == [path.name for path in tmp_path.iterdir()]


def test_options_of_a_plugin_that_is_not_there_are_told(call, tmp_path):
    """A slip of the pen in the settings would otherwise be looked for in the plugin."""
    config = tmp_path / "nhirx.toml"
    config.write_text("[plugins.options.tutoriall]\ndatabase = 'x'\n", "utf-8")
    code, out, _ = call("--config", str(config), "--json")
    (absent,) = [answer for answer in map(json.loads, out.splitlines()) if answer["status"] == "absent"]
    words = call("--config", str(config))[1]

    assert (1, "tutoriall") == (code, absent["name"])
    assert "[plugins.options.tutoriall]" in absent["problem"]["en"]
    assert "沒有安裝這個名稱的外掛" in words
