"""Programs in other languages, as the documents show them: compiled here, and run against a real counter."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nhirx.counter.app import create_app
from nhirx.counter.demo import demo
from nhirx.counter.people import Keys
from nhirx.counter.serve import Address, Server
from nhirx.demo import sample

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "docs" / "clients" / "NhirxClient.cs"
EXPECTED = ["nhirx 0.1.0", "scan: found", "action: upload", "dispensing: queued", "record: accepted"]


@dataclass(frozen=True)
class Running:
    url: str
    key: str


@pytest.fixture
def counter() -> Iterator[Running]:
    """A counter with everything simulated, on a free port, and a key to it."""
    with demo() as (host, options, _sim):
        server = Server(host, options, Address())
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield Running(server.url, Keys(options.folder).add("vendor"))
        server.stop()
        thread.join(20)


def program(page: str, folder: Path) -> Path:
    """The titled block of a page, written where it is compiled."""
    text = (ROOT / "docs" / "howto" / page).read_text("utf-8")
    ((name, source),) = re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', text, flags=re.S | re.M)
    path = folder / name
    path.write_text(source, "utf-8")
    return path


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, check=False)


def needed(name: str, package: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: apt-get install -y --no-install-recommends {package}"
    return found


@pytest.fixture(scope="module")
def compiled_csharp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Program.exe: the page's program with the client of this repository, in the C# of ten years ago."""
    folder = tmp_path_factory.mktemp("csharp")
    source = program("csharp.md", folder)
    built = run(needed("mcs", "mono-mcs"), "-langversion:5", "-warnaserror", f"-out:{folder / 'Program.exe'}", source, CLIENT)
    assert 0 == built.returncode, built.stdout + built.stderr
    return folder / "Program.exe"


def test_client_is_that_of_the_running_counter(tmp_path):
    """The file in docs/ is what the generator makes of today's description."""
    with demo() as (host, options, _sim):
        description = create_app(host, options).openapi()
    made = run_generator(description, tmp_path)

    # Its comments may be a word behind; what is compiled may not.
    assert _code(made) == _code(CLIENT.read_text("utf-8")), "python tests/contract/test_vendors.py writes it anew"


def _code(source: str) -> list[str]:
    return [line for line in source.splitlines() if not line.lstrip().startswith("//")]


def run_generator(description: dict[str, object], folder: Path) -> str:
    import json
    import sys

    (folder / "openapi.json").write_text(json.dumps(description), "utf-8")
    words = [sys.executable, ROOT / "docs" / "clients" / "csharp_client.py", folder / "openapi.json", folder / "out.cs"]
    assert "" == run(*words).stderr
    return (folder / "out.cs").read_text("utf-8")


def test_the_page_shows_what_is_printed():
    """The lines that the programs of this page print, told to the reader beforehand."""
    assert "\n".join(EXPECTED[1:]) in (ROOT / "docs" / "howto" / "csharp.md").read_text("utf-8")


def test_csharp_program_dispenses(counter, compiled_csharp):
    """From the scanned sheet to the accepted record."""
    ended = run(needed("mono", "mono-runtime"), compiled_csharp, counter.url, counter.key, sample("demo-sheet.jpg"))

    assert EXPECTED == [line for line in ended.stdout.splitlines() if not re.match(r"(info|warn): ", line)], ended.stderr
    assert 0 == ended.returncode


def test_csharp_program_shows_refusals(counter, compiled_csharp, tmp_path):
    """A wrong key and a broken file come back as code and words, never as a crash."""
    mono = needed("mono", "mono-runtime")
    wrong = run(mono, compiled_csharp, counter.url, "wrong", sample("demo-sheet.jpg"))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    broken = run(mono, compiled_csharp, counter.url, counter.key, tmp_path / "broken.jpg")
    nobody = run(mono, compiled_csharp, "http://127.0.0.1:9", counter.key, sample("demo-sheet.jpg"))

    assert (2, True) == (wrong.returncode, wrong.stdout.startswith("401 session-needed") and "nhirx counter key" in wrong.stdout)
    assert broken.returncode in {1, 2}
    assert (2, True) == (nobody.returncode, nobody.stdout.startswith("0 not-reached"))
    assert "" == wrong.stderr + broken.stderr + nobody.stderr


def test_pascal_program_dispenses(counter, tmp_path):
    """The Delphi page's program, compiled by Free Pascal."""
    source = program("delphi.md", tmp_path)
    built = run(needed("fpc", "fp-compiler fp-units-fcl"), "-v0", f"-FE{tmp_path}", source)
    ended = run(tmp_path / "nhirxdemo", counter.url, counter.key, sample("demo-sheet.jpg"))
    wrong = run(tmp_path / "nhirxdemo", counter.url, "wrong", sample("demo-sheet.jpg"))

    assert 0 == built.returncode, built.stdout
    assert EXPECTED == ended.stdout.splitlines(), ended.stdout + ended.stderr
    assert (2, True) == (wrong.returncode, wrong.stdout.startswith("401 ") and "請" in wrong.stdout)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name, demo() as (the_host, the_options, _):
        CLIENT.write_text(run_generator(create_app(the_host, the_options).openapi(), Path(name)), "utf-8", newline="\n")
