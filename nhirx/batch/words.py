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
REVIEW = {
    "conflict": ("同一張處方上的條碼不一致，請對照紙本", "the codes of one sheet disagree: compare with the paper"),
    "unreadable": ("看得到條碼但讀不出，請人工輸入或重新掃描", "a code could not be read: key it in or scan again"),
    "none": ("沒有找到就醫識別碼，請確認是否為 2.0 處方", "no visit ID was found: is it a 2.0 prescription?"),
    "error": ("檔案損壞或無法開啟", "the file is broken or does not open"),
    "ocr": ("只由文字辨識讀出，必須由人員確認", "read from printed text only: has to be confirmed"),
    "single": ("只讀到一次且無檢查碼，請核對", "one reading without a check of its own: compare"),
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
SKIPPED = {
    "hidden": ("隱藏檔", "hidden"),
    "not-a-picture": ("不是影像或 PDF", "no picture or PDF"),
    "not-a-file": ("不是一般檔案（連結、裝置）", "no plain file (link, device)"),
    "empty-archive": ("空的壓縮檔", "empty archive"),
}
