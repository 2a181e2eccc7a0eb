"""The tables of states hold together."""

import pytest

from nhirx.outbox import states


@pytest.mark.parametrize("table", [states.JOURNAL, states.QUEUE], ids=["journal", "queue"])
def test_every_state_can_be_reached_from_nothing(table: dict[str, states.Transition]) -> None:
    reached = {step.after for step in table.values() if not step.before}
    for _ in table:
        reached |= {step.after for step in table.values() if reached & set(step.before)}

    assert {step.after for step in table.values()} == reached


@pytest.mark.parametrize("table", [states.JOURNAL, states.QUEUE], ids=["journal", "queue"])
def test_every_state_that_an_arrow_leaves_is_one_that_an_arrow_enters(table: dict[str, states.Transition]) -> None:
    left = {state for step in table.values() for state in step.before}

    assert set() == left - {step.after for step in table.values()}


def test_a_record_ends_accepted_superseded_or_withdrawn() -> None:
    """From every other state of the queue an arrow leads on, so nothing waits where nobody looks."""
    ends = set(states.QUEUE_STATES) - {state for step in states.QUEUE.values() for state in step.before}

    assert {"accepted", "superseded", "withdrawn"} == ends


def test_what_the_card_gave_is_dropped_only_by_a_person() -> None:
    """Without a person's name only a dispensing that was never numbered can be abandoned."""
    assert ("opened",) == states.JOURNAL["abandon"].before


def test_nothing_is_accepted_that_was_not_sent() -> None:
    assert (("sent",), ("sent",)) == (states.QUEUE["accept"].before, states.QUEUE["reject"].before)
