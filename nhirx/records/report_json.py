"""The check result of the Web API, of which only ``recs`` and ``err_level`` are documented.

So nothing is looked up by a fixed path: the first list that holds objects and is called like records is the records; inside
one, whatever is named like a field is a field, whatever reads like ``M15:AA;`` or holds a field and a code is an error.

Source: ``field-notes`` §5.2, §5.3, §6.3; ``nhi-qa-2024-10`` (``err_level`` 0 warning, 1 error).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from nhirx.errors import RecordMalformed
from nhirx.model import CheckError
from nhirx.records import report as text_report
from nhirx.tables.check_codes import check_codes, described

_FIELD_ID = re.compile(r"[HMDEVA]\d\d")
_PAIRS = re.compile(rf"(?:\s*{text_report.PAIR.pattern}\s*[;,；]?)+\s*")
_FIELD_KEYS = frozenset({"field", "fieldid", "fieldname", "fld", "col", "column", "colid", "id", "errfield", "errcol", "欄位", "欄位代碼"})  # fmt: skip
_CODE_KEYS = frozenset({"code", "errcode", "errorcode", "err", "error", "errno", "msgcode", "錯誤代碼", "代碼"})
_ORDER_KEYS = frozenset({"order", "orderno", "orderidx", "orderindex", "mb2", "mb2idx", "mb2no", "ordseq"})
_NUMBER_KEYS = frozenset({"n", "no", "seq", "seqno", "recno", "recseq", "index", "idx", "row", "rowno", "筆數", "筆"})
_LIST_KEYS = ("recs", "rec", "records", "details", "data", "result", "results")
_LEVEL_KEYS = frozenset({"errlevel", "level"})
_DEPTH = 24


def read_answer(text: str) -> text_report.CheckReport:
    """The whole answer, the decoded result, or a list of records. Raises ``RecordMalformed`` when it is no JSON object."""
    answer = _parsed(text.lstrip("\ufeff"))
    answers: tuple[CheckError, ...] = ()
    inner = answer
    if isinstance(answer, dict):
        named = {_key(name): value for name, value in answer.items()}
        answers = _answers(named)
        for name in ("txresultjson", "txresulttxt"):
            if isinstance(packed := named.get(name), str) and packed.strip():
                unpacked = _unpacked(packed)
                if not unpacked.lstrip("\ufeff \r\n\t").startswith(("{", "[")):
                    plain = text_report.read_text(unpacked)
                    return text_report.CheckReport("text", plain.summary, plain.records, answers, unpacked)
                text, inner = unpacked, _parsed(unpacked.lstrip("\ufeff"))
                break
    found = _list_of(inner)
    records = tuple(_record(item, at) for at, item in enumerate(found or (), start=1))
    if found is None and not answers and not _summary_values(inner):
        raise RecordMalformed(problem="這份 JSON 不是檢核結果 / this JSON is no check result")
    return text_report.CheckReport("json", _summary(inner), records, answers, text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        raise RecordMalformed(problem="檢核結果的 JSON 不完整或有誤 / the JSON of the check result is broken") from None


def _unpacked(text: str) -> str:
    """Base64 with line breaks, as the service wraps it; text that is none is taken as it stands."""
    bare = "".join(text.split())
    try:
        data = base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError):
        return text
    return text_report.text_of(data)


def _answers(named: dict[str, Any]) -> tuple[CheckError, ...]:
    code = named.get("rtncode")
    if code is None:
        return ()
    row = check_codes().get(("webapi", str(code)))
    return () if row and row.effect == "ok" else (described("RtnCode", str(code)[:16], family="webapi"),)


def _list_of(value: Any, depth: int = 0) -> list[dict[str, Any]] | None:
    """The objects of the list that most looks like the records; None when there is no such list, which is not an empty one."""
    if isinstance(value, list):
        return [item for item in value if isinstance(item, dict)]
    if not isinstance(value, dict) or depth > _DEPTH:
        return None
    named = {_key(name): item for name, item in value.items()}
    for name in _LIST_KEYS:
        if isinstance(named.get(name), list):
            return _list_of(named[name], depth + 1)
    for item in value.values():
        if isinstance(item, dict) and (found := _list_of(item, depth + 1)) is not None:
            return found
    return None


def _record(item: dict[str, Any], position: int) -> text_report.ReportedRecord:
    fields: dict[str, str | None] = {}
    number: int | None = None
    level: Any = None
    for name, value in _scalars(item):
        key = _key(name)
        if _FIELD_ID.fullmatch(name.upper()):
            fields.setdefault(name.upper(), None if value is None or str(value).strip() == "NULL" else str(value).strip())
        elif key in _NUMBER_KEYS and number is None:
            number = text_report.whole(value)
        elif key in _LEVEL_KEYS and level is None:
            level = value
    errors = dict.fromkeys(_errors(item, _severity(level)))
    return text_report.ReportedRecord(number if number is not None else position, fields, tuple(errors), item)


def _severity(level: Any) -> Literal["error", "warning"] | None:
    return {"0": "warning", "1": "error"}.get(str(level).strip())  # type: ignore[return-value]


def _scalars(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Names and plain values of an object and the objects inside it, not of lists: those are orders or errors."""
    if depth > _DEPTH or not isinstance(value, dict):
        return
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _scalars(item, depth + 1)
        elif not isinstance(item, list):
            yield str(name), item


