"""One database with its mapping. This module loads SQLAlchemy, so it is imported only where the plugin is set up."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from nhirx import Prescription, VisitId
from nhirx.errors import ComponentMissing, InvalidValue, SettingInvalid, StoreError
from nhirx_sql import mapping
from nhirx_sql.rows import prescription

_log = logging.getLogger("nhirx.plugin.sql")


class Database:
    """Connects when it is first asked. Every failure of a driver is a ``StoreError`` without its text."""

    def __init__(self, url: str, mapping_file: Path) -> None:
        """Raises ``SettingInvalid``, ``FileMissing``, ``ComponentMissing`` (no driver)."""
        self._mapping = mapping.read(mapping_file)
        try:
            self._engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
        except ArgumentError:
            raise SettingInvalid(setting="plugins.options.sql.url", problem="不是 SQLAlchemy 網址 / no SQLAlchemy URL") from None
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise ComponentMissing(
                component=str(error), how="pip install …（該資料庫的驅動程式 / the driver of this database）"
            ) from None

    def find(self, visit_id: str) -> Prescription | None:
        """The one prescription of this sheet; None when none, or more than one, fits."""
        with _Named(self._engine) as connection:
            head = self._head(connection, visit_id)
            if head is None:
                return None
            lines: Sequence[Mapping[str, Any]] = ()
            if self._mapping.orders is not None:
                lines = [
                    dict(row) for row in connection.execute(self._mapping.orders, {"reference": head["reference"]}).mappings()
                ]
        return prescription(head, lines, visit_id)

    def tell(self, news: str, reference: str | None, visit_id: str | None, at: datetime, more: Mapping[str, Any]) -> None:
        """Run the statement of ``news``, if the mapping has one. ``at`` is written without its offset."""
        if news not in self._mapping.news or reference is None:
            return
        statement = self._mapping.news[news]
        everything = {"reference": reference, "visit_id": visit_id, "time": at.replace(tzinfo=None)}
        everything |= {"opcode": None, "errors": None, "words": None, "visit_serial": None, **more}
        arguments = {name: everything[name] for name in statement.compile().params}
        with _Named(self._engine) as connection, connection.begin():
            changed = connection.execute(statement, arguments).rowcount
        if changed == 0:
            _log.warning("the news %s changed no row", news)

    def _head(self, connection: Connection, visit_id: str) -> dict[str, Any] | None:
        known = self._mapping
        found = connection.execute(known.by_visit_id, {"visit_id": visit_id}).mappings().all()
        if not found and known.by_holder is not None:
            try:
                scanned = VisitId.parse(visit_id)
            except InvalidValue:
                return None
            if scanned.holder_id and scanned.issued_at:
                arguments = {"national_id": scanned.holder_id, "day": scanned.issued_at.date()}
                used = known.by_holder.compile().params
                found = connection.execute(known.by_holder, {name: arguments[name] for name in used}).mappings().all()
        if len(found) > 1:
            _log.warning("%d prescriptions fit one sheet; none is taken", len(found))
        if len(found) != 1:
            return None
        head = dict(found[0])
        if known.orders is not None and head.get("reference") is None:
            raise SettingInvalid(setting="find", problem="缺少欄位 reference / the column reference is missing")
        return head


class _Named:
    """A connection whose failures have our name: the text of a driver's exception may hold a patient."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def __enter__(self) -> Connection:
        try:
            self._connection = self._engine.connect()
        except SQLAlchemyError as error:
            raise _named(error) from None
        return self._connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._connection is not None:
            self._connection.close()
        if isinstance(error, SQLAlchemyError):
            raise _named(error) from None


def _named(error: SQLAlchemyError) -> StoreError:
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None) or ""
    return StoreError(problem=f"nhirx-sql: {type(original).__name__} {code}".rstrip())
