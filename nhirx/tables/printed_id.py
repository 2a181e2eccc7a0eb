"""What a text that was printed as a visit ID says: for the command, and for the counter page (contract §2)."""

from __future__ import annotations

from typing import Any

from nhirx.errors import InvalidValue
from nhirx.identifiers import PlaceholderId, VisitId, mask_id, parse_printed


def describe(text: str) -> tuple[dict[str, Any], VisitId | PlaceholderId | None]:
    """Its members in both languages, the person inside masked, and the value; None for what is neither kind."""
    answer: dict[str, Any] = {
        "canonical": None,
        "valid": False,
        "kind": "invalid",
        "meaning_zh": None,
        "meaning_en": None,
        "holder_id": None,
        "issued_at": None,
        "plausible": False,
        "repaired": False,
        "problems": [],
    }
    try:
        value, repaired = parse_printed(text)
    except InvalidValue as error:
        return answer | {"problems": [problem("not-a-visit-id", error.zh, error.en)]}, None
    answer |= {"canonical": value.value, "valid": True, "repaired": repaired}
    if isinstance(value, PlaceholderId):  # never what a sheet is dispensed under: it says that there is no ID
        from nhirx.tables.codes import placeholder_meaning  # the tables take a while to load, and most texts need none

        zh, en = placeholder_meaning(value)
        return answer | {"kind": "placeholder", "meaning_zh": zh, "meaning_en": en}, value
    answer |= {
        "kind": "visit-id",
        "meaning_zh": "就醫識別碼",
        "meaning_en": "a visit ID",
        "plausible": value.is_plausible,
        "issued_at": value.issued_at.isoformat() if value.issued_at else None,
        "holder_id": mask_id(value.holder_id) if value.holder_id else None,
    }
    if not value.is_plausible:
        answer["problems"].append(
            problem(
                "implausible",
                "依推導的編碼方式讀不出合理的人或時間。請逐字核對；少見的證號也可能如此，以健保署檢核為準。",
                "By the derived structure this holds no sensible person or time. Compare each character; a rare kind of ID number can look so too.",
            )
        )
    return answer, value


def problem(code: str, zh: str, en: str) -> dict[str, str]:
    return {"code": code, "zh": zh, "en": en}
