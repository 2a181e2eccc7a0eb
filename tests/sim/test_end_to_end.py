"""Card, control software, resolver, journal, outbox, worker and NHIA together, while everything between them fails.

The judge is the simulator's ledger: what it issued and what it took, whatever the pharmacy believes. A pharmacist is played
by ``Counter.serve``: after an error it tries again, and goes on with what was left unfinished, as a person would.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nhirx.errors import AbnormalReasonNeeded, CardError, NhirxError, TransitionRefused, TransportError
from nhirx.host import Host
from nhirx.identifiers import VisitId
from nhirx.model import CardReading, Order, Patient, Prescription, PrescriptionFacts, Refill
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.values import Dispensing as Left
from nhirx.plugin.manager import Plugins
from nhirx.roc import TAIPEI
from nhirx.sim import PEOPLE, Behaviour, Person, Simulator
from nhirx.sim.faults import KINDS
from nhirx.sim.proxy import Proxy
from samples.ids import visit_id

_VISITED = datetime.now(TAIPEI).replace(microsecond=0) - timedelta(days=2)
_TRIES = 30


def _prescription(person: Person, code: str = "AC12345100") -> Prescription:
    return Prescription(
        patient=Patient(national_id=person.national_id, birth_date=person.birth_date),
        sheet=PrescriptionFacts(
            visit_id=visit_id(person.national_id, _VISITED, "7TEST0"),
            visit_serial="0007",
            institution="3502060427",
            visited_at=_VISITED,
            prescriber_format="2.0",
            refill=Refill(number=1, of=3, days=28, total_days=84),
        ),
        diagnoses=("I10",),
        days=28,
        payment_category="4",
        fee=600,
        orders=(
            Order(code=code, usage="QD", days=28, total=28, route="PO", long_term=True),
            Order(code="BC23456100", usage="BID", days=28, total=56, route="PO", long_term=True),
        ),
    )


class Counter:
    """One pharmacy: a host and its worker, and a patient pharmacist."""

    def __init__(self, sim: Simulator, host: Host) -> None:
        self.sim, self.host = sim, host
        self.worker = host.worker()
        self.errors: Tally[str] = Tally()

    def serve(self, person: Person, code: str = "AC12345100") -> None:
        """Dispense to ``person``, however often it takes."""
        self.sim.insert_card(person)
        prescription = _prescription(person, code)
        for _ in range(_TRIES):
            try:
                left = [one for one in self.host.outbox.journal.unfinished() if one.state in {"numbered", "writing", "written"}]
                if left:
                    self.host.resume(left[0].id, write_again=self._unwritten(left[0]))
                else:
                    self.host.dispense(prescription, self.host.facts(prescription))
                return
            except (CardError, TransportError, TransitionRefused) as error:
                self.errors[error.code] += 1
            except AbnormalReasonNeeded as error:
                # The host asks for the abnormal serial when the card failed; this pharmacist would rather try again.
                self.errors[error.detail["cause"]] += 1
        raise AssertionError(f"still failing after {_TRIES} tries: {self.errors}")

    def _unwritten(self, left: Left) -> bool | None:
        """Where nobody knows whether the orders were written, the pharmacist looks at the card."""
        if left.state != "writing" or left.reading is None:
            return None
        return all(event["visit_id"] != left.reading.visit_id for event in self.sim.ledger.events("orders"))

    def send_all(self) -> None:
        """Let the worker run until nothing moves."""
        for _ in range(300):
            self.host.outbox.queue.hurry()
            self.worker.step()
            counts = self.host.outbox.counts()
            if not counts["built"] + counts["sending"] + counts["sent"]:
                return
        raise AssertionError(counts)

    def judged(self) -> dict[str, int]:
        """What became of every number the simulator issued, by the simulator's own ledger."""
        issued, records = self.sim.ledger.issued(), self.sim.ledger.records()
        queue, journal = self.host.outbox.queue.find(limit=10_000), self.host.outbox.journal.unfinished()
        accepted = {key for key, record in records.items() if record["state"] == "accepted"}
        known = {one.reading.visit_id for one in journal if one.reading is not None}
        known |= {item.record.visit_id for item in queue if item.state in {"stuck", "rejected"}}
        # The answer with the number never came: the journal has an open dispensing for it, which a person sees.
        nameless = sum(1 for one in journal if one.reading is None)
        orphans = [key for key in issued if key not in accepted | known]
        # What the NHIA holds is letter by letter what the outbox built, of the person it was issued to.
        built = {item.record.visit_id: item.record for item in queue}
        wrong = [
            key
            for key in accepted
            if key not in built
            or records[key]["fields"] != {name: value for name, value in built[key].fields.items() if value}
            or records[key]["orders"] != [{name: value for name, value in line.items() if value} for line in built[key].orders]
            or records[key]["fields"]["M03"] != issued[key]["national_id"]
            or VisitId.parse(key).holder_id != issued[key]["national_id"]
        ]
        written = Tally(event["visit_id"] for event in self.sim.ledger.events("orders"))
        believed = {item.record.visit_id for item in queue if item.state == "accepted"}
        return {
            "issued": len(issued),
            "accepted": len(accepted),
            "with_a_person": len(known & set(issued)) + min(len(orphans), nameless),
            "lost": max(0, len(orphans) - nameless),
            "sent_wrong": len(wrong),
            "believed_wrongly": len(believed - accepted),
            "written_twice": sum(1 for times in written.values() if times > 1),
        }


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path / "sandbox", behaviour=Behaviour(result_polls=0)) as running:
        yield running


