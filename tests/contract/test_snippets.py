"""Every fenced block of every document does what it says.

Python runs (in the order of its page), commands have the options they are shown with, requests go to a real sandbox, TOML is a
valid settings file, JSON is JSON, SQL runs. A block in a language that nobody here can judge is a failure.
"""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import ssl
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pytest
import typer

import nhirx.settings
from nhirx import Finding, Prescription, cli, hookimpl
from nhirx.demo import sample
from nhirx.settings import Settings
from nhirx.sim import Behaviour, Simulator

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/README.md"), ROOT / "plugins" / "README.md"]
)
_FENCE = re.compile(r"^(?P<mark>`{3,})(?P<language>[\w#+-]*)(?P<more>[^\n]*)\n(?P<text>.*?)^(?P=mark)\s*$", re.S | re.M)

# Judged elsewhere: by the tests named beside each.
ELSEWHERE = {
    "mermaid": "test_site.py draws them",
    "csharp": "test_vendors.py compiles and runs them",
    "pascal": "test_vendors.py compiles and runs them",
    "vbnet": "no compiler here, and the page says so",
    "bat": "Windows only",
    "js": "tests/counter/browser run the page that is made of it",
}


@dataclass(frozen=True)
class Block:
    page: Path
    language: str
    more: str
    text: str
    line: int

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in _FENCE.finditer(text):
        yield Block(page, found["language"], found["more"].strip(), found["text"], text[: found.start()].count("\n") + 1)


BLOCKS = [block for page in PAGES for block in _blocks(page)]


def _of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def _named(blocks: list[Block]) -> Any:
    return pytest.mark.parametrize("block", blocks, ids=lambda block: block.name)


def test_every_language_is_judged_somewhere():
    """No block may stand in a document that nothing looks at."""
    judged = {"python", "toml", "json", "sql", "sh", "console", "powershell", "", "text", "xml", "html", "http"}

    assert set() == {block.language for block in BLOCKS} - judged - set(ELSEWHERE)
    assert len(BLOCKS) > 80


@_named(_of("json"))
def test_json(block):
    json.loads(block.text)


@_named(_of("toml"))
def test_toml(block):
    """It parses; where it is a settings file, nhirx reads it without a word of complaint."""
    found = tomllib.loads(block.text)

    if set(found) <= set(Settings.model_fields):
        Settings.model_validate(found)


@_named(_of("sql"))
def test_sql(block):
    with sqlite3.connect(":memory:") as database:
        database.executescript(block.text)
    database.close()


# ── commands ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _command(name: str) -> click.Command:
    app = typer.Typer()
    app.callback()(lambda: None)
    module: Any = cli.load(name)
    module.register(app)
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group) or hasattr(group, "commands")
    return group.commands[name]  # type: ignore[attr-defined,no-any-return]


