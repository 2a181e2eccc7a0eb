"""Periods of the rules, each with its arithmetic in words.

A window says from when and until when something may be done, both days included. Where a text can be counted in two ways
the later end is ``last`` and the earlier one ``safe_last``, and the words say so.
"""

from __future__ import annotations

import calendar as month_calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nhirx import roc
from nhirx.model import Facts
from nhirx.resolver.calendar import Calendar
from nhirx.tables.decide import limit
from nhirx.tables.load import rule_book
from nhirx.tables.schema import Limit, Relaxation


@dataclass(frozen=True, slots=True)
class Window:
    """``zh`` and ``en`` show the arithmetic. ``at`` is the moment where hours count; ``confidence`` is the rule's."""

    id: str
    first: date | None
    last: date | None
    zh: str
    en: str
    source: str
    confidence: str
    safe_last: date | None = None
    at: datetime | None = None

    def as_json(self) -> dict[str, str | None]:
        return {
            "id": self.id,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None,
            "at": self.at.isoformat() if self.at else None,
            "zh": self.zh,
            "en": self.en,
            "source": self.source,
            "confidence": self.confidence,
        }


def ordinary_validity(issued: date, *, calendar: Calendar, on: date | None = None) -> Window:
    """How long an ordinary prescription of ``issued`` may be filled, by the rules of the day ``on`` (None: of that day)."""
    rule = limit("ordinary-days", on or issued)
    counted = issued + timedelta(days=rule.value - 1)
    last = calendar.moved_on(counted)
    zh = f"{_zh(issued)}開立，當日起算 {rule.value} 日至 {_zh(counted)}"
    en = f"Issued {_en(issued)}; {rule.value} days with that day make {_en(counted)}"
    if last != counted:
        zh += f"，該日為{calendar.holiday(counted)}，順延至 {_zh(last)}"
        en += f", a holiday, so it moves on to {_en(last)}"
    return _window(rule, "ordinary-validity", issued, last, zh + "。", en + ".")


def refill_window(dispensed: date, days: int, *, last: date | None = None, on: date | None = None) -> Window:
    """From when the next refill may be had after ``days`` of medicine handed out on ``dispensed``.

    ``last`` is the last day of the last supply when the caller knows it. The supply ends ``days`` days after it was
    handed out; how the day itself counts is inferred from an announced example.
    """
    ends = dispensed + timedelta(days=days)
    relaxed = relaxation(ends)
    rule = limit("refill-early-days", on or dispensed)
    early = relaxed.days if relaxed else rule.value
    first = ends - timedelta(days=early)
    zh = f"{_zh(dispensed)}領 {days} 日份，至 {_zh(ends)}屆滿；提前 {early} 日，自 {_zh(first)}起可領。"
    en = f"{days} days handed out on {_en(dispensed)} run out on {_en(ends)}; {early} days before that is {_en(first)}."
    if relaxed:
        zh += f"（{relaxed.zh}）"
        en += f" ({relaxed.en})"
    return Window(
        "refill-window",
        first,
        last,
        zh,
        en,
        relaxed.source if relaxed else rule.source,
        relaxed.confidence if relaxed else "inferred",
    )


def earliest_refill(visited: date, number: int, days: int, *, on: date | None = None) -> Window:
    """Before this day refill ``number`` is too early whatever happened: every earlier one was had as early as it may be."""
    rule = limit("refill-early-days", on or visited)
    first = visited + timedelta(days=(number - 1) * max(days - rule.value, 0))
    zh = f"{_zh(visited)}開立，每次 {days} 日份、最多提前 {rule.value} 日，第 {number} 次最早 {_zh(first)}可領。"
    en = f"Issued {_en(visited)}, {days} days each time and at most {rule.value} days early: refill {number} on {_en(first)} at the earliest."
    return _window(rule, "earliest-refill", first, None, zh, en)


def relaxation(supply_ends: date) -> Relaxation | None:
    """The announcement that lets a supply ending on that day be refilled earlier, if there is one."""
    found = [row for row in rule_book().relaxations if row.supply_from <= supply_ends <= row.supply_until]
    return max(found, key=lambda row: row.days, default=None)


def printed_refill_date(printed: date, dispensed: date, days: int) -> Window:
    """What a suggested date on a sheet means: some already include the early days, and taking them off again is wrong."""
    window = refill_window(dispensed, days)
    ends = dispensed + timedelta(days=days)
    if window.first is not None and abs((printed - window.first).days) <= 1:
        zh = f"{window.zh}處方箋建議的 {_zh(printed)}已含提前日數，不可再往前扣。"
        en = f"{window.en} The suggested {_en(printed)} already includes the early days; do not take them off again."
    elif abs((printed - ends).days) <= 1:
        zh = f"{window.zh}處方箋的 {_zh(printed)}是藥品用完的日子，可再提前。"
        en = f"{window.en} The {_en(printed)} on the sheet is the day the supply runs out; the early days come before it."
    else:
        zh = f"{window.zh}處方箋的 {_zh(printed)}與算得的日期都不符，請核對。"
        en = f"{window.en} The {_en(printed)} on the sheet fits neither day; check it."
    return Window("printed-refill-date", window.first, None, zh, en, window.source, window.confidence)


