"""The upload queue: who may send what, when, and what became of it.

Several workers, in one program or in many, may work one queue. A record is held by one of them under a lease; the database itself
refuses a second sender of the same visit (``uq_queue_one_sender``). Records of one visit go in the order in which they were put.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, update

from nhirx.errors import InputError, NhirxError, UploadRefused
from nhirx.identifiers import PlaceholderId, canonical_text
from nhirx.logs import mask
from nhirx.model import CheckResult, Receipt, UploadRecord
from nhirx.outbox import statements, trail
from nhirx.outbox.base import Step, Store
from nhirx.outbox.schema import in_state, micros, moment, queue
from nhirx.outbox.states import QUEUE, QUEUE_STATES, refused
from nhirx.outbox.values import Event, Queued

_NEVER = 2**62
_ANY = 2**31 - 1
"""No record has a number beyond this one."""
IMPOSSIBLE = timedelta(days=1)
"""Nothing waits longer than this. A time further ahead was written by a clock that has been set back since."""


class Queue:
    def __init__(self, store: Store) -> None:
        self._store = store

    # ── putting ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, record: UploadRecord, *, dispensing: int | None = None) -> int:
        """Queue a record that has no dispensing of its own, such as a correction. On disk when this returns."""
        with self._store.step() as step:
            return self.put_in(step, record, dispensing)

    def put_in(self, step: Step, record: UploadRecord, dispensing: int | None) -> int:
        """As ``put``, inside the caller's transaction."""
        visit_id, person = record.visit_id, record.fields.get("M03", "")
        visit = self._store.ring.hash(visit_id, "visit")
        unique = bool(visit_id) and not PlaceholderId.is_valid(visit_id)
        lock = visit if unique else secrets.token_hex(32)
        now = step.micros
        item = statements.PUT.insert(
            step.connection,
            {
                "dispensing_id": dispensing,
                "state": QUEUE["put"].after,
                "lock": lock,
                "unique_key": int(unique),
                "visit_key": visit,
                "person_key": self._store.ring.hash(person.upper(), "person") if person else None,
                "kind": record.fields.get("H01", ""),
                "record_sealed": step.seal(record.model_dump_json(), "queue.record"),
                "built_at": now,
                "changed_at": now,
                "attempts": 0,
                "due_at": now,
            },
        )
        step.note(
            "put",
            "queue",
            item,
            QUEUE["put"].after,
            kind=record.fields.get("H01", ""),
            dispensing=dispensing,
            orders=len(record.orders),
        )
        if unique:
            self._supersede(step, [lock], before=item)
        return item

    def visit_key(self, record: UploadRecord) -> str:
        return self._store.ring.hash(record.visit_id, "visit")

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def claim(self, limit: int, lease: timedelta, *, built_before: datetime | None = None) -> list[Queued]:
        """Take up to ``limit`` due records for sending; nobody else gets them before ``lease`` has passed.

        With ``built_before`` younger ones wait. They come in the order in which they became due.
        """
        with self._store.step() as step:
            return self._claim(step, limit, lease, built_before)

    def sent(self, items: Sequence[int], receipt: Receipt, *, poll_at: datetime | None = None) -> None:
        """Keep the Opcode of the upload that carried ``items``, in that order, before anything else is done with it.

        Works as well when the lease has ended meanwhile: an Opcode is a fact.
        """
        with self._store.step() as step:
            self._sent(step, items, receipt, poll_at)

    def sent_and_claim(
        self,
        items: Sequence[int],
        receipt: Receipt,
        limit: int,
        lease: timedelta,
        *,
        poll_at: datetime | None = None,
        built_before: datetime | None = None,
    ) -> list[Queued]:
        """``sent`` and then ``claim``, in one transaction: bringing two to the disk takes twice as long as one."""
        with self._store.step() as step:
            self._sent(step, items, receipt, poll_at)
            return self._claim(step, limit, lease, built_before)

    def failed(self, items: Sequence[Queued], error: NhirxError, next_try_at: datetime) -> None:
        """The upload did not happen. Due again at ``next_try_at``; what another sender holds by now is left alone."""
        with self._store.step() as step:
            for item in items:
                if self._still_held(step, item):
                    self._back(step, item.id, "fail", next_try_at, error)
            self._supersede(step, self._locks(step, [item.id for item in items]))

    def unclear(self, items: Sequence[Queued], error: NhirxError, next_try_at: datetime) -> None:
        """The upload was sent and no answer came. The same record goes again, unless its key does not name one visit."""
        with self._store.step() as step:
            for item in items:
                if self._still_held(step, item):
                    self._back(step, item.id, "fail" if item.unique else "doubt", next_try_at, error)
            self._supersede(step, self._locks(step, [item.id for item in items]))

    def block(self, item: int, error: NhirxError) -> None:
        """Put a record before a person, with the reason."""
        with self._store.step() as step:
            step.move(queue, "queue", item, QUEUE["block"], problem=_problem(error), lease=None, lease_until=None)
            step.note("block", "queue", item, QUEUE["block"].after, code=error.code)

    # ── checking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def unchecked(self, limit: int, next_look_at: datetime) -> dict[str, list[Queued]]:
        """Records whose check result is due, by Opcode; each upload whole. They are due again at ``next_look_at``."""
        with self._store.step() as step:
            ripe = or_(queue.c.due_at <= step.now, queue.c.due_at > step.now + IMPOSSIBLE)
            due = select(queue.c.opcode).where(in_state(queue, "sent"), ripe)
            # Oldest first; the upload's records share one due time, so a limit on rows still gives every upload a turn.
            opcodes = list(dict.fromkeys(step.connection.execute(due.order_by(queue.c.due_at).limit(limit)).scalars()))
            if not opcodes:
                return {}
            mine = and_(in_state(queue, "sent"), queue.c.opcode.in_(opcodes))
            step.connection.execute(update(queue).where(mine).values(due_at=next_look_at))
            rows = step.connection.execute(select(queue).where(mine).order_by(queue.c.opcode, queue.c.place)).all()
        found: dict[str, list[Queued]] = {}
        for row in rows:
            found.setdefault(str(row.opcode), []).append(self._value(dict(row._mapping)))  # noqa: SLF001
        return found

    def look_again(self, items: Sequence[int], at: datetime) -> None:
        """Ask for the result of these at ``at``."""
        with self._store.step() as step:
            step.connection.execute(update(queue).where(queue.c.id.in_(items), in_state(queue, "sent")).values(due_at=at))

    def accepted(self, item: int, result: CheckResult) -> bool:
        """The check found no error. False when that was known already."""
        with self._store.step() as step:
            return self._checked(step, item, result)

    def rejected(self, item: int, result: CheckResult) -> bool:
        """The check found errors, kept for the person who corrects them. False when that was known already."""
        with self._store.step() as step:
            return self._checked(step, item, result)

    def checked(self, results: Mapping[int, CheckResult]) -> set[int]:
        """Keep the check results of an upload in one transaction; those of which this was not known already.

        One that another program or a person has taken elsewhere meanwhile is left alone and holds up none of the others.
        """
        with self._store.step() as step:
            query = select(queue.c.id).where(queue.c.id.in_(results), in_state(queue, "sent")).with_for_update()
            waiting = set(step.connection.execute(query.order_by(queue.c.id)).scalars())
            return {item for item, result in results.items() if item in waiting and self._checked(step, item, result)}

    # ── a person's part ──────────────────────────────────────────────────────────────────────────────────────────────

    def retry(self, item: int, *, by: str | None = None, why: str | None = None) -> None:
        """Send a stuck or rejected record again as it is, now. ``why`` goes to the audit trail and must not name a patient."""
        with self._store.step(by) as step:
            step.move(queue, "queue", item, QUEUE["retry"], due_at=step.now, attempts=0, problem=None)
            step.note("retry", "queue", item, QUEUE["retry"].after, why=mask(why) if why else None)

    def withdraw(self, item: int, why: str, *, by: str) -> None:
        """Never send it. The record is kept; ``why`` goes to the audit trail and must not name a patient."""
        with self._store.step(by) as step:
            step.move(queue, "queue", item, QUEUE["withdraw"])
            step.note("withdraw", "queue", item, QUEUE["withdraw"].after, why=mask(why))

    def hurry(self) -> int:
        """Make every waiting record and every missing result due now; how many."""
        with self._store.step() as step:
            moved = step.connection.execute(
                update(queue).where(in_state(queue, "built", "sent")).values(due_at=step.now)
            ).rowcount
            step.note("hurry", "queue", None, None, count=moved)
        return moved

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def counts(self) -> dict[str, int]:
        """How many records stand in each state; every state is named."""
        with self._store.database.reading() as connection:
            found = connection.execute(select(queue.c.state, func.count()).group_by(queue.c.state)).all()
        return dict.fromkeys(QUEUE_STATES, 0) | {str(state): int(number) for state, number in found}

    def item(self, item: int) -> Queued:
        """Raises ``InputError`` when there is none of that ID."""
        with self._store.database.reading() as connection:
            row = connection.execute(select(queue).where(queue.c.id == item)).one_or_none()
        if row is None:
            raise InputError(problem=f"佇列中沒有第 {item} 筆 / no record {item} in the queue")
        return self._value(dict(row._mapping))  # noqa: SLF001

    def find(
        self,
        *,
        states: Sequence[str] = (),
        visit_id: str | None = None,
        national_id: str | None = None,
        dispensing: int | None = None,
        limit: int = 100,
        oldest_first: bool = False,
    ) -> list[Queued]:
        """Records that fit everything given, newest first unless told. Purged ones are left out."""
        query: Select[Any] = select(queue).where(queue.c.record_sealed.is_not(None))
        if states:
            query = query.where(queue.c.state.in_(states))
        if visit_id is not None:
            query = query.where(queue.c.visit_key == self._store.ring.hash(canonical_text(visit_id), "visit"))
        if national_id is not None:
            query = query.where(queue.c.person_key == self._store.ring.hash(national_id.strip().upper(), "person"))
        if dispensing is not None:
            query = query.where(queue.c.dispensing_id == dispensing)
        with self._store.database.reading() as connection:
            order = queue.c.id if oldest_first else queue.c.id.desc()
            rows = connection.execute(query.order_by(order).limit(limit)).all()
        return [self._value(dict(row._mapping)) for row in rows]  # noqa: SLF001

    def each(self) -> Iterator[Queued]:
        """Every record that was not purged, newest first, without holding them all in memory."""
        query = select(queue).where(queue.c.record_sealed.is_not(None)).order_by(queue.c.id.desc())
        with self._store.database.reading() as connection:
            for row in connection.execute(query.execution_options(yield_per=500)):
                yield self._value(dict(row._mapping))  # noqa: SLF001

    def history(self, item: int) -> list[Event]:
        with self._store.database.reading() as connection:
            return list(trail.lines(connection, subject="queue", subject_id=item))

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _claim(self, step: Step, limit: int, lease: timedelta, built_before: datetime | None) -> list[Queued]:
        self._lapse(step)
        words = {"before": _NEVER if built_before is None else micros(built_before), "most": limit}
        rows = [
            dict(zip(statements.COLUMNS, row, strict=True))
            for row in statements.DUE.rows(step.connection, self._moments(step) | words)
        ]
        if not rows:
            return []
        values = {
            "state": QUEUE["claim"].after,
            "changed_at": step.micros,
            "lease": secrets.token_hex(16),
            "lease_until": micros(step.now + lease),
        }
        statements.CLAIM.run(step.connection, [values | {"item": row["id"]} for row in rows])
        # Read before they changed: what is handed out is what they are now.
        return [self._value(row | values) for row in sorted(rows, key=lambda row: row["id"])]

    def _sent(self, step: Step, items: Sequence[int], receipt: Receipt, poll_at: datetime | None) -> None:
        values = {
            "state": QUEUE["receive"].after,
            "changed_at": step.micros,
            "due_at": micros(poll_at or step.now),
            "opcode": receipt.opcode,
            "batch": len(items),
            "sent_at": micros(receipt.received_at),
            "lease": None,
            "lease_until": None,
            "problem": None,
        }
        rows = [values | {"item": item, "place": place} for place, item in enumerate(items, start=1)]
        if statements.RECEIVE.run(step.connection, rows) != len(rows):
            # Those that moved stand in the new state by now; whatever else is found is what refused.
            query = select(queue.c.state).where(queue.c.id.in_(items), queue.c.state != QUEUE["receive"].after)
            raise refused(step.connection.execute(query).scalar(), "receive")
        for place, item in enumerate(items, start=1):
            step.note("receive", "queue", item, QUEUE["receive"].after, opcode=receipt.opcode, place=place)

    def _checked(self, step: Step, item: int, result: CheckResult) -> bool:
        event = "accept" if result.accepted else "reject"
        state = step.connection.execute(select(queue.c.state).where(queue.c.id == item).with_for_update()).scalar()
        if state == QUEUE[event].after:
            return False
        sealed = step.seal(result.model_dump_json(), "queue.result")
        step.move(queue, "queue", item, QUEUE[event], result_sealed=sealed, problem=None)
        codes = sorted({f"{error.field}:{error.code}" for error in result.errors})
        step.note(event, "queue", item, QUEUE[event].after, errors=codes)
        return True

    def _lapse(self, step: Step) -> None:
        """Leases that ended: their sender died or hangs. It may have sent, so the same rule as for a lost answer holds."""
        rows = statements.LAPSED.rows(step.connection, self._moments(step))
        for item, unique, _ in rows:
            self._back(step, item, "lapse" if unique else "doubt", step.now, None)
        self._supersede(step, [lock for _, _, lock in rows])

    def _back(self, step: Step, item: int, event: str, due: datetime, error: NhirxError | None) -> None:
        values: dict[str, Any] = {"problem": _problem(error)} if error else {}
        if error is None or isinstance(error, UploadRefused):
            # Only what may be the record's own fault counts: a week without network is nobody's attempt.
            values["attempts"] = queue.c.attempts + 1
        step.move(queue, "queue", item, QUEUE[event], due_at=due, lease=None, lease_until=None, **values)
        step.note(event, "queue", item, QUEUE[event].after, code=error.code if error else None)

    def _still_held(self, step: Step, item: Queued) -> bool:
        query = select(queue.c.id).where(queue.c.id == item.id, in_state(queue, "sending"), queue.c.lease == item.lease)
        return step.connection.execute(query.with_for_update()).scalar() is not None

    def _locks(self, step: Step, items: Sequence[int]) -> list[str]:
        return list(step.connection.execute(select(queue.c.lock).where(queue.c.id.in_(items))).scalars())

    def _supersede(self, step: Step, locks: Sequence[str], before: int = _ANY) -> None:
        """Drop records that a newer one of the same kind and visit replaces; another kind goes after them, in order."""
        for lock in locks:
            for (item,) in statements.REPLACED.rows(step.connection, {"of": lock, "before": before}):
                step.move(queue, "queue", item, QUEUE["supersede"])
                step.note("supersede", "queue", item, QUEUE["supersede"].after)

    @staticmethod
    def _moments(step: Step) -> dict[str, int]:
        return {"now": step.micros, "ever": micros(step.now + IMPOSSIBLE)}

    def _record(self, sealed: bytes | None) -> UploadRecord:
        """The record inside; an empty one where it was purged."""
        if sealed is None:
            return UploadRecord(fields={})
        return UploadRecord.model_validate_json(self._store.ring.open(sealed, "queue.record"))

    def _value(self, found: Mapping[str, Any]) -> Queued:
        """The value of a row, whether its times are times or microseconds."""
        values = {name: found[name] for name in ("id", "dispensing_id", "state", "attempts", "lease", "opcode", "place", "batch")}
        for name in ("built_at", "changed_at", "due_at", "sent_at", "lease_until"):
            values[name] = moment(found[name]) if isinstance(found[name], int) else found[name]
        return Queued.model_validate(
            values
            | {
                "unique": bool(found["unique_key"]),
                "record": self._record(found["record_sealed"]),
                "result": self._store.opened(found["result_sealed"], "queue.result"),
                "problem": json.loads(found["problem"]) if found["problem"] else None,
            }
        )


def _problem(error: NhirxError) -> str:
    return json.dumps({"code": error.code, "zh": mask(error.zh), "en": mask(error.en)}, ensure_ascii=False)
