"""The audit trail shows every change made to it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import delete, select, update

from nhirx.errors import StoreDamaged
from nhirx.outbox import Outbox
from nhirx.outbox import trail as trail_module
from nhirx.outbox.schema import chain, events, meta, micros
from nhirx.roc import TAIPEI


@pytest.fixture
def busy(outbox: Outbox, record, visits) -> Outbox:
    for visit in visits:
        outbox.queue.put(record(visit))
    outbox.queue.withdraw(1, "double", by="p1")
    outbox.note("reveal", who="p2", subject="queue", subject_id=2, reason="asked by the patient")
    return outbox


def test_an_untouched_trail_holds(busy: Outbox) -> None:
    assert 6 == busy.verify_trail()


def test_an_empty_trail_holds(outbox: Outbox) -> None:
    assert 0 == outbox.verify_trail()


def test_who_did_what_when_and_why(busy: Outbox, clock) -> None:
    with busy.database.reading() as connection:
        last = list(trail_module.lines(connection))[-2:]

    assert [
        (5, clock(), "p1", "withdraw", "queue", 1, "withdrawn", '{"why": "double"}'),
        (6, clock(), "p2", "reveal", "queue", 2, None, '{"reason": "asked by the patient"}'),
    ] == [tuple(line.model_dump(exclude={"digest"}).values()) for line in last]


@pytest.mark.parametrize(
    "change",
    [
        update(events).where(events.c.seq == 3).values(who="somebody"),
        update(events).where(events.c.seq == 3).values(note="{}"),
        update(events).where(events.c.seq == 3).values(at=datetime(2020, 1, 1, tzinfo=TAIPEI)),
        delete(events).where(events.c.seq == 3),
        delete(events).where(events.c.seq == 6),
        update(events).where(events.c.seq == 6).values(seq=7),
        update(events).where(events.c.seq == 6).values(digest="0" * 64),
        delete(chain),
        update(chain).values(seq=5),
        delete(events),
    ],
    ids=["who", "note", "time", "dropped", "cut", "renumbered", "digest", "no end", "wrong end", "all"],
)
def test_every_change_shows(busy: Outbox, change) -> None:
    with busy.database.writing() as connection:
        connection.execute(change)

    with pytest.raises(StoreDamaged, match="audit"):
        busy.verify_trail()


def _cut(connection, mark: str) -> None:
    """What somebody without the key can do: drop the last line and put the one before it in its place as the end."""
    before = connection.execute(select(events.c.digest).where(events.c.seq == 5)).scalar()
    connection.execute(delete(events).where(events.c.seq == 6))
    kept = {} if mark == "mark kept" else {"mark": None if mark == "no mark" else before}
    connection.execute(update(chain).values(seq=5, digest=before, **kept))


def _emptied(connection, _: str) -> None:
    connection.execute(delete(events))
    connection.execute(delete(chain))


@pytest.mark.parametrize(("cut", "mark"), [(_cut, "mark kept"), (_cut, "no mark"), (_cut, "other mark"), (_emptied, "")])
@pytest.mark.parametrize("proof", [True, False], ids=["proof kept", "proof dropped"])
def test_a_trail_that_is_cut_short_shows_whatever_is_made_of_its_end(
    busy: Outbox, ring, database_url: str, record, cut, mark: str, proof: bool
) -> None:
    """At once, when the program is started again, and for good after it has gone on writing."""
    with busy.database.writing() as connection:
        cut(connection, mark)
        if not proof:
            connection.execute(delete(meta))
    with pytest.raises(StoreDamaged, match="audit"):
        busy.verify_trail()
    with Outbox(database_url, ring=ring) as again:
        with pytest.raises(StoreDamaged, match="audit"):
            again.verify_trail()
        again.queue.put(record("0USE4FA11RP4J370WR5K"))
        again.queue.put(record("0USE4FA11RP4J370WR5L"))
        with pytest.raises(StoreDamaged, match="audit"):
            again.verify_trail()

        assert 6 == again.counts()["built"] + again.counts()["withdrawn"]


def test_lines_that_changed_places_show(busy: Outbox) -> None:
    with busy.database.writing() as connection:
        for old, new in ((3, 99), (4, 3), (99, 4)):
            connection.execute(update(events).where(events.c.seq == old).values(seq=new))

    with pytest.raises(StoreDamaged, match="audit line 3"):
        busy.verify_trail()


def test_programs_that_open_a_new_database_at_once_agree(database_url: str, ring) -> None:
    """One of them sets it up; none fails, and the trail has one beginning."""
    threads = 6
    gate = threading.Barrier(threads)

    def start(number: int) -> None:
        gate.wait(30)
        with Outbox(database_url, ring=ring) as one:
            one.note("reveal", who=f"p{number}")

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(start, range(threads)))
    with Outbox(database_url, ring=ring) as outbox:
        assert threads == outbox.verify_trail()


def test_a_whole_chain_forged_without_the_key_shows(busy: Outbox, ring) -> None:
    """Somebody who may write the database but has no key rebuilds every digest."""
    forger = type(ring).new()
    with busy.database.writing() as connection:
        lines = list(trail_module.lines(connection))
        connection.execute(delete(events))
        connection.execute(delete(chain))
        steps = [(line.event, line.subject, line.subject_id, line.after, {}) for line in lines[1:]]
        trail_module.write(connection, forger, micros(lines[0].at), "nobody", steps)

    with pytest.raises(StoreDamaged, match="line 1"):
        busy.verify_trail()
