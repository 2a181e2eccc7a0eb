"""Every exception nhirx raises on purpose, as one tree.

``code`` is what programs match on, ``zh`` and ``en`` are what people read: what happened and what to do. ``exit_code`` is
the exit status of a command that ends with the error: 1 the work found problems, 2 the call or its input is wrong,
3 something outside (reader, network, disk) failed.

Long on purpose: one file holds every message, so that a translator, a reviewer and a program's author find all of them in
one place, and none is written twice.

The tree (a test compares it with the classes)::

    NhirxError
    ├─ InputError
    │  ├─ InvalidValue
    │  ├─ FactsInvalid
    │  ├─ SettingMissing
    │  ├─ SettingInvalid
    │  ├─ ComponentMissing
    │  ├─ FileUnreadable
    │  │  ├─ FileMissing
    │  │  ├─ FileEmpty
    │  │  ├─ FileTooLarge
    │  │  ├─ FileDamaged
    │  │  ├─ FileKindUnknown
    │  │  ├─ ArchiveRefused
    │  │  ├─ PageTimeout
    │  │  └─ PageCrashed
    │  ├─ BatchExists
    │  ├─ AlreadyThere
    │  └─ RecordMalformed
    ├─ RuleError
    │  ├─ NoRuleApplies
    │  └─ TableInvalid
    ├─ PlanBlocked
    ├─ CheckFailed
    ├─ WrongCard
    ├─ WrongSheet
    ├─ UnconfirmedReading
    ├─ AbnormalReasonNeeded
    ├─ CardError
    │  ├─ PcscUnavailable
    │  ├─ ReaderAbsent
    │  ├─ ReaderGone
    │  ├─ ReaderBusy
    │  ├─ CardAbsent
    │  ├─ CardRemoved
    │  ├─ CardMute
    │  ├─ NotAnNhiCard
    │  ├─ CardUnreadable
    │  ├─ ControlSoftwareError
    │  │  ├─ CardExpired
    │  │  ├─ CardUpdateRefused
    │  │  ├─ PinRequired
    │  │  ├─ SecurityModuleError
    │  │  ├─ SignatureUsed
    │  │  ├─ VisitIdNotMade
    │  │  ├─ ReaderFault
    │  │  ├─ CardRevoked
    │  │  ├─ ProfessionalCardError
    │  │  ├─ NotEntitled
    │  │  ├─ DataCentreDown
    │  │  ├─ TokenRefused
    │  │  └─ RollbackRefused
    │  └─ ControlSoftwareDown
    ├─ TransportError
    │  ├─ ServiceUnreachable
    │  │  └─ AnswerLost
    │  ├─ ServiceTimeout
    │  ├─ TlsRefused
    │  └─ AnswerMalformed
    ├─ UploadError
    │  ├─ UploadRefused
    │  ├─ ResultNotReady
    │  └─ UploadRejected
    ├─ StoreError
    │  ├─ DiskFull
    │  ├─ StoreReadOnly
    │  ├─ StoreDamaged
    │  ├─ KeyWrong
    │  └─ TransitionRefused
    ├─ PluginError
    │  ├─ PluginRefused
    │  └─ PluginFailed
    │     └─ PluginNonsense
    └─ CounterError
       ├─ RequestRefused
       ├─ RequestInvalid
       ├─ BodyTooLarge
       ├─ ThingMissing
       ├─ ScanGone
       ├─ MethodRefused
       ├─ SessionNeeded
       ├─ SessionLocked
       ├─ PinWrong
       ├─ CardBusy
       ├─ DispensingUnfinished
       ├─ CorrectionUnknown
       ├─ CameraGone
       └─ PortTaken
"""

from __future__ import annotations

from math import isfinite
from typing import Any, ClassVar


class NhirxError(Exception):
    """Root of the tree. ``detail`` holds what the words mention and never holds personal data in clear."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 2
    zh_words: ClassVar[str] = "發生錯誤。"
    en_words: ClassVar[str] = "Something went wrong."

    def __init__(self, *, zh: str | None = None, en: str | None = None, **detail: Any) -> None:
        self.detail = detail
        self.zh = zh if zh is not None else _fill(self.zh_words, detail)
        self.en = en if en is not None else _fill(self.en_words, detail)
        super().__init__(f"{self.code}: {self.en}")

    def as_json(self) -> dict[str, Any]:
        """The error object of the contract: ``{"error": {"code", "zh", "en", "detail"}}``."""
        return {"error": {"code": self.code, "zh": self.zh, "en": self.en, "detail": _plain(self.detail)}}

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.zh, self.en, self.detail)


def _rebuild(cls: type[NhirxError], zh: str, en: str, detail: dict[str, Any]) -> NhirxError:
    return cls(zh=zh, en=en, **detail)


def _plain(value: Any) -> Any:
    """``value`` as JSON can hold it: an error must never fail to be told because of what it tells about."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def _fill(words: str, detail: dict[str, Any]) -> str:
    return words.format_map(_Blank(detail))


