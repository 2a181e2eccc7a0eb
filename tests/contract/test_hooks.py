"""No hook without an exact heading in docs/hooks.md, a test, and a plugin of this repository that uses it."""

from __future__ import annotations

import ast
import inspect
import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import nhirx
from nhirx import Finding, hookimpl
from nhirx.model import CardReading, CheckError, Facts, Holder, Prescription, Receipt, UploadPlan, UploadRecord
from nhirx.plugin import spec
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

ROOT = Path(__file__).parents[2]
HOOKS = {name: function for name, function in vars(spec).items() if name.startswith("nhirx_") and inspect.isfunction(function)}
PAGE = (ROOT / "docs" / "hooks.md").read_text("utf-8")
SECTIONS = re.split(r"^### ", PAGE, flags=re.M)[1:]
VISIT_ID = "0USE4FA11RP4J370WR4K"
NOW = datetime(2026, 11, 20, 1, 0, 13, tzinfo=UTC)
PATIENT = {"national_id": "A123456789", "birth_date": "0501231"}
SCAN = SimpleNamespace(status="found", visit_id=VISIT_ID, visit_ids=(VISIT_ID,), codes=(), confidence="agreed")
PRESCRIPTION = Prescription.model_validate({"patient": PATIENT, "sheet": {"visit_id": VISIT_ID}, "reference": "R1"})
PLAN = UploadPlan(ok=True, action="upload", call="1.53", fields={}, from_card=(), why={})
FACTS = Facts.from_json(
    {"dispensed_at": "1151120090013", "pharmacy": {"institution": "5901234567", "pharmacist": "B200000002"}, "patient": PATIENT}
)
HOLDER = Holder(card_number="000012345678", name="王小明", national_id="A123456789", birth_date=date(1961, 12, 31), sex="M")
READING = CardReading(made_by="card", visited_at=NOW, institution="5901234567", visit_id=VISIT_ID)
RECORD = UploadRecord(fields={"M15": VISIT_ID})
RECEIPT = Receipt(opcode="OP-1", received_at=NOW)
ERRORS = (CheckError(field="M15", code="D002"),)


def signature(name: str) -> str:
    return f"{name}({', '.join(inspect.signature(HOOKS[name]).parameters)})"


def uses(name: str) -> list[str]:
    """The projects in plugins/ that implement the hook, found in their source."""
    return sorted(
        project.name
        for project in (ROOT / "plugins").iterdir()
        if project.is_dir()
        and any(
            isinstance(node, ast.FunctionDef)
            and node.name == name
            and "hookimpl" in ast.unparse(ast.Module(node.decorator_list, []))
            for source in project.glob("nhirx_*/*.py")
            for node in ast.walk(ast.parse(source.read_text("utf-8")))
        )
    )


def told(hook: str, call: Any) -> list[tuple[Any, ...]]:
    """Which arguments a plugin got when ``call`` was made on a host that has it."""
    seen: list[tuple[Any, ...]] = []
    names = list(inspect.signature(HOOKS[hook]).parameters)
    namespace: dict[str, Any] = {"seen": seen}
    exec(f"def {hook}(self, {', '.join(names)}): seen.append(({', '.join(names)},))", namespace)
    plugin = type("Told", (), {hook: hookimpl(namespace[hook])})()
    host = Plugins(discover=False)
    host.register(plugin, "told")
    call(host)
    host.close()
    return seen


def answering(hook: str, answer: Any, options: dict[str, Any] | None = None) -> Plugins:
    plugin = type("Answering", (), {hook: hookimpl(lambda self: answer)})()
    host = Plugins(PluginSettings(options={"answering": options or {}}), discover=False)
    host.register(plugin, "answering")
    return host


def test_headings_are_the_signatures():
    """Every hook once, in the kinds' order, with its exact arguments, and no heading of a hook that is gone."""
    headings = [section.splitlines()[0] for section in SECTIONS]

    assert sorted(map(signature, HOOKS)) == sorted(headings)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.split("(")[0])
