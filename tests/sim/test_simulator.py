"""The simulator as a Python object, its certificate, and how it behaves under many requests."""

from __future__ import annotations

import gc
import ssl
import threading
import time
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nhirx.sim import PEOPLE, Behaviour, Simulator
from nhirx.sim.certificates import certificates


def test_settings_point_at_it(sim: Any) -> None:
    """Everything a pharmacy sets, ready to use, with certificate checks on."""
    settings = sim.settings()
    assert settings.pharmacy.institution == "5901234567"
    assert settings.pharmacy.pharmacist == "B200000002"
    assert {service.url for service in (settings.control.local, settings.control.data_centre, settings.upload.service)} == {
        sim.url
    }
    assert {service.ca_file for service in (settings.control.local, settings.upload.service)} == {sim.ca_file}


def test_the_card_can_be_changed(sim: Any) -> None:
    """王小明 unless told otherwise."""
    assert sim.insert_card().name == "王小明"
    assert sim.insert_card(PEOPLE[1]).national_id == "A223456781"
    sim.remove_card()
    assert sim.world.slot.person is None


def test_another_pharmacy(tmp_path: Path, make_client: Any) -> None:
    """Institution, SAM and pharmacist are the caller's to choose."""
    behaviour = Behaviour(auto_start=True, result_polls=0)
    with Simulator(tmp_path, institution="5909999999", sam_id="SAM000000042", behaviour=behaviour) as sim:
        client = make_client(sim)
        record = client.records.normal()
        assert (record["M05"], record["M01"]) == ("5909999999", "SAM000000042")
        assert client.codes(record) == []


def test_stopping_ends_open_requests(tmp_path: Path, make_client: Any) -> None:
    """A request that hangs for an hour does not keep the simulator alive."""
    from nhirx.errors import TransportError

    sim = Simulator(tmp_path).start()
    sim.fail("*", "hang")
    caught: list[Exception] = []

    def ask() -> None:
        try:
            make_client(sim).get("/api/common/v1/Status")
        except TransportError as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while sim.faults.waiting():
        time.sleep(0.01)
    sim.stop()
    asking.join(timeout=4)
    assert (asking.is_alive(), len(caught)) == (False, 1)
    sim.stop()


def test_certificates_are_made_once(tmp_path: Path) -> None:
    """The same files serve until they are about to end."""
    first = certificates(tmp_path)
    assert certificates(tmp_path) == first
    short = certificates(tmp_path, renew=True, valid=timedelta(hours=1))
    assert short.fingerprint != first.fingerprint
    assert certificates(tmp_path).fingerprint != short.fingerprint


def test_the_certificate_chain_is_a_strict_one(tmp_path: Path) -> None:
    """Verified as newer Pythons do by default."""
    with Simulator(tmp_path) as sim:
        context = ssl.create_default_context(cafile=str(sim.ca_file))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        import socket

        for host in ("localhost", "127.0.0.1"):
            with (
                socket.create_connection(("127.0.0.1", sim.port), 5) as raw,
                context.wrap_socket(raw, server_hostname=host) as tls,
            ):
                assert tls.version() == "TLSv1.3"


@pytest.mark.parametrize("threads", [4])
def test_many_at_once(ready: Any, make_client: Any, sim: Any, threads: int) -> None:
    """Counters that work at the same time get different IDs, and all their records arrive."""
    made: list[str] = []
    problems: list[BaseException] = []

    def work() -> None:
        try:
            client = make_client(sim)
            for _ in range(10):
                record = client.records.normal()
                made.append(record["M15"])
                assert client.upload(client.records.xml(record))["RtnCode"] == "0000"
        except BaseException as error:
            problems.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert problems == []
    assert len(set(made)) == threads * 10
    assert sim.ledger.summary() == {"issued": threads * 10, "accepted": threads * 10, "deleted": 0, "uploads": threads * 10}


def test_memory_stays_flat(ready: Any, records: Any) -> None:
    """Uploads of ten kilobytes leave next to nothing behind: the ledger is on disk."""
    record = records.normal()
    xml = records.xml(record | {"orders": [record["orders"][0] | {"D03": f"{number:03d}"} for number in range(50)]})
    for _ in range(10):
        ready.upload(xml)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        ready.upload(xml)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(xml) > 10_000
    assert grown / 50 < len(xml) / 2
