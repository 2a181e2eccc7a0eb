"""The tables of the outbox. Migration head and these tables are equal; a test compares them.

What can name a person is sealed (``*_sealed``, see ``keys``) or a keyed hash (``*_key``); everything else stands in clear,
so that a database browser shows what is stuck and why without showing whom.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    literal_column,
    text,
)
from sqlalchemy.types import TypeDecorator

from nhirx.outbox.states import JOURNAL_STATES, QUEUE_STATES
from nhirx.roc import TAIPEI

HEAD = "0002"
"""The newest migration; a test compares it with the files."""


class Moment(TypeDecorator[datetime]):
    """An aware time as microseconds since 1970 UTC: the same, and comparable, in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC. Raises ``ValueError`` for a time without offset."""
    if at.tzinfo is None:
        raise ValueError("a time without offset")
    return round(at.timestamp() * 1_000_000)


def moment(held: int) -> datetime:
    """The reverse of ``micros``, in Taiwan's offset."""
    return datetime.fromtimestamp(held / 1_000_000, TAIPEI)


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def in_state(table: FromClause, *states: str) -> ColumnElement[bool]:
    """``state`` of ``table`` is one of ``states``, written into the statement: only then may SQLite use a partial index."""
    words: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in states]
    return table.c.state == words[0] if len(words) == 1 else table.c.state.in_(words)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

dispensings = Table(
    "dispensings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("person_key", String(64)),
    Column("visit_key", String(64)),
    Column("plan_sealed", LargeBinary),
    Column("prescription_sealed", LargeBinary),
    Column("facts_sealed", LargeBinary),
    Column("reading_sealed", LargeBinary),
    Column("signatures_sealed", LargeBinary),
    Column("reason_sealed", LargeBinary),
    Column("settled_by", Integer, ForeignKey("dispensings.id")),
    Column("purged_at", Moment),
    CheckConstraint(_one_of("state", JOURNAL_STATES), name="state"),
    sqlite_autoincrement=True,  # an ID that was once shown to a person is never given to another dispensing
)
Index(
    "ix_dispensings_open",
    dispensings.c.state,
    sqlite_where=text(_one_of("state", ("opened", "numbered", "writing", "written", "held"))),
    postgresql_where=text(_one_of("state", ("opened", "numbered", "writing", "written", "held"))),
)
Index("ix_dispensings_person", dispensings.c.person_key)
Index("ix_dispensings_visit", dispensings.c.visit_key)

queue = Table(
    "queue",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dispensing_id", Integer, ForeignKey("dispensings.id")),
    Column("state", String(16), nullable=False),
    Column("lock", String(64), nullable=False),
    Column("unique_key", Integer, nullable=False),
    Column("visit_key", String(64), nullable=False),
    Column("person_key", String(64)),
    Column("kind", String(8), nullable=False),
    Column("record_sealed", LargeBinary),
    Column("built_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("lease_until", Moment),
    Column("lease", String(32)),
    Column("opcode", String(128)),
    Column("place", Integer),
    Column("batch", Integer),
    Column("sent_at", Moment),
    Column("result_sealed", LargeBinary),
    Column("problem", Text),
    Column("purged_at", Moment),
    CheckConstraint(_one_of("state", QUEUE_STATES), name="state"),
    sqlite_autoincrement=True,
)
# The lock of the whole design: at most one sender per visit ID, whatever the programs do.
Index(
    "uq_queue_one_sender",
    queue.c.lock,
    unique=True,
    sqlite_where=text("state = 'sending'"),
    postgresql_where=text("state = 'sending'"),
)
Index(
    "ix_queue_waiting",
    queue.c.lock,
    queue.c.id,
    sqlite_where=text("state IN ('built', 'sending')"),
    postgresql_where=text("state IN ('built', 'sending')"),
)
Index("ix_queue_due", queue.c.due_at, sqlite_where=text("state = 'built'"), postgresql_where=text("state = 'built'"))
Index("ix_queue_unchecked", queue.c.due_at, sqlite_where=text("state = 'sent'"), postgresql_where=text("state = 'sent'"))
Index("ix_queue_leased", queue.c.lease_until, sqlite_where=text("state = 'sending'"), postgresql_where=text("state = 'sending'"))
Index(
    "ix_queue_person",
    queue.c.state,
    sqlite_where=text("state IN ('rejected', 'stuck')"),
    postgresql_where=text("state IN ('rejected', 'stuck')"),
)
Index(
    "ix_queue_opcode",
    queue.c.opcode,
    sqlite_where=text("opcode IS NOT NULL"),
    postgresql_where=text("opcode IS NOT NULL"),
)
Index(
    "ix_queue_dispensing",
    queue.c.dispensing_id,
    sqlite_where=text("dispensing_id IS NOT NULL"),
    postgresql_where=text("dispensing_id IS NOT NULL"),
)
Index("ix_queue_visit", queue.c.visit_key)

# Every step anyone took, chained: each digest covers the one before. No personal data in clear.
events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("who", String(64), nullable=False),
    Column("event", String(32), nullable=False),
    Column("subject", String(16), nullable=False),
    Column("subject_id", Integer),
    Column("after", String(16)),
    Column("note", Text, nullable=False),
    Column("digest", String(64), nullable=False),
)
Index("ix_events_subject", events.c.subject, events.c.subject_id)

# One row: the end of the chain, with a keyed mark that nobody can make for another end without the key. It is also the lock that
# puts concurrent writers in order.
chain = Table(
    "chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("mark", String(64)),
)

meta = Table("meta", metadata, Column("name", String(64), primary_key=True), Column("value", Text, nullable=False))

version_table = Table(
    "alembic_version",
    MetaData(),  # Alembic's own table, so none of the tables that a migration is compared with
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
