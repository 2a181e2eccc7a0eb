"""The sandbox with its control software, over TLS, and records that it accepts because their numbers were really issued."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nhirx import roc
from nhirx.card.base import CardOrder
from nhirx.card.control6 import Control6
from nhirx.model import CheckResult, UploadRecord
from nhirx.outbox import Outbox, Queued
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.store import now
from nhirx.settings import Settings
from nhirx.sim import Behaviour, Simulator
from nhirx.upload import UploadClient, Worker


@dataclass
class Pharmacy:
    """One counter: control software, outbox, worker, and the news it heard."""

    sim: Simulator
    settings: Settings
    control: Control6
    outbox: Outbox
    client: UploadClient
    worker: Worker
    news: list[tuple[str, int, CheckResult | None]] = field(default_factory=list)

    def record(self, **changes: Any) -> UploadRecord:
        """A record of a dispensing of today: number, ID and order signature come from the sandbox."""
        reading = self.control.visit_number(visit_category="AF")
        holder = self.control.read_holder()
        (signature,) = self.control.write_orders(reading, holder, [CardOrder("1", "AC12345100", "QD", 28, 28.0)])
        at = roc.format_datetime(reading.visited_at)
        order = {
            "D01": at, "D02": "1", "D03": "001", "D04": "A", "D05": "A", "D06": "AC12345100", "D08": "QD", "D09": "28",
            "D10": "00028.0", "D11": signature, "D14": "PO",
        }  # fmt: skip
        fields = {
            "H00": "1", "H01": "A", "M01": reading.sam_id, "M02": holder.card_number, "M03": holder.national_id,
            "M04": roc.format_date(holder.birth_date), "M05": reading.institution, "M06": "B200000002", "M07": "AF", "M11": at,
            "M12": "1", "M14": reading.security_signature, "M15": reading.visit_id, "M16": "9" * 20, "M17": "3502060427",
            "M18": "0007", "M19": "1130305093000", "M20": "28", "M23": "0", "M24": "1", "M35": "I10", "M44": "600", "M51": "4",
        }  # fmt: skip
        return UploadRecord(fields=fields | changes, orders=(order,))

    def put(self, **changes: Any) -> int:
        return self.outbox.queue.put(self.record(**changes))

    def hear(self, event: str, item: Queued, result: CheckResult | None) -> None:
        self.news.append((event, item.id, result))

    def until_checked(self) -> None:
        """Work until every record was checked or stands before a person."""
        for _ in range(200):
            self.outbox.queue.hurry()
            self.worker.step()
            counts = self.outbox.counts()
            if not counts["built"] + counts["sending"] + counts["sent"]:
                return
        raise AssertionError(counts)

    def states(self) -> list[str]:
        return [item.state for item in reversed(self.outbox.queue.find())]


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path / "sandbox", behaviour=Behaviour(result_polls=0, auto_start=True)) as running:
        running.insert_card(visits_left=10_000)
        yield running


@pytest.fixture
def make_pharmacy(sim: Simulator, tmp_path: Path) -> Iterator[Callable[..., Pharmacy]]:
    """A pharmacy of this sandbox, with other ``upload`` settings where a test needs them."""
    made: list[Pharmacy] = []

    def make(clock: Callable[[], datetime] = now, **upload: Any) -> Pharmacy:
        settings = sim.settings()
        settings = settings.model_copy(update={"upload": settings.upload.model_copy(update={"poll_first": 0.0} | upload)})
        control = Control6(settings)
        outbox = Outbox(f"sqlite:///{tmp_path / f'outbox{len(made)}.sqlite'}", clock=clock, ring=KeyRing.new())
        client = UploadClient(settings, control.upload_signature)
        one = Pharmacy(sim, settings, control, outbox, client, None)  # type: ignore[arg-type]
        one.worker = Worker(outbox, client, clock=clock, settings=settings, notify=one.hear)
        made.append(one)
        return one

    yield make
    for one in made:
        one.outbox.close()
        one.client.close()
        one.control.close()


@pytest.fixture
def pharmacy(make_pharmacy: Callable[..., Pharmacy]) -> Pharmacy:
    return make_pharmacy()
