"""nhirx-sql: prescriptions from any SQL database that SQLAlchemy speaks with, news written back."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from nhirx import Prescription, VisitId, hookimpl
from nhirx.errors import ComponentMissing, InvalidValue, SettingInvalid, StoreError
from nhirx.roc import TAIPEI
from nhirx_sql import mapping
from nhirx_sql.rows import prescription

_log = logging.getLogger("nhirx.plugin.sql")
_KNOWN = {"url", "mapping"}


class SqlPlugin:
    """Idle until the options ``url`` (or ``NHIRX_SQL_URL``) and ``mapping`` are set. Connects when it is first asked."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(TAIPEI)) -> None:
        self._now = now
        self._engine: Engine | None = None
        self._mapping: mapping.Mapping | None = None

    @hookimpl
    def nhirx_configure(self, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - _KNOWN):
            raise SettingInvalid(setting="plugins.options.sql", problem=f"沒有這個選項 / no such option: {', '.join(unknown)}")
        if "mapping" not in options:
            return
        # The URL may hold a password, which belongs into the environment rather than into a file.
        url = options.get("url") or os.environ.get("NHIRX_SQL_URL")
        if not url:
            raise SettingInvalid(setting="plugins.options.sql.url", problem="尚未設定 / not set")
        self._mapping = mapping.read(Path(options["mapping"]))
        try:
            self._engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
        except ArgumentError:
            raise SettingInvalid(setting="plugins.options.sql.url", problem="不是 SQLAlchemy 網址 / no SQLAlchemy URL") from None
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise ComponentMissing(
                component=str(error), how="pip install …（該資料庫的驅動程式 / the driver of this database）"
            ) from None

    @hookimpl
    def nhirx_find_prescription(self, scan: Any) -> Prescription | None:
        if self._engine is None or self._mapping is None or not scan.visit_id:
            return None
        with self._connection(self._engine) as connection:
            head = self._head(connection, self._mapping, scan.visit_id)
            if head is None:
                return None
            lines: Sequence[Mapping[str, Any]] = ()
            if self._mapping.orders is not None:
                lines = [
                    dict(row) for row in connection.execute(self._mapping.orders, {"reference": head["reference"]}).mappings()
                ]
        return prescription(head, lines, scan.visit_id)

    @hookimpl
    def nhirx_visit_number_issued(self, reading: Any, reference: str | None) -> None:
        self._tell("number_issued", reference, reading.visit_id, visit_serial=reading.visit_serial)

    @hookimpl
    def nhirx_dispensed(self, record: Any, reference: str | None) -> None:
        self._tell("dispensed", reference, record.visit_id)

    @hookimpl
    def nhirx_record_queued(self, record: Any, reference: str | None) -> None:
        self._tell("queued", reference, record.visit_id)

    @hookimpl
    def nhirx_record_accepted(self, record: Any, receipt: Any, reference: str | None) -> None:
        self._tell("accepted", reference, record.visit_id, opcode=receipt.opcode)

    @hookimpl
    def nhirx_record_rejected(self, record: Any, receipt: Any, errors: Sequence[Any], reference: str | None) -> None:
        codes = " ".join(f"{error.field}:{error.code}" for error in errors)
        words = " ".join(error.zh for error in errors)
        self._tell("rejected", reference, record.visit_id, opcode=receipt.opcode if receipt else None, errors=codes, words=words)

    def _head(self, connection: Connection, known: mapping.Mapping, visit_id: str) -> dict[str, Any] | None:
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

    def _tell(self, news: str, reference: str | None, visit_id: str | None, **more: Any) -> None:
        if self._engine is None or self._mapping is None or news not in self._mapping.news or reference is None:
            return
        statement = self._mapping.news[news]
        everything = {"reference": reference, "visit_id": visit_id, "time": self._now().replace(tzinfo=None)}
        everything |= {"opcode": None, "errors": None, "words": None, "visit_serial": None} | more
        arguments = {name: everything[name] for name in statement.compile().params}
        with self._connection(self._engine) as connection, connection.begin():
            changed = connection.execute(statement, arguments).rowcount
        if changed == 0:
            _log.warning("the news %s changed no row", news)

    def _connection(self, engine: Engine) -> _Named:
        return _Named(engine)


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