def _errors(value: Any, severity: Literal["error", "warning"] | None, depth: int = 0) -> Iterator[CheckError]:
    if depth > _DEPTH:
        return
    if isinstance(value, str):
        if _PAIRS.fullmatch(value):
            yield from text_report.pairs(value, severity)
    elif isinstance(value, list):
        for item in value:
            yield from _errors(item, severity, depth + 1)
    elif isinstance(value, dict):
        named = {_key(name): item for name, item in value.items()}
        own = next((_severity(named[key]) for key in _LEVEL_KEYS if key in named), None) or severity
        field = next(
            (item for key, item in named.items() if key in _FIELD_KEYS and isinstance(item, str) and _INDEXED.fullmatch(item)),
            None,
        )
        code = next(
            (item for key, item in named.items() if key in _CODE_KEYS and isinstance(item, (str, int)) and str(item).strip()),
            None,
        )
        if field is not None and code is not None and not isinstance(code, bool):
            match = _INDEXED.fullmatch(field)
            name, at = (match[1].upper(), int(match[2]) if match[2] else None) if match else (field, None)
            order = at if at is not None else next((text_report.whole(named[key]) for key in _ORDER_KEYS if key in named), None)
            yield described(name, str(code).strip()[:16], order=order, family=text_report.family(name), severity=own)
            return
        for name, item in value.items():
            # A plain value of a field is a value, even where a remark reads like an error.
            if not _FIELD_ID.fullmatch(str(name).upper()) or isinstance(item, (dict, list)):
                yield from _errors(item, own, depth + 1)


_INDEXED = re.compile(r"\s*([A-Za-z][A-Za-z0-9]{1,7})\s*(?:\[\s*(\d{1,4})\s*\])?\s*")


_SUMMARY_KEYS = {
    "uploaded_at": frozenset({"uploadedat", "uploaddt", "uploadtime", "suploaddt", "上傳日期時間"}),
    "received": frozenset({"received", "recvcnt", "reccnt", "totalcnt", "recscnt", "接收筆數"}),
    "valid_details": frozenset({"validdetails", "validcnt", "okcnt", "有效明細筆數"}),
    "valid_orders": frozenset({"validorders", "validordercnt", "有效醫令"}),
    "invalid_details": frozenset({"invaliddetails", "invalidcnt", "errcnt", "無效明細筆數"}),
}


def _summary_values(inner: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _scalars(inner):
        for member, keys in _SUMMARY_KEYS.items():
            if _key(name) in keys:
                found.setdefault(member, text_report.moment(str(value)) if member == "uploaded_at" else text_report.whole(value))
    return found


def _summary(inner: Any) -> text_report.Summary:
    return text_report.Summary(**_summary_values(inner))


def _key(name: object) -> str:
    return str(name).lower().replace("_", "").replace("-", "").replace(" ", "")
