"""The pages of the fields and of the check codes, for ``render.py``."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from importlib import resources

from nhirx.tables.check_codes import CheckCode, check_codes
from nhirx.tables.fields import FieldSpec, fields

_NEED = {"required": "必填", "forbidden": "不填", "optional": "可填", "conditional": "視情形"}
_TYPE = {"X": "英數", "words": "半形文字", "text": "文字", "9": "數字", "date": "日期", "time": "日期時間", "amount": "數量"}
_SURE = {"confirmed": "已證實", "single": "單一來源", "inferred": "推論"}
_EFFECT = {
    "reject": "該筆退件",
    "file": "整個檔案退件",
    "warning": "僅警告",
    "later": "稍後才有結果",
    "dual-track": "雙軌期間單獨發生時仍收載",
    "ok": "正常",
}
_FAMILIES = {
    "2.0": "2.0 檢核 / Checks of format 2.0",
    "1.0": "1.0 檢核 / Checks of format 1.0",
    "webapi": "上傳服務的回覆 / Answers of the upload service",
    "control5": "控制軟體 5.x / Control software 5.x",
    "control6": "控制軟體 6.0 / Control software 6.0",
}
_SEVERITY = {"error": "錯誤", "warning": "警告", "pending": "待健保署判斷"}


def check_pages() -> dict[str, str]:
    """``fields.md`` and ``checks.md``."""
    return {"fields.md": _field_page(), "checks.md": _check_page()}


def _field_page() -> str:
    lines = [
        "# 欄位",
        "",
        "*Fields of upload format 2.0: name, type, length, whether a dispensing fills it (A normal, B abnormal upload).*",
        "",
        "| 欄位 | 名稱 | Name | 型態 | 長度 | A | B | 確定程度 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_field_row(spec) for spec in fields().values()]
    lines += ["", "## 備註 / Notes", ""]
    lines += [f"- {spec.id}: {spec.note}" for spec in fields().values() if spec.note]
    return "\n".join(lines) + "\n"


def _field_row(spec: FieldSpec) -> str:
    if not spec.longest:
        length = "未知"
    elif spec.shortest == spec.longest:
        length = str(spec.longest)
    else:
        length = f"{spec.shortest}–{spec.longest}"
    needs = " | ".join(_NEED[spec.need[kind]] for kind in ("A", "B"))
    return f"| {spec.id} | {spec.zh} | {spec.en} | {_TYPE[spec.type]} | {length} | {needs} | {_SURE[spec.confidence]} |"


def _check_page() -> str:
    lines = [
        "# 錯誤代碼與離線檢核",
        "",
        "*What the codes mean and what to do; for checks of format 2.0 also what `nhirx check` judges before sending.*",
    ]
    judged = _judged()
    for family, title in _FAMILIES.items():
        lines += ["", f"## {title}", ""]
        for (of, _), code in check_codes().items():
            if of == family:
                lines += _code(code, judged.get(code.id, "") if family == "2.0" else "")
    return "\n".join(lines) + "\n"


def _code(code: CheckCode, judged: str) -> list[str]:
    zh, en = code.zh.replace("{f}", "欄位"), code.en.replace("{f}", "the field")
    lines = [f"- **{code.id}** {zh}（{_EFFECT[code.effect]}）  "]
    if code.fix_zh:
        lines.append(f"  → {code.fix_zh.replace('{f}', '該欄位')}  ")
    if judged:
        lines.append(f"  離線檢核：{judged}  ")
    fix = code.fix_en.replace("{f}", "the field")
    lines.append(f"  *{en[0].upper()}{en[1:]}{' ' + fix if fix else ''}*")
    return lines


def _judged() -> dict[str, str]:
    """Per code the fields it is judged at, with the severity where it is not an error."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    tree = tomllib.loads(resources.files("nhirx.tables").joinpath("checks.toml").read_text("utf-8"))
    for rule in tree["rule"]:
        if rule.get("family", "2.0") == "2.0":
            found[rule["code"]][rule.get("severity", "error")].add(rule["field"])
    general = [*tree["codes"].values(), *(code for _, code in tree["file"].values())]
    general += [item[1] for name, item in tree["structure"].items() if name not in {"whole_file", "silenced"}]
    for code in general:
        found[code]["error"].add("依型態、必填與檔案結構")
    return {
        code: "；".join(f"{'、'.join(sorted(by[severity]))}（{_SEVERITY[severity]}）" for severity in _SEVERITY if severity in by)
        for code, by in found.items()
    }
