"""The audit trail: every step as one line of a chain, written in the transaction of the step itself.

The digest of a line is a keyed hash over the digest before it and the line, so nobody without the key can change, drop or insert a
line unnoticed. The end of the chain stands in a row of its own with a keyed mark, from the making of the database on, so cutting the
last lines off shows as well, and so does a trail that was begun anew: whatever is wrong with the end when a line is written breaks the
chain at that line for good. An end that was copied earlier, together with the mark of that time, shows only beside a digest that was
written down elsewhere.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from nhirx.errors import StoreDamaged
from nhirx.outbox import prepared
from nhirx.outbox.keys import KeyRing, chained
from nhirx.outbox.prepared import Prepared
from nhirx.outbox.schema import chain, events, micros
from nhirx.outbox.values import Event

_START = "0" * 64
_BROKEN = "f" * 64
_END = Prepared(select(prepared.chain.c.seq, prepared.chain.c.digest, prepared.chain.c.mark).with_for_update())
_LAST = Prepared(select(func.coalesce(func.max(prepared.events.c.seq), 0)))
_APPEND = Prepared(insert(prepared.events), *prepared.events.c.keys())
_BEGIN = Prepared(insert(prepared.chain), "id", "seq", "digest", "mark")
_MOVE = Prepared(update(prepared.chain), "seq", "digest", "mark")
_FIELDS = ("seq", "at", "who", "event", "subject", "subject_id", "after", "note")
_note = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str).encode
_line = json.JSONEncoder(ensure_ascii=False).encode


def write(
    connection: Connection,
    ring: KeyRing,
    at: int,
    who: str,
    steps: list[tuple[str, str, int | None, str | None, dict[str, Any]]],
) -> None:
    """Append ``(event, subject, subject_id, state after, note)`` lines of the moment ``at`` (``schema.micros``). ``note`` must hold no personal data."""
    if not steps:
        return
    end = _END.rows(connection, {})
    seq, digest, mark = end[0] if end else (0, _START, None)
    if mark != _mark(ring, seq, digest):
        # Work goes on, but this line will never fit to what stands before it.
        seq, digest = max(seq, _LAST.rows(connection, {})[0][0]), _BROKEN
    rows = []
    for event, subject, subject_id, after, note in steps:
        seq += 1
        line = (seq, at, who, event, subject, subject_id, after, _note(note))
        digest = ring.chain(digest, _line(line))
        rows.append(dict(zip(_FIELDS, line, strict=True)) | {"digest": digest})
    _APPEND.run(connection, rows)
    values = {"seq": seq, "digest": digest, "mark": _mark(ring, seq, digest)}
    if end:
        _MOVE.run(connection, [values])
    else:
        _BEGIN.run(connection, [values | {"id": 1}])


def begin(connection: Connection, ring: KeyRing) -> None:
    """Mark the end of a trail that has no mark yet: of a new database, and of one that an earlier program wrote."""
    end = _END.rows(connection, {})
    if not end:
        seq, digest = (0, _START) if not _LAST.rows(connection, {})[0][0] else (0, _BROKEN)
        _BEGIN.run(connection, [{"id": 1, "seq": seq, "digest": digest, "mark": _mark(ring, seq, digest)}])
    elif end[0][2] is None:
        seq, digest, _ = end[0]
        _MOVE.run(connection, [{"seq": seq, "digest": digest, "mark": _mark(ring, seq, digest)}])


def _mark(ring: KeyRing, seq: int, digest: str) -> str:
    return _marked(ring.lookup, seq, digest)


@functools.lru_cache(maxsize=8)
def _marked(key: bytes, seq: int, digest: str) -> str:
    # The end that a line was written behind is mostly the one that the line before it made.
    return chained(key, digest, f"end {seq}")


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
        line = [getattr(event, name) if name != "at" else micros(event.at) for name in _FIELDS]
        digest = ring.chain(digest, _line(line))
        if event.seq != seq or event.digest != digest:
            raise StoreDamaged(path=where, problem=f"audit line {seq}")
    end = connection.execute(select(chain.c.seq, chain.c.digest, chain.c.mark)).one_or_none()
    if end is None or tuple(end) != (seq, digest, _mark(ring, seq, digest)):
        raise StoreDamaged(path=where, problem=f"audit trail ends at line {seq}")
    return seq
