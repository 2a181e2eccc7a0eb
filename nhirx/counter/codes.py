"""One text that was typed or scanned by a keyboard scanner: what it is, put right as far as it can be (contract §2 and more)."""

from __future__ import annotations

from typing import Any

from nhirx.counter import wedge
from nhirx.errors import InvalidValue
from nhirx.identifiers import PlaceholderId, VisitId, canonical_text, parse_printed
from nhirx.tables import printed_id


def describe(text: str) -> dict[str, Any]:
    """The answer of ``POST /codes``. The person inside is masked."""
    meant = wedge.straightened(text.strip("\r\n"))
    found, value = printed_id.describe(meant)
    return {
        "text": text,
        "grouped": value.format() if isinstance(value, VisitId) else value and _grouped(value.value),
        **found,
        "repairs": _repairs(meant) if value else [],
        "wedge": wedge.hints(text),
    }


def _repairs(text: str) -> list[dict[str, Any]]:
    """What was changed so that it became a visit ID, place by place."""
    plain = canonical_text(text)
    found: list[dict[str, Any]] = []
    if len(plain) == 20 and not PlaceholderId.is_valid(plain):
        for letter, digit in (("O", "0"), ("I", "1")):
            places = [place for place, character in enumerate(plain, 1) if character == letter]
            if places:
                listed = "、".join(map(str, places))
                found.append(
                    {
                        "code": f"{letter}-{digit}",
                        "places": places,
                        "zh": f"第 {listed} 碼的字母 {letter} 改為數字 {digit}（就醫識別碼不使用 {letter}），請核對。",
                        "en": f"Letter {letter} at place {listed} became the digit {digit} (a visit ID has no {letter}). Compare it.",
                    }
                )
    return found


def _grouped(text: str) -> str:
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def canonical(text: str) -> str | None:
    """The visit ID in ``text`` after straightening and repair, or None."""
    try:
        value, _ = parse_printed(wedge.straightened(text.strip("\r\n")))
    except InvalidValue:
        return None
    return value.value if isinstance(value, VisitId) else None
