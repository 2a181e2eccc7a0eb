"""Getting rid of what is no longer needed, and changing the key of what is."""

from __future__ import annotations

import calendar
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, exists, func, or_, select, update

from nhirx.errors import KeyWrong
from nhirx.logs import mask
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.schema import dispensings, in_state, queue
from nhirx.outbox.store import Outbox

FINISHED_RECORDS = ("accepted", "superseded", "withdrawn")
FINISHED_DISPENSINGS = ("filled", "settled", "abandoned")
_BATCH = 500


def purge(outbox: Outbox, before: datetime, *, by: str, why: str = "") -> int:
    """Erase the contents of everything that was finished before ``before``; how many records and dispensings.

    ``by`` and ``why`` go to the audit trail.
    Rows stay, empty, so that numbers, times, states and the audit trail keep their meaning. Nothing unfinished is touched, however
    old. SQLite overwrites what it frees (``secure_delete``) and its log is emptied at the end.
    """
    purged = 0
    old_record = and_(queue.c.purged_at.is_(None), in_state(queue, *FINISHED_RECORDS), queue.c.changed_at < before)
    live = exists().where(queue.c.dispensing_id == dispensings.c.id, queue.c.purged_at.is_(None))
    old_dispensing = and_(
        dispensings.c.purged_at.is_(None),
        in_state(dispensings, *FINISHED_DISPENSINGS),
        dispensings.c.changed_at < before,
        ~live,
    )
    for table, old in ((queue, old_record), (dispensings, old_dispensing)):
        empty = {column.name: None for column in table.c if column.name.endswith("_sealed") or column.name == "person_key"}
        while True:
            with outbox.store.step(by) as step:
                ids = list(step.connection.execute(select(table.c.id).where(old).order_by(table.c.id).limit(_BATCH)).scalars())
                if not ids:
                    break
                values = empty | {"purged_at": step.now, "visit_key": "" if table is queue else None}
                if table is queue:
                    values["lock"] = ""
                step.connection.execute(update(table).where(table.c.id.in_(ids)).values(values))
                told = {"first": ids[0], "last": ids[-1], "count": len(ids), "before": before.isoformat(), "why": mask(why)}
                step.note("purge", table.name, None, None, **told)
            purged += len(ids)
    outbox.database.compact()
    return purged


def kept_since(now: datetime, months: int) -> datetime:
    """The beginning of the day ``months`` months before ``now``; of the last day of a shorter month."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return datetime(year, month + 1, day, tzinfo=now.tzinfo)


def outdated(outbox: Outbox) -> int:
    """How many rows hold something that is sealed with another than the current key."""
    with outbox.database.reading() as connection:
        queries = (select(func.count()).where(_old(table, outbox.ring)) for table in (dispensings, queue))
        return sum(int(connection.execute(query).scalar() or 0) for query in queries)


def reseal(outbox: Outbox, ring: KeyRing) -> int:
    """Seal everything anew with the current key of ``ring``, which must open the old as well; how many rows.

    Done in small transactions: stopped in the middle it is simply run again. No other program may have the outbox open meanwhile,
    because it would go on sealing with the old key.
    """
    if ring.lookup != outbox.ring.lookup:
        raise KeyWrong(problem="查詢金鑰不同 / the look-up key differs")
    outbox.store.ring = outbox.ring = ring
    done = 0
    for table in (dispensings, queue):
        sealed, old = _sealed(table), _old(table, ring)
        while True:
            with outbox.store.step() as step:
                rows = step.connection.execute(select(table.c.id, *sealed).where(old).limit(_BATCH)).all()
                for row in rows:
                    values = {
                        column.name: ring.seal(ring.open(value, purpose), purpose)
                        for column, value in zip(sealed, row[1:], strict=True)
                        if value is not None and (purpose := f"{table.name}.{column.name.removesuffix('_sealed')}")
                    }
                    step.connection.execute(update(table).where(table.c.id == row.id).values(values))
            if not rows:
                break
            done += len(rows)
    outbox.note("reseal", who=outbox.store.who, subject="key", rows=done)
    outbox.database.compact()
    return done


def _sealed(table: Table) -> list[Column[Any]]:
    return [column for column in table.c if column.name.endswith("_sealed")]


def _old(table: Table, ring: KeyRing) -> ColumnElement[bool]:
    key = bytes.fromhex(ring.current)
    return or_(*(and_(column.is_not(None), func.substr(column, 2, 4) != key) for column in _sealed(table)))