# ── the call or its input is wrong ────────────────────────────────────────────────────────────────────────────────────


class InputError(NhirxError):
    code = "input"
    zh_words = "輸入的內容不正確：{problem}。"
    en_words = "The input is not right: {problem}."


class InvalidValue(InputError, ValueError):
    code = "invalid-value"
    zh_words = "{what} 不是有效的值：{problem}。請重新確認後再輸入。"
    en_words = "{what} is not a valid value: {problem}. Check it and enter it again."


class FactsInvalid(InputError):
    code = "facts-invalid"
    zh_words = "處方資料有誤（{where}：{problem}）。請修正該欄位。"
    en_words = "The facts are wrong ({where}: {problem}). Correct that member."


class SettingMissing(InputError):
    code = "setting-missing"
    zh_words = "缺少設定 {setting}。這個值沒有公開的規定，請向健保署分區業務組或資訊廠商確認後填入設定檔。"
    en_words = "Setting {setting} is missing. No published rule gives this value: ask the NHIA or your vendor, then set it."


class SettingInvalid(InputError):
    code = "setting-invalid"
    zh_words = "設定 {setting} 不正確：{problem}。"
    en_words = "Setting {setting} is not right: {problem}."


class ComponentMissing(InputError):
    code = "component-missing"
    zh_words = "這台電腦缺少元件「{component}」。安裝方式：{how}"
    en_words = "This machine lacks the component {component}. To install it: {how}"


class FileUnreadable(InputError):
    code = "file-unreadable"
    zh_words = "無法讀取檔案 {path}（{problem}）。"
    en_words = "The file {path} cannot be read ({problem})."


class FileMissing(FileUnreadable):
    code = "file-missing"
    zh_words = "找不到檔案 {path}。請確認路徑。"
    en_words = "There is no file {path}. Check the path."


class FileEmpty(FileUnreadable):
    code = "file-empty"
    zh_words = "檔案 {path} 是空的。請重新掃描或重新匯出。"
    en_words = "The file {path} is empty. Scan or export it again."


class FileTooLarge(FileUnreadable):
    code = "file-too-large"
    zh_words = "檔案 {path} 太大（{problem}）。請用較低解析度重新掃描（200 dpi 即可）。"
    en_words = "The file {path} is too large ({problem}). Scan it again at a lower resolution (200 dpi is enough)."


class FileDamaged(FileUnreadable):
    code = "file-damaged"
    zh_words = "檔案 {path} 已損壞或不完整（{problem}）。請重新掃描或重新匯出。"
    en_words = "The file {path} is damaged or cut short ({problem}). Scan or export it again."


class FileKindUnknown(FileUnreadable):
    code = "file-kind-unknown"
    zh_words = "檔案 {path} 不是可辨識的影像或 PDF。請提供 JPEG、PNG、TIFF、BMP、WebP 或 PDF。"
    en_words = "The file {path} is no image or PDF that can be read. Give JPEG, PNG, TIFF, BMP, WebP or PDF."


class ArchiveRefused(FileUnreadable):
    code = "archive-refused"
    zh_words = "壓縮檔 {path} 無法展開（{problem}）。請先自行解壓縮，再對資料夾執行。"
    en_words = "The archive {path} was not unpacked ({problem}). Unpack it yourself and give the folder."


class PageTimeout(FileUnreadable):
    code = "page-timeout"
    zh_words = "{path} 的這一頁超過時限仍未讀完（{problem}），已略過。請人工查看。"
    en_words = "This page of {path} was given up: it took longer than allowed ({problem}). A person has to look at it."


class PageCrashed(FileUnreadable):
    code = "page-crashed"
    zh_words = "讀取 {path} 的這一頁時程式當掉（{problem}），已略過。請人工查看。"
    en_words = "Reading this page of {path} ended its process ({problem}); the page was set aside. A person has to look at it."


