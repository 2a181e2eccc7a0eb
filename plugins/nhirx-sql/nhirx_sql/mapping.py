"""The mapping file: SQL of the pharmacy's own database, with our names as column names and parameters.

Checked when nhirx starts: a misspelt table, parameter or piece of news is said then, not at the first prescription.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import TextClause, text

from nhirx.errors import FileMissing, SettingInvalid

COLUMNS = {
    "patient": ("national_id", "birth_date"),
    "sheet": ("visit_serial", "institution", "visited_at", "prescriber_format"),
    "refill": ("refill_number", "refill_of", "refill_days", "refill_total_days", "refill_controlled"),
    "own": ("reference", "diagnoses", "days", "payment_category", "fee", "copayment"),
    "order": ("code", "kind", "usage", "days", "total", "route", "long_term", "substituted"),
}
"""Our names, by where they go."""

NEWS = ("number_issued", "dispensed", "queued", "accepted", "rejected")
_FIND = {"by_visit_id": {"visit_id"}, "by_holder": {"national_id", "day"}, "orders": {"reference"}}
_NEWS = {"reference", "visit_id", "time", "opcode", "errors", "words", "visit_serial"}


@dataclass(frozen=True, slots=True)
class Mapping:
    """Statements, ready to be run. ``by_holder`` and ``orders`` may be absent."""

    by_visit_id: TextClause
    by_holder: TextClause | None = None
    orders: TextClause | None = None
    news: dict[str, TextClause] = field(default_factory=dict)


def read(path: Path) -> Mapping:
    """Raises ``FileMissing`` and ``SettingInvalid`` with the place in the file."""
    try:
        tree = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise FileMissing(path=str(path)) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingInvalid(setting=str(path), problem=str(error)) from None
    for name in tree:
        if name not in ("find", "news"):
            raise _wrong(path, name, "沒有這個表 / no such table")
    find, news = tree.get("find", {}), tree.get("news", {})
    statements = {name: _statement(path, f"find.{name}", sql, _FIND.get(name)) for name, sql in find.items()}
    if "by_visit_id" not in statements:
        raise _wrong(path, "find.by_visit_id", "必填 / needed")
    told = {name: _statement(path, f"news.{name}", sql, _NEWS if name in NEWS else None) for name, sql in news.items()}
    return Mapping(**statements, news=told)


def _statement(path: Path, name: str, sql: object, allowed: set[str] | None) -> TextClause:
    if allowed is None:
        raise _wrong(path, name, "沒有這個項目 / no such entry")
    if not isinstance(sql, str) or not sql.strip():
        raise _wrong(path, name, "須為 SQL 文字 / has to be SQL")
    statement = text(sql)
    if unknown := sorted(set(statement.compile().params) - allowed):
        raise _wrong(path, name, f"沒有這個參數 / no such parameter: {', '.join(unknown)}")
    return statement


def _wrong(path: Path, name: str, problem: str) -> SettingInvalid:
    return SettingInvalid(setting=f"{path.name}: {name}", problem=problem)
