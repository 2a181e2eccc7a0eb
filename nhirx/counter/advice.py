"""What a person can do about a page that does not read, the first thing first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nhirx_scanner import Scan

_REASONS = {
    "cropped": ("整個條碼及四周的留白都要在畫面內，請拿遠一點或移到中間", "have the whole code and its margin in the picture: move back or to the middle"),
    "glare": ("反光：請傾斜處方箋或關閉補光燈", "glare: tilt the sheet or switch the light off"),
    "too-small": ("條碼太小：請靠近鏡頭，或提高掃描解析度", "the code is too small: go closer, or scan at a higher resolution"),
    "low-contrast": ("太暗或印得太淡：請增加光線", "too dark or too pale: more light"),
    "blur": ("影像模糊：請拿穩、壓平，等對焦完成", "blurred: hold still, flatten the sheet, wait for the focus"),
    "damaged": ("條碼破損或被遮住：請改讀另一個條碼，或輸入印出的 20 碼", "damaged or covered: read the other code, or type the printed 20 characters"),
}  # fmt: skip
_STATUS = {
    "several": ("畫面中有兩張處方箋，請一次只放一張", "two sheets in the picture: one at a time"),
    "conflict": (
        "同一張處方箋的條碼內容不一致，請逐字核對後輸入",
        "the codes of this sheet disagree: compare and type the ID in",
    ),
    "none": ("沒有看到就醫識別碼，請將條碼對準畫面中央", "no visit ID in sight: hold its code into the middle"),
}


def advice(scan: Scan) -> dict[str, Any]:
    """``reason``, ``advice_zh`` and ``advice_en``; all None for a page that was read."""
    if scan.reasons:
        reason: str | None = scan.reasons[0]
        zh, en = _REASONS[scan.reasons[0]]
    elif scan.status in _STATUS:
        reason, (zh, en) = scan.status, _STATUS[scan.status]
    elif scan.error is not None:
        reason, zh, en = scan.error.code, scan.error.zh, scan.error.en
    else:
        return {"reason": None, "advice_zh": None, "advice_en": None}
    return {"reason": reason, "advice_zh": zh, "advice_en": en}
