"""nhirx-sql: prescriptions from any SQL database that SQLAlchemy speaks with, news written back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhirx import Prescription, hookimpl
from nhirx.errors import SettingInvalid
from nhirx.roc import TAIPEI

if TYPE_CHECKING:
    from nhirx_sql.database import Database

_KNOWN = {"url", "mapping"}


class SqlPlugin:
    """Idle until the options ``url`` (or ``NHIRX_SQL_URL``) and ``mapping`` are set."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(TAIPEI)) -> None:
        self._now = now
        self._database: Database | None = None

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
        from nhirx_sql.database import Database

        self._database = Database(url, Path(options["mapping"]))

    @hookimpl
    def nhirx_find_prescription(self, scan: Any) -> Prescription | None:
        return self._database.find(scan.visit_id) if self._database and scan.visit_id else None

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

    def _tell(self, news: str, reference: str | None, visit_id: str | None, **more: Any) -> None:
        if self._database is not None:
            self._database.tell(news, reference, visit_id, self._now(), more)
