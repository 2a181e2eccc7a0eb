"""Reading the tables. Every mistake is a ``TableInvalid`` whose words name the file and the row.

The shipped tables are read once per process. Functions take a folder so that tests can show what a wrong table says.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from nhirx.errors import TableInvalid
from nhirx.tables.schema import (
    CodeList,
    CodeRow,
    DecisionRow,
    DecisionTable,
    Entry,
    Erratum,
    FindingText,
    Limit,
    Relaxation,
    Source,
    Uncovered,
    Vocabulary,
)

T = TypeVar("T", bound=BaseModel)


class _Sources(Entry):
    source: tuple[Source, ...]


class _Errata(Entry):
    erratum: tuple[Erratum, ...]


class _Limits(Entry):
    limit: tuple[Limit, ...]


class _Relaxations(Entry):
    relaxation: tuple[Relaxation, ...] = ()


class _Findings(Entry):
    finding: tuple[FindingText, ...]


@dataclass(frozen=True)
class RuleBook:
    """Everything the tables say, checked against each other."""

    vocabulary: Vocabulary
    sources: Mapping[str, Source]
    errata: tuple[Erratum, ...]
    limits: tuple[Limit, ...]
    relaxations: tuple[Relaxation, ...]
    findings: Mapping[str, FindingText]
    decisions: Mapping[str, DecisionTable]


@cache
def rule_book() -> RuleBook:
    """The shipped tables. Raises ``TableInvalid``."""
    return read_rule_book(files("nhirx.tables"))


def read_rule_book(folder: Traversable) -> RuleBook:
    """The tables below ``folder``. Raises ``TableInvalid`` that names the file and the row."""
    vocabulary = read(folder / "facts.toml", Vocabulary)
    _once("facts.toml", (fact.id for fact in vocabulary.fact))
    _once("facts.toml", (reference.id for reference in vocabulary.reference))
    sources = read(folder / "sources.toml", _Sources).source
    _once("sources.toml", (source.id for source in sources))
    for source in sources:
        _once(f"sources.toml, {source.id}", (section.id for section in source.section))
    by_id = {source.id: source for source in sources}
    limits = read(folder / "limits.toml", _Limits).limit
    for limit in limits:
        _cited("limits.toml", limit.id, limit.citations, by_id)
    relaxations = read(folder / "relaxations.toml", _Relaxations).relaxation
    _once("relaxations.toml", (relaxation.id for relaxation in relaxations))
    for relaxation in relaxations:
        _cited("relaxations.toml", relaxation.id, (relaxation.source,), by_id)
    findings = read(folder / "findings.toml", _Findings).finding
    _once("findings.toml", (finding.id for finding in findings))
    for finding in findings:
        _cited("findings.toml", finding.id, (finding.source, *finding.also), by_id)
    finding_ids = {finding.id: finding for finding in findings}
    decisions: dict[str, DecisionTable] = {}
    rows: set[str] = set()
    for file in _toml_files(folder / "decisions"):
        table = read(file, DecisionTable)
        where = f"decisions/{file.name}"
        if table.id in decisions:
            raise TableInvalid(table=where, problem=f"table {table.id} exists twice")
        _check_decision(where, table, vocabulary, by_id, finding_ids, rows)
        decisions[table.id] = table
    errata = read(folder / "errata.toml", _Errata).erratum
    _once("errata.toml", (erratum.id for erratum in errata))
    for erratum in errata:
        _cited("errata.toml", erratum.id, erratum.says, by_id)
        for row in erratum.rows:
            if row not in rows:
                raise TableInvalid(table="errata.toml", problem=f"row {erratum.id}: there is no rule {row}", row=erratum.id)
    return RuleBook(
        vocabulary,
        MappingProxyType(by_id),
        errata,
        limits,
        relaxations,
        MappingProxyType(finding_ids),
        MappingProxyType(decisions),
    )


def read(file: Traversable, kind: type[T]) -> T:
    """One file as ``kind``. Raises ``TableInvalid`` for bad TOML, unknown keys, missing keys and bad values."""
    tree = _tree(file)
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        row, place = _row_of(tree, first["loc"])
        words = f"row {row}: {place}: {first['msg']}" if row else f"{place}: {first['msg']}"
        raise TableInvalid(table=file.name, problem=words, row=row) from None


def read_codes(file: Traversable, sources: Mapping[str, Source] | None = None) -> CodeList:
    """A code list. Raises ``TableInvalid``; with ``sources`` each row's source is checked too."""
    codes = read(file, CodeList)
    name = f"codes/{file.name}"
    _once(name, (row.id for row in codes.row))
    if sources is not None:
        for row in codes.row:
            _cited(name, row.id, (row.source, *row.also), sources)
    return codes


