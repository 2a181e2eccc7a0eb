"""One text that was typed or scanned by a keyboard scanner: what it is, put right as far as it can be (contract §2 and more)."""

from __future__ import annotations

from typing import Any

from nhirx.counter import wedge
from nhirx.errors import InvalidValue
from nhirx.identifiers import PlaceholderId, VisitId, canonical_text, mask_id, parse_printed
from nhirx.tables.codes import placeholder_meaning


def describe(text: str) -> dict[str, Any]:
    """The answer of ``POST /codes``. The person inside is masked."""
    meant = wedge.straightened(text.strip("\r\n"))
    answer: dict[str, Any] = {
        "text": text,
        "canonical": None,
        "grouped": None,
        "valid": False,
        "kind": "invalid",
        "meaning_zh": None,
        "meaning_en": None,
        "holder_id": None,
        "issued_at": None,
        "plausible": False,
        "repaired": False,
        "repairs": [],
        "problems": [],
        "wedge": wedge.hints(text),
    }
    try:
        value, repaired = parse_printed(meant)
    except InvalidValue as error:
        problem = {"code": "not-a-visit-id", "zh": error.zh, "en": error.en}
        return answer | {"problems": [problem]}
    answer |= {"canonical": value.value, "valid": True, "repaired": repaired, "repairs": _repairs(meant)}
    if isinstance(value, PlaceholderId):
        zh, en = placeholder_meaning(value)
        # A placeholder is never what a sheet is dispensed under: it says that there is no ID.
        return answer | {"kind": "placeholder", "grouped": _grouped(value.value), "meaning_zh": zh, "meaning_en": en}
    answer |= {
        "kind": "visit-id",
        "grouped": value.format(),
        "meaning_zh": "就醫識別碼",
        "meaning_en": "a visit ID",
        "plausible": value.is_plausible,
        "issued_at": value.issued_at.isoformat() if value.issued_at else None,
        "holder_id": mask_id(value.holder_id) if value.holder_id else None,
    }
    if not value.is_plausible:
        answer["problems"].append(
            {
                "code": "implausible",
                "zh": "依推導的編碼方式讀不出合理的人或時間。請逐字核對；少見的證號也可能如此，以健保署檢核為準。",
                "en": "By the derived structure this holds no sensible person or time. Compare each character; a rare kind of ID number can look so too.",
            }
        )
    return answer


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
