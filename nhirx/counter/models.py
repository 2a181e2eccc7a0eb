"""The bodies of requests, and of answers with a firm shape, as ``/openapi.json`` shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nhirx.model import CardFacts, MakeUpFacts, Prescription, RocDateTime

Text = Annotated[str, Field(max_length=4096)]
Why = Annotated[
    str, Field(min_length=1, max_length=200, description="原因，記入稽核紀錄（勿含個資） Reason for the audit trail.")
]
EXAMPLE_PRESCRIPTION: dict[str, Any] = {
    "reference": "rx-0001",
    "patient": {"national_id": "A123456789", "birth_date": "0501231"},
    "sheet": {
        "visit_id": "0USE4FA11RP4J3DLSH9J",
        "visit_serial": "0007",
        "institution": "3502060427",
        "visited_at": "1151118093000",
        "prescriber_format": "2.0",
        "refill": {"number": 1, "of": 3, "days": 28, "total_days": 84},
    },
    "diagnoses": ["I10"],
    "days": 28,
    "payment_category": "4",
    "fee": 600,
    "copayment": 0,
    "orders": [{"code": "AX90001100", "usage": "QD", "days": 28, "total": 28, "route": "PO", "long_term": True}],
}


class Body(BaseModel):
    """A request's body: an unknown member is refused, so a misspelt one is not lost in silence."""

    model_config = ConfigDict(extra="forbid")


class ErrorInside(BaseModel):
    code: str = Field(description="供程式比對 What programs match on.", examples=["wrong-card"])
    zh: str = Field(description="給人看的說明：發生什麼、要做什麼 For people, zh-TW.")
    en: str = Field(description="For people, English.")
    detail: dict[str, Any] = Field(description="說明中提到的值；不含個資 What the words mention; never personal data.")


class ErrorAnswer(BaseModel):
    """Every failure has this shape."""

    error: ErrorInside


class LinkToken(Body):
    token: Annotated[str, Field(max_length=200, description="一次性連結中的代碼 The token of the one-time link.")]


class SessionAnswer(BaseModel):
    csrf: str = Field(description="之後每次變更以 X-Nhirx-Csrf 標頭送回 Send back as X-Nhirx-Csrf with every change.")
    operator: str | None = Field(description="目前的人員 Who is signed in.")
    locked: bool


class SignIn(Body):
    operator: Annotated[str, Field(max_length=40)]
    pin: Annotated[str, Field(max_length=64)]


class NewOperator(Body):
    name: Annotated[str, Field(min_length=1, max_length=40)]
    pin: Annotated[str, Field(max_length=64, description="4–32 個字 characters")]


class Operator(BaseModel):
    name: str


class OperatorList(BaseModel):
    items: list[Operator]


class CodeText(Body):
    text: Annotated[
        str,
        Field(max_length=4096, description="輸入或掃描器打出的原文，含結尾的 Enter What was typed or scanned, Enter included."),
    ]


class FindBody(Body):
    ref: Annotated[str | None, Field(max_length=40, description="掃描的編號 ref of a scan.")] = None
    text: Annotated[str | None, Field(max_length=4096, description="條碼內容或就醫識別碼 A code's text or a visit ID.")] = None


class FindAnswer(BaseModel):
    prescription: dict[str, Any] | None = Field(description="處方內容；null 表示沒有外掛認得 null: no plugin knows it.")
    source: str | None = Field(description="提供處方的外掛 The plugin that knew it.")


class PlanBody(Body):
    prescription: Prescription = Field(examples=[EXAMPLE_PRESCRIPTION])
    scan_ref: Annotated[str | None, Field(max_length=40, description="POST /scans 或 /scans/live 的 ref")] = None
    confirmed: bool = Field(default=False, description="人員已對照處方箋與身分 A person has compared the sheet and the papers.")
    card: CardFacts | None = None
    make_up: MakeUpFacts | None = None
    dispensed_at: RocDateTime | None = Field(
        default=None, description="調劑時間；省略為現在 When it is dispensed; now when left out."
    )


class IllegibleBody(Body):
    cause: Annotated[str, Field(min_length=1, max_length=40, examples=["blurred"])]
    note: Annotated[str | None, Field(max_length=200)] = None


class DispenseBody(PlanBody):
    virtual_token: Annotated[str | None, Field(max_length=4096, description="虛擬健保卡 QR Code 的內容，只用一次")] = None
    settles: Annotated[
        int | None, Field(ge=1, le=2**31 - 1, description="補卡所完成的欠卡調劑 The held dispensing it settles.")
    ] = None
    illegible: IllegibleBody | None = Field(
        default=None,
        description="人員宣告識別碼無法讀取；影像與原因加密保存 Declared illegible; picture and cause are kept, sealed.",
    )


class ResumeBody(Body):
    write_again: bool | None = Field(
        default=None, description="醫令再寫一次（true）或不再動卡（false） Write the orders again, or leave the card alone."
    )
    confirmed: bool = False


class WhyBody(Body):
    why: Why


class RevealBody(Body):
    reveal: Literal[True] = Field(description="明示要看完整身分 Says that the identity is wanted in full.")