@pytest.fixture
def make_counter(sim: Simulator, tmp_path: Path) -> Iterator[Callable[..., Counter]]:
    """Counters of one pharmacy; ``url`` is the simulator's or a proxy's."""
    hosts: list[Host] = []

    def make(url: str | None = None, *, timeout: float = 10.0, upload_timeout: float | None = None) -> Counter:
        settings = sim.settings()
        service = settings.upload.service.model_copy(update={"url": url or sim.url, "timeout": timeout})
        upload = service.model_copy(update={"timeout": upload_timeout or timeout})
        quick = {"service": upload, "lease": 1.0, "poll_first": 0.0, "retry_first": 0.001, "retry_limit": 0.01}
        settings = settings.model_copy(
            update={
                "control": settings.control.model_copy(update={"local": service, "data_centre": service}),
                "upload": settings.upload.model_copy(update=quick),
            }
        )
        path = (tmp_path / f"outbox{len(hosts)}.sqlite").as_posix()
        outbox = Outbox(f"sqlite:///{path}", ring=KeyRing.new())
        hosts.append(Host(settings, outbox=outbox, plugins=Plugins(discover=False)))
        return Counter(sim, hosts[-1])

    yield make
    for host in hosts:
        host.close()


_ALL_WELL = {"lost": 0, "sent_wrong": 0, "believed_wrongly": 0, "written_twice": 0}


def test_a_day_without_trouble(make_counter: Callable[..., Counter]) -> None:
    """Six people, six numbers, six accepted records without a remark."""
    counter = make_counter()
    for person in PEOPLE:
        counter.serve(person)
    counter.send_all()
    assert counter.judged() == {"issued": 6, "accepted": 6, "with_a_person": 0} | _ALL_WELL
    remarks = [record["errors"] for record in counter.sim.ledger.records().values()]
    assert remarks == [[]] * 6


def test_the_judge_sees_a_loss_and_a_forgery(make_counter: Callable[..., Counter]) -> None:
    """A number that nobody knows is lost; a record that the outbox did not build is wrong."""
    counter = make_counter()
    counter.serve(PEOPLE[0])
    counter.sim.world.issue("card", PEOPLE[1].national_id, card_number=PEOPLE[1].card_number)
    (item,) = counter.host.outbox.queue.find()
    counter.worker._client.upload(
        [item.record.model_copy(update={"fields": item.record.fields | {"M44": "1"}})], datetime.now(UTC)
    )
    assert counter.judged() == {"issued": 2, "accepted": 1, "with_a_person": 0, "lost": 1, "sent_wrong": 1} | {
        "believed_wrongly": 0,
        "written_twice": 0,
    }


