"""The rule book in English, rendered from the tables like the Chinese pages (``nhirx.tables.render``), for the English site.

Citations keep the words of the documents they name ("nhi-qa-2024-10 圖4"), so that the place can be found.
"""

from __future__ import annotations

from functools import cache

from nhirx.tables.coverage import CODE_LISTS
from nhirx.tables.load import RuleBook, code_list, rule_book
from nhirx.tables.render import attributes
from nhirx.tables.render_checks import check_pages
from nhirx.tables.rule_words import EN
from nhirx.tables.schema import DecisionRow, DecisionTable


@cache
def pages() -> dict[str, str]:
    """By file name, those pages that are made anew; the others hold both languages."""
    book = rule_book()
    made = {f"{name}.md": _table(table, book) for name, table in book.decisions.items()}
    made |= {"codes.md": _codes(), "differences.md": _differences(book), **check_pages(EN)}
    return made | {"limits.md": _limits(book), "README.md": _index(book)}


def _codes() -> str:
    lines = ["# Lists of codes", ""]
    for name in CODE_LISTS:
        codes = code_list(name)
        further = attributes(codes)
        heads = ["code", "meaning", *further, "source"]
        lines += [f"## {codes.table.en}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        for row in codes.row:
            cells = [f"`{row.id}`", row.en, *(row.attribute(key) or "—" for key in further)]
            lines.append(f"| {' | '.join(cells)} | {row.source} ({EN.sure[row.confidence]}) |")
        lines.append("")
    return "\n".join(lines)


def _differences(book: RuleBook) -> str:
    lines = ["# Where the documents differ, and what is read", ""]
    for erratum in book.errata:
        lines += [f"## {erratum.id}", "", erratum.read_en, "", f"- Said by: {', '.join(erratum.says)}"]
        lines += [f"- Rules: {', '.join(erratum.rows)}"] if erratum.rows else []
        lines.append("")
    return "\n".join(lines)


def _table(table: DecisionTable, book: RuleBook) -> str:
    head = table.table
    lines = [f"# {head.en}", ""]
    if head.intro_en:
        lines += [head.intro_en, ""]
    lines += [f"Decides: {', '.join(map(EN.field, head.outcomes))}", ""]
    for row in table.row:
        lines += _rule(row, book)
    if table.uncovered:
        lines += ["## Without a rule", "", "The sources do not answer these; a person decides, and no value is made up.", ""]
        lines += [f"- {EN.conditions(gap, book) or 'all cases'} ({EN.span(gap)}): {gap.en}." for gap in table.uncovered]
    return "\n".join([*lines, ""])


def _rule(row: DecisionRow, book: RuleBook) -> list[str]:
    lines = [f"## {row.id}", "", row.en, "", f"- Holds: {EN.span(row)}"]
    if conditions := EN.conditions(row, book):
        lines.append(f"- When: {conditions}")
    lines += [f"- {line}" for line in EN.results(row, book)]
    lines += [f"- Note: {book.findings[name].en.replace('{arithmetic_en}', '…')}" for name in row.findings]
    return [*lines, f"- Source: {EN.citation(row)}", ""]


def _limits(book: RuleBook) -> str:
    lines = ["# Periods and limits", "", "| what | value | holds | source |", "|---|---|---|---|"]
    for row in book.limits:
        lines.append(f"| {row.en} | {row.value} {EN.units[row.unit]} | {EN.span(row)} | {EN.citation(row)} |")
    lines += ["", "## Announced relaxations", ""]
    lines += [f"- {each.en} ({each.source}, {EN.sure[each.confidence]})" for each in book.relaxations]
    return "\n".join([*lines, ""])


def _index(book: RuleBook) -> str:
    lines = [
        "# The rule book",
        "",
        "Every rule for the upload of a dispensing (format 2.0): from when, in which case, what follows, by which source.",
        "",
        "- The day of the dispensing (or of the make-up) decides which rules hold; records from before the go-live follow its day.",
        "- Confidence: **confirmed** by an official document or two sources; **a single source**; **inferred** from other rules.",
        "- Where no rule holds, a person decides: nothing is made up.",
        "- Where two documents differ, the newer one holds from its date.",
        "",
        *(f"- [{table.table.en}]({name}.md)" for name, table in book.decisions.items()),
        "- [Lists of codes](codes.md)",
        "- [Periods and limits](limits.md)",
        "- [Where the documents differ](differences.md)",
        "- [Coverage of the documents](coverage.md)",
        "- [Fields](fields.md)",
        "- [Error codes and offline checks](checks.md)",
    ]
    return "\n".join([*lines, ""])
