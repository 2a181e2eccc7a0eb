"""From outside: plugins as real projects, built as wheels, installed with pip, met by a nhirx in a process of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

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


def wheel(folder: Path, name: str, source: str) -> Path:
    """A wheel as a build backend makes it: one module and its description."""
    module = f"outside_{name.replace('-', '_')}"
    target = f"{module}:Plugin" if "class Plugin" in source else module
    about = f"outside_{name.replace('-', '_')}-1.2.3.dist-info"
    files = {
        f"{module}.py": source,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: outside-{name}\nVersion: 1.2.3\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": f"[nhirx]\n{name} = {target}\n",
    }
    digests = {
        path: base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        for path, content in files.items()
    }
    record = "".join(f"{path},sha256={digests[path]},{len(content.encode())}\n" for path, content in files.items())
    path = folder / f"outside_{name.replace('-', '_')}-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
        archive.writestr(f"{about}/RECORD", record + f"{about}/RECORD,,\n")
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed every project."""
    folder = tmp_path_factory.mktemp("wheels")
    wheels = [str(wheel(folder, name, source)) for name, source in PROJECTS.items()]
    site = tmp_path_factory.mktemp("site")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--no-index",
            "--no-deps",
            "--no-compile",
            "--quiet",
            "--target",
            str(site),
            *wheels,
        ],
        check=True,
        capture_output=True,
    )
    return site


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


# ── a whole dispensing, card to acceptance, beside one misbehaving plugin at a time ───────────────────────────────────

_MARK = "from nhirx import hookimpl\n"
_TOLD = ("prescription_scanned", "card_read", "visit_number_issued", "dispensed", "record_queued", "record_accepted")


def _hooks(names: tuple[str, ...], body: str) -> str:
    return _MARK + "".join(f"\n@hookimpl\ndef nhirx_{name}():\n    {body}\n" for name in names)


