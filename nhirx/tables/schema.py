"""The shape of every table: strict, dated, with a source and a confidence word on each row.

A row holds from its ``from`` day to its ``until`` day, both included; without ``until`` it holds until a newer row ends it.
Outcome values are literals, ``""`` (the field stays empty), ``"@card"`` (the card or the control software fills it) or
``"@name"`` (a value of the facts; the names are listed in ``facts.toml``).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

CARD = "@card"
Confidence = Literal["confirmed", "single", "inferred"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
Words = Annotated[str, Field(min_length=1)]


def _some(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Values = Annotated[tuple[str, ...], BeforeValidator(_some), Field(min_length=1)]


class Entry(BaseModel):
    """Strict and frozen: a key that the schema does not know is a mistake, not a comment."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Span(Entry):
    """Something that holds from one day to another, both included."""

    since: date = Field(alias="from")
    until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.until is not None and self.until < self.since:
            raise ValueError(f"until {self.until} is before from {self.since}")
        return self

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


class Sourced(Span):
    """A statement of one source (document and section); ``also`` names others that say the same."""

    source: Words
    also: tuple[str, ...] = ()
    confidence: Confidence
    zh: Words
    en: Words

    @property
    def citations(self) -> tuple[str, ...]:
        return (self.source, *self.also)


class DecisionRow(Sourced):
    """One rule. It applies when every fact of ``when`` has a listed value and none of ``unless`` has one."""

    id: Name
    when: dict[str, Values] = Field(default_factory=dict)
    unless: dict[str, Values] = Field(default_factory=dict)
    then: dict[str, str]
    findings: tuple[str, ...] = ()

    def covers(self, facts: dict[str, str]) -> bool:
        return _matches(self.when, self.unless, facts)


class Uncovered(Span):
    """Combinations that no source decides, declared with the reason, so that a gap is never an oversight."""

    when: dict[str, Values] = Field(default_factory=dict)
    unless: dict[str, Values] = Field(default_factory=dict)
    zh: Words
    en: Words

    def covers(self, facts: dict[str, str]) -> bool:
        return _matches(self.when, self.unless, facts)


class DecisionHead(Entry):
    id: Name
    zh: Words
    en: Words
    intro_zh: str = ""
    intro_en: str = ""
    facts: tuple[str, ...] = ()
    outcomes: Annotated[tuple[str, ...], Field(min_length=1)]


class DecisionTable(Entry):
    """A table as its file spells it. ``load`` checks it against the vocabulary."""

    table: DecisionHead
    row: Annotated[tuple[DecisionRow, ...], Field(min_length=1)]
    uncovered: tuple[Uncovered, ...] = ()

    @property
    def id(self) -> str:
        return self.table.id


class FactValue(Entry):
    id: Name
    zh: Words
    en: Words


class Fact(Entry):
    """One derived fact: what it asks and the values it can have."""

    id: Name
    zh: Words
    en: Words
    value: Annotated[tuple[FactValue, ...], Field(min_length=2)]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(value.id for value in self.value)


class Reference(Entry):
    """A value that rows may point at as ``@id``."""

    id: Name
    zh: Words
    en: Words


class Vocabulary(Entry):
    fact: tuple[Fact, ...]
    reference: tuple[Reference, ...]


class Section(Entry):
    """A section of a document. One that no row cites must say why it is out of scope."""

    id: Words
    zh: Words
    out_of_scope: str | None = None
    cited_in: str | None = None
    """Where outside the rule tables the section is used (a command, a check, a page of the manual)."""


class Source(Entry):
    id: Name
    zh: Words
    en: Words
    dated: date
    rank: int = 0
    """Where two documents disagree, the higher rank rules from its date on."""
    section: tuple[Section, ...] = ()


class Erratum(Entry):
    """A place where sources disagree or one is wrong, and what is read instead."""

    id: Name
    about: Words
    says: tuple[str, ...]
    read_zh: Words
    read_en: Words
    rows: tuple[str, ...] = ()


class Limit(Sourced):
    """A number of the rules: days, months, times."""

    id: Name
    value: int
    unit: Literal["days", "working-days", "months", "times", "hours"]


class Relaxation(Entry):
    """An announced time at which refills may be had earlier: for supplies that end inside the span."""

    id: Name
    supply_from: date
    supply_until: date
    days: Annotated[int, Field(ge=1)]
    source: Words
    confidence: Confidence
    zh: Words
    en: Words

    @model_validator(mode="after")
    def _in_order(self) -> Relaxation:
        if self.supply_until < self.supply_from:
            raise ValueError(f"supply_until {self.supply_until} is before supply_from {self.supply_from}")
        return self


class FindingText(Entry):
    """Words of a finding; ``{…}`` is filled in by the resolver."""

    id: Name
    severity: Literal["block", "warn", "info"]
    zh: Words
    en: Words
    source: Words
    also: tuple[str, ...] = ()
    field: str | None = None


class CodeHead(Entry):
    id: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    zh: str = ""
    en: str = ""


class CodeRow(BaseModel):
    """A code and its meaning. Further keys are attributes of that list."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: Words
    zh: Words
    en: Words
    source: Words
    also: tuple[str, ...] = ()
    confidence: Confidence

    def attribute(self, name: str) -> str:
        """The attribute ``name``, or an empty text."""
        value = (self.model_extra or {}).get(name, "")
        return value if isinstance(value, str) else str(value)


class CodeList(Entry):
    table: CodeHead
    row: tuple[CodeRow, ...]


def _matches(when: dict[str, tuple[str, ...]], unless: dict[str, tuple[str, ...]], facts: dict[str, str]) -> bool:
    return all(facts[name] in values for name, values in when.items()) and not any(
        facts[name] in values for name, values in unless.items()
    )
