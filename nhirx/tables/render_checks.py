"""The pages of the fields and of the check codes, for ``render.py`` (Chinese, with the English beside) and for the English site."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from importlib import resources

from nhirx.tables.check_codes import CheckCode, check_codes
from nhirx.tables.fields import FieldSpec, fields
from nhirx.tables.rule_words import EN, ZH, RuleWords

Words = Mapping[str, tuple[str, str]]
"""Key → (zh-TW, English)."""

_NEED: Words = {
    "required": ("必填", "required"),
    "forbidden": ("不填", "left empty"),
    "optional": ("可填", "may be given"),
    "conditional": ("視情形", "depends"),
}
_TYPE: Words = {
    "X": ("英數", "letters and digits"),
    "words": ("半形文字", "plain text"),
    "text": ("文字", "text"),
    "9": ("數字", "digits"),
    "date": ("日期", "date"),
    "time": ("日期時間", "date and time"),
    "amount": ("數量", "amount"),
}
_EFFECT: Words = {
    "reject": ("該筆退件", "the record is refused"),
    "file": ("整個檔案退件", "the whole file is refused"),
    "warning": ("僅警告", "a warning only"),
    "later": ("稍後才有結果", "the result comes later"),
    "dual-track": ("雙軌期間單獨發生時仍收載", "kept during the dual track when it stands alone"),
    "ok": ("正常", "all is well"),
}
_FAMILIES: Words = {
    "2.0": ("2.0 檢核 / Checks of format 2.0", "Checks of format 2.0"),
    "1.0": ("1.0 檢核 / Checks of format 1.0", "Checks of format 1.0"),
    "webapi": ("上傳服務的回覆 / Answers of the upload service", "Answers of the upload service"),
    "control5": ("控制軟體 5.x / Control software 5.x", "Control software 5.x"),
    "control6": ("控制軟體 6.0 / Control software 6.0", "Control software 6.0"),
}
_SEVERITY: Words = {
    "error": ("錯誤", "error"),
    "warning": ("警告", "warning"),
    "pending": ("待健保署判斷", "for the NHIA to judge"),
}
_GENERAL = ("依型態、必填與檔案結構", "type, need and structure of the file")


def check_pages(words: RuleWords = ZH) -> dict[str, str]:
    """``fields.md`` and ``checks.md``."""
    return {"fields.md": _field_page(words), "checks.md": _check_page(words)}


def _said(pair: tuple[str, str], words: RuleWords) -> str:
    return pair[words is EN]


def _field_page(words: RuleWords) -> str:
    about = "Fields of upload format 2.0: name, type, length, whether a dispensing fills it (A normal, B abnormal upload)"
    if words is EN:
        lines = [f"# {about}", "", "| field | name | type | length | A | B | confidence |", "|---|---|---|---|---|---|---|"]
    else:
        lines = ["# 欄位", "", f"*{about}.*", ""]
        lines += ["| 欄位 | 名稱 | Name | 型態 | 長度 | A | B | 確定程度 |", "|---|---|---|---|---|---|---|---|"]
    lines += [_field_row(spec, words) for spec in fields().values()]
    lines += ["", "## Notes" if words is EN else "## 備註 / Notes", ""]
    lines += [f"- {spec.id}: {spec.note}" for spec in fields().values() if spec.note]
    return "\n".join(lines) + "\n"


def _field_row(spec: FieldSpec, words: RuleWords) -> str:
    if not spec.longest:
        length = _said(("未知", "unknown"), words)
    elif spec.shortest == spec.longest:
        length = str(spec.longest)
    else:
        length = f"{spec.shortest}–{spec.longest}"
    needs = " | ".join(_said(_NEED[spec.need[kind]], words) for kind in ("A", "B"))
    names = spec.en if words is EN else f"{spec.zh} | {spec.en}"
    return f"| {spec.id} | {names} | {_said(_TYPE[spec.type], words)} | {length} | {needs} | {words.sure[spec.confidence]} |"


def _check_page(words: RuleWords) -> str:
    about = "What the codes mean and what to do; for checks of format 2.0 also what `nhirx check` judges before sending"
    lines = [f"# {about}"] if words is EN else ["# 錯誤代碼與離線檢核", "", f"*{about}.*"]
    judged = _judged(words)
    for family, title in _FAMILIES.items():
        lines += ["", f"## {_said(title, words)}", ""]
        for (of, _), code in check_codes().items():
            if of == family:
                lines += _code(code, judged.get(code.id, "") if family == "2.0" else "", words)
    return "\n".join(lines) + "\n"


def _code(code: CheckCode, judged: str, words: RuleWords) -> list[str]:
    zh, en = code.zh.replace("{f}", "欄位"), code.en.replace("{f}", "the field")
    fix = code.fix_en.replace("{f}", "the field")
    effect = _said(_EFFECT[code.effect], words)
    english = f"{en[0].upper()}{en[1:]}"
    if words is EN:
        lines = [f"- **{code.id}** {english} ({effect})  "]
        lines += [f"  → {fix}  "] if fix else []
        return lines + ([f"  Judged before sending: {judged}  "] if judged else [])
    lines = [f"- **{code.id}** {zh}（{effect}）  "]
    if code.fix_zh:
        lines.append(f"  → {code.fix_zh.replace('{f}', '該欄位')}  ")
    if judged:
        lines.append(f"  離線檢核：{judged}  ")
    lines.append(f"  *{english}{' ' + fix if fix else ''}*")
    return lines


def _judged(words: RuleWords) -> dict[str, str]:
    """Per code the fields it is judged at, with the severity where it is not an error."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    tree = tomllib.loads(resources.files("nhirx.tables").joinpath("checks.toml").read_text("utf-8"))
    for rule in tree["rule"]:
        if rule.get("family", "2.0") == "2.0":
            found[rule["code"]][rule.get("severity", "error")].add(rule["field"])
    general = [*tree["codes"].values(), *(code for _, code in tree["file"].values())]
    general += [item[1] for name, item in tree["structure"].items() if name not in {"whole_file", "silenced"}]
    for code in general:
        found[code]["error"].add(_said(_GENERAL, words))
    by_code = {}
    for code, by in found.items():
        parts = [
            (words.comma.join(sorted(by[severity])), _said(told, words)) for severity, told in _SEVERITY.items() if severity in by
        ]
        by_code[code] = (
            "; ".join(f"{names} ({told})" for names, told in parts)
            if words is EN
            else "；".join(f"{names}（{told}）" for names, told in parts)
        )
    return by_code
