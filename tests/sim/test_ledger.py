"""What is on disk when the answer goes out, and what a restart finds."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from nhirx.roc import TAIPEI
from nhirx.sim import Behaviour, Simulator
from nhirx.sim.ledger import Ledger


def test_a_restart_knows_everything(tmp_path: Path, make_client: Any) -> None:
    """Numbers, records, card updates, register of institutions and certificate outlive the process."""
    folder = tmp_path / "sandbox"
    with Simulator(folder, behaviour=Behaviour(result_polls=0, auto_start=True)) as first:
        client = make_client(first)
        first.insert_card(expired=True)
        client.post("/api/v1/HcContent/Update", **client.signed("04"))
        record, late = client.records.normal(), client.records.normal()
        opcode = client.upload(client.records.xml(record))["Opcode"]
        fingerprint = first.fingerprint
    with Simulator(folder, behaviour=Behaviour(result_polls=0, auto_start=True)) as second:
        client = make_client(second)
        assert second.fingerprint == fingerprint
        assert second.ledger.state_of(record["M15"]) == "accepted"
        assert set(second.ledger.issued()) == {record["M15"], late["M15"]}
        assert client.download(opcode)["RtnCode"] == "0000"
        assert client.codes(late) == []
        again = client.post("/api/v1/TreatmentNumber/Card", treatmentDateTime=late["M11"], **client.signed("03"))
        assert again["statusCode"] == 0


def test_a_signature_does_not_outlive_a_restart(tmp_path: Path, make_client: Any) -> None:
    """Nothing remembers which were used before, so none of them counts."""
    with Simulator(tmp_path, behaviour=Behaviour(auto_start=True)) as first:
        signed = make_client(first).signed("01")
    with Simulator(tmp_path, behaviour=Behaviour(auto_start=True)) as second:
        assert make_client(second).post("/api/v1/BasicData/Query", **signed)["statusCode"] == 3100


def test_a_restart_within_a_second_makes_no_id_twice(tmp_path: Path, make_client: Any) -> None:
    """With the clock stopped, numbers before and after are all different."""
    moment = datetime(2026, 3, 1, 12, 0, 0, tzinfo=TAIPEI)
    made = []
    for _ in range(3):
        with Simulator(tmp_path, clock=lambda: moment, behaviour=Behaviour(auto_start=True)) as sim:
            client = make_client(sim)
            made += [client.number()["treatmentNumber"], client.no_card_id()["treatmentNumber"]]
    assert len(set(made)) == 6


def test_half_a_line(tmp_path: Path) -> None:
    """A line that a killed process left behind is dropped, everything before it stays."""
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.append({"event": "orders", "n": 1})
    ledger.append({"event": "orders", "n": 2})
    ledger.close()
    path.write_bytes(path.read_bytes() + b'{"event":"orders","n":')
    again = Ledger(path)
    again.append({"event": "orders", "n": 3})
    assert [event["n"] for event in again.events()] == [1, 2, 3]
    again.close()


def test_only_half_a_line(tmp_path: Path) -> None:
    """A ledger that holds nothing else begins empty."""
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b'{"event":')
    ledger = Ledger(path)
    assert list(ledger.events()) == []
    ledger.close()
