"""The simulated services, and a client of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nhirx.card.control6 import Control6
from nhirx.sim.simulator import Simulator


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path / "sim") as running:
        yield running


@pytest.fixture
def control(sim: Simulator) -> Iterator[Control6]:
    client = Control6(sim.settings())
    yield client
    client.close()


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on."""
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
