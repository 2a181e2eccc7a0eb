"""The rule book in English, rendered from the tables like the Chinese pages (``nhirx.tables.render``), for the English site.

Citations keep the words of the documents they name ("nhi-qa-2024-10 圖4"), so that the place can be found.
"""

from __future__ import annotations

from functools import cache

from nhirx.tables.load import RuleBook, rule_book
from nhirx.tables.rule_words import EN
from nhirx.tables.schema import DecisionRow, DecisionTable


@cache
def pages() -> dict[str, str]:
    """By file name, those pages that are made anew; the others hold both languages."""
    book = rule_book()
    made = {f"{name}.md": _table(table, book) for name, table in book.decisions.items()}
    return made | {"limits.md": _limits(book), "README.md": _index(book)}


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
