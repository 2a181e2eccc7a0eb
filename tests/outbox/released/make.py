"""Write the newest schema and a small outbox of it to ``<schema>.json``, once, when a version with a new schema is released.

``python tests/outbox/released/make.py``. A file that is there stays as it is: it says what pharmacies have on their disks.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from nhirx.errors import NhirxError
from nhirx.model import CardReading, CheckError, CheckResult, Receipt, UploadRecord
from nhirx.outbox import Outbox, archive
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.schema import HEAD
from nhirx.roc import TAIPEI

MOMENT = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)


def record(number: int, kind: str = "A") -> UploadRecord:
    return UploadRecord(
        fields={"H01": kind, "M03": "A123456789", "M15": f"0USE4FA11RP4J37{number:05d}"}, orders=({"D06": "AC12345100"},)
    )


def fill(outbox: Outbox) -> None:
    """One of everything: a dispensing in each state that lasts, a record in each state."""
    for state in ("opened", "numbered", "held", "filled", "abandoned"):
        one = outbox.journal.open({"state": state}, None, {"patient": {"national_id": "A123456789"}})
        reading = CardReading(
            made_by="card", visited_at=MOMENT, institution="5901234567", visit_id=record(one).visit_id, sam_id="SAM000000001",
            card_number="000012345678", visit_serial="0007", security_signature="ab" * 128,
        )  # fmt: skip
        if state in ("numbered", "filled", "abandoned"):
            outbox.journal.numbered(one, reading)
        if state == "held":
            outbox.journal.hold(one, reading)
        if state == "filled":
            outbox.journal.written(one, ["5A" * 20])
            outbox.journal.filled_and_queued(one, record(one))
        if state == "abandoned":
            outbox.journal.abandon(one, "test", by="p1")
    for number in range(10, 15):
        outbox.queue.put(record(number))
    items = outbox.queue.claim(6, timedelta(minutes=5))
    outbox.queue.sent([item.id for item in items[:4]], Receipt(opcode="20261120090013000001", received_at=MOMENT))
    wrong = CheckResult(accepted=False, errors=(CheckError(field="M13", code="AA", zh="錯", en="wrong", severity="error"),))
    outbox.queue.checked({items[0].id: CheckResult(accepted=True), items[1].id: wrong, items[2].id: wrong})
    outbox.queue.block(items[4].id, NhirxError())
    outbox.queue.withdraw(items[1].id, "test", by="p1")
    outbox.queue.put(record(20))


def main() -> None:
    target = Path(__file__).with_name(f"{HEAD}.json")
    if target.exists():
        raise SystemExit(f"{target.name} is there already")
    ring = KeyRing.new()
    with tempfile.TemporaryDirectory() as folder:
        with Outbox(f"sqlite:///{folder}/o.sqlite", clock=lambda: MOMENT, ring=ring) as outbox:
            fill(outbox)
            archive.back_up(outbox, Path(folder) / "backup.gz")
            with outbox.database.reading() as connection:
                words = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
                schema = [sql for (sql,) in words if "sqlite_sequence" not in sql]
        lines = [json.loads(line) for line in gzip.decompress((Path(folder) / "backup.gz").read_bytes()).splitlines()]
    rows = [line for line in lines if "table" in line]
    told = {"ring": json.loads(ring.format()), "schema": schema, "rows": rows}
    target.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