def test_an_expired_card_is_updated(make_counter: Callable[..., Counter]) -> None:
    """Once, on the way, and the dispensing goes on."""
    counter = make_counter()
    counter.serve(replace(PEOPLE[0], expired=True))
    counter.send_all()
    assert counter.judged() == {"issued": 1, "accepted": 1, "with_a_person": 0} | _ALL_WELL


_CALLS = (
    "/api/hc/v1/Signature/Hc",
    "/api/v1/BasicData/Query",
    "/api/v1/SequelNumber/Next",
    "/api/v1/Prescription/Write",
    "/api/sam/v1/Signature",
    "/V2000/VNHI_Upload",
    "/V2000/VNHI_Download",
)


_OF_A_CALL = sorted(kind for kind in KINDS if kind != "status-code" and not kind.startswith("tls-"))


@pytest.mark.parametrize("path", _CALLS)
@pytest.mark.parametrize("kind", _OF_A_CALL)
def test_every_failure_of_every_call(make_counter: Callable[..., Counter], kind: str, path: str) -> None:
    """The first time this call is made it fails in this way; nothing is lost, doubled or believed wrongly."""
    counter = make_counter(timeout=0.4 if "hang" in kind else 10.0)
    counter.sim.fail(path, kind, seconds=0.2 if kind == "slow" else None)
    counter.serve(PEOPLE[0])
    counter.serve(PEOPLE[1])
    counter.send_all()
    found = counter.judged()
    assert {name: found[name] for name in _ALL_WELL} == _ALL_WELL
    assert found["issued"] == found["accepted"] + found["with_a_person"]
    assert found["accepted"] == 2
    assert counter.sim.faults.waiting() == []


@pytest.mark.parametrize("path", _CALLS)
def test_an_answer_that_comes_too_late(make_counter: Callable[..., Counter], path: str) -> None:
    """Carried out, and answered when the client has gone: the same as no answer, and nothing happens twice."""
    counter = make_counter(timeout=0.3)
    counter.sim.fail(path, "slow", seconds=0.6, times=2)
    counter.serve(PEOPLE[0])
    counter.send_all()
    found = counter.judged()
    assert {name: found[name] for name in _ALL_WELL} == _ALL_WELL
    assert (found["accepted"], found["issued"]) == (1, 1 + found["with_a_person"])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"status-code", "slow"}))
def test_a_service_that_keeps_failing(make_counter: Callable[..., Counter], kind: str) -> None:
    """Five uploads in a row fail, or five connections; the records wait and arrive, each once."""
    counter = make_counter(upload_timeout=0.3 if "hang" in kind else None)
    counter.serve(PEOPLE[0])
    counter.sim.fail("/V2000/VNHI_Upload", kind, times=5)
    counter.send_all()
    assert counter.judged() == {"issued": 1, "accepted": 1, "with_a_person": 0} | _ALL_WELL


@pytest.mark.parametrize("code", ["8201", "8203", "8205", "9002", "9005", "9999", "5003", "5004"])
def test_a_refusal_of_the_service(make_counter: Callable[..., Counter], code: str) -> None:
    """Refused once, sent again or put before a person; never taken for sent."""
    counter = make_counter()
    counter.serve(PEOPLE[0])
    counter.sim.fail("/V2000/VNHI_Upload", "status-code", code=code)
    counter.send_all()
    found = counter.judged()
    assert (found["issued"], found["accepted"] + found["with_a_person"]) == (1, 1)
    assert {name: found[name] for name in _ALL_WELL} == _ALL_WELL


