"""The audit trail: every step as one line of a chain, written in the transaction of the step itself.

The digest of a line is a keyed hash over the digest before it and the line, so nobody without the key can change, drop or insert a
line unnoticed. The end of the chain stands in a row of its own, so cutting the last lines off shows as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from nhirx.errors import StoreDamaged
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.schema import chain, events
from nhirx.outbox.values import Event

_START = "0" * 64
# Built once: this is part of every step, and building a statement costs as much as running it.
_END = select(chain.c.seq, chain.c.digest).with_for_update()
_APPEND = insert(events)
_BEGIN = insert(chain).values(id=1, seq=bindparam("last"), digest=bindparam("sum"))
_MOVE = update(chain).values(seq=bindparam("last"), digest=bindparam("sum"))


def write(
    connection: Connection,
    ring: KeyRing,
    at: datetime,
    who: str,
    steps: list[tuple[str, str, int | None, str | None, dict[str, Any]]],
) -> None:
    """Append ``(event, subject, subject_id, state after, note)`` lines. ``note`` must hold no personal data."""
    end = connection.execute(_END).one_or_none()
    seq, digest = (0, _START) if end is None else end
    rows = []
    for event, subject, subject_id, after, note in steps:
        seq += 1
        line = {
            "seq": seq,
            "at": at,
            "who": who,
            "event": event,
            "subject": subject,
            "subject_id": subject_id,
            "after": after,
            "note": json.dumps(note, ensure_ascii=False, sort_keys=True, default=str),
        }
        digest = ring.chain(digest, _text(line))
        rows.append({**line, "digest": digest})
    if not rows:
        return
    connection.execute(_APPEND, rows)
    connection.execute(_BEGIN if end is None else _MOVE, {"last": seq, "sum": digest})


def lines(connection: Connection, *, subject: str | None = None, subject_id: int | None = None) -> Iterator[Event]:
    """The trail in order; all of it, or that of one dispensing (``journal``) or record (``queue``)."""
    query = select(events).order_by(events.c.seq)
    if subject is not None:
        query = query.where(events.c.subject == subject, events.c.subject_id == subject_id)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        yield Event.model_validate(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for it


def verify(connection: Connection, ring: KeyRing, where: str) -> int:
    """The number of lines when the chain holds. Raises ``StoreDamaged`` that names the first line that does not fit."""
    digest, seq = _START, 0
    for event in lines(connection):
        seq += 1
        line = event.model_dump(exclude={"digest"})
        digest = ring.chain(digest, _text(line))
        if event.seq != seq or event.digest != digest:
            raise StoreDamaged(path=where, problem=f"audit line {seq}")
    end = connection.execute(select(chain.c.seq, chain.c.digest)).one_or_none()
    if (tuple(end) if end is not None else (0, _START)) != (seq, digest):
        raise StoreDamaged(path=where, problem=f"audit trail ends at line {seq}")
    return seq


def _text(line: dict[str, Any]) -> str:
    moment = round(line["at"].timestamp() * 1_000_000)
    return json.dumps([line[name] if name != "at" else moment for name in _FIELDS], ensure_ascii=False)


_FIELDS = ("seq", "at", "who", "event", "subject", "subject_id", "after", "note")
