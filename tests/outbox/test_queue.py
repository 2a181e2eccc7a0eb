"""The queue: one sender, in order, due again after every kind of failure, and never two copies where two would count."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from nhirx.errors import InputError, ServiceTimeout, ServiceUnreachable, TransitionRefused, UploadRefused
from nhirx.model import CheckError, CheckResult, Receipt
from nhirx.outbox import Outbox
from nhirx.outbox.schema import queue

LEASE = timedelta(minutes=5)
DOWN = ServiceUnreachable(url="https://localhost", problem="refused", reached=False)
LOST = ServiceTimeout(url="https://localhost", seconds=1, reached=True)
GOOD = CheckResult(accepted=True)
BAD = CheckResult(accepted=False, errors=(CheckError(field="M15", code="AA"),))
NINES = "9" * 20


def _sent(outbox: Outbox, clock, opcode: str = "OP1") -> list[int]:
    items = [item.id for item in outbox.queue.claim(10, LEASE)]
    outbox.queue.sent(items, Receipt(opcode=opcode, received_at=clock()))
    return items


def test_a_record_from_built_to_accepted(outbox: Outbox, record, clock) -> None:
    number = outbox.queue.put(record())
    clock.turn(seconds=5)
    (claimed,) = outbox.queue.claim(10, LEASE)

    assert (number, "sending", record()) == (claimed.id, claimed.state, claimed.record)

    outbox.queue.sent([number], Receipt(opcode="OP1", received_at=clock()))
    ((opcode, (item,)),) = outbox.queue.unchecked(10, clock() + timedelta(seconds=10)).items()

    assert ("OP1", number, "sent", 1, 1, clock()) == (opcode, item.id, item.state, item.place, item.batch, item.sent_at)
    assert outbox.queue.accepted(number, GOOD)
    assert ("accepted", GOOD) == (outbox.queue.item(number).state, outbox.queue.item(number).result)
    assert not outbox.queue.accepted(number, GOOD), "news is told once"


def test_a_rejected_record_keeps_its_errors_and_can_be_sent_again(outbox: Outbox, record, clock) -> None:
    number = outbox.queue.put(record())
    _sent(outbox, clock)

    assert outbox.queue.rejected(number, BAD)
    assert ("rejected", BAD) == (outbox.queue.item(number).state, outbox.queue.item(number).result)

    outbox.queue.retry(number, by="p1")

    assert [number] == [item.id for item in outbox.queue.claim(10, LEASE)]


def test_what_one_claims_another_does_not_get(outbox: Outbox, record, visits) -> None:
    for visit in visits:
        outbox.queue.put(record(visit))
    first, second, third = outbox.queue.claim(3, LEASE), outbox.queue.claim(3, LEASE), outbox.queue.claim(3, LEASE)

    assert ([1, 2, 3], [4], []) == tuple([item.id for item in batch] for batch in (first, second, third))


def test_many_workers_claim_each_record_once(outbox: Outbox, record) -> None:
    """Eight threads on one database; what each got together is everything, and nothing twice."""
    for number in range(60):
        outbox.queue.put(record(f"0USE4FA11RP4J37{number:05d}"))
    got: list[int] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while batch := outbox.queue.claim(3, LEASE):
                got.extend(item.id for item in batch)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # SKIP LOCKED may show a worker an empty queue while others hold the rest, so what is left is taken here.
    got.extend(item.id for item in outbox.queue.claim(100, LEASE))

    assert [] == failures
    assert list(range(1, 61)) == sorted(got)


def test_records_of_one_visit_go_in_order(outbox: Outbox, record, clock) -> None:
    first = outbox.queue.put(record())
    second = outbox.queue.put(record(H01="D"))

    assert [first] == [item.id for item in outbox.queue.claim(10, LEASE)]
    assert [] == outbox.queue.claim(10, LEASE), "the younger waits until the older was taken"

    outbox.queue.sent([first], Receipt(opcode="OP1", received_at=clock()))

    assert [second] == [item.id for item in outbox.queue.claim(10, LEASE)]


def test_a_newer_record_replaces_one_that_was_not_sent(outbox: Outbox, record) -> None:
    old = outbox.queue.put(record())
    new = outbox.queue.put(record(M35="J00"))

    assert ("superseded", "built") == (outbox.queue.item(old).state, outbox.queue.item(new).state)
    assert [new] == [item.id for item in outbox.queue.claim(10, LEASE)]


def test_a_record_whose_sending_failed_is_replaced_by_the_newer_one_behind_it(outbox: Outbox, record, clock) -> None:
    outbox.queue.put(record())
    (old,) = outbox.queue.claim(10, LEASE)
    new = outbox.queue.put(record(M35="J00"))
    outbox.queue.failed([old], DOWN, clock())

    assert ("superseded", [new]) == (outbox.queue.item(old.id).state, [item.id for item in outbox.queue.claim(10, LEASE)])


@pytest.mark.parametrize("state", ["rejected", "stuck"])
def test_a_corrected_record_takes_the_place_of_the_rejected_one(outbox: Outbox, record, clock, state: str) -> None:
    old = outbox.queue.put(record(M13="A000"))
    if state == "rejected":
        _sent(outbox, clock)
        outbox.queue.rejected(old, BAD)
    else:
        outbox.queue.block(old, DOWN)
    new = outbox.queue.put(record())

    assert ("superseded", "built") == (outbox.queue.item(old).state, outbox.queue.item(new).state)
    assert [] == outbox.queue.find(states=["rejected", "stuck"])


def test_records_that_share_a_placeholder_do_not_replace_each_other(outbox: Outbox, record, clock) -> None:
    old = outbox.queue.put(record(NINES))
    outbox.queue.block(old, DOWN)
    outbox.queue.put(record(NINES))

    assert "stuck" == outbox.queue.item(old).state


def test_the_oldest_first(outbox: Outbox, record, visits) -> None:
    for visit in visits:
        outbox.queue.put(record(visit))

    assert [1, 2] == [item.id for item in outbox.queue.find(limit=2, oldest_first=True)]


def test_a_failure_is_due_again_when_it_says(outbox: Outbox, record, clock) -> None:
    outbox.queue.put(record())
    outbox.queue.failed(outbox.queue.claim(10, LEASE), DOWN, clock() + timedelta(seconds=30))

    assert [] == outbox.queue.claim(10, LEASE)

    clock.turn(seconds=30)
    (item,) = outbox.queue.claim(10, LEASE)

    assert ("service-unreachable", 0) == (item.problem.code, item.attempts)


def test_refusals_are_counted_and_network_failures_are_not(outbox: Outbox, record, clock) -> None:
    outbox.queue.put(record())
    for error in (DOWN, UploadRefused(number="9999", meaning_zh="", meaning_en=""), DOWN, LOST):
        outbox.queue.failed(outbox.queue.claim(10, LEASE), error, clock())

    assert [1] == [item.attempts for item in outbox.queue.claim(10, LEASE)]


def test_a_lease_that_ended_frees_the_record(outbox: Outbox, record, clock) -> None:
    number = outbox.queue.put(record())
    outbox.queue.claim(10, LEASE)
    clock.turn(seconds=299)

    assert [] == outbox.queue.claim(10, LEASE)

    clock.turn(seconds=1)

    assert [(number, 1)] == [(item.id, item.attempts) for item in outbox.queue.claim(10, LEASE)]


def test_an_opcode_that_comes_after_the_lease_is_kept(outbox: Outbox, record, clock) -> None:
    (old,) = [outbox.queue.put(record())]
    outbox.queue.claim(10, LEASE)
    clock.turn(minutes=6)
    outbox.queue.claim(10, LEASE)
    outbox.queue.sent([old], Receipt(opcode="LATE", received_at=clock()))
    outbox.queue.sent([old], Receipt(opcode="NEWER", received_at=clock()))

    assert ("sent", "NEWER") == (outbox.queue.item(old).state, outbox.queue.item(old).opcode)


def test_a_late_failure_does_not_touch_what_another_holds(outbox: Outbox, record, clock) -> None:
    outbox.queue.put(record())
    slow = outbox.queue.claim(10, LEASE)
    clock.turn(minutes=6)
    (other,) = outbox.queue.claim(10, LEASE)
    outbox.queue.failed(slow, DOWN, clock())

    assert ("sending", other.lease) == (outbox.queue.item(other.id).state, outbox.queue.item(other.id).lease)


@pytest.mark.parametrize("placeholder", [NINES, "F" * 20, "SM00" + "0" * 16, ""])
def test_a_lost_answer_puts_a_record_without_its_own_key_before_a_person(outbox: Outbox, record, clock, placeholder: str) -> None:
    number = outbox.queue.put(record(placeholder))
    outbox.queue.unclear(outbox.queue.claim(10, LEASE), LOST, clock())

    assert ("stuck", "service-timeout") == (outbox.queue.item(number).state, outbox.queue.item(number).problem.code)
    assert [] == outbox.queue.claim(10, LEASE)


def test_a_lost_answer_sends_a_record_with_its_own_key_again(outbox: Outbox, record, clock) -> None:
    number = outbox.queue.put(record())
    outbox.queue.unclear(outbox.queue.claim(10, LEASE), LOST, clock())

    assert [number] == [item.id for item in outbox.queue.claim(10, LEASE)]


def test_a_dead_sender_leaves_a_record_without_its_own_key_to_a_person(outbox: Outbox, record, clock) -> None:
    number = outbox.queue.put(record(NINES))
    outbox.queue.claim(10, LEASE)
    clock.turn(minutes=6)

    assert ([], "stuck") == (outbox.queue.claim(10, LEASE), outbox.queue.item(number).state)


def test_two_records_with_a_placeholder_are_two_records(outbox: Outbox, record) -> None:
    numbers = [outbox.queue.put(record(NINES)), outbox.queue.put(record(NINES))]

    assert numbers == [item.id for item in outbox.queue.claim(10, LEASE)]


@pytest.mark.parametrize("years", [1, -1])
def test_a_clock_that_jumps_holds_nothing_back_for_more_than_a_day(outbox: Outbox, record, clock, visits, years: int) -> None:
    outbox.queue.put(record(visits[0]))
    outbox.queue.put(record(visits[1]))
    outbox.queue.failed(outbox.queue.claim(1, LEASE), DOWN, clock() + timedelta(minutes=30))
    outbox.queue.claim(1, LEASE)
    clock.turn(days=365 * years)

    assert [1, 2] == sorted(item.id for item in outbox.queue.claim(10, LEASE))


def test_results_are_asked_for_by_upload_and_not_twice_at_once(outbox: Outbox, record, clock, visits) -> None:
    for visit in visits[:3]:
        outbox.queue.put(record(visit))
    first = outbox.queue.claim(2, LEASE)
    outbox.queue.sent([item.id for item in first], Receipt(opcode="OP1", received_at=clock()))
    _sent(outbox, clock, "OP2")
    found = outbox.queue.unchecked(10, clock() + timedelta(seconds=10))

    assert {"OP1": [1, 2], "OP2": [3]} == {opcode: [item.id for item in items] for opcode, items in found.items()}
    assert {} == outbox.queue.unchecked(10, clock())

    outbox.queue.look_again([3], clock())

    assert ["OP2"] == list(outbox.queue.unchecked(10, clock()))


def test_one_that_went_elsewhere_does_not_hold_up_the_results_of_the_others(outbox, record, visits, clock) -> None:
    numbers = [outbox.queue.put(record(visit)) for visit in visits[:3]]
    outbox.queue.claim(3, timedelta(minutes=5))
    outbox.queue.sent(numbers, Receipt(opcode="OP1", received_at=clock()))
    outbox.queue.block(numbers[1], DOWN)

    assert {numbers[0], numbers[2]} == outbox.queue.checked(dict.fromkeys(numbers, GOOD))
    assert set() == outbox.queue.checked(dict.fromkeys(numbers, GOOD))
    assert ["accepted", "stuck", "accepted"] == [outbox.queue.item(number).state for number in numbers]


def test_a_blocked_record_is_sent_again_only_by_a_person(outbox: Outbox, record, clock) -> None:
    number = outbox.queue.put(record())
    outbox.queue.block(outbox.queue.claim(10, LEASE)[0].id, DOWN)

    assert [] == outbox.queue.claim(10, LEASE)

    outbox.queue.retry(number)

    assert [number] == [item.id for item in outbox.queue.claim(10, LEASE)]


def test_a_withdrawn_record_is_never_sent(outbox: Outbox, record) -> None:
    number = outbox.queue.put(record())
    outbox.queue.withdraw(number, "double", by="p1")

    assert ([], "withdrawn") == (outbox.queue.claim(10, LEASE), outbox.queue.item(number).state)


@pytest.mark.parametrize("state", ["built", "sending", "sent", "accepted"])
def test_retry_is_refused_where_it_makes_no_sense(outbox: Outbox, record, clock, state: str) -> None:
    number = outbox.queue.put(record())
    if state != "built":
        outbox.queue.claim(10, LEASE)
    if state in ("sent", "accepted"):
        outbox.queue.sent([number], Receipt(opcode="OP1", received_at=clock()))
    if state == "accepted":
        outbox.queue.accepted(number, GOOD)

    with pytest.raises(TransitionRefused, match=state):
        outbox.queue.retry(number)


def test_hurry_makes_everything_due(outbox: Outbox, record, clock) -> None:
    outbox.queue.put(record())
    outbox.queue.failed(outbox.queue.claim(10, LEASE), DOWN, clock() + timedelta(hours=1))

    assert (1, 1) == (outbox.queue.hurry(), len(outbox.queue.claim(10, LEASE)))


def test_finding_by_state_visit_and_person(outbox: Outbox, record, visits) -> None:
    outbox.queue.put(record(visits[0]))
    outbox.queue.put(record(visits[1], M03="B223456781"))
    outbox.queue.claim(1, LEASE)

    assert [2] == [item.id for item in outbox.queue.find(states=["built"])]
    assert [1] == [item.id for item in outbox.queue.find(visit_id="0use 4fa1 1rp4 j370 wr4k")]
    assert [2] == [item.id for item in outbox.queue.find(national_id="b223456781")]
    assert [2, 1] == [item.id for item in outbox.queue.find()]
    assert [2] == [item.id for item in outbox.queue.find(limit=1)]
    assert [] == outbox.queue.find(visit_id=visits[1], national_id="A123456789")


def test_counts_name_every_state(outbox: Outbox, record) -> None:
    outbox.queue.put(record())
    counts = outbox.counts()

    assert ({"built": 1}, 10) == ({state: number for state, number in counts.items() if number}, len(counts))


def test_show_tells_the_story_without_the_person(outbox: Outbox, record, clock) -> None:
    number = outbox.queue.put(record())
    _sent(outbox, clock)
    outbox.queue.rejected(number, BAD)
    shown = outbox.show(number)

    assert ["put", "receive", "reject"] == [step["event"] for step in shown["history"]]
    assert ("0USE**************4K", "M15", "AA") == (shown["visit_id"], shown["errors"][0]["field"], shown["errors"][0]["code"])
    assert "A123456789" not in str(shown)


def test_a_record_that_does_not_exist(outbox: Outbox) -> None:
    with pytest.raises(InputError, match="no record 9"):
        outbox.show(9)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_claim_waits_for_nobody(outbox: Outbox, record, visits) -> None:
    """Rows that another counter's transaction holds are passed by, not waited for."""
    for visit in visits:
        outbox.queue.put(record(visit))
    got: list[int] = []
    claim = threading.Thread(target=lambda: got.extend(item.id for item in outbox.queue.claim(10, LEASE)), daemon=True)
    with outbox.database.writing() as connection:
        connection.execute(select(queue.c.id).where(queue.c.id.in_([1, 3])).with_for_update())
        claim.start()
        claim.join(30)

        assert [2, 4] == got

    assert [1, 3] == [item.id for item in outbox.queue.claim(10, LEASE)]
