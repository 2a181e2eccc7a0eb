"""The order of the steps, with every way a dispensing can stop in the middle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from nhirx import hookimpl
from nhirx.errors import (
    AbnormalReasonNeeded,
    CardAbsent,
    CheckFailed,
    PlanBlocked,
    SettingMissing,
    TransitionRefused,
    TransportError,
    WrongCard,
    WrongSheet,
)
from nhirx.host import Host
from nhirx.model import CardFacts, Finding, MakeUpFacts, Prescription
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.settings import RecordSettings
from nhirx.sim import Simulator
from nhirx.sim.people import PEOPLE


class Witness:
    """A plugin that writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl
    def nhirx_card_read(self, holder: object) -> None:
        self.heard.append("card_read")

    @hookimpl
    def nhirx_visit_number_issued(self, reading: object) -> None:
        self.heard.append("visit_number_issued")

    @hookimpl
    def nhirx_dispensed(self, record: object, reference: str | None) -> None:
        self.heard.append(f"dispensed {reference}")

    @hookimpl
    def nhirx_record_queued(self, record: object) -> None:
        self.heard.append("record_queued")

    @hookimpl
    def nhirx_record_accepted(self, record: object, reference: str | None) -> None:
        self.heard.append(f"record_accepted {reference}")


def _follow(host: Host, item: int) -> str:
    worker = host.worker()
    for _ in range(20):
        worker.step()
        host.outbox.queue.hurry()
        if (state := host.outbox.queue.item(item).state) not in {"built", "sending", "sent"}:
            return state
    return host.outbox.queue.item(item).state


def test_a_prescription_goes_from_the_plan_to_accepted_and_the_plugins_hear_of_it(
    host: Host, plugins: Plugins, sim: Simulator, prescription: Prescription
) -> None:
    """The whole way, in the order of the map."""
    witness = Witness()
    plugins.register(witness, "witness")

    done = host.dispense(prescription, host.facts(prescription))
    state = _follow(host, done.queued or 0)

    assert "accepted" == state
    assert ["card_read", "visit_number_issued", "dispensed rx-1", "record_queued", "record_accepted rx-1"] == witness.heard
    assert "filled" == host.outbox.journal.dispensing(done.id or 0).state
    record = done.record
    assert record is not None
    assert done.reading is not None
    assert record.visit_id == done.reading.visit_id
    assert prescription.sheet.visit_id == record.fields["M16"]
    assert 2 == len({order["D11"] for order in record.orders})


def test_another_persons_card_stops_before_anything_is_taken(host: Host, sim: Simulator, prescription: Prescription) -> None:
    """No number, no journal entry, nothing to clean up."""
    sim.insert_card(PEOPLE[1])

    with pytest.raises(WrongCard):
        host.dispense(prescription, host.facts(prescription))

    assert [] == host.outbox.journal.unfinished()
    assert [] == list(sim.ledger.issued())


def test_a_sheet_of_another_person_stops_until_a_pharmacist_has_compared_the_papers(
    host: Host, sim: Simulator, prescription: Prescription, issue: Callable[[str], str]
) -> None:
    """What the visit ID shows of its holder is derived, so a person may go on; without a person it stops."""
    sheet = prescription.sheet.model_copy(update={"visit_id": issue("F100000006")})
    other = prescription.model_copy(update={"sheet": sheet})
    facts = host.facts(other)

    with pytest.raises(WrongCard):
        host.dispense(other, facts)
    assert [] == list(sim.ledger.issued())

    assert "queued" == host.dispense(other, facts, confirmed=True).state


def test_a_plugin_that_blocks_stops_before_the_card_is_asked(
    host: Host, plugins: Plugins, sim: Simulator, prescription: Prescription
) -> None:
    """A blocking finding is the pharmacy's own veto."""

    class Veto:
        @hookimpl
        def nhirx_check(self) -> Finding:
            return Finding(code="house-rule", severity="block", zh="本店規定", en="house rule")

    plugins.register(Veto(), "veto")

    with pytest.raises(PlanBlocked):
        host.dispense(prescription, host.facts(prescription))
    assert [] == list(sim.ledger.issued())


def test_a_record_that_cannot_pass_the_checks_stops_before_a_number_is_taken(
    host: Host, sim: Simulator, prescription: Prescription
) -> None:
    """What can be judged without the card is judged before it is asked."""
    lines = tuple(order.model_copy(update={"days": 400}) for order in prescription.orders)

    with pytest.raises(CheckFailed):
        host.dispense(prescription.model_copy(update={"orders": lines}), host.facts(prescription))

    assert [] == list(sim.ledger.issued())
    assert [] == host.outbox.journal.unfinished()