# name → (source, how the dispensing ends, whether a number was taken)
AT_THE_COUNTER = {
    "find-raises": (_hooks(("find_prescription",), "raise RuntimeError('A123456789')"), "plugin-failed", 0),
    "find-exits": (_hooks(("find_prescription",), "raise SystemExit(0)"), "plugin-failed", 0),
    "find-hangs": (_hooks(("find_prescription",), "__import__('time').sleep(600)"), "plugin-failed", 0),
    "find-interrupts": (_hooks(("find_prescription",), "raise KeyboardInterrupt"), "plugin-failed", 0),
    "find-wrong-type": (_hooks(("find_prescription",), "return {'reference': 'R1'}"), "plugin-nonsense", 0),
    "calendar-raises": (_hooks(("calendar",), "raise RuntimeError"), "plan-blocked", 0),
    "calendar-wrong-type": (_hooks(("calendar",), "return ['2026-01-01']"), "plan-blocked", 0),
    "check-raises": (_hooks(("check",), "raise RuntimeError"), "plan-blocked", 0),
    "check-hangs": (_hooks(("check",), "__import__('time').sleep(600)"), "plan-blocked", 0),
    "check-wrong-type": (_hooks(("check",), "return True"), "plan-blocked", 0),
    "told-raises": (_hooks(_TOLD, "raise RuntimeError('A123456789')"), "accepted", 1),
    "told-exits": (_hooks(_TOLD, "raise SystemExit(0)"), "accepted", 1),
    "told-hangs": (_hooks(_TOLD, "__import__('time').sleep(600)"), "accepted", 1),
    "told-answers": (_hooks(_TOLD, "return object()"), "accepted", 1),
    # By every way there is, around the freeze too: what it changes is its own copy.
    "forges": (
        _MARK
        + """
def forge(value, **fields):
    for name, content in fields.items():
        object.__setattr__(value, name, content)

@hookimpl
def nhirx_check(plan, prescription):
    dict.__setitem__(plan.fields, "M07", "XX")
    dict.__setitem__(plan.fields, "M16", "9" * 20)
    forge(plan, action="none", call=None, fields={})
    forge(prescription, orders=(), fee=999999)
    forge(prescription.patient, national_id="B200000004")

@hookimpl
def nhirx_visit_number_issued(reading):
    forge(reading, visit_id="Z" * 20)

@hookimpl
def nhirx_dispensed(record):
    dict.__setitem__(record.fields, "M15", "Z" * 20)

@hookimpl
def nhirx_record_queued(record):
    record.fields["M07"] = "XX"
""",
        "accepted",
        1,
    ),
    # It keeps what it answered, and changes it when nobody looks any more.
    "turns-round": (
        _MARK
        + """
import json, os
from nhirx import Prescription
kept = []

@hookimpl
def nhirx_find_prescription(scan):
    kept.append(Prescription.model_validate_json(os.environ["PRESCRIPTION"]))
    return kept[0]

@hookimpl
def nhirx_card_read():
    object.__setattr__(kept[0], "orders", ())
    object.__setattr__(kept[0].patient, "national_id", "B200000004")
""",
        "accepted",
        1,
    ),
    "retired-hook": (_hooks(("scan_finished",), "pass"), "accepted", 1),
    "newer-than-nhirx": (_MARK + "from nhirx import a_name_of_tomorrow", "accepted", 1),
}
COUNTER = """
import json, os, sys, tempfile, time
from pathlib import Path
from types import SimpleNamespace
from nhirx import errors, logs
from nhirx.host import Host
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings
from nhirx.sim import PEOPLE, Behaviour, Simulator
from nhirx.sim.paper import make_prescription

logs.set_up()
for name in sys.argv[2:]:
    with tempfile.TemporaryDirectory() as folder, Simulator(Path(folder), behaviour=Behaviour(result_polls=0, auto_start=True)) as sim:
        made = make_prescription(sim, PEOPLE[0])
        os.environ["PRESCRIPTION"] = made.model_dump_json()
        others = tuple(set(json.loads(sys.argv[1])) - {name})
        plugins = Plugins(PluginSettings(time_limit=0.5, blocked=others))
        outbox = Outbox(f"sqlite:///{folder}/o.sqlite", clock=sim.world.clock, ring=KeyRing.new())
        settings = sim.settings()
        quick = settings.upload.model_copy(update={"poll_first": 0.0, "retry_first": 0.01, "retry_limit": 0.05})
        started = time.perf_counter()
        with Host(settings.model_copy(update={"upload": quick}), outbox=outbox, plugins=plugins, clock=sim.world.clock) as host:
            fields, lines = {}, 0
            try:
                scan = SimpleNamespace(visit_id=made.sheet.visit_id, codes=(), status="found", visit_ids=(), confidence="agreed")
                plugins.prescription_scanned(scan)
                found = host.find_prescription(scan) or made
                done = host.dispense(found, host.facts(found))
                worker = host.worker()
                for _ in range(10):
                    host.outbox.queue.hurry()
                    worker.step()
                item = host.outbox.queue.item(done.queued)
                ended, fields, lines = item.state, dict(item.record.fields), len(item.record.orders)
            except errors.NhirxError as error:
                ended = error.code
        print(json.dumps({
            "name": name, "ended": ended, "issued": len(sim.ledger.issued()), "seconds": round(time.perf_counter() - started, 2),
            "fields": [fields.get("M07"), fields.get("M03"), fields.get("M15") in sim.ledger.issued(), lines],
        }), flush=True)
"""


@pytest.fixture(scope="module")
def counter_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    wheels = [str(wheel(folder, name, source)) for name, (source, *_) in AT_THE_COUNTER.items()]
    words = [
        "--disable-pip-version-check",
        "install",
        "--no-index",
        "--no-deps",
        "--no-compile",
        "--quiet",
        "--target",
        str(site),
    ]
    subprocess.run([sys.executable, "-m", "pip", *words, *wheels], check=True, capture_output=True)
    return site


def test_dispensing_beside_each_of_them(counter_site):
    """One at a time, from the scan to the acceptance: stopped before the card, or not disturbed at all, and never late."""
    every = sorted({*AT_THE_COUNTER, *(point.name for point in entry_points(group="nhirx"))})
    ended = subprocess.run(
        [sys.executable, "-c", COUNTER, json.dumps(every), *AT_THE_COUNTER],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        env=os.environ | {"PYTHONPATH": str(counter_site), "NHIRX_LANG": "en"},
    )
    answers = {answer["name"]: answer for answer in map(json.loads, ended.stdout.splitlines())}
    expected = {name: (how, issued) for name, (_, how, issued) in AT_THE_COUNTER.items()}

    assert 0 == ended.returncode, ended.stderr
    assert expected == {name: (answer["ended"], answer["issued"]) for name, answer in answers.items()}
    good = {name: answer["fields"] for name, answer in answers.items() if answer["ended"] == "accepted"}
    assert {name: ["AF", "A123456789", True, 1] for name in good} == good
    # The limit is half a second; the plugin that hangs in six hooks is waited for once. Slack for a busy machine.
    assert {} == {name: answer["seconds"] for name, answer in answers.items() if answer["seconds"] > 12}
    assert 0.5 <= answers["told-hangs"]["seconds"]
    assert "A123456789" not in ended.stderr
