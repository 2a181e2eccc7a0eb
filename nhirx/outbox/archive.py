"""Backup, restore and inspection of a whole outbox.

A backup is JSON Lines, gzip-compressed: a head, every row of every table as it is stored (what is sealed stays sealed), and a foot with
the number of rows and a keyed digest over all of them. So it is the same for SQLite and PostgreSQL, moves an outbox from one to the
other, and one that was cut short or changed is refused before anything is written. It opens only with the key ring: back that up too,
somewhere else.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, func, insert, select

from nhirx.errors import FileDamaged, FileMissing, InputError, KeyWrong, StoreDamaged, StoreError
from nhirx.outbox import trail
from nhirx.outbox.engine import Database
from nhirx.outbox.schema import HEAD, Moment, chain, dispensings, events, meta, moment, queue
from nhirx.outbox.store import Outbox

_TABLES = (meta, dispensings, queue, events, chain)
_FORMAT = "nhirx-outbox-backup"
_BATCH = 1000


def back_up(outbox: Outbox, path: Path) -> int:
    """Write everything, as it was at one moment, to ``path``; the number of rows. The file appears whole or not at all.

    Others may go on working. Raises ``InputError`` when ``path`` exists: a backup never replaces another one.
    """
    if path.exists():
        raise InputError(problem=f"{path} 已存在 / {path} exists")
    new = path.with_name(f"{path.name}.part")
    try:
        with new.open("wb") as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as file, outbox.database.reading(snapshot=True) as connection:
                rows = 0
                digest = outbox.ring.chain("", _FORMAT)
                head = {"format": _FORMAT, "version": 1, "schema": HEAD, "made_at": outbox.store.clock().isoformat()}
                file.write(_line(head))
                for line in _lines(connection):
                    digest = outbox.ring.chain(digest, line.decode())
                    file.write(line)
                    rows += 1
                file.write(_line({"rows": rows, "digest": digest}))
            raw.flush()
            os.fsync(raw.fileno())
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)
    return rows


def restore(outbox: Outbox, path: Path) -> int:
    """Fill an empty outbox from a backup, in one transaction; the number of rows.

    A backup of an older schema is first built up beside, in a file of its own that is removed again, and brought up to date there as
    its outbox would have been; only what then proves whole reaches the outbox. A newer one is refused.
    What had been sent after the backup is sent again: the last one counts, so that changes nothing at the NHI. Raises ``InputError``
    unless the outbox is empty, ``KeyWrong`` when the backup was made with another key, ``FileDamaged`` when it is not whole.
    """
    schema = _schema(path)
    if schema == HEAD:
        return _fill(outbox, lambda: _checked(outbox, path))
    rows = sum(1 for _ in _read(outbox, path))
    with tempfile.TemporaryDirectory(prefix="nhirx-restore-", dir=outbox.path.parent if outbox.path else None) as folder:
        url = f"sqlite:///{(Path(folder) / 'older.sqlite').as_posix()}"
        _build(url, schema, _read(outbox, path))
        with Outbox(url, clock=outbox.store.clock, ring=outbox.ring) as older:
            if wrong := inspect(older):
                raise FileDamaged(path=str(path), problem=wrong[0])
            with older.database.reading(snapshot=True) as connection:
                _fill(outbox, lambda: _stored(connection))
    return rows


def _build(url: str, schema: str, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """A database of an older ``schema`` with ``rows`` as they were stored, without a word of today's tables."""
    from nhirx.outbox.migrations import upgrade

    database = Database(url)
    try:
        with database.writing() as connection:
            upgrade(connection, schema)
            tables = MetaData()
            tables.reflect(connection)
            for name, row in rows:
                connection.execute(insert(tables.tables[name]), row)
    finally:
        database.close()


def _stored(connection: Connection) -> Iterator[tuple[Table, dict[str, Any]]]:
    for table in _TABLES:
        for row in connection.execute(select(table).order_by(*table.primary_key).execution_options(yield_per=_BATCH)):
            yield table, dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _fill(outbox: Outbox, source: Callable[[], Iterator[tuple[Table, dict[str, Any]]]]) -> int:
    """Put the rows of ``source``, which is read to its end before anything is written, into an empty outbox; their number."""
    rows = sum(1 for _ in source())
    with outbox.database.writing() as connection:
        if any(connection.execute(select(func.count()).select_from(table)).scalar() for table in (dispensings, queue, events)):
            raise InputError(problem="還原的對象必須是空的資料庫 / only an empty outbox can be restored into")
        connection.execute(meta.delete())
        connection.execute(chain.delete())
        batch: list[dict[str, Any]] = []
        before: Table | None = None
        for table, row in source():
            if before is not None and (table is not before or len(batch) >= _BATCH):
                connection.execute(insert(before), batch)
                batch = []
            before = table
            batch.append(row)
        if before is not None and batch:
            connection.execute(insert(before), batch)
        if not outbox.database.is_sqlite:
            for table in (dispensings, queue):
                # The server counts IDs beside the table; without this the next one would collide.
                newest = select(func.coalesce(func.max(table.c.id), 0) + 1).scalar_subquery()
                connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), newest, False)))
    return rows