@pytest.mark.parametrize("seed", [1, 4, 5])
def test_a_bad_line(make_counter: Callable[..., Counter], sim: Simulator, seed: int) -> None:
    """A quarter of all connections break anywhere, below TLS, in a repeatable way."""
    with Proxy(("127.0.0.1", sim.port), chance=0.25, seed=seed, seconds=0.05) as proxy:
        counter = make_counter(proxy.url, timeout=0.4)
        for turn in range(8):
            counter.serve(PEOPLE[turn % len(PEOPLE)], code=f"AC{turn:08d}")
        counter.send_all()
        spoilt = len(proxy.spoilt)
    found = counter.judged()
    assert spoilt > 5
    assert {name: found[name] for name in _ALL_WELL} == _ALL_WELL
    assert found["issued"] == found["accepted"] + found["with_a_person"]
    assert found["accepted"] == 8


def test_the_line_is_down_for_a_while(make_counter: Callable[..., Counter], sim: Simulator) -> None:
    """Nothing can be sent, everything is kept, and all of it arrives when the line is back."""
    with Proxy(("127.0.0.1", sim.port)) as proxy:
        counter = make_counter(proxy.url)
        for person in PEOPLE[:3]:
            counter.serve(person)
        proxy.down()
        for _ in range(5):
            counter.host.outbox.queue.hurry()
            counter.worker.step()
        assert counter.host.outbox.counts()["built"] == 3
        proxy.up()
        counter.send_all()
    assert counter.judged() == {"issued": 3, "accepted": 3, "with_a_person": 0} | _ALL_WELL


def test_the_simulator_restarts_in_between(tmp_path: Path) -> None:
    """Numbers from before the restart are accepted after it, on another port."""
    folder, ring = tmp_path / "sandbox", KeyRing.new()
    url = f"sqlite:///{(tmp_path / 'outbox.sqlite').as_posix()}"
    for step in ("dispense", "send"):
        with Simulator(folder, behaviour=Behaviour(result_polls=0)) as sim:
            settings = sim.settings()
            settings = settings.model_copy(update={"upload": settings.upload.model_copy(update={"poll_first": 0.0})})
            with Host(settings, outbox=Outbox(url, ring=ring), plugins=Plugins(discover=False)) as host:
                counter = Counter(sim, host)
                if step == "dispense":
                    counter.serve(PEOPLE[0])
                else:
                    counter.send_all()
                    assert counter.judged() == {"issued": 1, "accepted": 1, "with_a_person": 0} | _ALL_WELL


def test_someone_elses_card(make_counter: Callable[..., Counter]) -> None:
    """Stopped before anything is issued."""
    counter = make_counter()
    counter.sim.insert_card(PEOPLE[1])
    prescription = _prescription(PEOPLE[0])
    with pytest.raises(NhirxError) as caught:
        counter.host.dispense(prescription, counter.host.facts(prescription))
    assert caught.value.code == "wrong-card"
    assert counter.sim.ledger.issued() == {}


def test_the_card_is_changed_between_number_and_write(
    make_counter: Callable[..., Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The orders of one patient are not written to the next patient's card."""
    counter = make_counter()
    counter.sim.insert_card(PEOPLE[0])
    prescription = _prescription(PEOPLE[0])
    number = counter.host.control.visit_number

    def and_change(**wanted: Any) -> CardReading:
        reading = number(**wanted)
        counter.sim.insert_card(PEOPLE[1])
        return reading

    monkeypatch.setattr(counter.host.control, "visit_number", and_change)
    with pytest.raises(NhirxError) as caught:
        counter.host.dispense(prescription, counter.host.facts(prescription))
    assert caught.value.code == "wrong-card"
    assert list(counter.sim.ledger.events("orders")) == []
    # The number is kept, and the right card brings it home.
    counter.serve(PEOPLE[0])
    counter.send_all()
    assert counter.judged() == {"issued": 1, "accepted": 1, "with_a_person": 0} | _ALL_WELL
