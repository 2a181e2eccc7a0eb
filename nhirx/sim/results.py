"""The check result of one upload in the two forms the Web API gives: JSON and the text report.

Published of the JSON are ``recs[]`` with ``err_level`` (0 warning, 1 error) and that errors come first; the other member
names are the simulator's own. Published of the text are its first block of twelve bracketed values, the line of 75 ``=``
between records, ``第[n]筆``, ``Xnn=[ value ]`` in three columns without M14, and ``錯誤原因:field:code;``.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from datetime import datetime
from typing import Any

from nhirx.roc import format_datetime

_COLUMNS = 3
_SHOWN = ["H00", "H01", *(f"M{number:02d}" for number in range(1, 57) if number != 14)]


def as_json(upload: dict[str, Any], *, list_accepted: bool) -> str:
    """``Tx_result_json``: UTF-8 JSON in base64 with line breaks."""
    recs = []
    for record in upload["records"]:
        errors = [
            {
                "err_level": 1 if error["effect"] != "warn" else 0,
                "field": error["field"],
                "order": error["order"],
                "code": error["code"],
            }
            for error in record["errors"]
        ]
        if errors or list_accepted:
            level = max((error["err_level"] for error in errors), default=0)
            shown = {name: value for name, value in record["fields"].items() if name != "M14"}
            recs.append({"rec_no": record["n"], "err_level": level, **shown, "errors": errors})
    if upload["file_errors"] and not recs:
        errors = [
            {"err_level": 1, "field": error["field"], "order": None, "code": error["code"]} for error in upload["file_errors"]
        ]
        recs.append({"rec_no": 0, "err_level": 1, "errors": errors})
    recs.sort(key=lambda rec: -rec["err_level"])
    tree = {
        "opcode": upload["opcode"],
        "upload_dt": upload["at"],
        "received": upload["received"],
        "valid_details": upload["valid_details"],
        "received_orders": upload["received_orders"],
        "valid_orders": upload["valid_orders"],
        "invalid_details": upload["invalid_details"],
        "recs": recs,
    }
    return base64.encodebytes(json.dumps(tree, ensure_ascii=False).encode()).decode("ascii")


def as_text(upload: dict[str, Any]) -> str | None:
    """``Tx_result_txt``: base64 of a zip with the Big5 report; None when there is nothing to report."""
    report = report_text(upload)
    if report is None:
        return None
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{upload['opcode'][:14]}.txt", report.encode("cp950", "replace"))
    return base64.encodebytes(packed.getvalue()).decode("ascii")


def report_text(upload: dict[str, Any]) -> str | None:
    """The text report before packing; only records with a remark are in it."""
    marked = [record for record in upload["records"] if record["errors"]]
    if not marked and not upload["file_errors"]:
        return None
    at = format_datetime(datetime.fromisoformat(upload["at"]))
    values = [
        upload["sam_id"],
        upload["institution"],
        upload["mode"],
        at,
        upload["size"],
        upload["received"],
        at,
        upload["received"],
        upload["received_orders"],
        upload["valid_details"],
        upload["valid_orders"],
        upload["invalid_details"],
    ]
    names = ["安全模組", "院所代號", "作業", "上傳日期時間", "檔案大小", "接收筆數", "接收日期時間", "處理筆數", "接收醫令"]
    names += ["有效明細筆數", "有效醫令", "無效明細筆數"]
    blocks = ["健保資料上傳 檢核結果\r\n" + "\r\n".join(f"{name}:[{value}]" for name, value in zip(names, values, strict=True))]
    if not marked:
        blocks.append("錯誤原因:" + "".join(f"{error['field']}:{error['code']};" for error in upload["file_errors"]))
    blocks += [_block(record) for record in marked]
    return ("\r\n" + "=" * 75 + "\r\n").join(blocks) + "\r\n"


def _block(record: dict[str, Any]) -> str:
    cells = [f"{name}=[ {record['fields'].get(name) or 'NULL'} ]" for name in _SHOWN]
    rows = ["".join(f"{cell:<36}" for cell in cells[at : at + _COLUMNS]).rstrip() for at in range(0, len(cells), _COLUMNS)]
    reasons = "".join(f"{error['field']}{_index(error['order'])}:{error['code']};" for error in record["errors"])
    return "\r\n".join([f"第[{record['n']}]筆", *rows, f"錯誤原因:{reasons}"])


def _index(order: int | None) -> str:
    return "" if order is None else f"[{order}]"
