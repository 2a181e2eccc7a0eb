"""The words for statuses and reasons in both languages, (zh, en), for tables and reports."""

from __future__ import annotations

STATUS = {
    "found": ("讀到", "found"),
    "several": ("多張處方", "several sheets"),
    "conflict": ("條碼互相矛盾", "printed forms disagree"),
    "none": ("沒有就醫識別碼", "no visit ID"),
    "unreadable": ("有條碼但讀不出", "a code, not readable"),
    "error": ("檔案或頁面有問題", "broken file or page"),
}
# (zh, en, what to do in zh, in en)
REVIEW = {
    "conflict": (
        "同一張處方的條碼互相矛盾",
        "the codes of one sheet disagree",
        "請對照紙本，以正確的一組輸入。",
        "Compare with the paper and key in the right one.",
    ),
    "unreadable": (
        "看得到條碼但讀不出",
        "a code could not be read",
        "請依紙本上的文字輸入，或以 300 dpi 重新掃描。",
        "Key it in from the printed text, or scan again at 300 dpi.",
    ),
    "none": (
        "沒有就醫識別碼",
        "no visit ID was found",
        "請確認是否為 2.0 處方、是否掃到背面。",
        "Is it a 2.0 prescription? Is it the right side of the sheet?",
    ),
    "error": (
        "檔案或頁面損壞",
        "the file or page is broken",
        "請重新掃描或重新匯出。",
        "Scan or export it again.",
    ),
    "ocr": (
        "只由文字辨識讀出",
        "read from printed text only",
        "辨識可能認錯字：請逐字核對後確認。",
        "Recognition may take one letter for another: compare and confirm.",
    ),
    "single": (
        "只讀到一次且無檢查碼",
        "one reading without a check of its own",
        "請與紙本核對後確認。",
        "Compare with the paper and confirm.",
    ),
}
# Not a reason for the exit code of a batch: every ID on the page is certain. It is on the review list, because one page is one sheet.
REVIEW["several"] = (
    "一頁有多張處方",
    "several sheets on one page",
    "請確認每一組都屬於這一頁，或重新分開掃描。",
    "Confirm that all of them belong to this page, or scan each alone.",
)
DECISION = {
    "visit-id": ("已輸入識別碼", "visit ID keyed in"),
    "no-id": ("沒有識別碼", "no visit ID"),
    "illegible": ("認定無法辨識", "declared illegible"),
    "not-prescription": ("不是處方箋", "not a prescription"),
    "later": ("稍後再看", "later"),
}
CONFIDENCE = {
    "agreed": ("兩種來源一致", "two sources agree"),
    "checked": ("條碼自帶檢查碼", "the code checks itself"),
    "single": ("單次讀取", "one unchecked reading"),
    "ocr": ("僅文字辨識", "text only"),
}
REASON = {
    "blur": ("模糊", "blurred"),
    "low-contrast": ("對比太低", "too little contrast"),
    "glare": ("反光", "glare"),
    "too-small": ("條碼太小", "too small"),
    "cropped": ("條碼被切到", "cut off"),
    "damaged": ("條碼破損", "damaged"),
}
PLAN_STATUS = {
    "planned": ("可以調劑上傳", "ready"),
    "dispensed": ("已調劑", "dispensed already"),
    "blocked": ("有問題須先處理", "blocked"),
    "no-prescription": ("系統查無處方", "no prescription found"),
    "no-id": ("沒有就醫識別碼", "no visit ID"),
}
# Why a page stops before the rules are asked, (zh, en).
PLAN_STOPS = {
    "several-sheets": (
        "一頁有多張處方：請分開掃描，或在櫃檯逐張處理。",
        "Several sheets on one page: scan each alone, or take them one by one at the counter.",
    ),
    "same-visit-id": (
        "較前的頁面已有同一個就醫識別碼：請確認是重複掃描，還是同一張連續處方的另一次調劑。",
        "An earlier page has the same visit ID: is it the sheet scanned twice, or another fill of a refillable prescription?",
    ),
    "no-prescription": (
        "藥局系統查無這張處方：請確認已輸入並匯出，再以 --resume --resolve 重試。",
        "The pharmacy system has no such prescription: enter or export it, then run again with --resume --resolve.",
    ),
}
PLAN_RUN = {
    "upload": ("24 小時內上傳", "to be uploaded within the 24 hours"),
    "late": ("逾期補傳", "late upload"),
    "precheck": ("預檢", "precheck"),
}
PLAN_NEEDS = {
    "card": ("在櫃檯過卡", "the card at the counter"),
    "no-card-id": ("以無卡方式取得就醫識別碼", "an ID without the card"),
    "old-record": ("當時保存的 1.0 資料", "values of the kept 1.0 record"),
    "nothing": ("不缺資料", "nothing"),
}
SKIPPED = {
    "hidden": ("隱藏檔", "hidden"),
    "not-a-picture": ("不是影像或 PDF", "no picture or PDF"),
    "not-a-file": ("不是一般檔案（連結、裝置）", "no plain file (link, device)"),
    "empty-archive": ("空的壓縮檔", "empty archive"),
}
SYMBOLOGY = {
    "qr": "QR",
    "code128": "Code 128",
    "code39": "Code 39",
    "ean13": "EAN-13",
    "datamatrix": "Data Matrix",
    "pdf417": "PDF417",
    "text": "印刷文字",
}
KIND = {
    "visit-id": ("就醫識別碼", "visit ID"),
    "prescription-qr": ("處方內容", "the prescription itself"),
    "virtual-card": ("虛擬健保卡", "virtual card"),
    "placeholder": ("預設值", "placeholder"),
    "other": ("其他", "other"),
}
TRIED = (
    ("整頁以所有碼制解碼", "the whole page, in every symbology that can hold a visit ID"),
    ("找出像條碼的區域，逐一拉正、放大再讀", "regions that look like codes, straightened, enlarged, read again"),
    ("加強對比、去模糊、多條線平均", "more contrast, sharpened, many lines averaged"),
    ("另外兩種解碼器", "two more decoders"),
    ("依印刷模型逐格還原", "restoring bars and QR cells by a model of the print"),
    ("辨識印刷文字（已安裝 ocr 時）", "the printed text, where the extra ocr is installed"),
)


def file_error(code: str) -> tuple[str, str]:
    """The code of an error of a file or page in words, (zh, en)."""
    return _FILE_ERROR.get(code, (code, ""))


_FILE_ERROR = {
    "file-empty": ("空白檔案", "empty"),
    "file-damaged": ("檔案損壞", "damaged"),
    "file-missing": ("檔案已不存在", "gone"),
    "file-too-large": ("檔案或影像太大", "too large"),
    "file-kind-unknown": ("不是影像或 PDF", "neither picture nor PDF"),
    "file-unreadable": ("無法開啟", "does not open"),
    "archive-refused": (
        "拒絕的壓縮檔（損壞、加密、過大或太多層）",
        "archive refused: damaged, encrypted, too large or nested too deep",
    ),
    "page-timeout": ("超過一頁的時限", "took longer than a page may"),
    "page-crashed": ("讀取程式中斷", "ended the process that read it"),
}
