"""What the queue asks of the database with every record and every upload, see ``prepared``.

Where a time is compared, ``now`` is the clock and ``ever`` the end of what it can have written: a time behind it was left by a clock
that has been set back since.
"""

from __future__ import annotations

from sqlalchemy import exists, insert, or_, select, update

from nhirx.outbox.prepared import Prepared, asked
from nhirx.outbox.prepared import queue as _q
from nhirx.outbox.schema import in_state
from nhirx.outbox.states import LIVE, QUEUE

_older, _newer = _q.alias("older"), _q.alias("newer")


PUT = Prepared(
    insert(_q), "dispensing_id", "state", "lock", "unique_key", "visit_key", "person_key", "kind", "record_sealed", "built_at",
    "changed_at", "attempts", "due_at",
)  # fmt: skip
REPLACED = Prepared(
    select(_q.c.id).where(
        # The lock of a record with a key of its own is its visit; by that there is an index over every state.
        _q.c.visit_key == asked("of"),
        _q.c.lock == asked("of"),
        _q.c.id < asked("before"),
        in_state(_q, *QUEUE["supersede"].before),
        exists().where(_newer.c.lock == _q.c.lock, _newer.c.id > _q.c.id, _newer.c.kind == _q.c.kind, in_state(_newer, "built")),
    )
)
LAPSED = Prepared(
    select(_q.c.id, _q.c.unique_key, _q.c.lock)
    .where(in_state(_q, "sending"), or_(_q.c.lease_until <= asked("now"), _q.c.lease_until > asked("ever")))
    .with_for_update(skip_locked=True)
)
DUE = Prepared(
    select(_q)
    .where(
        in_state(_q, "built"),
        or_(_q.c.due_at <= asked("now"), _q.c.due_at > asked("ever")),
        _q.c.built_at < asked("before"),
        ~exists().where(_older.c.lock == _q.c.lock, _older.c.id < _q.c.id, in_state(_older, *LIVE)),
    )
    .order_by(_q.c.due_at, _q.c.id)
    .limit(asked("most"))
    .with_for_update(skip_locked=True)
)
CLAIM = Prepared(update(_q).where(_q.c.id == asked("item"), in_state(_q, "built")), "state", "changed_at", "lease", "lease_until")
RECEIVE = Prepared(
    update(_q).where(_q.c.id == asked("item"), or_(*(in_state(_q, state) for state in QUEUE["receive"].before))),
    "state", "changed_at", "due_at", "opcode", "place", "batch", "sent_at", "lease", "lease_until", "problem",
)  # fmt: skip
COLUMNS = _q.c.keys()