class BatchExists(InputError):
    code = "batch-exists"
    zh_words = "輸出資料夾 {path} 不能使用：{problem}。要接續先前的批次請加 --resume，否則請換一個資料夾。"
    en_words = "The output folder {path} cannot be used: {problem}. Add --resume to go on with its batch, or name another folder."


class AlreadyThere(InputError):
    code = "already-there"
    zh_words = "{path} 已經存在，不會覆蓋。請換一個名稱，或先把它移走。"
    en_words = "{path} is there already and is not written over. Take another name, or move it away first."


class RecordMalformed(InputError):
    code = "record-malformed"
    zh_words = "上傳檔內容無法解讀：{problem}。"
    en_words = "The upload record cannot be read: {problem}."


# ── the rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class RuleError(NhirxError):
    code = "rule"
    exit_code = 1


class NoRuleApplies(RuleError):
    code = "no-rule"
    zh_words = "在 {day} 這一天，沒有任何一條規則適用於這些情況（{facts}）。請由藥師判斷，勿自行猜測填報。"
    en_words = "No rule covers these facts on {day} ({facts}). A pharmacist has to decide; nothing is guessed."


class TableInvalid(RuleError):
    code = "table-invalid"
    exit_code = 2
    zh_words = "規則表 {table} 有誤：{problem}。"
    en_words = "The rule table {table} is wrong: {problem}."


class PlanBlocked(NhirxError):
    code = "plan-blocked"
    exit_code = 1
    zh_words = "這張處方目前不能上傳（{findings}）。請依提示處理後再試，未讀卡也未送出任何資料。"
    en_words = (
        "This prescription cannot be uploaded as it stands ({findings}). Nothing was taken from the card and nothing was sent."
    )


class CheckFailed(NhirxError):
    code = "check-failed"
    exit_code = 1
    zh_words = "上傳前檢核發現 {count} 項錯誤，資料未送出。請依各項說明修正。"
    en_words = "The check before sending found {count} error(s); nothing was sent. Correct each as described."


class WrongCard(NhirxError):
    code = "wrong-card"
    exit_code = 1
    zh_words = "健保卡與處方箋不是同一人（{which}）。請停止調劑並核對身分，未寫入任何資料。"
    en_words = (
        "The card and the prescription are not of the same person ({which}). Stop and check the identity; nothing was written."
    )


class WrongSheet(NhirxError):
    code = "wrong-sheet"
    exit_code = 1
    zh_words = "掃描到的就醫識別碼與藥局系統中的處方不同。請確認是不是同一張處方箋，未讀卡也未送出任何資料。"
    en_words = "The visit ID on the sheet differs from the one in the pharmacy's copy. Check that both are the same prescription; nothing was sent."


class UnconfirmedReading(NhirxError):
    code = "unconfirmed-reading"
    exit_code = 1
    zh_words = "就醫識別碼只由文字辨識讀出，必須由人員對照處方箋確認後才能使用。"
    en_words = "The visit ID was read from printed text only: a person has to compare it with the sheet before it is used."


class AbnormalReasonNeeded(NhirxError):
    """The card could not give a number; a person has to declare why. ``candidates`` are the codes that fit the failure."""

    code = "abnormal-reason-needed"
    exit_code = 1
    zh_words = "取號失敗（{cause}）。請由藥師確認原因並選擇異常就醫序號（{candidates}），或排除後重新讀卡。已寫入日誌，不會遺失。"
    en_words = "No visit number ({cause}). A pharmacist has to choose the abnormal serial that fits ({candidates}), or mend it and read again. Nothing is lost."


# ── the card and its reader ───────────────────────────────────────────────────────────────────────────────────────────


class CardError(NhirxError):
    code = "card"
    exit_code = 3
    zh_words = "讀卡失敗：{problem}。"
    en_words = "The card could not be read: {problem}."


class PcscUnavailable(CardError):
    code = "pcsc-unavailable"
    zh_words = "這台電腦的智慧卡服務沒有啟動。Windows 請啟動「Smart Card」服務；Linux 請啟動 pcscd。"
    en_words = "The smart card service of this machine is not running. Start the service Smart Card (Windows) or pcscd (Linux)."


class ReaderAbsent(CardError):
    code = "reader-absent"
    zh_words = "找不到讀卡機。請檢查 USB 線是否插好，再試一次。"
    en_words = "No card reader was found. Check its USB cable and try again."


class ReaderGone(CardError):
    code = "reader-gone"
    zh_words = "讀卡機「{reader}」在讀取途中離線。請重新插上讀卡機後再試。"
    en_words = "The reader {reader} disappeared while reading. Plug it in again and retry."


