"""What comes out of a batch: ``results.jsonl``, ``results.csv``, ``summary.json``, ``report.html`` and the folder ``review``.

All of it follows from the journal alone and holds no times, so that a batch that was killed and resumed writes the same bytes
as one that was not. Every file appears at once and whole. ``docs/howto/batch.md`` describes the members.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from nhirx.batch import report
from nhirx.batch.journal import Journal, line
from nhirx.batch.source import Entry
from nhirx.batch.summary import Summary, Twice
from nhirx.batch.words import CONFIDENCE, REASON, STATUS
from nhirx.batch.worker import Piece

if TYPE_CHECKING:
    from nhirx.batch.pool import Pool
    from nhirx.batch.run import Options

PICTURES = 200
"""So many pages are shown in the report; all of them are in the folder."""
HEADINGS = ("檔案", "頁", "結果", "就醫識別碼", "可信度", "原因", "錯誤", "同一識別碼於", "同一影像於", "人工查看")


def write(journal: Journal, options: Options, pool: Pool, planned: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Write everything below ``options.out`` and answer the summary. ``planned`` hears how many pages have their plan."""
    out = options.out
    twice = Twice(record for _, record in _joined(journal) if record is not None)
    summary = Summary()
    shown: list[dict[str, Any]] = []
    (out / "review").mkdir(exist_ok=True)
    with whole(out / "results.jsonl") as lines, whole(out / "results.csv") as table:
        table.write("\ufeff".encode())
        table.write(row(HEADINGS))
        number = 0
        for entry, record in _joined(journal):
            if record is None:
                summary.skip(entry)
                continue
            number += 1
            scan = record["scan"] | twice.of(record)
            why = why_a_person(scan)
            scan["review"] = None if why is None else {"why": why, "name": _name(number, why)}
            summary.take(entry, scan)
            lines.write(line(scan))
            table.write(row(cells(scan)))
            if why is not None and len(shown) < PICTURES:
                shown.append(scan)
    told = summary.told(options.sources)
    if options.planning is not None:
        from nhirx.batch import plans

        told["plans"] = plans.write(out, options.planning, whole_ids=options.whole_ids, tell=planned)
    small = _draw(journal, out / "review", pool, {scan["review"]["name"] for scan in shown})
    with whole(out / "report.html") as page:
        page.write(report.html(told, shown, small, whole_ids=options.whole_ids).encode("utf-8", "backslashreplace"))
    with whole(out / "summary.json") as file:
        # The last one: where it stands, the batch is done.
        file.write(json.dumps(told, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
    return told


def why_a_person(scan: dict[str, Any]) -> str | None:
    """Why a person has to look at the page: a status or a confidence (keys of ``words.REVIEW``), or None."""
    if scan["status"] not in ("found", "several"):
        return str(scan["status"])
    return scan["confidence"] if scan["confidence"] in ("ocr", "single") else None


def _name(number: int, why: str) -> str:
    """The page's name in ``review``, without suffix. Nothing of the file's own name: it may hold anything, also a person."""
    return f"{number:07d}-{why}"


def _joined(journal: Journal) -> Iterator[tuple[Entry, dict[str, Any] | None]]:
    """Each page with its entry, and each skipped entry with None; in the order of the plan."""
    records = journal.in_order()
    record = next(records, None)
    for entry in journal.entries():
        if entry.skipped is not None:
            yield entry, None
        while record is not None and record["n"] == entry.number:
            yield entry, record
            record = next(records, None)


def _draw(journal: Journal, folder: Path, pool: Pool, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """Write the pictures of all pages for a person; answer those of ``wanted`` small, by name."""
    small: dict[str, dict[str, Any]] = {}
    for piece, message in pool.work(_pieces(journal, folder)):
        name = Path(piece.picture or "").name
        if message[0] == "picture" and message[1] is not None and name in wanted:
            small[name] = message[1]
    return small


def _pieces(journal: Journal, folder: Path) -> Iterator[Piece]:
    number = 0
    for entry, record in _joined(journal):
        if record is None:
            continue
        number += 1
        why = why_a_person(record["scan"])
        if why is not None and why != "error":
            name = str(folder / _name(number, why))
            yield Piece(entry.number, entry.path, entry.file, entry.inside, first=record["page"], picture=name)


def cells(scan: dict[str, Any]) -> list[str]:
    """A page under ``HEADINGS``."""
    error = scan.get("error")
    return [
        scan["path"],
        str(scan["page"]),
        STATUS[scan["status"]][0],
        " ".join(scan["visit_ids"]),
        CONFIDENCE[scan["confidence"]][0] if scan["confidence"] else "",
        "、".join(REASON[reason][0] for reason in scan["reasons"]),
        f"[{error['code']}] {error['zh']}" if error else "",
        _place(scan["same_visit_id_as"]),
        _place(scan["same_picture_as"]),
        scan["review"]["name"] if scan["review"] else "",
    ]


def _place(value: dict[str, Any] | None) -> str:
    return "" if value is None else f"{value['path']} #{value['page']}"


def row(texts: list[str] | tuple[str, ...]) -> bytes:
    """One line of a table that a spreadsheet opens."""
    text = io.StringIO()
    csv.writer(text).writerow([_safe(cell) for cell in texts])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _safe(cell: str) -> str:
    """A spreadsheet takes some texts for formulas, and an ID of digits around one E for a number: both are kept as text."""
    if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + cell
    return f'="{cell}"' if re.fullmatch(r"\d+E\d+", cell) else cell


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name only when it is complete and on the disk."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