def _check_decision(
    where: str,
    table: DecisionTable,
    vocabulary: Vocabulary,
    sources: Mapping[str, Source],
    findings: Mapping[str, FindingText],
    rows: set[str],
) -> None:
    facts = {fact.id: fact for fact in vocabulary.fact}
    references = {f"@{reference.id}" for reference in vocabulary.reference}
    for name in table.table.facts:
        if name not in facts:
            raise TableInvalid(table=where, problem=f"unknown fact {name}")
    for row in table.row:
        if row.id in rows:
            raise TableInvalid(table=where, problem=f"row {row.id} exists twice", row=row.id)
        rows.add(row.id)
        _cited(where, row.id, row.citations, sources)
        for field in table.table.outcomes:
            if field not in row.then:
                raise TableInvalid(table=where, problem=f"row {row.id}: no value for {field}", row=row.id)
        for field, value in row.then.items():
            if field not in table.table.outcomes:
                raise TableInvalid(table=where, problem=f"row {row.id}: unknown outcome {field}", row=row.id)
            if value.startswith("@") and value not in references:
                raise TableInvalid(table=where, problem=f"row {row.id}: unknown value {value}", row=row.id)
        for finding in row.findings:
            if finding not in findings:
                raise TableInvalid(table=where, problem=f"row {row.id}: unknown finding {finding}", row=row.id)
    named: list[tuple[str, DecisionRow | Uncovered]] = [(row.id, row) for row in table.row]
    named += [(f"uncovered {number}", gap) for number, gap in enumerate(table.uncovered, 1)]
    for label, entry in named:
        for conditions in (entry.when, entry.unless):
            for name, values in conditions.items():
                if name not in table.table.facts:
                    raise TableInvalid(table=where, problem=f"row {label}: unknown fact {name}", row=label)
                if unknown := [value for value in values if value not in facts[name].values]:
                    raise TableInvalid(table=where, problem=f"row {label}: {name} has no value {unknown[0]}", row=label)


def _cited(where: str, row: str, citations: Iterable[str], sources: Mapping[str, Source]) -> None:
    for citation in citations:
        document, _, section = citation.partition(" ")
        if document not in sources:
            raise TableInvalid(table=where, problem=f"row {row}: unknown source {document}", row=row)
        known = {part.id for part in sources[document].section}
        if known and section not in known:
            raise TableInvalid(table=where, problem=f"row {row}: {document} has no section {section or '(none)'}", row=row)


def _once(where: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise TableInvalid(table=where, problem=f"row {name} exists twice", row=name)
        seen.add(name)


def _tree(file: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise TableInvalid(table=file.name, problem="the file is missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TableInvalid(table=file.name, problem=str(error)) from None


def _toml_files(folder: Traversable) -> list[Traversable]:
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)


def _row_of(tree: dict[str, Any], place: tuple[int | str, ...]) -> tuple[str, str]:
    """The row a validation error is about, by its id (or number), and the place inside it."""
    entry: Any = tree
    row = ""
    rest: list[str] = []
    for part in place:
        try:
            entry = entry[part]
        except (KeyError, IndexError, TypeError):
            entry = None
        if isinstance(part, int) and not rest[1:]:
            row = str(entry.get("id", f"number {part + 1}")) if isinstance(entry, dict) else f"number {part + 1}"
            rest = []
        else:
            rest.append(str(part))
    return row, ".".join(rest) or "(whole)"


@cache
def code_list(name: str) -> CodeList:
    """The shipped code list ``name``. Raises ``TableInvalid``."""
    return read_codes(files("nhirx.tables").joinpath("codes", f"{name}.toml"))


@cache
def code_rows(name: str) -> Mapping[str, CodeRow]:
    """The rows of the shipped code list ``name`` by code, in the order of the file. Raises ``TableInvalid``."""
    return MappingProxyType({row.id: row for row in code_list(name).row})
