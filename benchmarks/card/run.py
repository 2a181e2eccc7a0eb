"""What the ways to the card cost, beside the bare calls they are made of.

    python benchmarks/card/run.py [--rounds N] [--json]

PC/SC: list, connect, SELECT, read, disconnect through a real service and an emulated card, against the same five pyscard
calls with nothing around them. Allowed: 1.2 times.
6.0: a dispensing with ten lines over TLS against the simulator, against the time of its own HTTP exchanges.
Allowed: 15 % on top. 5.x: one read through the helper, and the start of the helper.
Exit status 1 where a limit is passed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

PCSC_LIMIT, CONTROL_LIMIT = 1.2, 1.15


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=["pcsc"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part == "pcsc":
        print(json.dumps(pcsc_inside(chosen.rounds)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        figures = {"pcsc": pcsc(Path(folder), chosen.rounds)}
        figures["control6"] = control6(Path(folder), max(10, chosen.rounds // 4))
        figures["cshis"] = cshis(Path(folder), chosen.rounds)
    good = figures["pcsc"]["ratio"] <= PCSC_LIMIT and figures["control6"]["ratio"] <= CONTROL_LIMIT
    if chosen.json:
        print(json.dumps(figures))
    else:
        for name, values in figures.items():
            print(name, "  ".join(f"{key}={value}" for key, value in values.items()))
        print("within limits" if good else "LIMIT PASSED")
    return 0 if good else 1


def alternating(one: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of each, in turns, so that whatever else the machine does meets both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, into in ((one, taken[0]), (other, taken[1])):
            began = time.perf_counter()
            call()
            into.append(time.perf_counter() - began)
    return taken


def milliseconds(times: list[float]) -> float:
    return round(statistics.median(times) * 1000, 3)


# ── PC/SC ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pcsc(folder: Path, rounds: int) -> dict[str, float]:
    """In a process of its own: the private service's socket has to be named before the first call."""
    from tests.real.conftest import Agent, Service, Slot, wait_for

    home = folder / "pcsc"
    home.mkdir()
    service = Service(home)
    slot = Slot(service, 0)
    agent = Agent(service.socket_name)
    try:
        slot.insert("nul-padded")
        wait_for(lambda: "holder" in agent("read"), "the card")
        environment = {**os.environ, "PCSCLITE_CSOCK_NAME": str(service.socket_name), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, __file__, "--part", "pcsc", "--rounds", str(rounds)]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        return json.loads(done.stdout)
    finally:
        agent.close()
        slot.pull()
        service.stop()


def pcsc_inside(rounds: int) -> dict[str, float]:
    from smartcard.System import readers

    from nhirx.card import apdu
    from nhirx.card.pcsc import PcscReader

    select, read = list(apdu.SELECT_FORMS[0]), list(apdu.READ_FORMS[0])

    def bare() -> None:
        connection = readers()[0].createConnection()
        connection.connect()
        connection.transmit(select)
        data, *_ = connection.transmit(read)
        connection.disconnect()
        connection.release()
        assert len(data) == 57

    reader = PcscReader()
    for warm in (bare, reader.read_holder):
        for _ in range(5):
            warm()
    ours, theirs = alternating(reader.read_holder, bare, rounds)
    return {
        "ours_ms": milliseconds(ours),
        "bare_ms": milliseconds(theirs),
        "ratio": round(statistics.median(ours) / statistics.median(theirs), 3),
    }


# ── control software 6.0 ─────────────────────────────────────────────────────────────────────────────────────────────


def control6(folder: Path, rounds: int) -> dict[str, float]:
    from nhirx import http
    from nhirx.card.base import CardOrder
    from nhirx.card.control6 import Control6
    from nhirx.sim.simulator import Simulator

    exchanges: list[float] = []
    original = http.JsonService.request

    def timed(self: http.JsonService, *arguments: object, **options: object) -> object:
        began = time.perf_counter()
        try:
            return original(self, *arguments, **options)  # type: ignore[arg-type]
        finally:
            exchanges.append(time.perf_counter() - began)

    orders = [CardOrder("1", f"A{number:09d}", "TIDPC", 7, 21.0, "", "02") for number in range(10)]
    with Simulator(folder / "sim") as sim:
        sim.insert_card()
        control = Control6(sim.settings())
        http.JsonService.request = timed  # type: ignore[method-assign, assignment]
        try:
            control.read_holder()
            ratios, whole, count = [], [], 0
            for _ in range(rounds):
                exchanges.clear()
                began = time.perf_counter()
                holder = control.read_holder()
                reading = control.visit_number(visit_category="AF")
                control.write_orders(reading, holder, orders)
                control.upload_signature()
                taken = time.perf_counter() - began
                whole.append(taken)
                ratios.append(taken / sum(exchanges))
                count = len(exchanges)
        finally:
            http.JsonService.request = original  # type: ignore[method-assign]
            control.close()
    return {"dispensing_ms": milliseconds(whole), "exchanges": count, "ratio": round(statistics.median(ratios), 4)}


# ── control software 5.x ─────────────────────────────────────────────────────────────────────────────────────────────


def cshis(folder: Path, rounds: int) -> dict[str, float]:
    from tests.card.benches import CshisBench, built_library

    bench = CshisBench(folder, built_library(folder))
    began = time.perf_counter()
    bench.control.read_holder()
    started = time.perf_counter() - began
    reads, _ = alternating(bench.control.read_holder, lambda: None, rounds)
    bench.close()
    return {"read_ms": milliseconds(reads), "first_ms": round(started * 1000, 1)}


if __name__ == "__main__":
    sys.exit(main())
