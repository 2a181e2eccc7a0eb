"""What the outbox costs, beside the least anybody could do.

``python benchmarks/outbox/run.py [--rows N] [--quick]`` prints one table:

* durable enqueue against bare commits of ``sqlite3`` with the same settings, tables and rows;
* drain against a bare httpx loop that posts the same bodies to the same sandbox over one connection, and again with a sandbox
  that takes 50 ms to answer;
* what both keep of their rates with N (default 1,000,000) finished records in the file;
* memory of a long drain.

Rates are medians of interleaved rounds, so that a busy machine slows both sides alike.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import secrets
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from nhirx.card.control6 import Control6
from nhirx.http import JsonService
from nhirx.model import CheckResult, Receipt, UploadRecord, UploadSignature
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.schema import micros, queue
from nhirx.outbox.store import now
from nhirx.records.once import passed
from nhirx.records.xml import write
from nhirx.settings import Settings
from nhirx.upload import UploadClient, Worker
from nhirx.upload.client import Packed

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def record(number: int) -> UploadRecord:
    visit = "0USE4FA11RP4J" + "".join(ALPHABET[number // 34**place % 34] for place in range(7))
    order = {"D01": "1151120090013", "D02": "1", "D03": "001", "D05": "A", "D06": "AC12345100", "D08": "QD", "D09": "28"}
    order |= {"D04": "A", "D10": "00028.0", "D14": "PO"}
    fields = {
        "H00": "1", "H01": "A", "M01": "SAM000000001", "M02": "000012345678", "M03": "A123456789", "M04": "0501231",
        "M05": "5901234567", "M06": "B200000002", "M07": "AF", "M11": "1151120090013", "M12": "1", "M14": "5A" * 128,
        "M15": visit, "M16": "9" * 20, "M17": "3502060427", "M18": "0007", "M19": "1151118093000", "M20": "28", "M23": "0", "M24": "1", "M35": "I10",
        "M44": "600", "M45": "0", "M51": "4", "M56": "30",
    }  # fmt: skip
    return UploadRecord(fields=fields, orders=tuple(order | {"D03": f"{line:03d}", "D11": "5A" * 20} for line in range(1, 4)))


def rate(work: Callable[[], int]) -> float:
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)


class Bare:
    """The same rows in tables of the same schema, by ``sqlite3`` alone: prepared text, three statements, nothing read or computed."""

    def __init__(self, path: Path, ring: KeyRing) -> None:
        with Outbox(f"sqlite:///{path}", ring=ring) as model:
            model.queue.put(record(0))
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            "busy_timeout = 30000",
        ):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.row_factory = sqlite3.Row
        self.row = dict(self.connection.execute("SELECT * FROM queue").fetchone())
        self.line = dict(self.connection.execute("SELECT * FROM events").fetchone())
        del self.row["id"]
        self.put_row = _insert("queue", self.row)
        self.put_line = _insert("events", self.line)

    def put(self, count: int) -> int:
        row, line = self.row, self.line
        for _ in range(count):
            key = secrets.token_hex(32)
            row.update(lock=key, visit_key=key, due_at=row["due_at"] + 1)
            line.update(seq=line["seq"] + 1, subject_id=line["seq"] + 1)
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute(self.put_row, row)
            self.connection.execute(self.put_line, line)
            self.connection.execute("UPDATE chain SET seq = :seq, digest = :digest", line)
            self.connection.execute("COMMIT")
        return count


def _insert(table: str, row: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(':' + name for name in row)})"


class Enqueue:
    def __init__(self, outbox: Outbox) -> None:
        self.outbox, self.number = outbox, 0

    def built(self, count: int) -> list[UploadRecord]:
        self.number += count
        return [record(self.number - each) for each in range(count)]

    def put(self, records: list[UploadRecord]) -> int:
        for each in records:
            self.outbox.queue.put(each)
        return len(records)


def enqueue(outbox: Outbox, folder: Path, rounds: int, count: int) -> dict[str, float]:
    """Beside the shares what one record costs beyond its commit: the quicker the disk forgets to flush, the more that weighs."""
    bare, ours = Bare(folder / "bare.sqlite", outbox.ring), Enqueue(outbox)
    ours.number = secrets.randbelow(10**8)
    pairs = []
    for _ in range(rounds):
        records = ours.built(count)  # a record is there before it is queued, and the bare one does not build any
        pairs.append((rate(lambda: bare.put(count)), rate(lambda records=records: ours.put(records))))  # type: ignore[misc]
    more = statistics.median(1e6 / mine - 1e6 / theirs for theirs, mine in pairs)
    commit = statistics.median(1e6 / theirs for theirs, _ in pairs)
    return summary(pairs) | {"commit_us": round(commit), "more_us": round(more)}


def summary(pairs: list[tuple[float, float]]) -> dict[str, float]:
    return {
        "bare_per_s": round(statistics.median(bare for bare, _ in pairs), 1),
        "ours_per_s": round(statistics.median(ours for _, ours in pairs), 1),
        "ratio": round(statistics.median(ours / bare for bare, ours in pairs), 3),
        # Other work on the machine slows single rounds; the best of each side shows what is ours.
        "ratio_of_best": round(max(ours for _, ours in pairs) / max(bare for bare, _ in pairs), 3),
    }


def drain(outbox: Outbox, settings: Settings, control: Control6, rounds: int, batches: int) -> dict[str, float]:
    """Signing costs both the same and is the control software's time, so both get their signatures beforehand."""
    context = ssl.create_default_context(cafile=str(settings.upload.service.ca_file))
    size = settings.upload.batch_size
    url = settings.upload.service.url + settings.upload.upload_path

    def signatures(count: int) -> Callable[[], UploadSignature]:
        made = [control.upload_signature() for _ in range(count)]
        return lambda: made.pop()

    with outbox.database.writing() as connection:
        # What the benchmark before this one left is not part of it.
        connection.execute(queue.update().where(queue.c.state == "built").values(state="accepted"))
    pairs = []
    for _ in range(rounds):
        start = secrets.randbelow(10**8)
        records = [record(start + number) for number in range(size * batches)]
        sign = signatures(batches)
        bodies = []
        for first in range(0, len(records), size):
            made = sign()
            data = base64.b64encode(write(records[first : first + size])).decode()
            bodies.append(
                {"sSamId": made.sam_id, "sHospId": made.institution, "sClientRandom": made.client_random,
                 "sSignature": made.signature, "sType": "A1", "sPatData": data, "sUploadDT": "20261120090013000"}
            )  # fmt: skip

        def bare(bodies: list[dict[str, str]] = bodies) -> int:
            with httpx.Client(verify=context, trust_env=False) as client:
                for body in bodies:
                    assert client.post(url, json=body).json()["RtnCode"] == "0000"
            return len(bodies) * size

        for number in range(size * batches):
            each = record(start + 10**9 + number)
            outbox.queue.put(each)
            # As the host does it: a record is checked when it is filled, in the program that sends it on the same day.
            passed.errors(each, now().date())
        client = UploadClient(settings, signatures(batches))
        worker = Worker(outbox, client, clock=now, settings=settings)
        pairs.append((rate(bare), rate(lambda worker=worker: worker.step().sent)))  # type: ignore[misc]
        worker.close()
    return summary(pairs)


