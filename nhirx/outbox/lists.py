"""Questions that a screen asks of a whole outbox: by day, by state, how many of each kind. Values come from journal and queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from nhirx.outbox.schema import dispensings, queue
from nhirx.outbox.store import Outbox
from nhirx.outbox.values import Dispensing, Queued


def records(
    outbox: Outbox,
    *,
    first: datetime | None = None,
    last: datetime | None = None,
    states: Sequence[str] = (),
    limit: int = 200,
) -> list[Queued]:
    """Records built from ``first`` until before ``last``, newest first. Purged ones are left out."""
    query = select(queue.c.id).where(queue.c.record_sealed.is_not(None))
    if first is not None:
        query = query.where(queue.c.built_at >= first)
    if last is not None:
        query = query.where(queue.c.built_at < last)
    if states:
        query = query.where(queue.c.state.in_(states))
    with outbox.database.reading() as connection:
        found = list(connection.execute(query.order_by(queue.c.id.desc()).limit(limit)).scalars())
    return [outbox.queue.item(item) for item in found]


def dispensings_of(
    outbox: Outbox, *, first: datetime | None = None, last: datetime | None = None, limit: int = 200
) -> list[Dispensing]:
    """Dispensings opened from ``first`` until before ``last``, newest first. Purged ones are left out."""
    query = select(dispensings.c.id).where(dispensings.c.purged_at.is_(None))
    if first is not None:
        query = query.where(dispensings.c.opened_at >= first)
    if last is not None:
        query = query.where(dispensings.c.opened_at < last)
    with outbox.database.reading() as connection:
        found = list(connection.execute(query.order_by(dispensings.c.id.desc()).limit(limit)).scalars())
    return [outbox.journal.dispensing(item) for item in found]


def settles(outbox: Outbox, dispensing: int) -> int | None:
    """The held dispensing that this one makes up for, if it is a make-up."""
    with outbox.database.reading() as connection:
        found = connection.execute(select(dispensings.c.id).where(dispensings.c.settled_by == dispensing)).scalar()
    return None if found is None else int(found)


def kinds(outbox: Outbox, *, first: datetime) -> dict[str, int]:
    """How many records of each upload kind were built since ``first``, without those withdrawn or replaced."""
    query = (
        select(queue.c.kind, func.count())
        .where(queue.c.built_at >= first, queue.c.state.not_in(("withdrawn", "superseded")))
        .group_by(queue.c.kind)
    )
    with outbox.database.reading() as connection:
        return {str(kind): int(number) for kind, number in connection.execute(query)}
