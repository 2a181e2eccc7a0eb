"""nhirx-house-rules: what this pharmacy has decided for itself, written in the settings file.

Longest supply, drugs that need a call to the doctor, closed days, and which abnormal reason is the usual one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from nhirx import Finding, hookimpl, roc
from nhirx.errors import SettingInvalid

_KNOWN = {"longest_days", "ask_first", "closed", "closed_weekdays", "usual_reasons"}
_WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")


class HouseRules:
    """Without options it has nothing to say."""

    def __init__(self) -> None:
        self._longest: int | None = None
        self._ask_first: Mapping[str, str] = {}
        self._closed: dict[date, str] = {}
        self._weekdays: frozenset[int] = frozenset()
        self._usual: tuple[str, ...] = ()

    @hookimpl
    def nhirx_configure(self, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - _KNOWN):
            raise _wrong("", f"沒有這個選項 / no such option: {', '.join(unknown)}")
        self._longest = options.get("longest_days")
        if self._longest is not None and (not isinstance(self._longest, int) or self._longest < 1):
            raise _wrong("longest_days", "須為正整數 / has to be a whole number above 0")
        self._ask_first = options.get("ask_first", {})
        self._closed = {roc.parse_date(day): reason for day, reason in options.get("closed", {}).items()}
        weekdays = options.get("closed_weekdays", ())
        if not set(weekdays) <= set(_WEEKDAYS):
            raise _wrong("closed_weekdays", f"請用 / use: {''.join(_WEEKDAYS)}")
        self._weekdays = frozenset(_WEEKDAYS.index(day) for day in weekdays)
        self._usual = tuple(options.get("usual_reasons", ()))

    @hookimpl
    def nhirx_check(self, prescription: Any) -> Iterator[Finding]:
        if prescription is None:
            return
        if self._longest is not None and (prescription.days or 0) > self._longest:
            yield Finding(
                code="supply-too-long",
                severity="block",
                zh=f"給藥 {prescription.days} 日，超過本藥局設定的 {self._longest} 日。",
                en=f"A supply of {prescription.days} days is more than this pharmacy's {self._longest}.",
            )
        for order in prescription.orders:
            if order.code in self._ask_first:
                words = self._ask_first[order.code]
                yield Finding(code="ask-first", severity="warn", zh=f"{order.code}：{words}", en=f"{order.code}: {words}")

    @hookimpl
    def nhirx_calendar(self, first: date, last: date) -> dict[date, str]:
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        closed = {day: f"星期{_WEEKDAYS[day.weekday()]}公休" for day in days if day.weekday() in self._weekdays}
        return closed | {day: reason for day, reason in self._closed.items() if first <= day <= last}

    @hookimpl(trylast=True)
    def nhirx_choose_abnormal_reason(self, candidates: Sequence[str]) -> str | None:
        """The first of the usual reasons that is allowed here; a person confirms it at the counter."""
        return next((reason for reason in self._usual if reason in candidates), None)


def _wrong(option: str, problem: str) -> SettingInvalid:
    return SettingInvalid(setting=f"plugins.options.house-rules.{option}".rstrip("."), problem=problem)
