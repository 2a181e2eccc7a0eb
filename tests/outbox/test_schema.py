"""Migrations and tables say the same, and the indexes are used."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect
from sqlalchemy.exc import IntegrityError

from nhirx.errors import StoreError
from nhirx.outbox import Outbox
from nhirx.outbox.engine import Database
from nhirx.outbox.migrations import config, upgrade
from nhirx.outbox.schema import HEAD, Moment, metadata, queue, version_table
from nhirx.roc import TAIPEI


def test_the_migrations_lead_to_the_tables(database_url: str) -> None:
    database = _migrated(database_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})

        assert [] == compare_metadata(context, metadata)
    database.close()


def test_a_new_database_is_the_one_that_the_migrations_lead_to(database_url: str) -> None:
    """A new one is made at once, without its history. Columns, keys, conditions and indexes are the same, and the version."""
    database = _migrated(database_url)
    walked = _described(database)
    with database.writing() as connection:
        metadata.drop_all(connection)
        version_table.drop(connection)
    database.migrate()
    made = _described(database)
    database.close()

    assert (walked, HEAD) == (made, made["version"])
    assert {"chain", "dispensings", "events", "meta", "queue", "alembic_version"} == set(made["tables"])


def _migrated(url: str) -> Database:
    """A database that went through every migration, as one that was begun by the first release."""
    database = Database(url)
    with database.writing() as connection:
        upgrade(connection)
    return database


def _described(database: Database) -> dict[str, Any]:
    """As the database itself tells it, with SQLite's own words: those have the autoincrement, and every condition."""
    with database.reading() as connection:
        asked = inspect(connection)
        told = (
            asked.get_columns,
            asked.get_pk_constraint,
            asked.get_foreign_keys,
            asked.get_check_constraints,
            asked.get_indexes,
        )
        tables = {name: [json.dumps(tell(name), default=str) for tell in told] for name in asked.get_table_names()}
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").all() if database.is_sqlite else []
    words = {name: sorted(sql.replace('"', "").replace(",", " ").split()) for name, sql in rows if sql}
    return {"version": database.version(), "tables": tables, "words": words}


def test_head_names_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(config()).get_current_head() == HEAD


def test_a_database_of_a_newer_program_is_left_alone(outbox: Outbox, database_url: str) -> None:
    with outbox.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match="newer program"):
        Outbox(database_url)


def test_the_database_itself_refuses_a_second_sender_of_one_visit(outbox: Outbox, record, clock) -> None:
    outbox.queue.put(record())
    outbox.queue.claim(1, timedelta(minutes=5))
    outbox.queue.put(record())

    with pytest.raises(IntegrityError), outbox.database.engine.begin() as connection:
        connection.execute(queue.update().values(state="sending"))


def test_the_database_itself_refuses_an_unknown_state(outbox: Outbox, record) -> None:
    outbox.queue.put(record())

    with pytest.raises(IntegrityError), outbox.database.engine.begin() as connection:
        connection.execute(queue.update().values(state="done"))


def test_work_never_walks_through_what_is_done(tmp_path, record, clock) -> None:
    """Every statement on the queue while claiming, sending and checking goes by an index, on SQLite by its own plan."""
    outbox = Outbox(f"sqlite:///{tmp_path / 'plan.sqlite'}", clock=clock)
    seen: list[str] = []
    event.listen(outbox.database.engine, "connect", lambda connection, _: connection.set_trace_callback(seen.append))
    outbox.database.let_go()
    outbox.queue.put(record())
    outbox.queue.put(record())
    claimed = outbox.queue.claim(10, timedelta(minutes=5))
    outbox.queue.claim(10, timedelta(minutes=5))
    from nhirx.model import CheckResult, Receipt

    outbox.queue.sent([item.id for item in claimed], Receipt(opcode="OP1", received_at=clock()))
    outbox.queue.unchecked(10, clock() + timedelta(seconds=10))
    outbox.queue.accepted(claimed[0].id, CheckResult(accepted=True))
    statements = [sql for sql in seen if "queue" in sql and sql.startswith(("SELECT", "UPDATE"))]
    with sqlite3.connect(tmp_path / "plan.sqlite") as connection:
        plans = {sql: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in statements}
    outbox.close()

    assert len(plans) > 8
    assert {} == {sql: plan for sql, plan in plans.items() if any("SCAN" in line and "INDEX" not in line for line in plan)}


def test_times_come_back_as_they_went_in() -> None:
    moment = datetime(2026, 11, 20, 9, 0, 13, 123456, tzinfo=TAIPEI)
    kind = Moment()
    stored = kind.process_bind_param(moment.astimezone(UTC), None)

    assert moment == kind.process_result_value(stored, None)


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="without offset"):
        Moment().process_bind_param(datetime(2026, 11, 20), None)  # noqa: DTZ001