def inspect(outbox: Outbox) -> list[str]:
    """Read everything there is; what is wrong, one sentence each in both languages, or nothing.

    The file's own structure, keys between tables, every sealed value, and the audit trail.
    """
    found: list[str] = []
    with outbox.database.reading(snapshot=True) as connection:
        if outbox.database.is_sqlite:
            for (word,) in connection.exec_driver_sql("PRAGMA integrity_check"):
                if word != "ok":
                    found.append(f"資料庫結構 / structure: {word}")
            for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
                found.append(f"關聯 / foreign key: {row[0]} {row[1]}")
        for table in (dispensings, queue):
            sealed = [column for column in table.c if column.name.endswith("_sealed")]
            query = select(table.c.id, *sealed).execution_options(yield_per=_BATCH)
            for row in connection.execute(query):
                for column, value in zip(sealed, row[1:], strict=True):
                    if value is not None and not _opens(outbox, value, f"{table.name}.{column.name.removesuffix('_sealed')}"):
                        found.append(f"無法解密 / does not open: {table.name} {row[0]} {column.name}")
        try:
            trail.verify(connection, outbox.ring, outbox.database.where)
        except StoreDamaged as error:
            found.append(f"稽核紀錄 / audit trail: {error.detail['problem']}")
    return found


def _opens(outbox: Outbox, value: bytes, purpose: str) -> bool:
    try:
        outbox.ring.open(value, purpose)
    except KeyWrong:
        return False
    return True


def _lines(connection: Connection) -> Iterator[bytes]:
    for table in _TABLES:
        for row in connection.execute(select(table).order_by(*table.primary_key).execution_options(yield_per=_BATCH)):
            values = {name: _out(value) for name, value in row._mapping.items() if value is not None}  # noqa: SLF001
            yield _line({"table": table.name, "row": values})


def _out(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b": base64.b64encode(value).decode("ascii")}
    if isinstance(value, datetime):
        return {"t": round(value.timestamp() * 1_000_000)}
    return value


def _in(value: Any) -> Any:
    if isinstance(value, dict):
        return value["t"] if "t" in value else base64.b64decode(value["b"])
    return value


def _schema(path: Path) -> str:
    """The schema that the backup was made with. Raises ``StoreError`` for one that this program does not know."""
    with _file(path) as file:
        found = _head(file, path)["schema"]
    if found != HEAD and found not in _released():
        raise StoreError(
            zh=f"備份的資料表版本是 {found}，本程式只認得到 {HEAD}。請更新 nhirx 後再還原。",
            en=f"The backup has schema {found}, this program knows up to {HEAD}. Update nhirx, then restore.",
        )
    return str(found)


def _released() -> set[str]:
    from alembic.script import ScriptDirectory

    from nhirx.outbox.migrations import config

    return {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions() if script.revision < HEAD}


def _checked(outbox: Outbox, path: Path) -> Iterator[tuple[Table, dict[str, Any]]]:
    """Rows of a backup of today's schema, with the values that today's tables take."""
    tables = {table.name: table for table in _TABLES}
    for name, row in _read(outbox, path):
        if name not in tables:
            raise FileDamaged(path=str(path), problem="KeyError")
        # Every column stands in every row, so that rows of one table can be inserted together.
        yield tables[name], {column.name: _moment(column, row.get(column.name)) for column in tables[name].c}


def _moment(column: Column[Any], value: Any) -> Any:
    return moment(value) if isinstance(column.type, Moment) and value is not None else value


def _read(outbox: Outbox, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Table and row of each line, times in microseconds. Whoever reads to the end knows that nothing is missing or changed."""
    with _file(path) as file:
        _head(file, path)
        digest, rows, foot = outbox.ring.chain("", _FORMAT), 0, None
        for line in file:
            tree = json.loads(line)
            if "table" not in tree:
                foot = tree
                break
            digest = outbox.ring.chain(digest, line.decode())
            rows += 1
            yield tree["table"], {name: _in(value) for name, value in tree["row"].items()}
        if foot is None or foot.get("rows") != rows:
            raise FileDamaged(path=str(path), problem="備份不完整 / cut short")
        if foot.get("digest") != digest:
            raise KeyWrong(problem="備份以另一把金鑰製作，或內容已被更動 / another key, or the backup was changed")


def _head(file: gzip.GzipFile, path: Path) -> dict[str, Any]:
    head = json.loads(file.readline() or b"{}")
    if head.get("format") != _FORMAT or head.get("version") != 1:
        raise FileDamaged(path=str(path), problem="不是待上傳資料的備份 / no backup of an outbox")
    return dict(head)


@contextmanager
def _file(path: Path) -> Iterator[gzip.GzipFile]:
    """A backup for reading; what is wrong with its bytes in our words."""
    try:
        with gzip.open(path, "rb") as file:
            yield file
    except FileNotFoundError:
        raise FileMissing(path=str(path)) from None
    except (OSError, EOFError, ValueError, KeyError, AttributeError, zlib.error) as error:
        raise FileDamaged(path=str(path), problem=type(error).__name__) from None


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