def test_section_is_complete(section):
    """When, arguments, return, failure, users; the users named are the ones that exist."""
    name = section.split("(")[0]

    assert ["when", "arguments", "returns", "failure", "used by"] == re.findall(r"^- \*\*\S+ ([a-z ]+)\*\*", section, flags=re.M)
    (named,) = re.findall(r"used by\*\* (.+)", section)
    assert uses(name) == sorted(named.split(", "))
    for argument in inspect.signature(HOOKS[name]).parameters:
        assert f"`{argument}`" in section


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.split("(")[0])
def test_example_is_a_plugin(section):
    """The example of each section registers as it stands and implements the hook of its heading."""
    (code,) = re.findall(r"```python\n(.*?)```", section, flags=re.S)
    namespace: dict[str, Any] = {
        "hookimpl": hookimpl,
        "Prescription": Prescription,
        "Finding": Finding,
        "MyReader": object,
        "MyControl": object,
    }
    exec(code, namespace)
    plugin = (
        namespace["Plugin"]()
        if "Plugin" in namespace
        else type("Example", (), {name: staticmethod(value) for name, value in namespace.items() if name.startswith("nhirx_")})()
    )
    host = Plugins(discover=False)
    host.register(plugin, "example")
    host.close()

    assert (section.split("(")[0],) == host.statuses[0].hooks


@pytest.mark.parametrize("name", HOOKS)
def test_hook_is_used_by_a_plugin_of_this_repository(name):
    assert uses(name)


@pytest.mark.parametrize("name", HOOKS)
def test_hook_has_a_test(name):
    assert f"test_hook_{name.removeprefix('nhirx_')}" in globals()


@pytest.mark.parametrize("name", HOOKS)
def test_hook_says_when_it_is_called(name):
    assert re.match(r"Called|The first hook to be called", inspect.getdoc(HOOKS[name]) or "")


@pytest.mark.parametrize("name", HOOKS)
def test_diagram_shows_the_hook(name):
    (diagram,) = re.findall(r"```mermaid\n(.*?)```", PAGE, flags=re.S)

    assert name in diagram


def test_facade_has_one_method_per_hook():
    """What the host calls is the hook's name without the prefix, or a property for what was registered."""
    expected = {name.removeprefix("nhirx_").removeprefix("register_") for name in HOOKS} - {"configure"}

    assert expected <= {name for name in dir(Plugins) if not name.startswith("_")}


def test_a_plugin_imports_from_nhirx_alone():
    """The names that the how-to promises."""
    assert {"hookimpl", "Finding", "Prescription"} <= set(nhirx.__all__)


# ── one test per hook: who is called, with what, and what comes back ──────────────────────────────────────────────────


def test_hook_configure():
    seen = []
    plugin = type("P", (), {"nhirx_configure": hookimpl(lambda self, options: seen.append(dict(options)))})()
    host = Plugins(PluginSettings(options={"p": {"folder": "x"}}), discover=False)
    host.register(plugin, "p")

    assert [{"folder": "x"}] == seen


def test_hook_register_card_readers():
    assert "made" == answering("nhirx_register_card_readers", {"r": lambda: "made"}).card_readers["r"]()


def test_hook_register_control_software():
    assert "made" == answering("nhirx_register_control_software", {"c": lambda: "made"}).control_software["c"]()


def test_hook_register_decoders():
    decoders = answering("nhirx_register_decoders", {"d": lambda grey: iter([("T", "code39", None)])}).decoders

    assert [("T", "code39", None)] == decoders["d"](None)


def test_hook_register_commands():
    assert 3 == answering("nhirx_register_commands", {"go": lambda: 3}).commands["go"]()


def test_hook_parse_code():
    assert [("a;b", "qrcode")] == told("nhirx_parse_code", lambda host: host.parse_code("a;b", "qrcode"))
    assert PRESCRIPTION == answering("nhirx_parse_code", PRESCRIPTION).parse_code("a;b", "qrcode")


def test_hook_find_prescription():
    assert [(SCAN,)] == told("nhirx_find_prescription", lambda host: host.find_prescription(SCAN))
    assert PRESCRIPTION == answering("nhirx_find_prescription", PRESCRIPTION).find_prescription(SCAN)


