"""A rule in words, in either language: its fields, its period, its conditions and what follows from it.

The pages of the rule book are made of these: ``render`` writes the Chinese ones, ``nhirx.manual.rules`` the English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nhirx.tables.fields import fields
from nhirx.tables.load import RuleBook
from nhirx.tables.schema import DecisionRow, Sourced, Span, Uncovered


@dataclass(frozen=True, slots=True)
class RuleWords:
    """The words and the marks of one language; ``language`` names the member of a table's row that is in it."""

    language: str
    sure: Mapping[str, str]
    actions: Mapping[str, str]
    outcomes: Mapping[str, str]
    """What a rule can decide besides fields of the record."""
    units: Mapping[str, str]
    comma: str
    between: str
    """Between two conditions."""
    condition: str
    """One condition: ``{fact}``, ``{mark}`` (empty, or ``unless``), ``{values}``."""
    unless: str
    alternative: str
    """Between two values of a condition."""
    result: str
    empty: str
    since: str
    period: str
    cited: str

    def of(self, row: Any) -> str:
        """The words that ``row`` has in this language."""
        return str(getattr(row, self.language))

    def field(self, name: str) -> str:
        spec = fields().get(name)
        return f"{name} {self.of(spec)}" if spec else self.outcomes.get(name, name)

    def span(self, span: Span) -> str:
        start = span.since.isoformat()
        return (
            self.since.format(start=start) if span.until is None else self.period.format(start=start, end=span.until.isoformat())
        )

    def citation(self, row: Sourced) -> str:
        return self.cited.format(sources=self.comma.join(row.citations), sure=self.sure[row.confidence])

    def conditions(self, row: DecisionRow | Uncovered, book: RuleBook) -> str:
        """When the row holds; "" when always."""
        facts = {fact.id: fact for fact in book.vocabulary.fact}
        parts = []
        for mark, conditions in (("", row.when), (self.unless, row.unless)):
            for name, values in conditions.items():
                # Quotes inside quotes.
                words = {value.id: self.of(value).replace("「", "『").replace("」", "』") for value in facts[name].value}
                listed = self.alternative.join(words[value] for value in values)
                parts.append(self.condition.format(fact=self.of(facts[name]), mark=mark, values=listed))
        return self.between.join(parts)

    def results(self, row: DecisionRow, book: RuleBook) -> list[str]:
        """Fields with a value one by one, then those that stay empty, in one line each."""
        references = {f"@{reference.id}": self.of(reference) for reference in book.vocabulary.reference}
        by_value: dict[str, list[str]] = {}
        for name, value in row.then.items():
            by_value.setdefault(value, []).append(self.field(name))
        lines = []
        for value, names in by_value.items():
            if value:
                shown = references.get(value) or self.actions.get(value) or f"`{value}`"
                lines.append(self.result.format(names=self.comma.join(names), value=shown))
        if empty := by_value.get(""):
            lines.append(self.empty.format(names=self.comma.join(empty)))
        return lines


ZH = RuleWords(
    language="zh",
    sure={"confirmed": "已證實", "single": "單一來源", "inferred": "推論"},
    actions={"upload": "上傳", "hold": "暫不上傳", "none": "不上傳"},
    outcomes={
        "action": "處理方式",
        "call": "取號程式",
        "card_class": "寫卡醫令類別",
        "card_mark": "寫卡交付處方註記",
        "count_field": "可調劑次數欄位",
    },
    units={"days": "日", "working-days": "日（不含例假日）", "months": "個月", "times": "次", "hours": "小時"},
    comma="、",
    between="，",
    condition="{fact}{mark}「{values}」",
    unless="不是",
    alternative="」或「",
    result="**{names}**：{value}",
    empty="不填：{names}",
    since="{start} 起",
    period="{start} 至 {end}",
    cited="{sources}（{sure}）",
)

EN = RuleWords(
    language="en",
    sure={"confirmed": "confirmed", "single": "a single source", "inferred": "inferred"},
    actions={"upload": "upload", "hold": "hold, nothing is sent yet", "none": "no upload"},
    outcomes={
        "action": "what is done",
        "call": "call for the number",
        "card_class": "order class on the card",
        "card_mark": "delivery mark on the card",
        "count_field": "field of the dispensings allowed",
    },
    units={"days": "days", "working-days": "working days", "months": "months", "times": "times", "hours": "hours"},
    comma=", ",
    between="; ",
    condition="{fact}: {mark}“{values}”",
    unless="not ",
    alternative="” or “",
    result="**{names}**: {value}",
    empty="Left empty: {names}",
    since="from {start}",
    period="{start} to {end}",
    cited="{sources} ({sure})",
)