class ReaderBusy(CardError):
    code = "reader-busy"
    zh_words = "讀卡機「{reader}」正被其他程式使用（常見為讀卡機控制軟體或健保卡網路元件）。請關閉該程式或稍候再試。"
    en_words = (
        "The reader {reader} is in use by another program (often the control software or the web component). Close it or wait."
    )


class CardAbsent(CardError):
    code = "card-absent"
    zh_words = "讀卡機裡沒有健保卡。請插入健保卡，晶片朝上並插到底。"
    en_words = "There is no card in the reader. Insert the NHI card, chip up, all the way."


class CardRemoved(CardError):
    code = "card-removed"
    zh_words = "讀取途中健保卡被抽出。請重新插入健保卡再試一次。"
    en_words = "The card was pulled out while it was being read. Insert it again and retry."


class CardMute(CardError):
    code = "card-mute"
    zh_words = "卡片沒有回應。請確認方向並擦拭晶片後重新插入；仍無回應可能是晶片損壞。"
    en_words = "The card does not answer. Check its direction, wipe the chip and insert it again; else the chip may be broken."


class NotAnNhiCard(CardError):
    code = "not-an-nhi-card"
    zh_words = "讀卡機裡的不是健保卡（{problem}）。請改插病人的健保卡。"
    en_words = "The card in the reader is not an NHI card ({problem}). Insert the patient's NHI card."


class CardUnreadable(CardError):
    code = "card-unreadable"
    zh_words = "健保卡的回應無法解讀（{problem}）。請重新插卡；若一再發生，請改用異常流程。"
    en_words = "The answer of the card cannot be read ({problem}). Insert it again; if it keeps happening use the abnormal path."


class ControlSoftwareError(CardError):
    """The control software or the data centre answered with a code other than success; ``number`` is that code."""

    code = "control-software"
    zh_words = "讀卡機控制軟體回覆代碼 {number}：{meaning_zh}"
    en_words = "The control software answered {number}: {meaning_en}"


class CardExpired(ControlSoftwareError):
    code = "card-expired"


class CardUpdateRefused(ControlSoftwareError):
    code = "card-update-refused"


class PinRequired(ControlSoftwareError):
    code = "pin-required"


class SecurityModuleError(ControlSoftwareError):
    code = "security-module"


class SignatureUsed(ControlSoftwareError):
    code = "signature-used"


class VisitIdNotMade(ControlSoftwareError):
    code = "visit-id-not-made"


class ReaderFault(ControlSoftwareError):
    code = "reader-fault"


class CardRevoked(ControlSoftwareError):
    code = "card-revoked"


class ProfessionalCardError(ControlSoftwareError):
    """The health professional card is missing, locked, or has no right to this."""

    code = "professional-card"


class NotEntitled(ControlSoftwareError):
    """The insurance does not cover this visit: not insured, suspended, premiums owed, restricted."""

    code = "not-entitled"


class DataCentreDown(ControlSoftwareError):
    """The control software runs, but cannot reach the NHIA's data centre or gets no service there."""

    code = "data-centre-down"


class TokenRefused(ControlSoftwareError):
    """The QR token of a virtual card has expired, was used, or is not one."""

    code = "token-refused"


class RollbackRefused(ControlSoftwareError):
    """This visit number cannot be given back."""

    code = "rollback-refused"


class ControlSoftwareDown(CardError):
    code = "control-software-down"
    zh_words = "讀卡機控制軟體沒有回應（{url}）。請確認控制軟體已啟動。"
    en_words = "The control software does not answer at {url}. Check that it is running."


# ── the network ───────────────────────────────────────────────────────────────────────────────────────────────────────


class TransportError(NhirxError):
    code = "transport"
    exit_code = 3
    zh_words = "與 {url} 的連線失敗：{problem}。"
    en_words = "The connection to {url} failed: {problem}."


class ServiceUnreachable(TransportError):
    code = "service-unreachable"
    zh_words = "無法連線到 {url}。請檢查 VPN 與網路；資料已保存，恢復後會自動再送。"
    en_words = "Cannot connect to {url}. Check the VPN and the network; the data are kept and will be sent later."


class AnswerLost(ServiceUnreachable):
    """The request went out and its answer did not come: nobody here knows whether it was carried out."""

    code = "answer-lost"
    zh_words = "已送出要求給 {url}，但連線在回覆前中斷，無法確定對方是否已處理。資料已保存；請先查明再重做。"
    en_words = (
        "The request to {url} was sent and the connection broke before its answer: it may have been carried out. "
        "The data are kept; find out before doing it again."
    )


