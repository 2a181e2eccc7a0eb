"""A folder of exports, indexed: which prescription has this visit ID, or belongs to this patient."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nhirx import Prescription, VisitId, roc
from nhirx.errors import FileDamaged, InvalidValue
from nhirx.identifiers import canonical_text
from nhirx_csv.table import Row, read


class Folder:
    """``find`` reads a file again only when its size or time changed."""

    def __init__(
        self, path: Path, *, columns: Mapping[str, str], orders: str | None = None, leave_out: Path | None = None
    ) -> None:
        self._path = path
        self._columns = columns
        self._orders = orders
        self._leave_out = leave_out
        self._known: dict[Path, tuple[tuple[int, int], list[Row]]] = {}

    def find(self, visit_id: str) -> Prescription | None:
        """By visit ID; else the only one without a visit ID whose patient the visit ID names, of the same day where known."""
        groups = list(self._groups())
        for group in groups:
            if _same(group[0].get("visit_id"), visit_id):
                return self._prescription(group, visit_id)
        try:
            scanned = VisitId.parse(visit_id)
        except InvalidValue:
            return None
        fitting = [group for group in groups if not group[0].get("visit_id") and _may_be(scanned, group[0])]
        return self._prescription(fitting[0], visit_id) if len(fitting) == 1 else None

    def problems(self) -> Iterator[tuple[Path, int, str]]:
        """Path, line and problem of every row that could not be turned into a prescription. Used by ``csv-check``."""
        for group in self._groups():
            try:
                self._prescription(group, None)
            except FileDamaged as error:
                yield group[0].path, group[0].line, error.detail["problem"]

    def count(self) -> int:
        """How many prescriptions the folder holds."""
        return sum(1 for _ in self._groups())

    def _groups(self) -> Iterator[list[Row]]:
        """Rows of one prescription together: those that follow each other with the same reference or visit ID."""
        for path in self._files(orders=False):
            group: list[Row] = []
            for row in self._rows(path):
                if group and _key(row) is not None and _key(row) == _key(group[0]):
                    group.append(row)
                    continue
                if group:
                    yield group
                group = [row]
            if group:
                yield group

    def _files(self, *, orders: bool) -> list[Path]:
        lines = set(self._path.glob(self._orders)) if self._orders else set()
        if orders:
            return sorted(lines)
        return sorted(path for path in self._path.glob("*.csv") if path not in lines and path != self._leave_out)

    def _rows(self, path: Path) -> list[Row]:
        status = path.stat()
        mark = (status.st_mtime_ns, status.st_size)
        if path not in self._known or self._known[path][0] != mark:
            self._known[path] = (mark, read(path, self._columns))
        return self._known[path][1]

    def _prescription(self, group: list[Row], visit_id: str | None) -> Prescription:
        head = group[0]
        lines = [row for row in group if row.get("order_code")] or [
            row
            for path in self._files(orders=True)
            for row in self._rows(path)
            if _key(row) is not None and _key(row) == _key(head)
        ]
        sheet = _some(head, "visit_serial", "institution", "prescriber_format") | {"visit_id": visit_id or head.get("visit_id")}
        if not _is_day(head.get("visited_at")):
            # A day without a time of day helps to find the sheet, but is no visit time.
            sheet |= _some(head, "visited_at")
        if head.get("refill_number"):
            sheet["refill"] = _some(head, "number", "of", "days", "total_days", prefix="refill_")
        tree: dict[str, Any] = {
            "reference": head.get("reference"),
            "patient": _some(head, "national_id", "birth_date"),
            "sheet": sheet,
            "diagnoses": tuple(re.split(r"[\s,;、]+", head.get("diagnoses") or "")) if head.get("diagnoses") else (),
            "orders": tuple(_some(row, "code", "usage", "days", "total", "route", prefix="order_") for row in lines),
        }
        tree |= _some(head, "days", "payment_category", "fee", "copayment")
        try:
            return Prescription.model_validate(tree)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise FileDamaged(
                path=str(head.path), problem=f"第 {head.line} 行 / line {head.line}: {where}: {first['msg']}"
            ) from None


def _some(row: Row, *names: str, prefix: str = "") -> dict[str, Any]:
    return {name: row.cells[prefix + name] for name in names if prefix + name in row.cells}


def _key(row: Row) -> str | None:
    return row.get("reference") or row.get("visit_id")


def _same(cell: str | None, visit_id: str) -> bool:
    return cell is not None and canonical_text(cell) == visit_id


def _may_be(scanned: VisitId, row: Row) -> bool:
    if not scanned.belongs_to(row.get("national_id") or ""):
        return False
    visited = row.get("visited_at")
    if visited is None or scanned.issued_at is None:
        return True
    try:
        day = roc.parse_date(visited) if _is_day(visited) else roc.parse_datetime(visited).date()
    except InvalidValue:
        # Taken as fitting, so that the wrong cell is reported instead of the prescription being passed over in silence.
        return True
    return day == scanned.issued_at.date()


def _is_day(text: str | None) -> bool:
    return text is not None and len(text) in (7, 10)
