"""From outside: plugins as real projects, built as wheels, installed with pip, met by a nhirx in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.plugin.conftest import install_projects

# name → the source of its one module
PROJECTS = {
    "fine": """
from nhirx import hookimpl

@hookimpl
def nhirx_dispensed(reference):
    print("fine was told", reference)

@hookimpl
def nhirx_register_commands():
    def greet(name: str) -> int:
        print("hello", name)
        return 1

    def stumble() -> None:
        raise RuntimeError("A123456789")

    return {"greet": greet, "stumble": stumble}
""",
    "import-raises": "raise RuntimeError('A123456789')",
    "import-exits": "import sys; sys.exit(0)",
    "import-hangs": "import time; time.sleep(600)",
    "import-missing": "import a_module_that_is_not_there",
    "import-broken": "def (:",
    "init-raises": """
class Plugin:
    def __init__(self):
        raise RuntimeError
""",
    "unknown-hook": """
from nhirx import hookimpl

@hookimpl
def nhirx_prescription_found(scan):
    pass
""",
    "too-old": """
from nhirx import hookimpl

@hookimpl
def nhirx_check(plan, prescription, an_argument_of_long_ago):
    pass
""",
    "bad-offer": """
from nhirx import hookimpl

@hookimpl
def nhirx_register_decoders():
    return ["zbar"]
""",
    "takes-a-name": """
from nhirx import hookimpl

@hookimpl
def nhirx_register_commands():
    return {"plugins": print, "greet": print}
""",
    "raises": """
from nhirx import hookimpl

@hookimpl
def nhirx_check():
    raise RuntimeError("A123456789")

@hookimpl
def nhirx_dispensed():
    raise RuntimeError("A123456789")
""",
    "exits": """
import sys
from nhirx import hookimpl

@hookimpl
def nhirx_check():
    sys.exit(0)

@hookimpl
def nhirx_dispensed():
    sys.exit(0)
""",
    "hangs": """
import time
from nhirx import hookimpl

@hookimpl
def nhirx_check():
    time.sleep(600)
""",
    "nonsense": """
from nhirx import hookimpl

@hookimpl
def nhirx_check():
    return {"block": True}

@hookimpl
def nhirx_find_prescription():
    return {"reference": "R1"}
""",
    "meddles": """
from nhirx import hookimpl

@hookimpl
def nhirx_check(plan):
    plan.fields["M07"] = "XX"
""",
}
REFUSED = {
    "import-raises": "RuntimeError",
    "import-exits": "end the program",
    "import-hangs": "no answer",
    "import-missing": "ModuleNotFoundError",
    "import-broken": "SyntaxError",
    "init-raises": "RuntimeError",
    "unknown-hook": "nhirx_prescription_found",
    "too-old": "an_argument_of_long_ago",
    "bad-offer": "nhirx_register_decoders",
    "takes-a-name": "greet is taken",
}


HOST = """
import json, logging, sys
from types import SimpleNamespace
from nhirx import Prescription, UploadPlan, errors, logs, settings
from nhirx.model import UploadRecord
from nhirx.plugin.manager import Plugins

logs.set_up()
host = Plugins(settings.load().plugins)
plan = UploadPlan(ok=True, action="upload", call="1.53", fields={"M07": "AF"}, from_card=(), why={})
prescription = Prescription(patient={"national_id": "A123456789", "birth_date": "0501231"}, sheet={})
findings = host.check(plan, prescription)
try:
    found = host.find_prescription(SimpleNamespace(visit_id=None, codes=()))
except errors.PluginNonsense as error:
    found = error.code
