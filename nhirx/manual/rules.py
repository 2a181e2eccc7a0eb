"""The rule book in English, rendered from the tables like the Chinese pages (``nhirx.tables.render``), for the English site.

Citations keep the words of the documents they name ("nhi-qa-2024-10 圖4"), so that the place can be found.
"""

from __future__ import annotations

from functools import cache

from nhirx.tables.fields import fields
from nhirx.tables.load import RuleBook, rule_book
from nhirx.tables.schema import DecisionRow, DecisionTable, Span, Uncovered

_SURE = {"confirmed": "confirmed", "single": "a single source", "inferred": "inferred"}
_ACTIONS = {"upload": "upload", "hold": "hold, nothing is sent yet", "none": "no upload"}
_OTHER = {
    "action": "what is done",
    "call": "call for the number",
    "card_class": "order class on the card",
    "card_mark": "delivery mark on the card",
    "count_field": "field of the dispensings allowed",
}
_UNITS = {"days": "days", "working-days": "working days", "months": "months", "times": "times", "hours": "hours"}


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
    lines += [f"Decides: {', '.join(map(_field, head.outcomes))}", ""]
    for row in table.row:
        lines += _rule(row, book)
    if table.uncovered:
        lines += ["## Without a rule", "", "The sources do not answer these; a person decides, and no value is made up.", ""]
        lines += [f"- {_conditions(gap, book) or 'all cases'} ({_span(gap)}): {gap.en}." for gap in table.uncovered]
    return "\n".join([*lines, ""])


def _rule(row: DecisionRow, book: RuleBook) -> list[str]:
    lines = [f"## {row.id}", "", row.en, "", f"- Holds: {_span(row)}"]
    if conditions := _conditions(row, book):
        lines.append(f"- When: {conditions}")
    words = {f"@{reference.id}": reference.en for reference in book.vocabulary.reference}
    by_value: dict[str, list[str]] = {}
    for name, value in row.then.items():
        by_value.setdefault(value, []).append(_field(name))
    for value, names in by_value.items():
        if value:
            lines.append(f"- **{', '.join(names)}**: {words.get(value) or _ACTIONS.get(value) or f'`{value}`'}")
    if empty := by_value.get(""):
        lines.append(f"- Left empty: {', '.join(empty)}")
    lines += [f"- Note: {book.findings[name].en.replace('{arithmetic_en}', '…')}" for name in row.findings]
    return [*lines, f"- Source: {', '.join(row.citations)} ({_SURE[row.confidence]})", ""]


def _conditions(row: DecisionRow | Uncovered, book: RuleBook) -> str:
    facts = {fact.id: fact for fact in book.vocabulary.fact}
    parts = []
    for mark, conditions in (("", row.when), ("not ", row.unless)):
        for name, values in conditions.items():
            words = {value.id: value.en for value in facts[name].value}
            parts.append(f"{facts[name].en}: {mark}“{'” or “'.join(words[value] for value in values)}”")
    return "; ".join(parts)


def _limits(book: RuleBook) -> str:
    lines = ["# Periods and limits", "", "| what | value | holds | source |", "|---|---|---|---|"]
    for row in book.limits:
        lines.append(
            f"| {row.en} | {row.value} {_UNITS[row.unit]} | {_span(row)} | {', '.join(row.citations)} ({_SURE[row.confidence]}) |"
        )
    lines += ["", "## Announced relaxations", ""]
    lines += [f"- {each.en} ({each.source}, {_SURE[each.confidence]})" for each in book.relaxations]
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


def _field(name: str) -> str:
    spec = fields().get(name)
    return f"{name} {spec.en}" if spec else _OTHER.get(name, name)


def _span(span: Span) -> str:
    start = span.since.isoformat()
    return f"from {start}" if span.until is None else f"{start} to {span.until.isoformat()}"