def test_a_setting_that_nobody_filled_in_stops_before_a_number_is_taken(
    sim: Simulator, plugins: Plugins, prescription: Prescription, tmp_path: Path, clock: Callable[[], datetime]
) -> None:
    """The medical category of a pharmacy is not published: it is asked for, never guessed."""
    settings = sim.settings().model_copy(update={"record": RecordSettings()})
    outbox = Outbox(f"sqlite:///{(tmp_path / 'other.sqlite').as_posix()}", clock=clock, ring=KeyRing.new())
    with Host(settings, outbox=outbox, plugins=plugins, clock=clock) as host, pytest.raises(SettingMissing):
        host.dispense(prescription, host.facts(prescription))

    assert [] == list(sim.ledger.issued())


def test_no_card_in_the_reader_is_said_and_costs_nothing(host: Host, sim: Simulator, prescription: Prescription) -> None:
    """An absent card is not an abnormality to declare: insert it, or choose to hold."""
    sim.remove_card()

    with pytest.raises(CardAbsent):
        host.dispense(prescription, host.facts(prescription))

    assert [] == host.outbox.journal.unfinished()


def test_a_failing_card_asks_for_a_reason_and_goes_the_abnormal_way_when_one_is_declared(
    host: Host, sim: Simulator, prescription: Prescription
) -> None:
    """Nobody but a person declares an abnormality."""
    sim.fail("/api/v1/SequelNumber/Next", "status-code", code=4050)

    with pytest.raises(AbnormalReasonNeeded) as stopped:
        host.dispense(prescription, host.facts(prescription))

    candidates = stopped.value.detail["candidates"]
    assert "A030" in candidates
    done = host.dispense(prescription, host.facts(prescription, card=CardFacts(state="failed", abnormal_serial="A030")))
    record = done.record
    assert record is not None
    assert ("B", "A030", None) == (record.fields["H01"], record.fields["M13"], record.fields.get("M14"))
    assert "accepted" == _follow(host, done.queued or 0)


def test_a_reason_chosen_through_a_plugin_goes_on_by_itself(
    host: Host, plugins: Plugins, sim: Simulator, prescription: Prescription
) -> None:
    """The counter program may ask its operator in its own window."""

    class Operator:
        @hookimpl
        def nhirx_choose_abnormal_reason(self, candidates: tuple[str, ...]) -> str:
            return candidates[0]

    plugins.register(Operator(), "operator")
    sim.fail("/api/v1/SequelNumber/Next", "status-code", code=4050)

    done = host.dispense(prescription, host.facts(prescription))

    assert done.reading is not None
    assert "no-card" == done.reading.made_by


def test_a_lost_answer_leaves_the_dispensing_in_front_of_a_person(host: Host, sim: Simulator, prescription: Prescription) -> None:
    """The number may have been taken, so the journal does not close the dispensing by itself."""
    sim.fail("/api/v1/SequelNumber/Next", "accept-then-hang", seconds=0.2)

    with pytest.raises((AbnormalReasonNeeded, TransportError)):
        host.dispense(prescription, host.facts(prescription))

    assert ["opened"] == [begun.state for begun in host.outbox.journal.unfinished()]


def test_a_stop_after_the_number_is_resumed_from_the_journal(
    open_host: Callable[[], Host], sim: Simulator, prescription: Prescription
) -> None:
    """The number is on disk before the orders are written; a restart goes on with it."""
    host = open_host()
    sim.fail("/api/v1/Prescription/Write", "reset", times=3)
    with pytest.raises((TransportError, AbnormalReasonNeeded)):
        host.dispense(prescription, host.facts(prescription))
    host.close()

    again = open_host()
    [begun] = again.outbox.journal.unfinished()
    assert "writing" == begun.state
    sim.faults.clear()
    with pytest.raises(TransitionRefused):
        again.resume(begun.id)  # nobody knows whether the orders stand on the card: a person has to say
    done = again.resume(begun.id, write_again=True)

    assert done.record is not None
    assert [done.record.visit_id] == list(sim.ledger.issued())
    assert "accepted" == _follow(again, done.queued or 0)


def test_a_virtual_card_goes_the_whole_way_and_its_token_is_kept_nowhere(
    host: Host, sim: Simulator, prescription: Prescription
) -> None:
    """The patient shows a code on the phone; there is no card in the reader."""
    sim.remove_card()
    token = sim.virtual_card_token()

    done = host.dispense(prescription, host.facts(prescription), virtual_token=token)

    assert done.reading is not None
    assert "virtual-card" == done.reading.made_by
    assert "accepted" == _follow(host, done.queued or 0)
    kept = host.outbox.journal.dispensing(done.id or 0)
    assert token not in kept.model_dump_json()


