"""民國 dates and times as the NHI writes them, and the aware values nhirx works with.

``1110303`` is 2022-03-03, ``1110303103120`` is 2022-03-03 10:31:20. The year is three digits, year + 1911 is the Western
year. Taiwan keeps one offset, +08:00, without summer time since 1979, so a fixed offset is exact for every date the NHI
knows (the insurance began in 1995) and needs no time zone database, which Windows lacks.

Source: upload format 2.0, types 9(7) and 9(13) (``spec`` of fields M04, M11).
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

from nhirx.errors import InvalidValue

TAIPEI = timezone(timedelta(hours=8), "+08:00")
"""The only offset of Taiwan."""

_FIRST_ROC_YEAR = 1912
_DIGITS7 = re.compile(r"[0-9]{7}", re.ASCII)
_DIGITS13 = re.compile(r"[0-9]{13}", re.ASCII)


def parse_date(text: str) -> date:
    """A date from seven ROC digits (``0501231``) or ISO 8601 (``1961-12-31``).

    Raises ``InvalidValue`` for anything else, including days that do not exist.
    """
    text = text.strip()
    if _DIGITS7.fullmatch(text):
        return _roc_date(text)
    try:
        return date.fromisoformat(text) if "-" in text else _refuse(text, "7 digits or YYYY-MM-DD")
    except ValueError as error:
        raise _invalid(text, "no such day") from error


def parse_datetime(text: str) -> datetime:
    """An aware time from thirteen ROC digits (``1110303103120``) or ISO 8601; a time without offset is Taiwan's.

    Raises ``InvalidValue`` for anything else, including times that do not exist.
    """
    text = text.strip()
    if _DIGITS13.fullmatch(text):
        day = _roc_date(text[:7])
        try:
            return datetime(day.year, day.month, day.day, int(text[7:9]), int(text[9:11]), int(text[11:13]), tzinfo=TAIPEI)
        except ValueError as error:
            raise _invalid(text, "no such time of day") from error
    if "T" not in text and " " not in text:
        raise _invalid(text, "13 digits or YYYY-MM-DDThh:mm:ss")
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=TAIPEI) if moment.tzinfo is None else moment.astimezone(TAIPEI)
    except (ValueError, OverflowError) as error:
        raise _invalid(text, "no such time") from error


def format_date(day: date) -> str:
    """Seven ROC digits of ``day``. Raises ``InvalidValue`` before 1912."""
    if day.year < _FIRST_ROC_YEAR:
        raise _invalid(day.isoformat(), "before the first ROC year")
    return f"{day.year - 1911:03d}{day.month:02d}{day.day:02d}"


def format_datetime(moment: datetime) -> str:
    """Thirteen ROC digits of an aware ``moment`` in Taiwan's time. Raises ``InvalidValue`` when it has no offset."""
    if moment.tzinfo is None:
        raise _invalid(moment.isoformat(), "a time without offset")
    local = moment.astimezone(TAIPEI)
    return f"{format_date(local.date())}{local:%H%M%S}"


def is_datetime(text: str) -> bool:
    """Whether ``text`` is thirteen ROC digits of a time that exists."""
    if not _DIGITS13.fullmatch(text):
        return False
    try:
        parse_datetime(text)
    except InvalidValue:
        return False
    return True


def is_date(text: str) -> bool:
    """Whether ``text`` is seven ROC digits of a day that exists."""
    if not _DIGITS7.fullmatch(text):
        return False
    try:
        _roc_date(text)
    except InvalidValue:
        return False
    return True


def _roc_date(text: str) -> date:
    try:
        if text[:3] == "000":
            raise ValueError("there is no ROC year 0")
        return date(int(text[:3]) + 1911, int(text[3:5]), int(text[5:7]))
    except ValueError as error:
        raise _invalid(text, "no such day") from error


def _refuse(text: str, expected: str) -> date:
    raise _invalid(text, expected)


def _invalid(text: str, problem: str) -> InvalidValue:
    # The value itself is left out: a birth date is personal data and this ends up in logs.
    return InvalidValue(what="日期時間 (date or time)", problem=problem, length=len(text))
