"""What is about to be late: records not sent within the hours the rules give, and errors whose time for correction runs out.

The numbers are rows of ``tables/limits.toml``. A warning is a ``Finding``; the day of the visit (M11) decides where it is known.
"""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

from nhirx import roc
from nhirx.model import Finding, Severity
from nhirx.outbox import Dispensing, Outbox, Queued
from nhirx.roc import TAIPEI
from nhirx.tables.decide import limit

_SOON = timedelta(days=7)
_EARLY = timedelta(hours=4)
_MOST = 1000


def deadlines(outbox: Outbox, now: datetime) -> list[tuple[Queued, Finding]]:
    """Every open record that is late or soon will be, the most pressing first. Holds are not in it: their rule is another."""
    found: list[tuple[datetime, Queued, Finding]] = []
    for item in outbox.queue.find(states=("built", "sending", "stuck", "rejected"), limit=_MOST, oldest_first=True):
        visited = visit_of(item)
        if item.state in ("built", "sending", "stuck"):
            due = visited + timedelta(hours=limit("upload-hours", now.date()).value)
            if now >= due - _EARLY:
                found.append((due, item, _finding("upload-late", due, now, "就醫資料應上傳", "the record is to be uploaded")))
        correct, claims = correction_ends(visited.date(), now.date()), claims_day(visited.date(), now.date())
        if item.state in ("rejected", "stuck"):
            for due, code, zh, en in (
                (claims, "claims-near", "申報前應補正", "to be mended before the claim"),
                (correct, "correction-near", "更正期限", "corrections are taken"),
            ):
                if now >= due - _SOON:
                    found.append((due, item, _finding(code, due, now, zh, en)))
    return [(item, finding) for _, item, finding in sorted(found, key=lambda one: one[0])]


def stopped(outbox: Outbox, now: datetime) -> list[tuple[Dispensing, Finding]]:
    """Dispensings that took a number and were never finished, late or soon to be: they stand in no queue and would be forgotten."""
    found: list[tuple[datetime, Dispensing, Finding]] = []
    for one in outbox.journal.unfinished():
        visited = one.reading.visited_at if one.reading is not None else one.opened_at
        due = visited + timedelta(hours=limit("upload-hours", now.date()).value)
        if now >= due - _EARLY:
            found.append(
                (due, one, _finding("upload-late", due, now, "中斷的調劑應完成並上傳", "finish and upload what was stopped"))
            )
    return [(one, finding) for _, one, finding in sorted(found, key=lambda each: each[0])]


def visit_of(item: Queued) -> datetime:
    """M11 of the record, or when it was built where that is missing or no time."""
    text = item.record.fields.get("M11", "")
    return roc.parse_datetime(text) if roc.is_datetime(text) else item.built_at


def correction_ends(visited: date, on: date) -> datetime:
    """The end of the last day on which a correction of a visit of that day is taken, by the rule that holds on ``on``."""
    row = limit("correction-months", on)
    if row.value == 1:  # the older rule counts to the end of the next month
        first = _months_later(visited.replace(day=1), 2)
        return _end(first - timedelta(days=1))
    # Whether the day itself still counts is published nowhere; the earlier reading warns in time in both cases.
    return _end(_months_later(visited, row.value) - timedelta(days=1))


def claims_day(visited: date, on: date) -> datetime:
    """The end of the day by which the claim for the month of the visit is due."""
    return _end(_months_later(visited.replace(day=1), 1).replace(day=int(limit("claims-day", on).value)))


def _months_later(day: date, months: int | float) -> date:
    index = day.year * 12 + day.month - 1 + int(months)
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _end(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=TAIPEI)


def _finding(code: str, due: datetime, now: datetime, zh: str, en: str) -> Finding:
    late = now > due
    severity: Severity = "warn" if late else "info"
    until = f"{due:%Y-%m-%d %H:%M}"
    return Finding(
        code=code,
        severity=severity,
        zh=f"{zh}：{until} 前" + ("，已逾期" if late else ""),
        en=f"{en} before {until}" + (", which has passed" if late else ""),
    )