def test_hook_choose_abnormal_reason():
    seen = told("nhirx_choose_abnormal_reason", lambda host: host.choose_abnormal_reason(["A001"], None, FACTS))

    assert [(("A001",), None, FACTS)] == seen
    assert "A001" == answering("nhirx_choose_abnormal_reason", "A001").choose_abnormal_reason(["A001"], None, FACTS)


def test_hook_check():
    finding = Finding(code="x", severity="warn", zh="甲", en="a", source="s")

    assert [(PLAN, PRESCRIPTION)] == told("nhirx_check", lambda host: host.check(PLAN, PRESCRIPTION))
    assert (finding,) == answering("nhirx_check", finding).check(PLAN, None)


def test_hook_calendar():
    first, last = date(2026, 11, 1), date(2026, 11, 30)

    assert [(first, last)] == told("nhirx_calendar", lambda host: host.calendar(first, last))
    assert {first: "甲"} == answering("nhirx_calendar", {first: "甲"}).calendar(first, last).days


def test_hook_prescription_scanned():
    assert [(SCAN,)] == told("nhirx_prescription_scanned", lambda host: host.prescription_scanned(SCAN))


def test_hook_card_read():
    assert [(HOLDER, "R1")] == told("nhirx_card_read", lambda host: host.card_read(HOLDER, "R1"))


def test_hook_visit_number_issued():
    assert [(READING, "R1")] == told("nhirx_visit_number_issued", lambda host: host.visit_number_issued(READING, "R1"))


def test_hook_dispensed():
    assert [(RECORD, PRESCRIPTION, None)] == told("nhirx_dispensed", lambda host: host.dispensed(RECORD, PRESCRIPTION))


def test_hook_record_queued():
    assert [(RECORD, "R1")] == told("nhirx_record_queued", lambda host: host.record_queued(RECORD, "R1"))


def test_hook_record_accepted():
    assert [(RECORD, RECEIPT, "R1")] == told("nhirx_record_accepted", lambda host: host.record_accepted(RECORD, RECEIPT, "R1"))


def test_hook_record_rejected():
    assert [(RECORD, None, ERRORS, "R1")] == told(
        "nhirx_record_rejected", lambda host: host.record_rejected(RECORD, None, ERRORS, "R1")
    )


def test_lifecycle():
    """A plugin with every hook there is, taken once through the life of a prescription in the order of the diagram."""
    calls: list[str] = []
    answers: dict[str, Any] = {name: {} for name in HOOKS if name.startswith("nhirx_register_")}
    answers |= {"nhirx_find_prescription": PRESCRIPTION, "nhirx_choose_abnormal_reason": "A001"}

    def hook(name: str) -> Any:
        return hookimpl(lambda self: calls.append(name) or answers.get(name))

    plugin = type("Everything", (), {name: hook(name) for name in HOOKS})()
    host = Plugins(discover=False)
    host.register(plugin, "everything")
    host.prescription_scanned(SCAN)
    prescription = host.find_prescription(SCAN)
    assert prescription is not None
    host.parse_code("a;b", "qrcode")
    host.calendar(date(2026, 11, 1), date(2026, 11, 30))
    host.check(PLAN, prescription)
    host.card_read(HOLDER, prescription.reference)
    host.choose_abnormal_reason(["A001"], None, FACTS)
    host.visit_number_issued(READING, prescription.reference)
    host.dispensed(RECORD, prescription, prescription.reference)
    host.record_queued(RECORD, prescription.reference)
    host.record_rejected(RECORD, RECEIPT, ERRORS, prescription.reference)
    host.record_accepted(RECORD, RECEIPT, prescription.reference)
    host.close()

    assert set(HOOKS) == set(host.statuses[0].hooks)
    assert [
        "nhirx_configure",
        "nhirx_register_card_readers",
        "nhirx_register_control_software",
        "nhirx_register_decoders",
        "nhirx_register_commands",
        "nhirx_prescription_scanned",
        "nhirx_find_prescription",
        "nhirx_parse_code",
        "nhirx_calendar",
        "nhirx_check",
        "nhirx_card_read",
        "nhirx_choose_abnormal_reason",
        "nhirx_visit_number_issued",
        "nhirx_dispensed",
        "nhirx_record_queued",
        "nhirx_record_rejected",
        "nhirx_record_accepted",
    ] == calls
