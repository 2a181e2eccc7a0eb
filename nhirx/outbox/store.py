"""``Outbox``: the journal and the queue in one database, opened together.

A file of SQLite by default, PostgreSQL by URL. Everything a method has returned from is on disk. Safe to use from several threads
and from several programs at once.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import insert, select, update

from nhirx.errors import KeyWrong
from nhirx.outbox import keys, trail
from nhirx.outbox.base import Clock, Store
from nhirx.outbox.engine import Database
from nhirx.outbox.journal import Journal
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.queue import Queue
from nhirx.outbox.schema import chain, dispensings, events, meta, queue
from nhirx.outbox.values import Event
from nhirx.roc import TAIPEI
from nhirx.settings import Settings, data_path

_PROOF = "key-proof"
_PROVEN, _UNMARKED = "proof 2", "proof"
"""What the proof is of. The second: made before the end of the audit trail had a mark."""


def now() -> datetime:
    """The clock of the machine, in Taiwan's offset."""
    return datetime.now(TAIPEI)


class Outbox:
    """``journal`` and ``queue`` of one database. ``who`` stands in the audit trail for steps without a named person."""

    def __init__(self, url: str | None, *, clock: Clock = now, ring: KeyRing | None = None, who: str = "nhirx") -> None:
        """Open, create or upgrade the database of ``url``; None is the SQLite file of this user.

        Raises the ``StoreError`` branch, ``SettingInvalid`` for a URL of another kind, and ``KeyWrong`` when ``ring`` (None: the
        ring of this machine) is not the one that the database was made with.
        """
        self.database = Database(url or f"sqlite:///{(data_path() / 'outbox.sqlite').as_posix()}")
        self.ring = ring or keys.load()
        self.store = Store(self.database, self.ring, clock, who)
        self.queue = Queue(self.store)
        self.journal = Journal(self.store, self.queue)
        try:
            self.database.migrate()
            self._prove_key()
        except BaseException:
            self.database.close()
            raise

    @property
    def path(self) -> Path | None:
        """The file, or None for a server."""
        return Path(self.database.where) if self.database.is_sqlite else None

    def counts(self) -> dict[str, int]:
        """Records by state of the queue, and ``unfinished`` and ``held`` of the journal."""
        return self.queue.counts() | self.journal.counts()

    def show(self, item: int) -> dict[str, Any]:
        """One record of the queue with its story, masked."""
        steps = [
            {
                "at": line.at.isoformat(timespec="seconds"),
                "who": line.who,
                "event": line.event,
                "state": line.after,
            }
            for line in self.queue.history(item)
        ]
        return self.queue.item(item).masked() | {"history": steps}

    def note(self, event: str, *, who: str, subject: str = "person", subject_id: int | None = None, **note: Any) -> None:
        """A line of the audit trail for an act outside the tables, such as a reveal or an override. No personal data."""
        with self.store.step(who) as step:
            step.note(event, subject, subject_id, None, **note)

    def trail(self, limit: int = 100) -> list[Event]:
        """The newest lines of the audit trail, oldest of them first."""
        with self.database.reading() as connection:
            rows = connection.execute(select(events).order_by(events.c.seq.desc()).limit(limit)).all()
        return [Event.model_validate(dict(row._mapping)) for row in reversed(rows)]  # noqa: SLF001

    def verify_trail(self) -> int:
        """The number of lines of the audit trail. Raises ``StoreDamaged`` when a line was changed, dropped or added."""
        with self.database.reading() as connection:
            return trail.verify(connection, self.ring, self.database.where)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prove_key(self) -> None:
        """A value made at the making of the database: another key shows here, not at the first record.

        It says as well that the end of the audit trail is marked. Only a database with nothing in it is a new one, and without the key
        nobody can say of a newer one that it is an older one: so nobody gets a cut trail marked anew.
        """
        query = select(meta.c.value).where(meta.c.name == _PROOF)
        with self.database.reading() as connection:
            if connection.execute(query).scalar() == self.ring.hash(_PROVEN, "proof"):
                return
        with self.database.writing() as connection:
            self.database.alone(connection)
            proof = connection.execute(query).scalar()
            if proof is None:
                connection.execute(insert(meta).values(name=_PROOF, value=self.ring.hash(_PROVEN, "proof")))
                if any(connection.execute(select(table).limit(1)).first() for table in (events, chain, queue, dispensings)):
                    return
            elif proof == self.ring.hash(_UNMARKED, "proof"):
                connection.execute(update(meta).where(meta.c.name == _PROOF).values(value=self.ring.hash(_PROVEN, "proof")))
            elif proof == self.ring.hash(_PROVEN, "proof"):  # another program was quicker
                return
            else:
                raise KeyWrong(problem="這不是此資料庫的金鑰 / this is another database's key")
            trail.begin(connection, self.ring)


def open_outbox(settings: Settings, *, clock: Clock = now, who: str = "nhirx") -> Outbox:
    """The outbox of the settings, with the key from where they say."""
    return Outbox(settings.outbox.url, clock=clock, ring=keys.load(settings.outbox), who=who)
