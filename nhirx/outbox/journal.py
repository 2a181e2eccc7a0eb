"""The journal of dispensings: what was intended, what the card gave, and how it ended.

The intent is on disk before the card is asked and the answer is on disk before anything else happens with it, so that a visit
number can only be lost between the card and the call of ``numbered``; for that moment ``unfinished`` shows the dispensing to a
person as ``opened``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Row, func, insert, select

from nhirx.errors import InputError
from nhirx.logs import mask
from nhirx.model import CardReading, UploadRecord
from nhirx.outbox.base import Step, Store, new_id
from nhirx.outbox.queue import Queue
from nhirx.outbox.schema import dispensings, in_state
from nhirx.outbox.states import JOURNAL, UNFINISHED, refused
from nhirx.outbox.values import Dispensing

Json = Mapping[str, Any] | BaseModel | str | None
_SEALED = ("plan", "prescription", "facts", "reading", "signatures", "reason")


class Journal:
    def __init__(self, store: Store, queue: Queue) -> None:
        self._store = store
        self._queue = queue

    def open(self, plan: Json, prescription: Json, facts: Json, *, settles: int | None = None) -> int:
        """Write the intent and give the dispensing's ID. ``settles`` names the held dispensing that this one makes up for."""
        texts = {"plan": _text(plan), "prescription": _text(prescription), "facts": _text(facts)}
        person = _person(self._store, texts["facts"])
        with self._store.step() as step:
            if settles is not None:
                self._require(step, settles, JOURNAL["settle"].before, "settle")
            row = step.connection.execute(
                insert(dispensings).values(
                    state=JOURNAL["open"].after,
                    opened_at=step.now,
                    changed_at=step.now,
                    person_key=person,
                    settled_by=None,
                    **{f"{name}_sealed": step.seal(text, f"dispensings.{name}") for name, text in texts.items() if text},
                )
            )
            dispensing = new_id(row)
            if settles is not None:
                step.connection.execute(dispensings.update().where(dispensings.c.id == settles).values(settled_by=dispensing))
            step.note("open", "journal", dispensing, JOURNAL["open"].after, settles=settles)
        return dispensing

    def numbered(self, dispensing: int, reading: CardReading) -> None:
        """Keep what the card gave. On disk when this returns."""
        self._take(dispensing, "number", reading)

    def hold(self, dispensing: int, reading: CardReading | None = None) -> None:
        """The card is owed: keep the ID of the no-card call and wait for the make-up."""
        self._take(dispensing, "hold", reading)

    def writing(self, dispensing: int) -> None:
        """The orders are about to be written to the card. What is found in this state after a stop may stand on the card already."""
        with self._store.step() as step:
            step.move(dispensings, "journal", dispensing, JOURNAL["start"])
            step.note("start", "journal", dispensing, JOURNAL["start"].after)

    def not_written(self, dispensing: int) -> None:
        """It is certain that nothing was written: back to ``numbered``, so that nobody is asked needlessly."""
        with self._store.step() as step:
            step.move(dispensings, "journal", dispensing, JOURNAL["keep"])
            step.note("keep", "journal", dispensing, JOURNAL["keep"].after)

    def written(self, dispensing: int, signatures: Sequence[str]) -> None:
        """Keep the signature of each order, in order."""
        with self._store.step() as step:
            step.move(
                dispensings,
                "journal",
                dispensing,
                JOURNAL["write"],
                signatures_sealed=step.seal(list(signatures), "dispensings.signatures"),
            )
            step.note("write", "journal", dispensing, JOURNAL["write"].after, orders=len(signatures))

    def filled_and_queued(self, dispensing: int, record: UploadRecord) -> int:
        """The dispensing is filled and its record queued, both or neither; the queue's ID of the record."""
        with self._store.step() as step:
            step.move(dispensings, "journal", dispensing, JOURNAL["fill"], visit_key=self._queue.visit_key(record))
            step.note("fill", "journal", dispensing, JOURNAL["fill"].after)
            held = step.connection.execute(select(dispensings.c.id).where(dispensings.c.settled_by == dispensing)).scalars()
            for owed in held.all():
                step.move(dispensings, "journal", owed, JOURNAL["settle"])
                step.note("settle", "journal", owed, JOURNAL["settle"].after, by=dispensing)
            return self._queue.put_in(step, record, dispensing)

    def abandon(self, dispensing: int, why: str, *, by: str | None = None) -> None:
        """Close a dispensing that will not be uploaded.

        Without ``by`` only one from which the card gave nothing; a person named in ``by`` may close any unfinished or held one.
        What the card gave stays in the journal either way.
        """
        transition = JOURNAL["give-up" if by else "abandon"]
        with self._store.step(by) as step:
            step.move(dispensings, "journal", dispensing, transition, reason_sealed=step.seal([why], "dispensings.reason"))
            # Somebody may have opened the make-up of a held one: it is free again when that make-up is dropped.
            step.connection.execute(dispensings.update().where(dispensings.c.settled_by == dispensing).values(settled_by=None))
            # Sealed above as it was said, which a purge erases; what stays in the trail is masked.
            step.note(transition.event, "journal", dispensing, transition.after, **({"why": mask(why)} if by else {}))

    def unfinished(self) -> list[Dispensing]:
        """What a stop in the middle left: opened, numbered, writing or written. A restart goes through them with a person."""
        return self._in_states(UNFINISHED)

    def held(self) -> list[Dispensing]:
        """What waits for a card that is owed."""
        return self._in_states(("held",))

    def counts(self) -> dict[str, int]:
        """How many are ``unfinished`` and how many ``held``."""
        with self._store.database.reading() as connection:

            def number(states: Sequence[str]) -> int:
                return int(connection.execute(select(func.count()).where(in_state(dispensings, *states))).scalar() or 0)

            return {"unfinished": number(UNFINISHED), "held": number(("held",))}

    def dispensing(self, dispensing: int) -> Dispensing:
        """Raises ``InputError`` when there is none of that ID."""
        with self._store.database.reading() as connection:
            row = connection.execute(select(dispensings).where(dispensings.c.id == dispensing)).one_or_none()
        if row is None:
            raise InputError(problem=f"沒有調劑 {dispensing} / no dispensing {dispensing}")
        return self._value(row)

    def of_person(self, national_id: str) -> list[Dispensing]:
        """All dispensings of one person, newest first."""
        key = self._store.ring.hash(national_id.strip().upper(), "person")
        with self._store.database.reading() as connection:
            query = select(dispensings).where(dispensings.c.person_key == key).order_by(dispensings.c.id.desc())
            return [self._value(row) for row in connection.execute(query)]

    def _take(self, dispensing: int, event: str, reading: CardReading | None) -> None:
        values: dict[str, Any] = {}
        if reading is not None:
            values["reading_sealed"] = _sealed(self._store, reading)
            if reading.visit_id:
                values["visit_key"] = self._store.ring.hash(reading.visit_id, "visit")
        with self._store.step() as step:
            step.move(dispensings, "journal", dispensing, JOURNAL[event], **values)
            step.note(event, "journal", dispensing, JOURNAL[event].after, made_by=reading.made_by if reading else None)

    def _require(self, step: Step, dispensing: int, states: Sequence[str], event: str) -> None:
        found = step.connection.execute(select(dispensings.c.state).where(dispensings.c.id == dispensing)).scalar()
        if found not in states:
            raise refused(found, event)

    def _in_states(self, states: Sequence[str]) -> list[Dispensing]:
        with self._store.database.reading() as connection:
            query = select(dispensings).where(in_state(dispensings, *states)).order_by(dispensings.c.id)
            return [self._value(row) for row in connection.execute(query)]

    def _value(self, row: Row[Any]) -> Dispensing:
        found = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        parts = {name: self._store.opened(found[f"{name}_sealed"], f"dispensings.{name}") for name in _SEALED}
        parts["reason"] = parts["reason"][0] if parts["reason"] else None
        plain = {name: found[name] for name in ("id", "state", "opened_at", "changed_at", "settled_by")}
        return Dispensing.model_validate(plain | parts)


def _sealed(store: Store, reading: CardReading) -> bytes:
    return store.ring.seal(reading.model_dump_json(), "dispensings.reading")


def _text(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        if not isinstance(json.loads(value), dict):
            raise InputError(problem="a JSON object is needed")
        return value
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(value, ensure_ascii=False)


def _person(store: Store, facts: str) -> str | None:
    patient = (json.loads(facts) if facts else {}).get("patient") or {}
    number = patient.get("national_id")
    return store.ring.hash(str(number).strip().upper(), "person") if number else None
