"""From nothing: a new virtual environment, the wheel, and what the documents say, line by line.

No registry is asked: the environment finds the wheels of the dependencies' installed files through links, and everything
that is nhirx's own is left out of them, so that what is used is the wheel and nothing of this checkout.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import urllib.request
import venv
from pathlib import Path

import pytest


def _environment(folder: Path) -> Path:
    """A virtual environment with all dependencies and without nhirx and its plugins; its programs' folder."""
    venv.create(folder, symlinks=True, with_pip=False)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    (site,) = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True, check=True
    ).stdout.split()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not re.match(r"(__editable__.*|_?nhirx.*|.*\.pth|_virtualenv.*|my_shop.*|__pycache__)$", path.name):
            (Path(site) / path.name).symlink_to(path)
    pip = programs / "pip"
    pip.write_text(f'#!/bin/sh\nexec {python} -m pip "$@"\n')
    pip.chmod(0o755)
    return programs


def _variables(programs: Path, wheel: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "NHIRX", "PYTEST", "COV"))}
    return kept | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this variable the wrong way round: 0 means no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "NHIRX_LANG": "en",
    }


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> tuple[Path, dict[str, str]]:
    """Programs and variables of an environment into which the wheel was installed."""
    programs = _environment(tmp_path_factory.mktemp("fresh") / "venv")
    variables = _variables(programs, wheel)
    subprocess.run([programs / "pip", "install", "-q", "nhirx"], env=variables, check=True, capture_output=True)
    return programs, variables


def titled(text: str) -> dict[str, str]:
    """The files that a page has the reader write: fenced blocks with a title."""
    return dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', text, flags=re.S | re.M))


def test_first_plugin_by_the_document_alone(tmp_path, wheel, repository):
    """Every command and every file of the page, in its order, in an environment that holds nothing of ours."""
    text = (repository / "docs" / "howto" / "first-plugin.md").read_text("utf-8")
    files = titled(text)
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, flags=re.S | re.M))
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    programs = _environment(tmp_path / "shop")
    # The page makes the environment itself; here it is there already, with the dependencies linked in.
    script = script.replace("python3 -m venv shop\n", "")
    ended = subprocess.run(
        ["sh", "-e"], input=script, cwd=tmp_path, env=_variables(programs, wheel), capture_output=True, text=True, timeout=300
    )

    assert 0 == ended.returncode, ended.stdout + ended.stderr
    assert "my-shop（my-shop 1.0）  loaded" in ended.stdout
    assert "1 passed" in ended.stdout
    assert len([line for line in files["my-shop/my_shop.py"].splitlines() if line.strip()]) < 40
    assert str(repository) not in ended.stdout
    assert "R 7 accepted" == _at_the_counter(tmp_path, programs, _variables(programs, wheel))


_LAST_SECTION = """
import time
from pathlib import Path
from nhirx import Host
from nhirx.settings import load

with Host(load()) as host:
    [scan] = host.scan(Path("sheet.png"))
    found = host.find_prescription(scan)
    done = host.dispense(found, host.facts(found, scan=scan))
    worker = host.worker()
    end = time.monotonic() + 200
    while (state := host.outbox.queue.item(done.queued).state) != "accepted" and time.monotonic() < end:
        host.outbox.queue.hurry()
        worker.step()
        time.sleep(0.02)
    print("R", found.reference, state)
"""


