"""What the journal and the queue share: a transaction with its clock, its keys and its lines of the audit trail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Table, select, update

from nhirx.outbox import trail
from nhirx.outbox.engine import Database
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.schema import micros
from nhirx.outbox.states import Transition, refused

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Step:
    """One writing transaction. Lines noted here reach the trail before the commit, or nothing of the step happened."""

    connection: Connection
    ring: KeyRing
    now: datetime
    micros: int
    """``now`` as the tables hold it."""
    lines: list[tuple[str, str, int | None, str | None, dict[str, Any]]] = field(default_factory=list)

    def note(self, event: str, subject: str, subject_id: int | None, after: str | None, **note: Any) -> None:
        self.lines.append((event, subject, subject_id, after, note))

    def move(self, table: Table, subject: str, row_id: int, transition: Transition, **values: Any) -> None:
        """Take one row along an arrow of ``states``. Raises ``TransitionRefused`` when it stands elsewhere."""
        moved = self.connection.execute(
            update(table)
            .where(table.c.id == row_id, table.c.state.in_(transition.before))
            .values(state=transition.after, changed_at=self.now, **values)
        )
        if moved.rowcount != 1:
            found = self.connection.execute(select(table.c.state).where(table.c.id == row_id)).scalar()
            raise refused(found, transition.event)

    def seal(self, value: Any, purpose: str) -> bytes:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return self.ring.seal(text, purpose)


def new_id(result: CursorResult[Any]) -> int:
    """The ID that the database gave to the one row just inserted."""
    key = result.inserted_primary_key
    assert key is not None  # noqa: S101 - both tables have one
    return int(key[0])


class Store:
    """A database, its keys, the clock, and whose hands it is in."""

    def __init__(self, database: Database, ring: KeyRing, clock: Clock, who: str) -> None:
        self.database = database
        self.ring = ring
        self.clock = clock
        self.who = who

    @contextmanager
    def step(self, who: str | None = None) -> Iterator[Step]:
        with self.database.writing() as connection:
            now = self.clock()
            step = Step(connection, self.ring, now, micros(now))
            yield step
            if step.lines:
                trail.write(connection, self.ring, step.micros, who or self.who, step.lines)

    def opened(self, sealed: bytes | None, purpose: str) -> Any:
        """The JSON value inside ``sealed``, or None."""
        return None if sealed is None else json.loads(self.ring.open(sealed, purpose))
