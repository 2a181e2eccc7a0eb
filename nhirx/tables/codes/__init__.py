"""Lists of codes and what they mean."""

from __future__ import annotations

from nhirx.identifiers import PlaceholderId
from nhirx.tables.load import code_rows


def placeholder_meaning(value: PlaceholderId) -> tuple[str, str]:
    """What a placeholder says, zh-TW and English. A code that no list knows is named as unknown, never guessed."""
    wanted = (value.code if value.form == "code" else value.form) or ""
    if row := code_rows("placeholders").get(wanted):
        return row.zh, row.en
    if row := code_rows("abnormal_serials").get(wanted):
        return (
            f"處方端以異常就醫序號 {wanted}（{row.zh}）就醫，尚未補取就醫識別碼",
            f"the prescribing visit had the abnormal serial {wanted} ({row.en}) and no visit ID yet",
        )
    return f"四碼代號 {wanted} 加 16 個 0，代號意義不明", f"the code {wanted} and sixteen zeros; no list knows this code"