def _at_the_counter(folder: Path, programs: Path, variables: dict[str, str]) -> str:
    """The page's last section; what its reader does on the counter's page is done here by the host behind it."""
    words = ["sim", "--data", "sandbox", "--auto-start", "--settings", "sandbox.toml", "--sheet", "sheet.png"]
    with subprocess.Popen([programs / "nhirx", *words], cwd=folder, env=variables, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            assert sandbox.stdout is not None
            assert "sheet.json" == json.loads(sandbox.stdout.readline())["prescription"]
            quick = "printf '[upload]\\npoll_first = 0.0\\n' >> sandbox.toml"
            script = f"python fill.py\ncat nhirx.toml >> sandbox.toml\n{quick}\npython - <<'END'\n{_LAST_SECTION}END\n"
            own = variables | {"NHIRX_CONFIG": "sandbox.toml", "NHIRX_DATA": "sandbox"}
            ended = subprocess.run(
                ["sh", "-e"], input=script, cwd=folder, env=own, capture_output=True, text=True, timeout=300, check=False
            )
        finally:
            sandbox.kill()
    assert 0 == ended.returncode, ended.stderr
    return ended.stdout.strip()


def test_wheel_alone_does_the_main_job(environment, tmp_path):
    """Nothing but the wheel: the demo from any folder, and a scan of the sheet that travels with it."""
    programs, variables = environment
    demo = subprocess.run(
        [programs / "nhirx", "demo", "--json"], env=variables, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    where = subprocess.run(
        [programs / "python", "-c", "import nhirx.demo as d; print(d.sample('demo-sheet.jpg'))"],
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    scan = subprocess.run(
        [programs / "nhirx", "scan", where, "--json"], env=variables, cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert "accepted" == json.loads(demo.stdout.splitlines()[-1])["upload"]["state"]
    assert "found" == json.loads(scan.stdout)["status"]
    assert str(tmp_path.parent) in where or "fresh" in where


def test_every_command_of_the_wheel_starts(environment, tmp_path):
    """Each command's help, so that no module is missing from the wheel."""
    programs, variables = environment
    code = (
        "import sys\nfrom nhirx import cli\nimport typer\n"
        "for name in cli.COMMANDS:\n    app = typer.Typer()\n    cli.load(name).register(app)\n    print(name)\n"
    )
    ended = subprocess.run(
        [programs / "python", "-c", code], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (0, "") == (ended.returncode, ended.stderr)
    assert "docs" in ended.stdout.split()
    assert sys.version_info[:2] >= (3, 11)


def test_wheel_serves_the_manual_it_carries(environment, tmp_path):
    """Nothing is built and nothing is fetched: the site out of the wheel, in both languages."""
    programs, variables = environment
    words = [programs / "nhirx", "docs", "--no-open", "--json"]
    with subprocess.Popen(words, env=variables, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            url = json.loads(running.stdout.readline())["url"]
            texts = []
            for page in (url, url.replace("/en/index.html", "/rules/dispensing.html")):
                with urllib.request.urlopen(page, timeout=60) as answer:
                    texts.append(answer.read().decode())
        finally:
            running.kill()

    assert url.endswith("/en/index.html")
    assert all("md-search" in text for text in texts)


def test_one_folder_with_everything(tmp_path, wheel, repository):
    """Built, moved, and used without any Python of this machine in reach: it reads the demo's sheet."""
    words = [
        sys.executable,
        str(repository / "docs" / "packaging" / "folder.py"),
        "--out",
        str(tmp_path / "a"),
        "--wheel",
        str(wheel),
    ]
    built = subprocess.run(words, capture_output=True, text=True, check=True)
    again = subprocess.run(words, capture_output=True, text=True, check=False)
    (tmp_path / "a").rename(tmp_path / "moved")
    sheet = tmp_path / "moved" / "app" / "nhirx" / "samples" / "demo-sheet.jpg"
    scan = subprocess.run(
        [tmp_path / "moved" / "nhirx", "scan", "--json", str(sheet)],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    used = "import sys, nhirx; print(nhirx.__file__, *sys.path)"
    paths = subprocess.run(
        [tmp_path / "moved" / "python" / "bin" / "python3", "-c", used],
        env={
            "PYTHONHOME": str(tmp_path / "moved" / "python"),
            "PYTHONPATH": str(tmp_path / "moved" / "app"),
            "PYTHONNOUSERSITE": "1",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert " MB" in built.stdout
    assert 2 == again.returncode
    assert 0 == scan.returncode, scan.stderr
    assert "found" == json.loads(scan.stdout)["status"]
    assert {True} == {path.startswith(str(tmp_path / "moved")) for path in paths}
