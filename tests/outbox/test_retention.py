"""Purging leaves nothing of what it purges and everything else; a new key opens everything."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from nhirx.errors import KeyWrong
from nhirx.model import CheckResult, Receipt
from nhirx.outbox import Outbox, archive, retention
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.schema import dispensings, queue
from nhirx.roc import TAIPEI


def _dispense(outbox: Outbox, reading, record, visit: str) -> tuple[int, int]:
    one = outbox.journal.open({"x": 1}, {"name": "王小明"}, {"patient": {"national_id": "A123456789"}})
    outbox.journal.numbered(one, reading(visit))
    outbox.journal.written(one, ["5A" * 20])
    return one, outbox.journal.filled_and_queued(one, record(visit))


def _finish(outbox: Outbox, clock, accepted: bool = True) -> None:
    items = [item.id for item in outbox.queue.claim(10, timedelta(minutes=5))]
    outbox.queue.sent(items, Receipt(opcode=f"OP{items}", received_at=clock()))
    for item in items:
        (outbox.queue.accepted if accepted else outbox.queue.rejected)(item, CheckResult(accepted=accepted))


def test_what_is_finished_and_old_is_erased_and_nothing_else(outbox: Outbox, reading, record, clock, visits) -> None:
    _dispense(outbox, reading, record, visits[0])
    _finish(outbox, clock)
    _dispense(outbox, reading, record, visits[1])
    _finish(outbox, clock, accepted=False)
    outbox.journal.hold(outbox.journal.open({}, None, None), reading(visits[2]))
    clock.turn(days=1000)
    _dispense(outbox, reading, record, visits[3])
    _finish(outbox, clock)
    erased = retention.purge(outbox, clock() - timedelta(days=500), by="p1")

    assert 2 == erased
    assert [3, 2] == [item.id for item in outbox.queue.find(national_id="A123456789")]
    assert ("accepted", {}) == (outbox.queue.item(1).state, outbox.queue.item(1).record.fields)
    assert (None, None, None) == tuple(getattr(outbox.journal.dispensing(1), name) for name in ("plan", "reading", "facts"))
    assert reading(visits[2]).visit_id == outbox.journal.held()[0].reading.visit_id
    assert [] == outbox.queue.find(visit_id=visits[0])
    assert 0 == retention.purge(outbox, clock() - timedelta(days=500), by="p1")
    assert [] == archive.inspect(outbox)


def test_purging_stands_in_the_trail(outbox: Outbox, reading, record, clock, visits) -> None:
    _dispense(outbox, reading, record, visits[0])
    _finish(outbox, clock)
    clock.turn(days=1)
    retention.purge(outbox, clock(), by="p1")
    with outbox.database.reading() as connection:
        from nhirx.outbox import trail

        lines = [(line.who, line.event, line.subject) for line in trail.lines(connection)]

    assert [("p1", "purge", "queue"), ("p1", "purge", "dispensings")] == lines[-2:]


def test_nothing_purged_is_left_in_the_files(tmp_path: Path, reading, record, clock, visits, ring) -> None:
    """The sealed bytes themselves are gone from the database and its log."""
    with Outbox(f"sqlite:///{tmp_path / 'outbox.sqlite'}", ring=ring, clock=clock) as outbox:
        _dispense(outbox, reading, record, visits[0])
        _finish(outbox, clock)
        with outbox.database.reading() as connection:
            sealed = [
                value
                for table in (dispensings, queue)
                for row in connection.execute(select(table))
                for value in row
                if isinstance(value, bytes)
            ]
        before = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        clock.turn(days=1)
        retention.purge(outbox, clock(), by="p1")
        after = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert len(sealed) >= 6
    assert [] == [value for value in sealed if value not in before]
    assert [] == [value for value in sealed if value in after]


def test_a_new_key_seals_everything_and_the_old_one_is_not_needed_any_more(
    outbox: Outbox, database_url: str, reading, record, visits, ring
) -> None:
    for visit in visits:
        _dispense(outbox, reading, record, visit)
    newer = ring.rotated()

    assert 8 == retention.reseal(outbox, newer)
    with Outbox(database_url, ring=newer.without_old()) as other:
        assert [] == archive.inspect(other)
        assert [4, 3, 2, 1] == [item.id for item in other.queue.find(national_id="A123456789")]
    with Outbox(database_url, ring=ring) as old:
        assert 8 <= len(archive.inspect(old))


def test_a_reseal_that_was_stopped_goes_on(
    outbox: Outbox, reading, record, visits, ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    for visit in visits:
        _dispense(outbox, reading, record, visit)
    newer = ring.rotated()
    monkeypatch.setattr(retention, "_BATCH", 1)
    plain = KeyRing.seal

    def seal(self, text, purpose):
        if purpose == "queue.record":
            raise KeyboardInterrupt
        return plain(self, text, purpose)

    monkeypatch.setattr(KeyRing, "seal", seal)
    with pytest.raises(KeyboardInterrupt):
        retention.reseal(outbox, newer)
    monkeypatch.setattr(KeyRing, "seal", plain)

    assert 4 == retention.reseal(outbox, newer)
    assert [] == archive.inspect(outbox)


def test_a_key_ring_with_another_look_up_key_is_refused(outbox: Outbox) -> None:
    with pytest.raises(KeyWrong):
        retention.reseal(outbox, KeyRing.new())


def test_what_an_interrupted_change_of_keys_left_is_counted(outbox: Outbox, reading, record, visits, ring) -> None:
    _dispense(outbox, reading, record, visits[0])
    before = retention.outdated(outbox)
    outbox.ring = newer = ring.rotated()
    between = retention.outdated(outbox)
    retention.reseal(outbox, newer)

    assert (0, 2, 0) == (before, between, retention.outdated(outbox))


@pytest.mark.parametrize(("months", "since"), [(1, (2026, 2, 28)), (13, (2025, 2, 28)), (3, (2025, 12, 31)), (84, (2019, 3, 31))])
def test_the_rule_counts_months_back_to_the_beginning_of_a_day(months: int, since: tuple[int, int, int]) -> None:
    now = datetime(2026, 3, 31, 15, 30, tzinfo=TAIPEI)

    assert datetime(*since, tzinfo=TAIPEI) == retention.kept_since(now, months)