class ServiceTimeout(TransportError):
    code = "service-timeout"
    zh_words = "{url} 在 {seconds} 秒內沒有回應。資料已保存，稍後會自動再試。"
    en_words = "{url} did not answer within {seconds} s. The data are kept and will be tried again."


class TlsRefused(TransportError):
    code = "tls-refused"
    zh_words = "{url} 的憑證無法驗證（{problem}）。請在設定中指定正確的 CA 憑證檔或憑證指紋；驗證不能關閉。"
    en_words = "The certificate of {url} cannot be verified ({problem}). Name the right CA file or fingerprint; checks cannot be turned off."


class AnswerMalformed(TransportError):
    code = "answer-malformed"
    zh_words = "{url} 的回覆無法解讀（{problem}）。可能被其他程式或網頁攔截；資料已保存，稍後再試。"
    en_words = (
        "The answer of {url} cannot be read ({problem}). Something may be in between; the data are kept and will be tried again."
    )


# ── the upload ────────────────────────────────────────────────────────────────────────────────────────────────────────


class UploadError(NhirxError):
    code = "upload"
    exit_code = 3
    zh_words = "上傳失敗：{problem}。"
    en_words = "The upload failed: {problem}."


class UploadRefused(UploadError):
    """The Web API refused the request; ``number`` is its RtnCode."""

    code = "upload-refused"
    zh_words = "健保署未收下這次上傳，代碼 {number}：{meaning_zh}"
    en_words = "The NHIA did not take this upload, code {number}: {meaning_en}"


class ResultNotReady(UploadError):
    code = "result-not-ready"
    zh_words = "檢核結果尚未產生，稍後會自動再查。"
    en_words = "The check result is not ready yet; it will be asked for again."


class UploadRejected(UploadError):
    code = "upload-rejected"
    exit_code = 1
    zh_words = "健保署檢核後退回這筆資料，共 {count} 項錯誤。請依各項說明修正後重送。"
    en_words = "The NHIA checked and rejected this record with {count} error(s). Correct each and send it again."


# ── the journal and the queue ─────────────────────────────────────────────────────────────────────────────────────────


class StoreError(NhirxError):
    code = "store"
    exit_code = 3
    zh_words = "資料庫發生問題：{problem}。"
    en_words = "The database has a problem: {problem}."


class DiskFull(StoreError):
    code = "disk-full"
    zh_words = "磁碟空間不足，這一步沒有完成。請清出空間後再試，先前的資料都在。"
    en_words = "The disk is full; this step was not completed. Free some space and retry; what was stored before is safe."


class StoreReadOnly(StoreError):
    code = "store-read-only"
    zh_words = "資料庫 {path} 無法寫入。請檢查資料夾的權限。"
    en_words = "The database {path} cannot be written. Check the permissions of its folder."


class StoreDamaged(StoreError):
    code = "store-damaged"
    zh_words = "資料庫 {path} 已損壞（{problem}）。請勿刪除，改用備份並保留此檔。"
    en_words = "The database {path} is damaged ({problem}). Do not delete it: go back to a backup and keep this file."


class KeyWrong(StoreError):
    code = "key-wrong"
    zh_words = "無法解開資料庫內的加密內容（{problem}）。請確認金鑰檔或環境變數是這個資料庫的；資料仍在，勿刪除。"
    en_words = "What is encrypted in the database cannot be opened ({problem}). Use the key that belongs to it; the data are still there, delete nothing."


class TransitionRefused(StoreError):
    code = "transition-refused"
    exit_code = 1
    zh_words = "資料目前的狀態是「{state}」，不能執行「{event}」。"
    en_words = "The record is in state {state}; {event} is not possible from there."


# ── plugins ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class PluginError(NhirxError):
    code = "plugin"
    exit_code = 2
    zh_words = "外掛「{plugin}」發生問題：{problem}。"
    en_words = "Plugin {plugin} has a problem: {problem}."


class PluginRefused(PluginError):
    code = "plugin-refused"
    zh_words = "外掛「{plugin}」無法載入：{problem}。其他功能不受影響。"
    en_words = "Plugin {plugin} was not loaded: {problem}. Everything else works."


class PluginFailed(PluginError):
    code = "plugin-failed"
    exit_code = 3
    zh_words = "外掛「{plugin}」在 {hook} 失敗：{problem}。這一步已停止，未送出任何資料。"
    en_words = "Plugin {plugin} failed in {hook}: {problem}. This step stopped and nothing was sent."