def _lines(block: Block) -> list[str]:
    joined = block.text.replace("\\\n", " ")
    return [line.strip().removeprefix("$ ") for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _nhirx_words(line: str) -> list[str] | None:
    """The words after ``nhirx`` of a line that calls it, without environment variables, comments, pipes and redirections."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return None
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if not words or not re.fullmatch(r"(.*[/\\])?nhirx(\.exe)?", words[0]):
        return None
    end = next((at for at, word in enumerate(words) if re.fullmatch(r"[|&;<>]+|\d?>.*", word)), len(words))
    return words[1:end]


CALLS = [
    (block, words)
    for block in _of("sh", "console", "powershell", "", "text")
    for line in _lines(block)
    if (words := _nhirx_words(line.replace("…", "").replace("[", " ").replace("]", " "))) is not None
]


@pytest.mark.parametrize(("block", "words"), CALLS, ids=[f"{block.name} {' '.join(words)}" for block, words in CALLS])
def test_command_has_the_options_it_is_shown_with(block, words):
    """The command is there, and takes these words; that a file named in a document is absent is no matter."""
    words = [word for word in words if word not in {"--lang", "zh", "en"}]
    name, rest = (words[0], words[1:]) if words else ("", [])
    if name not in cli.COMMANDS:
        assert name in {"", "--help", "-h", *_PLUGIN_COMMANDS}, f"no such command: {name}"
        return
    command: Any = _command(name)
    while hasattr(command, "commands") and rest and rest[0] in command.commands:
        command, rest = command.commands[rest[0]], rest[1:]
    if "--help" in rest:
        return
    assert not re.search(r"No such option|unexpected extra argument|No such command|Missing", _complaint(command, name, rest))


_PLUGIN_COMMANDS = {"csv-check", "watch", "bridge", "fhir-check", "my-command"}


def _complaint(command: Any, name: str, words: list[str]) -> str:
    """What the parser has against the words, "" when nothing."""
    try:
        command.make_context(name, list(words))
    except click.exceptions.Exit:
        return ""
    except Exception as error:
        return str(error.format_message()) if hasattr(error, "format_message") else repr(error)
    return ""


# ── requests to the sandbox ───────────────────────────────────────────────────────────────────────────────────────────

REQUESTS = [block for block in _of("sh", "console") if "curl" in block.text and "$SIM" in block.text]


@_named(REQUESTS)
def test_requests_to_the_sandbox(block, tmp_path):
    """Every curl line of a page, sent to a sandbox that has just been started; no answer is an error of the call's own making."""
    with Simulator(tmp_path / "sandbox", behaviour=Behaviour(auto_start="Initial" not in block.text)) as sim:
        context = ssl.create_default_context(cafile=str(tmp_path / "sandbox" / "ca.pem"))
        for line in _lines(block):
            words = shlex.split(line)
            url = next(word for word in words if word.startswith("$SIM")).replace("$SIM", sim.url)
            method = words[words.index("-X") + 1] if "-X" in words else "GET"
            body = words[words.index("-d") + 1].encode() if "-d" in words else None
            assert {"--cacert", "-X", "-d"} >= {word for word in words[1:] if word.startswith("-")}
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
            try:
                with urllib.request.urlopen(request, context=context, timeout=20) as answer:
                    json.loads(answer.read())
            except urllib.error.HTTPError as error:
                raise AssertionError(f"{method} {url}: {error.code} {error.read()!r}") from None


# ── Python ────────────────────────────────────────────────────────────────────────────────────────────────────────────

SCRIPTS: dict[Path, list[Block]] = {}
for _block in _of("python"):
    if _block.page.name not in {
        "write-a-plugin.md",
        "first-plugin.md",
        "hooks.md",
    }:  # test_docs, test_fresh_environment, test_hooks
        SCRIPTS.setdefault(_block.page, []).append(_block)


class MyPlugin:
    """What a page that shows how to test a plugin calls the reader's own."""

    @hookimpl
    def nhirx_record_accepted(self, reference: str | None) -> None:
        self.reference = reference


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """A folder like a reader's: the scanned sheet, the pharmacy's export beside it, settings that lead to a sandbox."""
    prescription = json.loads(sample("demo-prescription.json").read_text("utf-8"))
    (tmp_path / "處方箋.jpg").write_bytes(sample("demo-sheet.jpg").read_bytes())
    (tmp_path / "export").mkdir()
    sheet, line = prescription["sheet"], prescription["orders"][0]
    cells = {
        "reference": "R1",
        "visit_id": sheet["visit_id"],
        "visit_serial": sheet["visit_serial"],
        "institution": sheet["institution"],
        "visited_at": sheet["visited_at"],
        "national_id": prescription["patient"]["national_id"],
        "birth_date": prescription["patient"]["birth_date"],
        "diagnoses": "I10",
        "days": "7",
        "payment_category": "4",
        "fee": "300",
        "order_code": line["code"],
        "order_usage": "QD",
        "order_days": "7",
        "order_total": "7",
        "order_route": "PO",
    }
    (tmp_path / "export" / "a.csv").write_text(",".join(cells) + "\n" + ",".join(cells.values()) + "\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    moment = datetime(2026, 11, 20, 9, 0, 13, tzinfo=nhirx.roc.TAIPEI)
    with Simulator(tmp_path / "sim", clock=lambda: moment, behaviour=Behaviour(result_polls=0, auto_start=True)) as sim:
        settings = sim.settings()
        options = {"csv": {"folder": str(tmp_path / "export")}}
        plugins = settings.plugins.model_copy(update={"options": options})
        monkeypatch.setattr(nhirx.settings, "load", lambda *_: settings.model_copy(update={"plugins": plugins}))
        monkeypatch.setattr("nhirx.host._now", lambda: moment)
        # The default of an argument was taken when the class was made.
        monkeypatch.setitem(nhirx.Host.__init__.__kwdefaults__, "clock", lambda: moment)
        yield lambda text: text


@pytest.mark.parametrize("page", SCRIPTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python(page, desk, request, capsys):
    """The blocks of a page, one after the other in one namespace; tests that a page shows are run with their fixtures."""
    namespace: dict[str, Any] = {"MyPlugin": MyPlugin, "hookimpl": hookimpl, "Prescription": Prescription, "Finding": Finding}
    for block in SCRIPTS[page]:
        exec(compile(desk(block.text), block.name, "exec"), namespace)
        for name in [name for name in namespace if name.startswith("test_")]:
            test = namespace.pop(name)
            test(**{each: request.getfixturevalue(each) for each in test.__code__.co_varnames[: test.__code__.co_argcount]})
