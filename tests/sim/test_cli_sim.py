"""``nhirx sim`` as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nhirx.cli.sim import _written
from nhirx.errors import AlreadyThere
from nhirx.host import Host
from nhirx.http import JsonService
from nhirx.model import Prescription
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.settings import ServiceSettings, load

Start = Callable[..., tuple[subprocess.Popen[bytes], dict[str, Any]]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []

    def run(*words: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "nhirx", "sim", "--data", str(tmp_path / "sandbox"), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        running.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    yield run
    for process in running:
        process.kill()
        process.communicate()


def _state(info: dict[str, Any]) -> dict[str, Any]:
    service = JsonService(ServiceSettings(url=info["control_software"], ca_file=Path(info["ca_file"]), timeout=5))
    try:
        return service.get("/sim/state")
    finally:
        service.close()


def test_the_line_it_prints(start: Start) -> None:
    """The contract's members, and a server behind them."""
    process, info = start()
    assert set(info) == {"control_software", "data_centre", "web_api", "card", "ca_file", "fingerprint", "port", "pid"}
    assert (info["pid"], info["card"]) == (process.pid, f"https://127.0.0.1:{info['port']}/sim/card")
    assert _state(info)["institution"] == "5901234567"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_asked(start: Start, number: signal.Signals) -> None:
    """Ctrl-C and a polite kill end it with status 0, and the port is free for the next one."""
    process, info = start()
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, b"", b"")
    _, again = start("--port", str(info["port"]))
    assert (again["port"], again["fingerprint"]) == (info["port"], info["fingerprint"])


def test_it_ends_with_its_parent(start: Start) -> None:
    """With the option, closing standard input ends it."""
    process, _ = start("--until-stdin-closes")
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_port_in_use(tmp_path: Path) -> None:
    """An error in words and exit code 3, no traceback."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        words = [sys.executable, "-m", "nhirx", "sim", "--data", str(tmp_path), "--port", port, "--json"]
        done = subprocess.run(words, capture_output=True, timeout=20, check=False)
    assert (done.returncode, json.loads(done.stdout)["error"]["code"], done.stderr) == (3, "service-unreachable", b"")


def test_auto_start(start: Start) -> None:
    """For a first try without the start-up calls."""
    _, info = start("--auto-start")
    state = _state(info)
    assert (state["initialised"], state["sam_verified"], state["hpc"]["verified"]) == (True, True, True)


def test_settings_and_sheet_are_all_a_pharmacy_needs(start: Start, tmp_path: Path) -> None:
    """A vendor's first try: nhirx with the written settings dispenses the written sheet, from the scan to the acceptance."""
    config, sheet = tmp_path / "nhirx.toml", tmp_path / "sheet.png"
    _, info = start("--auto-start", "--settings", str(config), "--sheet", str(sheet))
    found = Prescription.model_validate_json(Path(info["prescription"]).read_text("utf-8"))
    outbox = Outbox(f"sqlite:///{(tmp_path / 'outbox.sqlite').as_posix()}", ring=KeyRing.new())
    settings = load(Path(info["settings"]))
    quick = settings.upload.model_copy(update={"poll_first": 0.0, "retry_first": 0.01, "retry_limit": 0.05})
    with Host(settings.model_copy(update={"upload": quick}), outbox=outbox, plugins=Plugins(discover=False)) as host:
        [scan] = host.scan(sheet)
        done = host.dispense(found, host.facts(found, scan=scan))
        worker = host.worker()
        for _ in range(100):
            host.outbox.queue.hurry()
            worker.step()
            if (state := host.outbox.queue.item(done.queued).state) == "accepted":
                break

    assert (found.sheet.visit_id, "accepted") == (scan.visit_id, state)


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    """Settings that lead elsewhere stay; those of the same sandbox, started anew, are taken as they are. A sheet is drawn once."""
    config, sheet = tmp_path / "nhirx.toml", tmp_path / "sheet.png"
    same = 'url = "https://127.0.0.1:8443"\n[plugins.options.mine]\na = 1\n'
    config.write_text(same, "utf-8")
    sheet.with_suffix(".json").write_text("{}", "utf-8")

    assert {"settings": str(config)} == _written(SimpleNamespace(url="https://127.0.0.1:8443"), config, None)
    with pytest.raises(AlreadyThere):
        _written(SimpleNamespace(url="https://127.0.0.1:9000"), config, None)
    with pytest.raises(AlreadyThere):
        _written(SimpleNamespace(url="https://127.0.0.1:9000"), None, sheet)
    assert same == config.read_text("utf-8")
    assert not sheet.exists()