host.dispensed(UploadRecord(fields={}), prescription, "R1")
print(json.dumps({"findings": [[f.source, f.severity, f.code] for f in findings], "found": found, "fields": plan.fields}))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed every project."""
    return install_projects(tmp_path_factory, PROJECTS)


@pytest.fixture
def run(site, tmp_path):
    """``run(words…, **environment)`` with the outside plugins installed and a time limit of a second."""
    config = tmp_path / "nhirx.toml"
    # The plugins of this repository may be installed beside them; they are not the matter here.
    own = sorted({point.name for point in entry_points(group="nhirx")})
    config.write_text(f"[plugins]\ntime_limit = 1.0\nblocked = {json.dumps(own)}\n", "utf-8")

    def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            env=os.environ | {"PYTHONPATH": str(site), "NHIRX_CONFIG": str(config), "NHIRX_LANG": "en"} | environment,
        )

    return call


def test_every_plugin_is_listed_with_its_fate(run):
    """Ten ways to be unfit, each named with its reason; the rest is loaded; nhirx itself is well."""
    ended = run("-m", "nhirx", "plugins", "--json")
    answers = {answer["name"]: answer for answer in map(json.loads, ended.stdout.splitlines())}

    assert 1 == ended.returncode
    assert set(PROJECTS) <= set(answers)
    assert set(REFUSED) == {name for name, answer in answers.items() if answer["status"] == "refused"}
    assert dict.fromkeys(REFUSED, True) == {name: REFUSED[name] in answers[name]["problem"]["en"] for name in REFUSED}
    assert {("outside-fine", "1.2.3", "loaded", None)} == {
        tuple(answers["fine"][member] for member in ("package", "version", "status", "problem"))
    }
    assert ["nhirx_dispensed", "nhirx_register_commands"] == answers["fine"]["hooks"]
    assert "A123456789" not in ended.stdout + ended.stderr


def test_list_for_people(run):
    """In words, with the reason under the name."""
    shown = run("-m", "nhirx", "plugins").stdout

    assert "fine（outside-fine 1.2.3）  loaded" in shown
    assert "unknown-hook（outside-unknown-hook 1.2.3）  refused" in shown
    assert "! there is no hook nhirx_prescription_found" in shown


def test_blocked_plugins_are_not_even_imported(run):
    """By name or by project, from the environment."""
    names = ",".join(["outside-import-hangs", *(set(PROJECTS) - {"fine", "import-hangs"})])
    ended = run("-m", "nhirx", "plugins", "--json", NHIRX_BLOCK_PLUGINS=names)
    states = {answer["name"]: answer["status"] for answer in map(json.loads, ended.stdout.splitlines())}

    assert 0 == ended.returncode
    assert "loaded" == states.pop("fine")
    assert {"blocked"} == set(states.values())


def test_host_survives_all_of_them(run):
    """Raising, exiting, hanging, nonsense and meddling plugins together: each blocks by name, news still goes round."""
    ended = run("-c", HOST)
    *told, last = ended.stdout.splitlines()
    answer = json.loads(last)

    assert 0 == ended.returncode
    assert ["fine was told R1"] == told
    assert [
        ["plugin exits", "block", "plugin-failed"],
        ["plugin hangs", "block", "plugin-failed"],
        ["plugin meddles", "block", "plugin-failed"],
        ["plugin nonsense", "block", "plugin-nonsense"],
        ["plugin raises", "block", "plugin-failed"],
    ] == sorted(answer["findings"])
    assert "plugin-nonsense" == answer["found"]
    assert {"M07": "AF"} == answer["fields"]
    assert "A123456789" not in ended.stdout + ended.stderr


def test_trace_of_a_whole_process(run):
    """With the switch every call is one line on stderr and stdout stays as it was."""
    ended = run("-c", HOST, NHIRX_TRACE_PLUGINS="1")
    lines = [line for line in ended.stderr.splitlines() if line.startswith("nhirx-trace ")]

    assert any(line.startswith("nhirx-trace hangs: nhirx_check()") or "hangs: nhirx_check(plan=" in line for line in lines)
    assert any("-> SystemExit" in line for line in lines)
    assert "A123456789" not in ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["fields"]


def test_command_of_a_plugin(run):
    """It runs, its answer is the exit code, and help lists it."""
    ended = run("-m", "nhirx", "greet", "you")

    assert (1, "hello you\n") == (ended.returncode, ended.stdout)
    assert "greet" in run("-m", "nhirx", "--help").stdout


def test_failing_command_of_a_plugin_is_named(run):
    ended = run("-m", "nhirx", "stumble")

    assert 3 == ended.returncode
    assert "[plugin-failed] Plugin fine failed" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "A123456789" not in ended.stderr


def test_wrong_call_of_a_plugins_command(run):
    assert 2 == run("-m", "nhirx", "greet").returncode


def test_built_in_commands_load_no_plugin(run):
    """What nhirx has itself starts without waiting for anybody: the hanging import is never met."""
    ended = run("-m", "nhirx", "visit-id", "0USE4FA11RP4J370WR4K", NHIRX_TRACE_PLUGINS="1")

    assert (0, "") == (ended.returncode, ended.stderr)