def make_up_window(visited: date, *, calendar: Calendar, on: date | None = None) -> Window:
    """Until when a dispensing of ``visited`` may be made up. Whether the day itself counts, the text leaves open."""
    rule = limit("make-up-days", on or visited)
    strict = calendar.working_days(visited, rule.value)[-1]
    last = calendar.working_days(visited + timedelta(days=1), rule.value)[-1]
    skipped = (last - visited).days - rule.value
    zh = f"{_zh(visited)}就醫，次日起算 {rule.value} 日、扣除例假日 {skipped} 日，至 {_zh(last)}止（若當日起算則至 {_zh(strict)}）。"
    en = (
        f"Seen on {_en(visited)}; {rule.value} days from the day after, {skipped} holidays not counted, "
        f"end on {_en(last)} (on {_en(strict)} if the day itself counts)."
    )
    return _window(rule, "make-up", visited, last, zh, en, safe_last=strict)


def upload_deadline(dispensed_at: datetime, *, on: date | None = None) -> Window:
    """Until when the record of a dispensing is to be uploaded."""
    rule = limit("upload-hours", on or dispensed_at.date())
    at = dispensed_at.astimezone(roc.TAIPEI) + timedelta(hours=rule.value)
    zh = f"{dispensed_at:%Y-%m-%d %H:%M} 調劑，{rule.value} 小時內，即 {at:%Y-%m-%d %H:%M} 前上傳。"
    en = f"Dispensed {dispensed_at:%Y-%m-%d %H:%M}; within {rule.value} hours, that is by {at:%Y-%m-%d %H:%M}."
    return _window(rule, "upload", dispensed_at.date(), at.date(), zh, en, at=at)


def correction_window(visited: date, *, on: date) -> Window:
    """Until when a record of ``visited`` may be sent again, by the rule that holds on the day ``on``."""
    rule = limit("correction-months", on)
    if rule.until is not None:
        # The older rule: until the end of the month after the visit.
        year, month = divmod(visited.year * 12 + visited.month - 1 + rule.value, 12)
        last = date(year, month + 1, month_calendar.monthrange(year, month + 1)[1])
        zh = f"{_zh(visited)}就醫，次月底為 {_zh(last)}。"
        en = f"Seen on {_en(visited)}; the end of the next month is {_en(last)}."
    else:
        last = _months_later(visited, rule.value)
        zh = f"{_zh(visited)}就醫，{rule.value} 個月內至 {_zh(last)}（末日是否計入未公布，請提早）。"
        en = f"Seen on {_en(visited)}; within {rule.value} months, to {_en(last)} (whether the last day counts is not published)."
    return _window(rule, "correction", visited, last, zh, en)


def claims_day(visited: date, *, on: date | None = None) -> Window:
    """The day by which the claims of the month of ``visited`` are due; invalid records are mended before it."""
    rule = limit("claims-day", on or visited)
    year, month = divmod(visited.year * 12 + visited.month, 12)
    last = date(year, month + 1, rule.value)
    zh = f"{_zh(visited)}就醫，次月 {rule.value} 日（{_zh(last)}）前申報，無效明細須先補正。"
    en = (
        f"Seen on {_en(visited)}; claims are due by day {rule.value} of the next month ({_en(last)}); mend invalid records first."
    )
    return _window(rule, "claims", visited, last, zh, en)


def deadlines(facts: Facts, *, on: date | None = None, calendar: Calendar | None = None) -> tuple[Window, ...]:
    """Every period that these facts start, in the order in which they end."""
    calendar = calendar or Calendar()
    dispensed = facts.dispensed_at.astimezone(roc.TAIPEI).date()
    on = on or max(dispensed, facts.pharmacy.format2_since or dispensed)
    found = [upload_deadline(facts.dispensed_at, on=on), correction_window(dispensed, on=on), claims_day(dispensed, on=on)]
    if facts.make_up is not None:
        found.append(make_up_window(facts.make_up.actual_visited_at.astimezone(roc.TAIPEI).date(), calendar=calendar, on=on))
    elif facts.card.state == "absent":
        found.append(make_up_window(dispensed, calendar=calendar, on=on))
    refill = facts.prescription.refill
    if refill is not None and refill.days is not None and refill.number < refill.of:
        found.append(refill_window(dispensed, refill.days, on=on))
    elif refill is None and facts.prescription.visited_at is not None:
        found.append(ordinary_validity(facts.prescription.visited_at.astimezone(roc.TAIPEI).date(), calendar=calendar, on=on))
    return tuple(sorted(found, key=lambda window: window.last or window.first or date.max))


def _window(
    rule: Limit,
    name: str,
    first: date,
    last: date | None,
    zh: str,
    en: str,
    *,
    safe_last: date | None = None,
    at: datetime | None = None,
) -> Window:
    return Window(name, first, last, zh, en, rule.source, rule.confidence, safe_last, at)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, month_calendar.monthrange(year, month + 1)[1]))


def _zh(day: date) -> str:
    return f"{day.year - 1911} 年 {day.month} 月 {day.day} 日（{'一二三四五六日'[day.weekday()]}）"


def _en(day: date) -> str:
    # Not %a: its names follow the process's locale.
    return f"{day.isoformat()} ({('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[day.weekday()]})"