def test_a_virtual_card_of_another_person_stops_before_a_number_is_taken(
    host: Host, sim: Simulator, prescription: Prescription
) -> None:
    """A phone is handed over more easily than a card."""
    sim.remove_card()

    with pytest.raises(WrongCard):
        host.dispense(prescription, host.facts(prescription), virtual_token=sim.virtual_card_token(PEOPLE[1]))

    assert [] == list(sim.ledger.issued())


def test_a_card_that_was_swapped_before_the_number_takes_none(
    host: Host, sim: Simulator, plugins: Plugins, prescription: Prescription
) -> None:
    """Who was identified is who gets the number."""

    class Swapper:
        @hookimpl
        def nhirx_card_read(self) -> None:
            sim.insert_card(PEOPLE[1])

    plugins.register(Swapper(), "swapper")

    with pytest.raises(WrongCard):
        host.dispense(prescription, host.facts(prescription))

    assert [] == list(sim.ledger.issued())
    assert [] == host.outbox.journal.unfinished()


def test_a_card_that_was_swapped_after_the_number_writes_nothing_and_is_resumed_with_the_right_one(
    host: Host, sim: Simulator, plugins: Plugins, prescription: Prescription
) -> None:
    """Between number and orders somebody puts another card in: nothing is written, nobody is asked needlessly."""

    class Swapper:
        @hookimpl
        def nhirx_visit_number_issued(self) -> None:
            sim.insert_card(PEOPLE[1])

    plugins.register(Swapper(), "swapper")
    with pytest.raises(WrongCard):
        host.dispense(prescription, host.facts(prescription))
    [begun] = host.outbox.journal.unfinished()
    assert ("numbered", 0) == (begun.state, len(list(sim.ledger.events("orders"))))

    sim.insert_card()
    done = host.resume(begun.id)

    assert "accepted" == _follow(host, done.queued or 0)


def test_a_record_may_go_without_order_signatures_when_the_card_is_left_alone(
    open_host: Callable[[], Host], sim: Simulator, prescription: Prescription
) -> None:
    """The NHI keeps such a record and warns; the card is not written a second time."""
    host = open_host()
    sim.fail("/api/v1/Prescription/Write", "reset", times=3)
    with pytest.raises(TransportError):
        host.dispense(prescription, host.facts(prescription))
    [begun] = host.outbox.journal.unfinished()

    done = host.resume(begun.id, write_again=False)

    assert done.record is not None
    assert [None, None] == [order.get("D11") for order in done.record.orders]
    assert "accepted" == _follow(host, done.queued or 0)


def test_what_was_never_numbered_cannot_be_resumed(host: Host, sim: Simulator, prescription: Prescription) -> None:
    """Then it is begun anew."""
    sim.fail("/api/v1/SequelNumber/Next", "accept-then-hang", seconds=0.2)
    with pytest.raises((AbnormalReasonNeeded, TransportError)):
        host.dispense(prescription, host.facts(prescription))
    [begun] = host.outbox.journal.unfinished()

    with pytest.raises(TransitionRefused):
        host.resume(begun.id)


def test_a_card_that_is_owed_holds_the_record_and_the_make_up_settles_it(
    host: Host, sim: Simulator, prescription: Prescription
) -> None:
    """欠卡 and 補卡: an ID without the card first, nothing uploaded; then the card, and one record with both times."""
    single = prescription.model_copy(
        update={
            "sheet": prescription.sheet.model_copy(update={"refill": None}),
            "days": 3,
            "orders": tuple(
                order.model_copy(update={"days": 3, "total": 3.0, "long_term": False}) for order in prescription.orders
            ),
        }
    )
    sim.remove_card()
    owed = host.dispense(single, host.facts(single, card=CardFacts(state="absent")))

    assert ("held", {"built": 0}) == (owed.state, {"built": host.outbox.counts()["built"]})
    sim.insert_card()
    assert owed.reading is not None
    made_up = MakeUpFacts(actual_visited_at=owed.reading.visited_at, actual_visit_id=owed.reading.visit_id)
    done = host.dispense(single, host.facts(single, make_up=made_up), settles=owed.id)

    record = done.record
    assert record is not None
    assert ("A", "2", owed.reading.visit_id) == (record.fields["H01"], record.fields["M12"], record.fields["M52"])
    assert "settled" == host.outbox.journal.dispensing(owed.id or 0).state
    assert "accepted" == _follow(host, done.queued or 0)


def test_a_scanned_id_that_contradicts_the_pharmacys_copy_is_never_chosen(
    host: Host, prescription: Prescription, sheet_id: str
) -> None:
    """Two different IDs for one prescription: one of them belongs to another visit."""
    from types import SimpleNamespace

    other = sheet_id[:-1] + ("0" if sheet_id[-1] != "0" else "1")

    with pytest.raises(WrongSheet):
        host.facts(prescription, scan=SimpleNamespace(visit_id=other, confidence="agreed"))  # type: ignore[arg-type]
