"""A smart card service of one's own: pcscd with a private socket, a virtual reader with two slots, cards as processes.

Every worker of a parallel run has its own; nothing is started as root, nothing touches the machine's own service.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
T = TypeVar("T")
PATIENCE = 15.0
"""Seconds within which anything here has to happen; it takes some tenths."""


def wait_for(condition: Callable[[], T], what: str) -> T:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited {PATIENCE} s for {what}")


class Agent:
    """The process of ``agent.py``: ``agent("read")`` is its answer."""

    def __init__(self, socket_name: Path) -> None:
        environment = {**os.environ, "PCSCLITE_CSOCK_NAME": str(socket_name)}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("agent.py"))],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, command: str, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


class Service:
    """pcscd with one virtual reader of two slots (``ports[0]`` and ``ports[1]``)."""

    def __init__(self, folder: Path, *, with_reader: bool = True) -> None:
        self.folder = folder
        self.socket_name = folder / "s"
        self.ports = _two_free_ports()
        configuration = folder / "conf"
        configuration.mkdir()
        if with_reader:
            assert DRIVER.exists(), f"{DRIVER} is missing: apt-get install vsmartcard-vpcd"
            (configuration / "vpcd").write_text(
                f'FRIENDLYNAME "Test Reader"\nDEVICENAME /dev/null:0x{self.ports[0]:X}\n'
                f"LIBPATH {DRIVER}\nCHANNELID 0x{self.ports[0]:X}\n"
            )
        self._process: subprocess.Popen[bytes] | None = None
        self._with_reader = with_reader
        self.start()

    def start(self) -> None:
        daemon = shutil.which("pcscd", path="/usr/sbin:/usr/bin:/sbin:/bin") or "pcscd"
        self.socket_name.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.socket_name))
        listener.listen()
        listener.set_inheritable(True)
        options = ["--foreground", "--error", "--config", str(self.folder / "conf")]
        if b"disable-polkit" in subprocess.run([daemon, "--help"], capture_output=True, check=False).stdout:
            options.append("--disable-polkit")
        # pcscd takes the socket as file descriptor 3 from whoever claims, by process number, to be its service manager.
        number = listener.fileno()
        move = f"exec 3<&{number}; " if number != 3 else ""
        self._process = subprocess.Popen(
            ["bash", "-c", move + 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" "$@"', daemon, *options],
            pass_fds=(number,),
            stderr=subprocess.DEVNULL,
        )
        listener.close()
        if self._with_reader:
            wait_for(self._listening, "the virtual reader")

    def _listening(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "pcscd ended at once"
        # A connection would count as a card, so the kernel's list is read instead.
        return f":{self.ports[0]:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
            self._process.kill()
            self._process.wait()
            self._process = None


class Slot:
    """One slot of the reader. ``insert`` puts a card in, ``pull`` takes it out; the service sees both a little later."""

    def __init__(self, service: Service, number: int) -> None:
        self.port = service.ports[number]
        self._log = service.folder / f"slot-{number}.jsonl"
        self._card: subprocess.Popen[bytes] | None = None

    def insert(self, card: str) -> None:
        self.pull()
        self._log.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._card = subprocess.Popen(
                [sys.executable, "-m", "nhirx.sim.vpcd_card", "--port", str(self.port), "--card", card, "--trace"],
                stdout=log,
            )
        wait_for(self._lines, "the card")
        assert self._lines()[0] == {"card": card, "port": self.port}

    def commands(self) -> list[str]:
        """The first bytes of the commands the card has seen."""
        return [line["command"] for line in self._lines()[1:]]

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]

    def pull(self) -> None:
        if self._card is not None:
            self._card.terminate()
            self._card.wait(PATIENCE)
            self._card = None


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    started = Service(tmp_path_factory.mktemp("pcsc"))
    yield started
    started.stop()


@pytest.fixture
def agent(service: Service) -> Iterator[Agent]:
    started = Agent(service.socket_name)
    yield started
    started.close()


@pytest.fixture
def slots(service: Service) -> Iterator[tuple[Slot, Slot]]:
    pair = Slot(service, 0), Slot(service, 1)
    yield pair
    for slot in pair:
        slot.pull()


@pytest.fixture
def settled(agent: Agent) -> Callable[..., dict[str, Any]]:
    """Reads until the answer is no longer one of ``passing`` error codes: the service looks at a slot every 0.4 s."""

    def read(*passing: str, **arguments: Any) -> dict[str, Any]:
        def answer() -> dict[str, Any] | None:
            given = agent("read", **arguments)
            return None if "error" in given and given["error"]["code"] in passing else given

        return wait_for(answer, f"an answer other than {passing}")

    return read


def _two_free_ports() -> tuple[int, int]:
    """A port whose successor is free too: the second slot listens one above the first.

    They lie below the range the system gives to outgoing connections, so nobody gets them by chance before pcscd does.
    """
    for _ in range(200):
        port = random.randrange(12_000, 30_000, 2)
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("", port))
            second.bind(("", port + 1))
            return port, port + 1
    raise AssertionError("no two free ports in a row")
