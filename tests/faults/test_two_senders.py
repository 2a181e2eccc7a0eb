"""Several programs work one outbox at the same time; the service sees every record once, and of one visit in order."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from nhirx.card.control6 import Control6
from nhirx.model import UploadRecord
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.store import now
from nhirx.settings import Settings
from nhirx.sim import Behaviour, Simulator
from nhirx.upload import UploadClient, Worker

RECORDS = 120


def record(kind: str, number: int) -> UploadRecord:
    """A record that passes the checks before sending: a refusal by them would send nothing at all."""
    fields = {
        "H00": "1", "H01": kind, "M03": "A123456789", "M04": "0501231", "M05": "5901234567", "M06": "B200000002", "M07": "AF",
        "M11": "1151120090013", "M12": "1", "M13": "A010", "M15": f"0USE4FA11RP4J37{number:05d}", "M16": "9" * 20,
        "M17": "3502060427", "M18": "0007", "M19": "1151118093000", "M20": "3", "M23": "0", "M24": "1", "M35": "I10",
        "M44": "100", "M45": "0", "M51": "4", "M56": "30",
    }  # fmt: skip
    line = {
        "D01": "1151120090013", "D02": "1", "D03": "001", "D04": "A", "D05": "A", "D06": "AC12345100", "D08": "QD", "D09": "3",
        "D10": "00003.0", "D14": "PO",
    }  # fmt: skip
    return UploadRecord(fields=fields, orders=(line,))


def send(url: str, ring: str, settings: str) -> None:
    """One program: works until it has found nothing to do ten times."""
    found = Settings.model_validate_json(settings)
    control = Control6(found)
    client = UploadClient(found, control.upload_signature)
    with Outbox(url, ring=KeyRing.parse(ring)) as outbox:
        worker = Worker(outbox, client, clock=now, settings=found)
        idle = 0
        while idle < 10:
            idle = 0 if worker.step().moved else idle + 1
    worker.close()
    control.close()


def test_three_programs_send_every_record_once(database_url: str, tmp_path: Path) -> None:
    ring = KeyRing.new()
    with Simulator(tmp_path / "sandbox", behaviour=Behaviour(result_polls=0, auto_start=True)) as sim:
        settings = sim.settings()
        settings = settings.model_copy(
            update={"upload": settings.upload.model_copy(update={"batch_size": 5, "poll_first": 600.0})}
        )
        with Outbox(database_url, ring=ring) as outbox:
            for number in range(RECORDS):
                outbox.queue.put(record("B", number))
            for number in range(10):
                # The same visit again, of another kind: it has to come after the first.
                outbox.queue.put(record("D", number))
            # Fresh interpreters, as Windows starts them.
            context = multiprocessing.get_context("spawn")
            words = (database_url, ring.format(), settings.model_dump_json())
            programs = [context.Process(target=send, args=words) for _ in range(3)]
            for program in programs:
                program.start()
            for program in programs:
                program.join(60)

            assert [0, 0, 0] == [program.exitcode for program in programs]
            assert RECORDS + 10 == outbox.counts()["sent"]
            assert outbox.verify_trail() == (RECORDS + 10) * 2
        sent = [(one["visit_id"], one["fields"]["H01"]) for event in sim.ledger.events("upload") for one in event["records"]]

    assert RECORDS + 10 == len(sent) == len(set(sent))
    for number in range(10):
        visit = f"0USE4FA11RP4J37{number:05d}"

        assert sent.index((visit, "B")) < sent.index((visit, "D"))