class CorrectionBody(Body):
    fields: dict[Annotated[str, Field(pattern=r"^[A-Z][0-9]{2}$")], Annotated[str | None, Field(max_length=400)]] = Field(
        default_factory=dict, description="人員填入的欄位；null 表示移除 Values a person sets; null takes the field out."
    )
    orders: dict[
        Annotated[str, Field(pattern=r"^[0-9]{1,3}$")],
        dict[Annotated[str, Field(pattern=r"^[A-Z][0-9]{2}$")], Annotated[str | None, Field(max_length=400)]],
    ] = Field(default_factory=dict, description="醫令序號（由 1 起）→ 欄位 Order line, from 1, to its fields.")


class WorkerBody(Body):
    action: Literal["send-now", "pause", "resume"]


class ReaderState(BaseModel):
    state: Literal["card", "no-card", "no-reader", "no-service", "unknown"]
    words_zh: str
    words_en: str
    code: str | None = Field(default=None, description="卡片無法讀取時的錯誤代碼 Why the card in the reader cannot be read.")


class WorkerState(BaseModel):
    state: Literal["running", "paused", "off"]
    reason_zh: str
    reason_en: str
    breaker: Literal["open", "closed"] = Field(description="open：健保署服務暫停連線中 the NHIA's service is left alone for now")
    code: str | None
    until: str | None


class StateAnswer(BaseModel):
    version: str
    started: float
    language: Literal["zh", "en"]
    pharmacy: dict[str, str | None]
    demo: bool
    review: bool = Field(description="這裡是批次的人工查看 Whether this is the review of a batch.")
    operator: str | None
    locked: bool
    clock: str
    reader: ReaderState
    worker: WorkerState
    counts: dict[str, dict[str, int]]
    b_share: dict[str, int] = Field(description="本月異常（B）筆數與總筆數 Records of kind B this month, and all.")
    b_line: float | None = Field(description="設定的提醒線（0–1） The share to warn of, where one is set.")
    settings_missing: list[str]
    plugins: list[dict[str, str | None]]


class ScanList(BaseModel):
    scans: list[dict[str, Any]]


class HolderShown(BaseModel):
    name: str
    national_id: str
    birth_date: str | None
    sex: str


class CardAnswer(BaseModel):
    holder: HolderShown | None
    matches: bool | None = Field(
        description="與這個呼叫者最近一次 POST /plan 的病人相同 Whether it is the patient of this caller's last plan."
    )
    busy: bool = Field(default=False, description="另一筆調劑正在用卡 A dispensing has the card.")


class Identity(BaseModel):
    national_id: str
    birth_date: str | None
    name: str


class DispensingAnswer(BaseModel):
    dispensing: dict[str, Any]


class Items(BaseModel):
    items: list[dict[str, Any]]


class CorrectionAnswer(BaseModel):
    possible: bool = Field(description="規則能給出唯一的更正 Whether the rules give a single right content.")
    changes: list[dict[str, Any]]
    open: list[dict[str, Any]] = Field(
        description="需由人員填值的錯誤；look_at：處理方式提到的其他欄位 Errors only a person can mend; look_at: other fields the remedy names."
    )
    findings: list[dict[str, Any]]


class Created(BaseModel):
    id: int
    state: str


class GivenBack(BaseModel):
    id: int
    given_back: bool
    state: str


class MakeUpAnswer(BaseModel):
    settles: int
    prescription: dict[str, Any]
    make_up: dict[str, Any]


class ReviewList(BaseModel):
    folder: str = Field(description="批次輸出資料夾的名稱 The name of the batch's output folder.")
    pages: int
    review: int = Field(description="需要人工查看的頁數 Pages on the list.")
    open: int = Field(description="尚未決定，含稍後再看 Not decided yet; those put off count.")
    by_decision: dict[str, int]
    items: list[dict[str, Any]] = Field(description="`name`, `why`, `path`, `page`, `decision`")


class ReviewPage(BaseModel):
    name: str
    why: str
    zh: str = Field(description="為什麼要看 Why a person has to look.")
    en: str
    do_zh: str = Field(description="要做什麼 What to do.")
    do_en: str
    path: str
    page: int
    scan: dict[str, Any] = Field(
        description="`status`, `visit_ids`, `confidence`, `reasons`, `codes`, `error`, `same_picture_as`"
    )
    tried: list[dict[str, str]] = Field(description="依序試過的方法 What was tried, in this order.")
    decision: dict[str, Any] | None
    same: list[dict[str, Any]] = Field(description="識別碼相同的其他頁 Other pages with the same visit ID.")


class ReviewBody(Body):
    decision: Literal["visit-id", "no-id", "illegible", "not-prescription", "later"]
    visit_ids: list[Annotated[str, Field(max_length=200)]] = Field(
        default_factory=list,
        max_length=20,
        description="決定為 visit-id 時；自動改正 O/I 並檢查格式 With visit-id; O and I are repaired.",
    )
    cause: Literal["blurred", "damaged", "cropped", "faint", "reader", "other"] | None = Field(
        default=None, description="決定為 illegible 時必填 Needed with illegible."
    )
    note: Annotated[str | None, Field(max_length=200, description="補充說明，請勿含個資 No personal data, please.")] = None


class ReviewKept(BaseModel):
    decision: dict[str, Any]
    same: list[dict[str, Any]] = Field(description="識別碼相同的其他頁 Other pages with the same visit ID.")
    open: int
