"""Who is at the page: one-time links, sessions that survive a restart, and the lock after idle.

On disk stand hashes only. The CSRF token of a session is derived from its cookie, which no script can read; so a page that was
reloaded gets it again, and a foreign page does not.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import asdict, dataclass

from nhirx.counter.files import read_json, write_json
from nhirx.counter.options import Options
from nhirx.errors import SessionNeeded

LINK_LIFE = 3600.0
"""Seconds a link may wait to be opened."""
_SAVE_EVERY = 30.0


@dataclass(slots=True)
class Session:
    """``id`` is the hash of the cookie. ``seen``: last request of any kind; ``acted``: last act of a person (wall clock, seconds)."""

    id: str
    created: float
    seen: float
    acted: float
    operator: str | None = None
    locked: bool = False


class Sessions:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._path = options.folder / "sessions.json"
        self._links = options.folder / "links.json"
        self._lock = threading.Lock()
        found = read_json(self._path, [])
        self._sessions = {row["id"]: Session(**row) for row in found}
        self._saved = options.now()

    def link(self) -> str:
        """A token that opens one session, once, within the hour."""
        return new_link(self._options)

    def open(self, token: str) -> tuple[str, Session]:
        """The cookie and the session for a link's token. Raises ``SessionNeeded`` for one that is used, old or unknown."""
        with self._lock:
            waiting = read_json(self._links, {})
            ends = waiting.pop(_hash(token), 0.0)
            if ends < self._options.now():
                raise SessionNeeded
            write_json(self._links, waiting)
            cookie = secrets.token_urlsafe(32)
            now = self._options.now()
            session = Session(_hash(cookie), now, now, now)
            self._sessions[session.id] = session
            self._save()
        return cookie, session

    def find(self, cookie: str | None) -> Session:
        """Raises ``SessionNeeded``."""
        now = self._options.now()
        with self._lock:
            session = self._sessions.get(_hash(cookie)) if cookie else None
            if session is None or now - session.seen > self._options.session_life:
                raise SessionNeeded
            session.seen = now
            if now - self._saved > _SAVE_EVERY:
                self._save()
        return session

    def is_locked(self, session: Session, *, somebody: bool) -> bool:
        """Whether a person has to sign in. ``somebody``: operators are known; without any there is nobody who could unlock."""
        if not somebody:
            return False
        if not session.locked and (session.operator is None or self._options.now() - session.acted > self._options.idle):
            self.lock(session)
        return session.locked

    def acted(self, session: Session) -> None:
        session.acted = self._options.now()

    def lock(self, session: Session) -> None:
        with self._lock:
            session.locked = True
            self._save()

    def unlock(self, session: Session, operator: str) -> None:
        with self._lock:
            session.operator, session.locked, session.acted = operator, False, self._options.now()
            self._save()

    def end(self, session: Session) -> None:
        with self._lock:
            self._sessions.pop(session.id, None)
            self._save()

    def save(self) -> None:
        with self._lock:
            self._save()

    def _save(self) -> None:
        now = self._saved = self._options.now()
        for old in [key for key, one in self._sessions.items() if now - one.seen > self._options.session_life]:
            del self._sessions[old]
        write_json(self._path, [asdict(session) for session in self._sessions.values()])


def new_link(options: Options) -> str:
    """Write the hash of a new link's token into the folder and give the token; a counter that runs there takes it."""
    path = options.folder / "links.json"
    token = secrets.token_urlsafe(32)
    now = options.now()
    waiting = {key: ends for key, ends in read_json(path, {}).items() if ends > now}
    write_json(path, waiting | {_hash(token): now + LINK_LIFE})
    return token


def csrf_of(cookie: str) -> str:
    return hmac.digest(cookie.encode(), b"nhirx csrf", "sha256").hex()


def csrf_fits(cookie: str, given: str | None) -> bool:
    return given is not None and hmac.compare_digest(csrf_of(cookie).encode(), given.encode("utf-8", "replace"))


def _hash(token: str) -> str:
    return hashlib.sha256(b"nhirx session" + token.encode("utf-8", "replace")).hexdigest()
