"""nhirx-csv: prescriptions from a folder of CSV exports, results back into a CSV file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from nhirx import Prescription, hookimpl
from nhirx.errors import SettingInvalid
from nhirx.i18n import say
from nhirx.roc import TAIPEI
from nhirx_csv.folder import Folder
from nhirx_csv.results import Results
from nhirx_csv.table import HEADERS

_KNOWN = {"folder", "orders", "results", "columns"}
_STATES = {"queued": "待上傳", "accepted": "已通過", "rejected": "已退回"}


class CsvPlugin:
    """Idle until the option ``folder`` is set."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(TAIPEI)) -> None:
        self._now = now
        self._folder: Folder | None = None
        self._results: Results | None = None

    @hookimpl
    def nhirx_configure(self, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - _KNOWN):
            raise SettingInvalid(setting="plugins.options.csv", problem=f"沒有這個選項 / no such option: {', '.join(unknown)}")
        columns = dict(options.get("columns", {}))
        if unknown := sorted(set(columns) - set(HEADERS)):
            raise SettingInvalid(
                setting="plugins.options.csv.columns", problem=f"沒有這個欄位 / no such column: {', '.join(unknown)}"
            )
        if "folder" not in options:
            return
        folder = Path(options["folder"])
        if not folder.is_dir():
            raise SettingInvalid(setting="plugins.options.csv.folder", problem=f"沒有這個資料夾 / no such folder: {folder}")
        results = Path(options.get("results", folder.parent / "nhirx-results.csv"))
        self._folder = Folder(folder, columns=columns, orders=options.get("orders"), leave_out=results)
        self._results = Results(results)

    @hookimpl
    def nhirx_find_prescription(self, scan: Any) -> Prescription | None:
        return self._folder.find(scan.visit_id) if self._folder and scan.visit_id else None

    @hookimpl
    def nhirx_record_queued(self, record: Any, reference: str | None) -> None:
        self._write("queued", record, reference)

    @hookimpl
    def nhirx_record_accepted(self, record: Any, receipt: Any, reference: str | None) -> None:
        self._write("accepted", record, reference, receipt.opcode)

    @hookimpl
    def nhirx_record_rejected(self, record: Any, receipt: Any, errors: Sequence[Any], reference: str | None) -> None:
        self._write("rejected", record, reference, receipt.opcode if receipt else "", errors)

    @hookimpl
    def nhirx_register_commands(self) -> Mapping[str, Callable[..., Any]]:
        def csv_check(as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False) -> int:
            """檢查匯出資料夾 check the folder of exports"""
            if self._folder is None:
                raise SettingInvalid(setting="plugins.options.csv.folder", problem="尚未設定 / not set")
            problems = [{"path": str(path), "line": line, "problem": problem} for path, line, problem in self._folder.problems()]
            if as_json:
                answer = {"prescriptions": self._folder.count(), "problems": problems}
                sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            else:
                typer.echo(say(f"{self._folder.count()} 張處方", f"{self._folder.count()} prescriptions"))
                for one in problems:
                    typer.echo(f"  ! {one['path']} {one['problem']}")
            return int(bool(problems))

        return {"csv-check": csv_check}

    def _write(self, state: str, record: Any, reference: str | None, opcode: str = "", errors: Sequence[Any] = ()) -> None:
        if self._results is None:
            return
        codes = " ".join(f"{error.field}:{error.code}" for error in errors)
        words = " ".join(error.zh for error in errors)
        time = self._now().isoformat(timespec="seconds")
        self._results.add((time, state, _STATES[state], reference or "", record.visit_id, opcode, codes, words))


__all__ = ["CsvPlugin"]
