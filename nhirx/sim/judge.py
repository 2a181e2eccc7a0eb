"""The NHIA's verdict over an uploaded file, record by record: what only the other side can know, and the plain field rules.

Independent of what nhirx checks before sending: it reads none of ``nhirx/tables`` and none of ``nhirx/records``. What the
sources leave open is not judged (the table of allowed order kinds and modes, M56, master files of drugs and persons, the
prescriber's own records); the how-to lists it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from nhirx.sim import judge_fields, judge_identity, judge_orders
from nhirx.sim.bench import Bench
from nhirx.sim.book import book
from nhirx.sim.inbox import File, Note, Sent


@dataclass(slots=True)
class Verdict:
    """One record with its remarks, those that reject first. ``state`` is accepted, rejected or deleted."""

    record: Sent
    state: str
    notes: list[Note] = field(default_factory=list)


def code_of(note: Note) -> str:
    code: str = book()["checks"][note.name]["code"]
    return code


def effect_of(note: Note) -> str:
    """``reject``, ``warn`` or ``file``."""
    effect: str = book()["checks"][note.name]["effect"]
    return effect


def judge(file: File, bench: Bench) -> list[Verdict]:
    """A verdict for every record of ``file``; a note on the whole file (kept in ``file.notes``) rejects all of them."""
    for record in file.records:
        if record.get("M05") and record.get("M05") != bench.uploader:
            file.notes.append(Note("institution-not-uploader", "M05"))
            break
    if file.notes:
        return [Verdict(record, "rejected", list(file.notes)) for record in file.records]
    sentences = []
    inside: dict[str, str] = {}
    for record in file.records:
        verdict = _verdict(record, bench, inside)
        if verdict.state != "rejected":
            # A file may hold a record and its deletion: the later one sees the earlier.
            inside[record.get("M15")] = verdict.state
        sentences.append(verdict)
    return sentences


def _verdict(record: Sent, bench: Bench, inside: dict[str, str]) -> Verdict:
    notes = sorted(
        dict.fromkeys([*record.notes, *_all(record, bench, inside)]),
        key=lambda note: (effect_of(note) == "warn", note.field, note.order or 0),
    )
    if any(effect_of(note) != "warn" for note in notes):
        return Verdict(record, "rejected", notes)
    deleted = record.get("H01") == book()["record"]["delete"]
    return Verdict(record, "deleted" if deleted else "accepted", notes)


def _all(record: Sent, bench: Bench, inside: dict[str, str]) -> Iterator[Note]:
    rules = book()["record"]
    action = record.get("H01")
    if record.get("H00") not in rules["kinds"]:
        yield Note("kind-unknown", "H00")
    if action not in rules["actions"]:
        yield Note("action-unknown", "H01")
        yield Note("cannot-be-checked", "H01")
        return
    if action in rules["cancel"]:
        yield Note("action-not-for-pharmacy", "H01")
        return
    shaped = list(judge_fields.shapes(record))
    yield from shaped
    yield from judge_fields.needs(record)
    wrong = {note.field for note in shaped if note.order is None}
    if action == rules["delete"]:
        yield from judge_identity.deletion(record, bench, inside)
        return
    yield from judge_fields.meanings(record)
    yield from judge_identity.times(record, bench, wrong)
    yield from judge_identity.visit(record, bench, wrong)
    yield from judge_identity.signature(record, bench, wrong)
    yield from judge_orders.lines(record, bench)
    yield from judge_orders.refills(record, wrong)