def fill(outbox: Outbox, rows: int) -> None:
    """Finished records as a busy chain has them after years, written in bulk by SQLite's own driver."""
    moment = micros(now() - timedelta(days=400))
    row = {
        "state": "accepted", "unique_key": 1, "kind": "A", "record_sealed": outbox.ring.seal(record(1).model_dump_json(), "queue.record"),
        "built_at": moment, "changed_at": moment, "attempts": 0, "due_at": moment, "place": 1, "batch": 30, "sent_at": moment,
        "result_sealed": outbox.ring.seal(CheckResult(accepted=True).model_dump_json(), "queue.result"),
        "lock": "", "visit_key": "", "person_key": "", "opcode": "",
    }  # fmt: skip

    def each(first: int) -> Iterator[dict[str, Any]]:
        for number in range(first, min(first + 50_000, rows)):
            key = f"{number:064x}"
            yield row | {"lock": key, "visit_key": key, "person_key": f"{number % 5000:064x}", "opcode": f"OLD{number // 30}"}

    assert outbox.path is not None
    with contextlib.closing(sqlite3.connect(outbox.path, isolation_level=None)) as connection:
        for first in range(0, rows, 50_000):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_insert("queue", row), each(first))
            connection.execute("COMMIT")


def keeps(
    small: Outbox, full: Outbox, settings: Settings, control: Control6, rounds: int, count: int, batches: int
) -> dict[str, float]:
    """The rates of a full file as shares of those of an empty one, taken in turns."""
    put = {outbox: Enqueue(outbox) for outbox in (small, full)}
    enqueued, drained = [], []
    for one in put.values():
        one.number = secrets.randbelow(10**8)
    for turn in range(2 * rounds):
        # Whoever comes second finds a warmer machine, so they change places; short turns, so that both meet the same load.
        turns = (full, small) if turn % 2 else (small, full)
        built = {outbox: put[outbox].built(count // 2) for outbox in turns}
        puts = {outbox: rate(lambda one=outbox: put[one].put(built[one])) for outbox in turns}  # type: ignore[misc]  # noqa: B023
        enqueued.append(puts[full] / puts[small])
        drains = {outbox: drain(outbox, settings, control, 1, max(batches // 2, 4))["ours_per_s"] for outbox in turns}
        drained.append(drains[full] / drains[small])
    return {"enqueue": round(statistics.median(enqueued), 3), "drain": round(statistics.median(drained), 3)}


def memory() -> float:
    """Resident memory of this process in megabytes (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def soak(outbox: Outbox, settings: Settings, records: int) -> dict[str, float]:
    """A long drain without a network: claim, Opcode, result, and what stays in memory of it."""

    class Far:
        def pack(self, records: Any, *, sign: bool = False) -> Packed:
            return Packed(base64.b64encode(write(records)).decode())

        def send(self, packed: Packed, moment: Any, **_: Any) -> Receipt:
            return Receipt(opcode=f"{moment:%Y%m%d%H%M%S}{secrets.token_hex(6)}", received_at=moment)

        def result(self, opcode: str, places: Any, total: int) -> dict[int, CheckResult]:
            return dict.fromkeys(places, CheckResult(accepted=True))

    worker = Worker(outbox, Far(), clock=now, settings=settings)  # type: ignore[arg-type]
    levels = []
    for part in range(4):
        for number in range(records // 4):
            outbox.queue.put(record(2 * 10**9 + part * records + number))
        while outbox.queue.counts()["built"] + outbox.queue.counts()["sent"]:
            outbox.queue.hurry()
            worker.step()
        levels.append(memory())
    return {"after_first_quarter_mb": round(levels[0], 1), "after_all_mb": round(levels[-1], 1)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, help="finished records in the file; 1,000,000 unless told, 20,000 when quick")
    parser.add_argument("--quick", action="store_true", help="a few seconds, small numbers")
    chosen = parser.parse_args()
    rows, rounds, count, batches, many = (20_000, 3, 60, 8, 400) if chosen.quick else (1_000_000, 7, 300, 20, 4000)
    rows = chosen.rows or rows
    with tempfile.TemporaryDirectory(prefix="nhirx-bench-") as name:
        folder = Path(name)
        # A process of its own: the sandbox must not share this one's interpreter lock.
        code = "import sys\nfrom nhirx.cli import main\nmain()"
        sandbox = subprocess.Popen(
            [sys.executable, "-c", code, "sim", "--data", str(folder / "sandbox"), "--auto-start", "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert sandbox.stdout is not None
        assert sandbox.stdin is not None
        where = json.loads(sandbox.stdout.readline())
        service = {"url": where["web_api"], "ca_file": where["ca_file"], "timeout": 30}
        settings = Settings.model_validate(
            {
                "control": {"kind": "control6", "local": service, "data_centre": service},
                "upload": {"service": service, "poll_first": 600},
            }
        )
        control, admin = Control6(settings), JsonService(settings.control.local)
        try:
            with Outbox(f"sqlite:///{folder / 'outbox.sqlite'}", ring=KeyRing.new()) as outbox:
                outbox.queue.put(record(0))
                show("enqueue", enqueue(outbox, folder, rounds, count))
                show("drain", drain(outbox, settings, control, rounds, batches))
                # The sandbox answers in milliseconds, no service behind a VPN does. Here the work of either side is in its shadow.
                admin.post("/sim/settings", {"answer_seconds": 0.05})
                show("drain, 50 ms to an answer", drain(outbox, settings, control, rounds, batches))
                admin.post("/sim/settings", {"answer_seconds": 0.0})
                fill(outbox, rows)
                with Outbox(f"sqlite:///{folder / 'small.sqlite'}", ring=KeyRing.new()) as small:
                    show(f"{rows:,} records keep", keeps(small, outbox, settings, control, rounds, count, batches))
                show("memory", soak(outbox, settings, many))
        finally:
            control.close()
            admin.close()
            sandbox.stdin.close()
            sandbox.wait()


def show(what: str, values: dict[str, float]) -> None:
    print(f"{what:<32}" + "  ".join(f"{name} {value:>9}" for name, value in values.items()), flush=True)


if __name__ == "__main__":
    main()
