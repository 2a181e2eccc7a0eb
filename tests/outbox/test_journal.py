"""The journal: nothing the card gave is ever only in memory, and nothing is dropped without a person."""

import pytest

from nhirx.errors import InputError, TransitionRefused
from nhirx.outbox import Outbox

PLAN = {"ok": True, "action": "upload", "fields": {"M07": "AF"}}
FACTS = {"patient": {"national_id": "A123456789", "birth_date": "0501231"}}


def test_a_dispensing_from_intent_to_queue(outbox: Outbox, reading, record, clock) -> None:
    first = outbox.journal.open(PLAN, {"days": 28}, FACTS)
    outbox.journal.numbered(first, reading())
    outbox.journal.written(first, ["11" * 20, "22" * 20])
    queued = outbox.journal.filled_and_queued(first, record())
    kept = outbox.journal.dispensing(first)

    assert ("filled", PLAN, {"days": 28}, FACTS) == (kept.state, kept.plan, kept.prescription, kept.facts)
    assert (reading(), ("11" * 20, "22" * 20), clock()) == (kept.reading, kept.signatures, kept.opened_at)
    assert (record(), first, "built") == (
        outbox.queue.item(queued).record,
        outbox.queue.item(queued).dispensing_id,
        outbox.queue.item(queued).state,
    )


def test_what_a_stop_left_is_found_by_another_program(outbox: Outbox, database_url: str, ring, reading) -> None:
    opened = outbox.journal.open(PLAN, None, None)
    numbered = outbox.journal.open(PLAN, None, None)
    outbox.journal.numbered(numbered, reading())
    outbox.journal.abandon(outbox.journal.open(PLAN, None, None), "card absent")
    with Outbox(database_url, ring=ring) as other:
        left = other.journal.unfinished()

    assert [(opened, "opened", None), (numbered, "numbered", reading())] == [(one.id, one.state, one.reading) for one in left]


def test_a_hold_waits_and_is_settled_by_its_make_up(outbox: Outbox, reading, record) -> None:
    owed = outbox.journal.open(PLAN, None, FACTS)
    outbox.journal.hold(owed, reading(made_by="no-card"))
    make_up = outbox.journal.open(PLAN, None, FACTS, settles=owed)

    assert [owed] == [one.id for one in outbox.journal.held()]

    outbox.journal.numbered(make_up, reading())
    outbox.journal.filled_and_queued(make_up, record())

    assert [] == outbox.journal.held()
    assert ("settled", make_up) == (outbox.journal.dispensing(owed).state, outbox.journal.dispensing(owed).settled_by)


def test_a_make_up_that_is_dropped_leaves_the_hold_open(outbox: Outbox, reading) -> None:
    owed = outbox.journal.open(PLAN, None, FACTS)
    outbox.journal.hold(owed, reading(made_by="no-card"))
    outbox.journal.abandon(outbox.journal.open(PLAN, None, FACTS, settles=owed), "card absent")

    assert [(owed, None)] == [(one.id, one.settled_by) for one in outbox.journal.held()]


def test_only_a_hold_can_be_made_up_for(outbox: Outbox) -> None:
    opened = outbox.journal.open(PLAN, None, FACTS)

    with pytest.raises(TransitionRefused, match="opened"):
        outbox.journal.open(PLAN, None, FACTS, settles=opened)
    assert [opened] == [one.id for one in outbox.journal.unfinished()]


def test_a_number_is_abandoned_only_by_a_named_person_and_stays_readable(outbox: Outbox, reading) -> None:
    one = outbox.journal.open(PLAN, None, FACTS)
    outbox.journal.numbered(one, reading())

    with pytest.raises(TransitionRefused, match="numbered"):
        outbox.journal.abandon(one, "not wanted")

    outbox.journal.abandon(one, "given back to the control software", by="pharmacist-1")
    kept = outbox.journal.dispensing(one)

    assert ("abandoned", "given back to the control software", reading()) == (kept.state, kept.reason, kept.reading)


@pytest.mark.parametrize("again", ["numbered", "written", "filled_and_queued", "hold"])
def test_a_filled_dispensing_moves_no_more(outbox: Outbox, reading, record, again: str) -> None:
    one = outbox.journal.open(PLAN, None, FACTS)
    outbox.journal.numbered(one, reading())
    outbox.journal.filled_and_queued(one, record())
    argument = {"numbered": reading(), "hold": reading(), "written": ["11" * 20], "filled_and_queued": record()}[again]

    with pytest.raises(TransitionRefused, match="filled"):
        getattr(outbox.journal, again)(one, argument)
    assert 1 == outbox.counts()["built"]


def test_signatures_need_a_number_first(outbox: Outbox) -> None:
    with pytest.raises(TransitionRefused, match="opened"):
        outbox.journal.written(outbox.journal.open(PLAN, None, FACTS), ["11" * 20])


def test_a_dispensing_that_does_not_exist(outbox: Outbox, reading) -> None:
    with pytest.raises(TransitionRefused, match="absent"):
        outbox.journal.numbered(7, reading())
    with pytest.raises(InputError, match="no dispensing 7"):
        outbox.journal.dispensing(7)


def test_the_dispensings_of_one_person(outbox: Outbox) -> None:
    mine = [outbox.journal.open(PLAN, None, FACTS) for _ in range(2)]
    outbox.journal.open(PLAN, None, {"patient": {"national_id": "B223456781"}})

    assert mine[::-1] == [one.id for one in outbox.journal.of_person(" a123456789 ")]


def test_masked_shows_no_person(outbox: Outbox, reading) -> None:
    one = outbox.journal.open(PLAN, None, FACTS)
    outbox.journal.numbered(one, reading())
    outbox.journal.abandon(one, "A123456789 went home", by="p1")
    shown = outbox.journal.dispensing(one).masked()

    assert ("0USE**************4K", "A1*******9 went home") == (shown["visit_id"], shown["reason"])


@pytest.mark.parametrize("text", ["[1]", "3"])
def test_a_plan_is_an_object(outbox: Outbox, text: str) -> None:
    with pytest.raises(InputError):
        outbox.journal.open(text, None, None)
