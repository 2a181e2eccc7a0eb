"""Buffers of control software 5.x as values; the local gateway of the virtual card gives the same ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from nhirx import roc
from nhirx.card.cshis_process import Result
from nhirx.errors import AnswerMalformed, CardUnreadable, InvalidValue
from nhirx.model import CardReading

_ORDER_SIGNATURE = re.compile(r"[0-9A-Fa-f]{40}", re.ASCII)


def ascii_text(raw: bytes) -> str:
    return raw.decode("ascii", "ignore").strip(" \x00")


def reading(
    parts: Mapping[str, str],
    *,
    made_by: Literal["card", "virtual-card"],
    visit_id: str | None,
    card_number: str | None,
    notices: tuple[int, ...],
) -> CardReading:
    """The 316 bytes of a visit number, cut by the table.

    Raises ``AnswerMalformed`` where the time is none: success was said, so a number may be taken, and no ``CardError`` may
    say otherwise.
    """
    try:
        visited_at = roc.parse_datetime(parts["visited_at"])
    except InvalidValue:
        raise _no_time() from None
    return CardReading(
        made_by=made_by,
        visited_at=visited_at,
        institution=parts["institution"],
        visit_id=visit_id or None,
        sam_id=parts["sam_id"] or None,
        card_number=card_number,
        visit_serial=parts["visit_serial"] or None,
        security_signature=parts["security_signature"] or None,
        same_day={"Y": True, "N": False}.get(parts["same_day"]),
        notices=notices,
    )


def no_card_reading(parts: Mapping[str, str]) -> CardReading:
    """The 43 bytes of an ID without card. Raises ``AnswerMalformed`` where time or ID are missing."""
    try:
        visited_at = roc.parse_datetime(parts["visited_at"])
    except InvalidValue:
        raise _no_time() from None
    if not parts["visit_id"]:
        raise AnswerMalformed(url="CSHIS", problem="就醫識別碼 / visit ID", member="visit_id")
    return CardReading(made_by="no-card", visited_at=visited_at, institution=parts["institution"], visit_id=parts["visit_id"])


def _no_time() -> AnswerMalformed:
    return AnswerMalformed(url="CSHIS", problem="就醫日期時間 / time of the visit", member="visited_at")


def order_signatures(result: Result, expected: int) -> list[str]:
    """One signature of forty characters for each line. Raises ``CardUnreadable`` where there are fewer."""
    written = result.shorts[0] if result.shorts else 0
    signatures = signatures_of(result.buffer, expected)
    if written != expected or len(signatures) != expected:
        raise CardUnreadable(problem=f"處方簽章 {min(written, len(signatures))}/{expected} / order signatures")
    return signatures


def signatures_of(raw: bytes, expected: int) -> list[str]:
    """As many well-formed signatures as stand in ``raw`` from its start."""
    signatures = []
    for place in range(0, 40 * expected, 40):
        text = raw[place : place + 40].decode("ascii", "replace")
        if not _ORDER_SIGNATURE.fullmatch(text):
            break
        signatures.append(text.upper())
    return signatures