class PluginNonsense(PluginFailed):
    code = "plugin-nonsense"
    zh_words = "外掛「{plugin}」在 {hook} 回傳了不能使用的內容：{problem}。這一步已停止，未送出任何資料。"
    en_words = "Plugin {plugin} returned something unusable from {hook}: {problem}. This step stopped and nothing was sent."


# ── the counter page and its API ──────────────────────────────────────────────────────────────────────────────────────


class CounterError(NhirxError):
    code = "counter"
    zh_words = "調劑台發生問題：{problem}。"
    en_words = "The counter has a problem: {problem}."


class RequestRefused(CounterError):
    """The request may come from another page or another computer: Host, Origin or CSRF token do not fit."""

    code = "request-refused"
    zh_words = "這個要求不是由調劑台網頁送出（{problem}），已拒絕。請用啟動時顯示的連結重新開啟。"
    en_words = "This request did not come from the counter page ({problem}) and was refused. Open the link shown at the start."


class RequestInvalid(CounterError):
    code = "request-invalid"
    zh_words = "要求的內容不正確（{where}：{problem}）。請依 /openapi.json 修正。"
    en_words = "The request is not right ({where}: {problem}). Correct it as /openapi.json says."


class BodyTooLarge(CounterError):
    code = "body-too-large"
    zh_words = "送出的資料超過 {limit} 位元組的上限。請用較低解析度重新掃描，或分次送出。"
    en_words = "What was sent is larger than the limit of {limit} bytes. Scan at a lower resolution or send less at a time."


class ThingMissing(CounterError):
    code = "not-found"
    zh_words = "找不到 {what}。"
    en_words = "There is no {what}."


class ScanGone(CounterError):
    code = "scan-gone"
    zh_words = "這次掃描已經不在記憶體中（保留 30 分鐘，重新啟動後清空）。請重新掃描，或直接使用就醫識別碼。"
    en_words = "This scan is no longer in memory (kept 30 minutes, gone after a restart). Scan again or use the visit ID itself."


class MethodRefused(CounterError):
    code = "method-not-allowed"
    zh_words = "這個位址不接受 {method}。"
    en_words = "This address does not take {method}."


class SessionNeeded(CounterError):
    code = "session-needed"
    zh_words = "需要重新登入：請用啟動程式時顯示的連結開啟，或在這台電腦執行 nhirx counter link 取得新連結。"
    en_words = "Sign in again: open the link shown when the program was started, or run `nhirx counter link` here for a new one."


class SessionLocked(CounterError):
    code = "session-locked"
    zh_words = "畫面已鎖定。請選擇人員並輸入 PIN。"
    en_words = "The page is locked. Choose who you are and enter the PIN."


class PinWrong(CounterError):
    code = "pin-wrong"
    zh_words = "人員或 PIN 不正確。{seconds} 秒後可再試。"
    en_words = "Name or PIN is not right. Try again in {seconds} s."


class CardBusy(CounterError):
    code = "card-busy"
    zh_words = "另一筆調劑正在使用健保卡，請稍候再試。"
    en_words = "Another dispensing is using the card. Wait a moment and try again."


class DispensingUnfinished(CounterError):
    """The same request was begun before and did not come to its end; ``detail.id`` names the dispensing."""

    code = "dispensing-unfinished"
    zh_words = "這筆調劑（第 {id} 號）先前已經開始但沒有完成。請到「待處理」接續，不要重新調劑。"
    en_words = "This dispensing (number {id}) was begun before and is not finished. Go on with it; do not dispense again."


class CorrectionUnknown(CounterError):
    code = "correction-unknown"
    zh_words = "這筆資料沒有唯一的更正方式（{fields}）。請依檢核說明，由人員填入正確的值。"
    en_words = (
        "There is no single way to correct this record ({fields}). A person has to fill in the right values as the check says."
    )


class CameraGone(CounterError):
    code = "camera-gone"
    exit_code = 3
    zh_words = "攝影機 {device} 沒有畫面。請確認已連接且沒有被其他程式使用。"
    en_words = "Camera {device} gives no picture. Check that it is connected and not in use by another program."


class PortTaken(CounterError):
    code = "port-taken"
    zh_words = "連接埠 {port} 已被其他程式使用（可能調劑台已在執行）。請關閉該程式，或用 --port 0 自動選擇。"
    en_words = "Port {port} is in use by another program (perhaps a counter is running already). Close it, or take --port 0."
