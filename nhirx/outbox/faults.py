"""What a database may answer, in our words: every failure of SQLite and PostgreSQL becomes one ``StoreError``."""

from __future__ import annotations

import sqlite3
from types import TracebackType

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from nhirx.errors import DiskFull, StoreDamaged, StoreError, StoreReadOnly

# Primary result codes of SQLite (the low byte of the extended code).
_SQLITE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_READONLY: StoreReadOnly,
    sqlite3.SQLITE_CANTOPEN: StoreReadOnly,
    sqlite3.SQLITE_PERM: StoreReadOnly,
    sqlite3.SQLITE_CORRUPT: StoreDamaged,
    sqlite3.SQLITE_NOTADB: StoreDamaged,
}
_SQLITE_WRITE_FAILED = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE)
# SQLSTATE of PostgreSQL; the longest prefix that is listed decides.
_POSTGRES: dict[str, type[StoreError]] = {
    "53100": DiskFull,
    "25006": StoreReadOnly,
    "42501": StoreReadOnly,
    "58030": StoreDamaged,
    "XX": StoreDamaged,
}


class named:  # noqa: N801 - read as a word, like the context managers of contextlib
    """Turn failures of the database inside the block into ``StoreError``. ``where`` names the database without a password.

    A class, because a generator for each of the several blocks around a record took longer than its encryption.
    """

    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if isinstance(error, SQLAlchemyError):
            raise translate(error, self._where) from None
        if isinstance(error, sqlite3.Error):
            raise _of_sqlite(error, self._where) from None


def translate(error: SQLAlchemyError, where: str) -> StoreError:
    """Our exception for SQLAlchemy's. Statement and parameters are dropped: parameters may name a person."""
    if isinstance(error, PoolTimeout):
        return StoreError(problem="all connections are in use", path=where)
    if not isinstance(error, DBAPIError) or error.orig is None:
        return StoreError(problem=type(error).__name__, path=where)
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig, where)
    state = getattr(error.orig, "sqlstate", None) or ""
    for length in (5, 2):
        if kind := _POSTGRES.get(state[:length]):
            return kind(path=where, problem=f"SQLSTATE {state}")
    # Without a SQLSTATE the server was not reached, or went away.
    return StoreError(problem=f"SQLSTATE {state}" if state else f"no answer from {where}", path=where)


def _of_sqlite(error: sqlite3.Error, where: str) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) or 0
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    if code in _SQLITE_WRITE_FAILED:
        # The operating system refused bytes: a quota, a file size limit, a full disk that it does not call full.
        return DiskFull(path=where, problem=name)
    return _SQLITE.get(code & 0xFF, StoreError)(path=where, problem=name)
