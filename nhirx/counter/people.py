"""The operators of a counter with their PINs, and the keys of other programs. Both are kept as hashes."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from nhirx.counter.files import read_json, write_json
from nhirx.errors import InvalidValue, PinWrong, ThingMissing

_TRIES = 5
_FIRST_WAIT, _LONGEST_WAIT = 30.0, 900.0
_COST = {"n": 1 << 14, "r": 8, "p": 1, "maxmem": 64 << 20}
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\<>]{1,20}")


class Operators:
    """Names with PINs. After five wrong PINs a name has to wait, longer each time."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = folder / "operators.json"
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[int, float]] = {}

    def names(self) -> list[str]:
        return sorted(read_json(self._path, {}))

    def add(self, name: str, pin: str) -> None:
        """Add an operator, or give one a new PIN. Raises ``InvalidValue``."""
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise InvalidValue(what="人員 (operator)", problem="1–20 個字 / 1–20 characters")
        if not 4 <= len(pin) <= 32:
            raise InvalidValue(what="PIN", problem="4–32 個字 / 4–32 characters")
        salt = secrets.token_bytes(16)
        with self._lock:
            known = read_json(self._path, {})
            write_json(self._path, known | {name: {"salt": salt.hex(), "hash": _scrypt(pin, salt)}})

    def check(self, name: str, pin: str) -> str:
        """The name when the PIN fits. Raises ``PinWrong``, without a look at the PIN while the name has to wait."""
        with self._lock:
            count, until = self._wrong.get(name, (0, 0.0))
            if (rest := until - self._clock()) > 0:
                raise PinWrong(seconds=round(rest) or 1)
            row = read_json(self._path, {}).get(name)
            salt = bytes.fromhex(row["salt"]) if row else b"\0" * 16
            # An unknown name takes as long as a known one.
            fits = hmac.compare_digest(_scrypt(pin, salt), row["hash"] if row else "")
            if fits:
                self._wrong.pop(name, None)
                return name
            count += 1
            wait = 0.0 if count < _TRIES else min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (count - _TRIES))
            if len(self._wrong) < 1000:
                self._wrong[name] = (count, self._clock() + wait)
            raise PinWrong(seconds=round(wait))


class Keys:
    """Keys of programs: ``Authorization: Bearer KEY``. A key is shown once, when it is made."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "keys.json"

    def add(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise InvalidValue(what="名稱 (name)", problem="1–20 個字 / 1–20 characters")
        key = f"nhirx_{secrets.token_urlsafe(32)}"
        write_json(self._path, read_json(self._path, {}) | {name: _sha(key)})
        return key

    def names(self) -> list[str]:
        return sorted(read_json(self._path, {}))

    def revoke(self, name: str) -> None:
        """Raises ``ThingMissing``."""
        known = read_json(self._path, {})
        if name not in known:
            raise ThingMissing(what=f"金鑰 {name} / key {name}")
        del known[name]
        write_json(self._path, known)

    def owner(self, key: str) -> str | None:
        """The name of a key, None when it is not known. The file is read each time: a key revoked elsewhere is dead at once."""
        hashed = _sha(key)
        return next((name for name, known in read_json(self._path, {}).items() if hmac.compare_digest(known, hashed)), None)


def _scrypt(pin: str, salt: bytes) -> str:
    return hashlib.scrypt(pin.encode("utf-8", "replace"), salt=salt, dklen=32, **_COST).hex()


def _sha(key: str) -> str:
    return hashlib.sha256(b"nhirx key" + key.encode("utf-8", "replace")).hexdigest()
