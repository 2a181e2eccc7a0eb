"""The audit trail: every step as one line of a chain, written in the transaction of the step itself.

The digest of a line is a keyed hash over the digest before it and the line, so nobody without the key can change, drop or insert a
line unnoticed. The end of the chain stands in a row of its own, so cutting the last lines off shows as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from nhirx.errors import StoreDamaged
from nhirx.outbox import prepared
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.prepared import Prepared
from nhirx.outbox.schema import chain, events, micros
from nhirx.outbox.values import Event

_START = "0" * 64
_END = Prepared(select(prepared.chain.c.seq, prepared.chain.c.digest).with_for_update())
_APPEND = Prepared(insert(prepared.events), *prepared.events.c.keys())
_BEGIN = Prepared(insert(prepared.chain), "id", "seq", "digest")
_MOVE = Prepared(update(prepared.chain), "seq", "digest")
_FIELDS = ("seq", "at", "who", "event", "subject", "subject_id", "after", "note")
_note = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str).encode
_line = json.JSONEncoder(ensure_ascii=False).encode


def write(
    connection: Connection,
    ring: KeyRing,
    at: datetime,
    who: str,
    steps: list[tuple[str, str, int | None, str | None, dict[str, Any]]],
) -> None:
    """Append ``(event, subject, subject_id, state after, note)`` lines. ``note`` must hold no personal data."""
    if not steps:
        return
    end = _END.rows(connection, {})
    seq, digest = end[0] if end else (0, _START)
    moment = micros(at)
    rows = []
    for event, subject, subject_id, after, note in steps:
        seq += 1
        line = (seq, moment, who, event, subject, subject_id, after, _note(note))
        digest = ring.chain(digest, _line(line))
        rows.append(dict(zip(_FIELDS, line, strict=True)) | {"digest": digest})
    _APPEND.run(connection, rows)
    if end:
        _MOVE.run(connection, [{"seq": seq, "digest": digest}])
    else:
        _BEGIN.run(connection, [{"id": 1, "seq": seq, "digest": digest}])


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
    end = connection.execute(select(chain.c.seq, chain.c.digest)).one_or_none()
    if (tuple(end) if end is not None else (0, _START)) != (seq, digest):
        raise StoreDamaged(path=where, problem=f"audit trail ends at line {seq}")
    return seq
