"""CSV exports as pharmacy programs write them: two encodings, three separators, any header names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nhirx.errors import FileDamaged

HEADERS = {
    "reference": "處方編號",
    "visit_id": "就醫識別碼",
    "visit_serial": "就醫序號",
    "national_id": "身分證號",
    "birth_date": "出生日期",
    "institution": "院所代號",
    "visited_at": "就醫日期時間",
    "prescriber_format": "院所格式",
    "days": "給藥日份",
    "diagnoses": "診斷碼",
    "payment_category": "給付類別",
    "fee": "藥費",
    "copayment": "部分負擔",
    "refill_number": "調劑序次",
    "refill_of": "可調劑次數",
    "refill_days": "本次日數",
    "refill_total_days": "總日數",
    "order_code": "藥品代碼",
    "order_usage": "用法",
    "order_days": "天數",
    "order_total": "總量",
    "order_route": "途徑",
}
"""Our name of a column → the header that is understood without a mapping. Our name itself is understood too."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line by our names, empty ones left out; ``line`` is 1-based, for messages."""

    path: Path
    line: int
    cells: Mapping[str, str]

    def get(self, name: str) -> str | None:
        return self.cells.get(name)


def read(path: Path, columns: Mapping[str, str]) -> list[Row]:
    """The rows of ``path``. ``columns`` maps our names to its headers where they differ from ``HEADERS``.

    Raises ``FileDamaged`` for a file that is neither UTF-8 nor Big5, has no header, or a row that is longer than it.
    """
    text = _decoded(path)
    first = text.split("\n", 1)[0]
    separator = max(",\t;", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [cell.strip() for cell in next(lines, [])]
        if not any(header):
            raise FileDamaged(path=str(path), problem="沒有標題列 / no header line")
        names = _names(header, columns)
        rows = []
        for cells in lines:
            if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                raise FileDamaged(
                    path=str(path), problem=f"第 {lines.line_num} 行欄位過多 / line {lines.line_num} has too many cells"
                )
            kept = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
            if kept:
                rows.append(Row(path, lines.line_num, kept))
    except csv.Error as error:
        raise FileDamaged(path=str(path), problem=f"第 {lines.line_num} 行：{error}") from None
    return rows


def _names(header: Iterable[str], columns: Mapping[str, str]) -> list[str | None]:
    known = {header: name for name, header in HEADERS.items()} | {name: name for name in HEADERS}
    for name, renamed in columns.items():
        known = {header: other for header, other in known.items() if other != name} | {renamed: name}
    return [known.get(cell) for cell in header]


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "cp950"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileDamaged(path=str(path), problem="編碼不是 UTF-8 也不是 Big5 / neither UTF-8 nor Big5")
