"""Connections: SQLite as durable as it can be, PostgreSQL by URL, and the schema brought up to date."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from nhirx.errors import ComponentMissing, SettingInvalid, StoreError, StoreReadOnly
from nhirx.outbox.faults import named
from nhirx.outbox.schema import HEAD, metadata, version_table

_BUSY_SECONDS = 30
_DRIVER = "nhirx_driver"
_WRITERS = 2
"""Connections kept for writing; SQLite lets one write at a time, another may wait at the lock."""
_MIGRATION_LOCK = 0x6E686972
_migrating = threading.Lock()


class Database:
    """One database. ``reading`` and ``writing`` are transactions; a ``writing`` that returns is on disk."""

    def __init__(self, url: str) -> None:
        self.url = _parsed(url)
        self.where = self.url.database or "" if self.url.get_backend_name() == "sqlite" else self.url.render_as_string()
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url, self.where)
        self._writers: list[Connection] = []
        self._closed = False

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if not self.is_sqlite:
            with named(self.where), self.engine.begin() as connection:
                yield connection
            return
        with named(self.where):
            connection = self._writer()
            driver = driver_of(connection)
            try:
                driver.execute("BEGIN IMMEDIATE")
                yield connection
                self._finish(connection)
            except BaseException:
                with suppress(SQLAlchemyError, sqlite3.Error):
                    (connection if connection.in_transaction() else driver).rollback()
                connection.close()
                raise
            self._keep(connection)

    def _finish(self, connection: Connection) -> None:
        # SQLAlchemy knows of the transaction only if a statement went through it.
        (connection if connection.in_transaction() else driver_of(connection)).commit()

    def _writer(self) -> Connection:
        # Taking one from the pool and giving it back took as long as what SQLite does for a record.
        try:
            return self._writers.pop()
        except IndexError:
            fresh = self.engine.connect()
            return fresh.execution_options(**{_DRIVER: fresh.connection.driver_connection})

    def _keep(self, connection: Connection) -> None:
        if len(self._writers) < _WRITERS and not self._closed:
            self._writers.append(connection)
        else:
            connection.close()

    @contextmanager
    def reading(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """A transaction that writes nothing. With ``snapshot`` all of its statements see the database of one moment."""
        options: dict[str, Any] = {"nhirx_reading": True}
        if snapshot and not self.is_sqlite:  # a transaction of SQLite is one anyway
            options["isolation_level"] = "REPEATABLE READ"
        with named(self.where), self.engine.connect().execution_options(**options) as connection:
            yield connection

    def compact(self) -> None:
        """Give the log of SQLite back, so that what was erased is in no file any more. Waits for no reader."""
        if self.is_sqlite:
            with named(self.where), self.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def migrate(self) -> None:
        """Bring the schema to the newest version. Two programs that open one database at once do it once."""
        if self.version() == HEAD:
            return
        with _migrating, named(self.where), self.engine.connect() as connection, connection.begin():
            self.alone(connection)
            if not inspect(connection).has_table(version_table.name):
                # Nothing is there yet: the tables as they are, without a walk through their history. A test holds that both are one.
                metadata.create_all(connection, checkfirst=False)
                version_table.create(connection, checkfirst=False)
                connection.execute(version_table.insert(), {"version_num": HEAD})
                return
            from nhirx.outbox.migrations import upgrade

            upgrade(connection)

    def alone(self, connection: Connection) -> None:
        """Until its transaction ends no other program sets this database up."""
        if not self.is_sqlite:  # SQLite's own BEGIN IMMEDIATE already keeps others out
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})

    def version(self) -> str | None:
        """The schema's version, or None for an empty database. Raises ``StoreError`` for a newer one than this program knows."""
        with self.reading() as connection:
            if not inspect(connection).has_table(version_table.name):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found is not None and found > HEAD:
            raise StoreError(
                zh=f"資料庫 {self.where} 是較新版本的程式建立的（{found}）。請更新 nhirx 後再開啟。",
                en=f"The database {self.where} was made by a newer program ({found}). Update nhirx before opening it.",
                path=self.where,
            )
        return found

    def let_go(self) -> None:
        """Close what nobody uses just now; what comes next opens anew."""
        while self._writers:
            self._writers.pop().close()
        self.engine.dispose()

    def close(self) -> None:
        self._closed = True
        self.let_go()


def driver_of(connection: Connection) -> Any:
    """The connection of ``sqlite3`` below, or None for another database."""
    known = connection.get_execution_options().get(_DRIVER)
    if known is None and connection.dialect.name == "sqlite":
        return connection.connection.driver_connection
    return known


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError:
        raise SettingInvalid(setting="outbox.url", problem="no SQLAlchemy URL") from None
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise SettingInvalid(setting="outbox.url", problem="a SQLite file is needed: nothing may be only in memory")
        return parsed
    if backend != "postgresql":
        raise SettingInvalid(setting="outbox.url", problem=f"{backend}: use sqlite or postgresql")
    return parsed.set(drivername="postgresql+psycopg")


def _engine(url: URL, where: str) -> Engine:
    if url.get_backend_name() == "sqlite":
        if not where.startswith("file:"):  # the URI form of SQLite names no folder that we could make
            try:
                Path(where).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreReadOnly(path=where, problem=error.strerror) from None
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}, pool_size=4)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        # pre_ping: a counter PC sleeps, and wakes with a connection that the server has long closed.
        return create_engine(url, pool_size=4, pool_pre_ping=True, connect_args={"connect_timeout": _BUSY_SECONDS})
    except ModuleNotFoundError:
        raise ComponentMissing(component="psycopg", how="pip install 'nhirx[postgres]'") from None


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own: see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    _log_ahead(cursor)
    cursor.execute("PRAGMA synchronous = FULL")  # per connection: a commit that returned survives the plug being pulled
    cursor.execute("PRAGMA fullfsync = ON")  # macOS keeps its promise only with this; elsewhere it does nothing
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # what is purged is overwritten
    cursor.execute("PRAGMA temp_store = MEMORY")  # sorted rows never go to a temporary file
    cursor.close()


def _log_ahead(cursor: sqlite3.Cursor) -> None:
    # The file remembers the mode. Where several programs open a new file at once, the one that changes it needs it for itself,
    # and SQLite answers "busy" to the others without asking its own time limit: they ask again.
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    driver = driver_of(connection)
    if driver.in_transaction:  # begun by ``Database.writing``
        return
    # A writer takes the lock at once: a reader that turns writer later could fail with "busy" that no waiting cures.
    reading = connection.get_execution_options().get("nhirx_reading")
    # Handed to the driver itself: SQLAlchemy's way through one word costs several times what SQLite needs for it.
    driver.execute("BEGIN" if reading else "BEGIN IMMEDIATE")
