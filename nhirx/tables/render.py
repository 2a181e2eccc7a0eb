"""The tables as pages a pharmacist can check: ``docs/rules/*.md``, zh-TW first, English below each rule.

``python -m nhirx.tables.render`` writes them, ``--check`` compares and ends with 1 when a page is out of date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from nhirx.tables.coverage import CODE_LISTS, coverage
from nhirx.tables.load import RuleBook, code_list, rule_book
from nhirx.tables.render_checks import check_pages
from nhirx.tables.rule_words import ZH
from nhirx.tables.schema import CodeList, DecisionRow, DecisionTable

_ATTRIBUTES = {
    "card": "健保卡",
    "delete": "健保卡刪除",
    "count": "可調劑次數欄位",
    "pharmacy": "藥局",
    "usages": "用法",
    "days": "天數",
}
_HEAD = "<!-- 由 nhirx.tables 產生，請勿手改：python -m nhirx.tables.render -->\n\n"


def pages(book: RuleBook | None = None) -> dict[str, str]:
    """Every page by file name."""
    book = book or rule_book()
    result = {f"{name}.md": _decision_page(table, book) for name, table in book.decisions.items()}
    result["codes.md"] = _code_page()
    result["limits.md"] = _limit_page(book)
    result["differences.md"] = _errata_page(book)
    result["coverage.md"] = _coverage_page(book)
    result |= check_pages()
    result["README.md"] = _index(book)
    return {name: _HEAD + text for name, text in sorted(result.items())}


def _decision_page(table: DecisionTable, book: RuleBook) -> str:
    lines = [f"# {table.table.zh}", "", f"*{table.table.en}*", ""]
    if table.table.intro_zh:
        lines += [table.table.intro_zh, "", f"*{table.table.intro_en}*", ""]
    lines += [f"決定的欄位：{'、'.join(ZH.field(name) for name in table.table.outcomes)}", ""]
    for row in table.row:
        lines += _rule(row, book)
    if table.uncovered:
        lines += ["## 沒有規則的情況", "", "下列情況公開資料沒有答案，程式會停下來請人判斷，不會自行填值。", ""]
        for gap in table.uncovered:
            lines += [f"- {ZH.conditions(gap, book) or '所有情況'}（{ZH.span(gap)}）", f"  {gap.zh}。 *{gap.en}.*"]
        lines.append("")
    return "\n".join(lines)


def _rule(row: DecisionRow, book: RuleBook) -> list[str]:
    lines = [f"## {row.id}", "", row.zh, "", f"*{row.en}*", "", f"- 適用：{ZH.span(row)}"]
    if conditions := ZH.conditions(row, book):
        lines.append(f"- 情況：{conditions}")
    lines += [f"- {line}" for line in ZH.results(row, book)]
    for name in row.findings:
        lines.append(f"- 提醒：{_plain(book.findings[name].zh)}")
    lines += [f"- 依據：{ZH.citation(row)}", ""]
    return lines


def _code_page() -> str:
    lines = ["# 代碼表", "", "*Lists of codes*", ""]
    for name in CODE_LISTS:
        codes = code_list(name)
        further = attributes(codes)
        heads = ["代碼", "意義", "Meaning", *(_ATTRIBUTES[key] for key in further), "依據"]
        lines += [f"## {codes.table.zh}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        for row in codes.row:
            cells = [f"`{row.id}`", row.zh, row.en, *(row.attribute(key) or "—" for key in further)]
            lines.append(f"| {' | '.join(cells)} | {row.source}（{ZH.sure[row.confidence]}） |")
        lines.append("")
    return "\n".join(lines)


def attributes(codes: CodeList) -> list[str]:
    """What else the rows of a list say, of what is shown."""
    return sorted({key for row in codes.row for key in (row.model_extra or {})} & set(_ATTRIBUTES))


def _limit_page(book: RuleBook) -> str:
    lines = ["# 期限與上限", "", "*Periods and limits*", "", "| 項目 | 值 | 適用 | 依據 |", "|---|---|---|---|"]
    for row in book.limits:
        lines.append(f"| {row.zh}<br>*{row.en}* | {row.value} {ZH.units[row.unit]} | {ZH.span(row)} | {ZH.citation(row)} |")
    lines += ["", "## 公告的提前領藥", ""]
    for announced in book.relaxations:
        lines.append(f"- {announced.zh}（{announced.source}，{ZH.sure[announced.confidence]}）")
    return "\n".join([*lines, ""])


def _errata_page(book: RuleBook) -> str:
    lines = ["# 文件相異之處", "", "*Where the documents differ, and what is read*", ""]
    for erratum in book.errata:
        lines += [f"## {erratum.about}", "", erratum.read_zh, "", f"*{erratum.read_en}*", ""]
        lines.append(f"- 出處：{'、'.join(erratum.says)}")
        if erratum.rows:
            lines.append(f"- 規則：{'、'.join(erratum.rows)}")
        lines.append("")
    return "\n".join(lines)


def _coverage_page(book: RuleBook) -> str:
    lines = ["# 文件各節與規則的對照", "", "*Every section of the two official documents, and the rules that cite it*", ""]
    for document, sections in coverage(book).items():
        lines += [f"## {book.sources[document].zh}", "", "| 節 | 內容 | 規則或理由 |", "|---|---|---|"]
        for section in sections:
            lines.append(f"| {section.id} | {section.zh} | {section.told} |")
        lines.append("")
    return "\n".join(lines)


def _index(book: RuleBook) -> str:
    lines = ["# 規則手冊", "", "*The rule book*", ""]
    lines += [
        "藥局調劑上傳（格式 2.0）的每一條規則：適用日期、情況、結果、依據與可信度。",
        "",
        "- 依哪一天的規則：調劑（或補卡）當天；上線前漏傳而補傳的資料，依上線日。",
        "- 可信度：**已證實**為官方文件或兩個以上來源；**單一來源**請留意檢核結果；**推論**由其他規則推得，未經官方說明。",
        "- 沒有規則的情況一律停下來請人判斷，不會自行填值。",
        "- 兩份文件不同時，新文件自其日期起適用，見「文件相異之處」。",
        "",
    ]
    for name, table in book.decisions.items():
        lines.append(f"- [{table.table.zh}]({name}.md) · *{table.table.en}*")
    for name, title in (
        ("codes", "代碼表"),
        ("limits", "期限與上限"),
        ("differences", "文件相異之處"),
        ("coverage", "文件對照"),
        ("fields", "欄位"),
        ("checks", "錯誤代碼與離線檢核"),
    ):
        lines.append(f"- [{title}]({name}.md)")
    lines += ["", "## 文件", ""]
    for source in book.sources.values():
        lines.append(f"- `{source.id}`：{source.zh}")
    return "\n".join([*lines, ""])


def _plain(words: str) -> str:
    """Words of a finding without the places that are filled in."""
    return words.replace("{arithmetic_zh}", "……")


def stale(folder: Path, wanted: Mapping[str, str]) -> list[str]:
    """Names of pages that are missing, differ, or should not be there."""
    found = {file.name: file.read_text("utf-8") for file in folder.glob("*.md")} if folder.is_dir() else {}
    return sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))


def main(argv: Iterable[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m nhirx.tables.render", description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/rules"))
    options = parser.parse_args(list(argv))
    wanted = pages()
    old = stale(options.folder, wanted)
    if options.check:
        for name in old:
            sys.stdout.write(f"{options.folder / name} 不是最新 / is out of date\n")
        return 1 if old else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in old:
        if name in wanted:
            (options.folder / name).write_text(wanted[name], "utf-8", newline="\n")
        else:
            (options.folder / name).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
