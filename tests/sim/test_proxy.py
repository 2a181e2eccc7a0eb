"""The proxy between client and sandbox: what each fault looks like, and that only what was told is spoilt."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from nhirx.errors import AnswerMalformed, NhirxError, ServiceTimeout, ServiceUnreachable, TlsRefused, TransportError
from nhirx.http import JsonService
from nhirx.settings import ServiceSettings
from nhirx.sim.proxy import KINDS, Proxy, Spoil

_PATH = "/api/common/v1/Status"


@pytest.fixture
def proxy(sim: Any) -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", sim.port)) as running:
        yield running


@pytest.fixture
def through(proxy: Proxy, sim: Any) -> Iterator[JsonService]:
    service = JsonService(ServiceSettings(url=proxy.url, ca_file=sim.ca_file, timeout=5.0))
    yield service
    service.close()


def test_nothing_is_changed_unless_told(through: JsonService, proxy: Proxy) -> None:
    """TLS goes through end to end; the certificate is the simulator's."""
    assert [through.get(_PATH)["statusCode"] for _ in range(5)] == [0] * 5
    assert proxy.spoilt == []


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        (Spoil("refuse"), (ServiceUnreachable,)),
        (Spoil("reset"), (ServiceUnreachable, TlsRefused)),
        (Spoil("reset", after=2100), (ServiceUnreachable, AnswerMalformed)),
        (Spoil("close"), (ServiceUnreachable, TlsRefused, AnswerMalformed)),
        (Spoil("hang"), (ServiceTimeout,)),
        (Spoil("late", seconds=3), (ServiceTimeout,)),
        (Spoil("corrupt", after=300), (ServiceUnreachable, TlsRefused, AnswerMalformed)),
    ],
    ids=lambda value: f"{value.kind}-{value.after}" if isinstance(value, Spoil) else "",
)
def test_what_the_client_sees(through: JsonService, proxy: Proxy, fault: Spoil, errors: tuple[type[NhirxError], ...]) -> None:
    """One connection is spoilt, the next is whole."""
    proxy.script(fault)
    # Handshake and answer together are shorter than two thousand bytes, unless the answer is long.
    path = "/sim/state" if fault.after > 2000 else _PATH
    with pytest.raises(errors):
        through.get(path, timeout=0.5 if fault.kind in {"hang", "late"} else 5.0)
    assert through.get(_PATH)["statusCode"] == 0
    assert proxy.spoilt == [fault]


def test_slow_is_only_slow(through: JsonService, proxy: Proxy) -> None:
    """Every byte arrives in the end."""
    proxy.script(Spoil("slow", seconds=0.4))
    started = time.monotonic()
    assert through.get(_PATH)["statusCode"] == 0
    assert time.monotonic() - started > 0.3


def test_nobody_listens(through: JsonService, proxy: Proxy) -> None:
    """A real refusal, and back on the same port."""
    proxy.down()
    with pytest.raises(ServiceUnreachable) as caught:
        through.get(_PATH)
    assert caught.value.detail["reached"] is False
    proxy.up()
    assert through.get(_PATH)["statusCode"] == 0


def test_the_server_is_away(proxy: Proxy, through: JsonService, sim: Any) -> None:
    """The proxy outlives it."""
    sim.stop()
    with pytest.raises(TransportError):
        through.get(_PATH)


def test_chance_is_repeatable(sim: Any) -> None:
    """The same seed spoils the same connections in the same way, and no failure has a name that is not ours."""

    def run(seed: int) -> list[Spoil]:
        with Proxy(("127.0.0.1", sim.port), chance=0.5, seed=seed, seconds=0.05) as one:
            service = JsonService(ServiceSettings(url=one.url, ca_file=sim.ca_file, timeout=0.3))
            for _ in range(30):
                try:
                    assert "statusCode" in service.get(_PATH)
                except TransportError:
                    continue
            service.close()
            return one.spoilt

    first = run(7)
    assert run(7) == first
    assert len({fault.kind for fault in first}) > 3


def test_a_kind_that_does_not_exist() -> None:
    """Said at once, with the list."""
    with pytest.raises(ValueError, match=", ".join(KINDS)):
        Spoil("explode")


def test_as_a_process(sim: Any) -> None:
    """For programs in other languages."""
    words = [sys.executable, "-m", "nhirx.sim.proxy", "--to", f"127.0.0.1:{sim.port}", "--fault", "refuse", "--times", "1"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        info = json.loads(process.stdout.readline())
        service = JsonService(ServiceSettings(url=info["url"], ca_file=sim.ca_file, timeout=5))
        with pytest.raises(ServiceUnreachable):
            service.get(_PATH)
        assert service.get(_PATH)["statusCode"] == 0
        service.close()
    finally:
        process.kill()
        process.communicate()
