"""Asking the tables: exactly one row, or ``NoRuleApplies``. Never a guess and never the first of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from nhirx.errors import NoRuleApplies, TableInvalid
from nhirx.model import Finding, Reason
from nhirx.tables.load import rule_book
from nhirx.tables.schema import DecisionRow, DecisionTable, Limit


@dataclass(frozen=True, slots=True)
class Decision:
    """The row that applied and what it says."""

    table: str
    row: DecisionRow

    @property
    def then(self) -> Mapping[str, str]:
        return MappingProxyType(self.row.then)

    @property
    def reason(self) -> Reason:
        return Reason(rule=self.row.id, source=self.row.source, confidence=self.row.confidence)


def decide(table: str | DecisionTable, facts: Mapping[str, str], on: date) -> Decision:
    """The one row of ``table`` that covers ``facts`` on the day ``on``.

    ``facts`` may hold more than the table asks for. Raises ``NoRuleApplies`` when no row does (with the declared reason
    where there is one) and ``TableInvalid`` when two do.
    """
    asked = rule_book().decisions[table] if isinstance(table, str) else table
    known = {name: facts[name] for name in asked.table.facts}
    found = [row for row in asked.row if row.holds_on(on) and row.covers(known)]
    if len(found) == 1:
        return Decision(asked.id, found[0])
    if found:
        names = ", ".join(row.id for row in found)
        raise TableInvalid(table=asked.id, problem=f"rules {names} apply at once", row=names)
    raise _no_rule(asked, known, on)


def _no_rule(table: DecisionTable, known: dict[str, str], on: date) -> NoRuleApplies:
    """The error with the facts in words, and the declared reason where there is one."""
    facts = {fact.id: fact for fact in rule_book().vocabulary.fact}
    said = [
        (fact.zh, fact.en, next(entry for entry in fact.value if entry.id == value))
        for name, value in known.items()
        if (fact := facts.get(name)) is not None and value in fact.values
    ]
    zh = "；".join(f"{question}：{answer.zh}" for question, _, answer in said)
    en = "; ".join(f"{question}: {answer.en}" for _, question, answer in said)
    reason = next((gap for gap in table.uncovered if gap.holds_on(on) and gap.covers(known)), None)
    return NoRuleApplies(
        zh=f"{reason.zh}。（{table.table.zh}，{on.isoformat()} 沒有規則適用。{zh}）" if reason else None,
        en=f"No rule applies: {reason.en}. ({table.table.en}, {on.isoformat()}; {en})" if reason else None,
        day=on.isoformat(),
        facts=known,
        table=table.id,
    )


def limit(name: str, on: date) -> Limit:
    """The number ``name`` of ``limits.toml`` that holds on the day ``on``. Raises ``NoRuleApplies``."""
    found = [row for row in rule_book().limits if row.id == name and row.holds_on(on)]
    if len(found) == 1:
        return found[0]
    if found:
        raise TableInvalid(table="limits.toml", problem=f"row {name} holds twice on {on.isoformat()}", row=name)
    raise NoRuleApplies(day=on.isoformat(), facts={"limit": name}, table="limits")


def finding(name: str, **words: object) -> Finding:
    """The finding ``name`` with its words filled in. Raises ``TableInvalid`` for a name the tables do not have."""
    text = rule_book().findings.get(name)
    if text is None:
        raise TableInvalid(table="findings.toml", problem=f"there is no finding {name}")
    return Finding(
        code=text.id,
        severity=text.severity,
        zh=text.zh.format(**words),
        en=text.en.format(**words),
        source=text.source,
        field=text.field,
    )
