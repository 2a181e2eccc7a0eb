"""Which rule cites which section of the official documents, and why the others are cited by none."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from nhirx.tables.load import RuleBook, code_rows, rule_book
from nhirx.tables.schema import Section

# The lists that the manual shows; the NHI's check codes and return codes have pages of their own.
CODE_LISTS = (
    "abnormal_serials",
    "claims_serials",
    "serial_prefixes",
    "placeholders",
    "data_types",
    "upload_kinds",
    "visit_categories",
    "make_up_marks",
    "dispensing_modes",
    "order_types",
    "order_modes",
    "prescription_kinds",
    "payment_categories",
    "virtual_orders",
    "antivirals",
    "id_letters",
)


@dataclass(frozen=True, slots=True)
class Covered:
    """One section with the rules that cite it, or the reason why none does."""

    id: str
    zh: str
    rules: tuple[str, ...]
    reason: str | None

    @property
    def told(self) -> str:
        return "、".join(self.rules) if self.rules else (self.reason or "（未對照）")


def coverage(book: RuleBook | None = None) -> dict[str, list[Covered]]:
    """Every section of the documents that list their sections."""
    book = book or rule_book()
    cited = citations(book)
    return {
        source.id: [_covered(section, cited[f"{source.id} {section.id}"]) for section in source.section]
        for source in book.sources.values()
        if source.section
    }


def citations(book: RuleBook) -> defaultdict[str, list[str]]:
    """``document section`` → the rules, limits, findings, differences and codes that name it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for table in book.decisions.values():
        for row in table.row:
            for citation in row.citations:
                found[citation].append(row.id)
    for limit in book.limits:
        for citation in limit.citations:
            found[citation].append(f"limits:{limit.id}")
    for finding in book.findings.values():
        for citation in (finding.source, *finding.also):
            found[citation].append(f"findings:{finding.id}")
    for relaxation in book.relaxations:
        found[relaxation.source].append(f"relaxations:{relaxation.id}")
    for erratum in book.errata:
        for citation in erratum.says:
            found[citation].append(f"differences:{erratum.id}")
    for name in CODE_LISTS:
        for code in code_rows(name).values():
            for citation in (code.source, *code.also):
                found[citation].append(f"codes:{code.id}")
    return found


def _covered(section: Section, rules: list[str]) -> Covered:
    reason = section.out_of_scope
    if reason is None and section.cited_in is not None:
        reason = f"見 {section.cited_in}"
    return Covered(section.id, section.zh, tuple(dict.fromkeys(rules)), reason)
