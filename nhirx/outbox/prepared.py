"""Statements of the steps that happen with every record: written once with SQLAlchemy, handed to SQLite's driver as text.

SQLAlchemy's own way through a statement costs more than SQLite needs to carry it out; on a disk with a quick cache it was half of
the time of a step. PostgreSQL, where a round trip costs more than either, goes the ordinary way. The tables here are those of
``schema`` with plain types: a time is its microseconds (``schema.micros``), because nothing converts values on the short way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import BindParameter, Column, Connection, Delete, Insert, MetaData, Select, Table, Update, bindparam
from sqlalchemy.dialects import sqlite

from nhirx.outbox import schema
from nhirx.outbox.engine import driver_of

_SQLITE = sqlite.dialect(paramstyle="named")
_metadata = MetaData()
Values = Mapping[str, Any]


def _plain(table: Table) -> Table:
    columns = (
        Column(each.name, each.type.impl if isinstance(each.type, schema.Moment) else each.type, primary_key=each.primary_key)
        for each in table.c
    )
    return Table(table.name, _metadata, *columns)


queue, events, chain = _plain(schema.queue), _plain(schema.events), _plain(schema.chain)


class Prepared:
    """One statement. ``columns`` are those that an insert or update sets; every parameter is given at each run."""

    __slots__ = ("_fixed", "_statement", "_text")

    def __init__(self, statement: Select[Any] | Insert | Update | Delete, *columns: str) -> None:
        self._statement = statement
        compiled = statement.compile(dialect=_SQLITE, column_keys=columns)
        self._text = str(compiled)
        # Values that SQLAlchemy puts in itself, such as an offset of 0 behind a limit.
        self._fixed = {name: given.value for name, given in compiled.binds.items() if given.value is not None}

    def rows(self, connection: Connection, values: Values) -> Sequence[Any]:
        """What a query finds; a row is a sequence in the order of the query's columns."""
        if (driver := driver_of(connection)) is not None:
            return cast("Sequence[Any]", driver.execute(self._text, {**values, **self._fixed}).fetchall())
        return connection.execute(self._statement, dict(values)).all()

    def insert(self, connection: Connection, values: Values) -> int:
        """The ID that the database gave to the new row."""
        if (driver := driver_of(connection)) is not None:
            return int(driver.execute(self._text, values).lastrowid)
        key = connection.execute(self._statement, dict(values)).inserted_primary_key
        assert key is not None  # noqa: S101 - the tables inserted into have one
        return int(key[0])

    def run(self, connection: Connection, values: Sequence[Values]) -> int:
        """Once for each of ``values``; how many rows were changed in all."""
        if (driver := driver_of(connection)) is not None:
            return int(driver.executemany(self._text, values).rowcount)
        return connection.execute(self._statement, [dict(each) for each in values]).rowcount


def asked(name: str) -> BindParameter[Any]:
    """A parameter of a condition, of the type of what it is compared with."""
    return bindparam(name, required=False)
