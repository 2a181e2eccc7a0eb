"""Sealing: AES-256-GCM for what can name a person, keyed hashes (HMAC-SHA256) to look such things up.

The key ring is one small JSON text: ``{"current": id, "keys": {id: base64}, "lookup": base64}``. It comes from the environment
variable ``NHIRX_OUTBOX_KEY``, else from the keyring of the operating system (package ``keyring``, when it is installed and has a
back end), else from a file that only its owner may read, made at first use. Where it is kept is a setting; a key is never in the
settings file.

A sealed value is ``version (1 byte) · key id (4) · nonce (12) · ciphertext and tag``. Its purpose (table and column) is bound to it,
so a value that somebody moved to another column does not open.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import importlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from nhirx.errors import ComponentMissing, KeyWrong, StoreReadOnly
from nhirx.settings import OutboxSettings, data_path

VARIABLE = "NHIRX_OUTBOX_KEY"
_VERSION = b"\x01"
_SERVICE, _ACCOUNT = "nhirx", "outbox"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys that may still be needed to open something, and the one that seals. ``repr`` shows no key."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
    lookup: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        name = secrets.token_hex(4)
        return cls(name, {name: secrets.token_bytes(32)}, secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``KeyWrong`` when ``text`` is no key ring. A bare base64 key of 32 bytes is one too."""
        try:
            if not text.lstrip().startswith("{"):
                key = base64.b64decode(text.strip(), validate=True)
                name = hashlib.sha256(b"nhirx key id" + key).hexdigest()[:8]
                return cls(name, {name: _sized(key)}, hmac.digest(key, b"nhirx lookup", "sha256"))
            tree = json.loads(text)
            keys = {str(name): _sized(base64.b64decode(key, validate=True)) for name, key in tree["keys"].items()}
            if tree["current"] not in keys or any(len(bytes.fromhex(name)) != 4 for name in keys):
                raise ValueError("key id")
            return cls(str(tree["current"]), keys, _sized(base64.b64decode(tree["lookup"], validate=True)))
        except (ValueError, KeyError, TypeError, AttributeError):
            # The text is a secret: nothing of it may reach the message.
            raise KeyWrong(problem="金鑰格式不正確 / not a key ring") from None

    def format(self) -> str:
        return json.dumps(
            {
                "current": self.current,
                "keys": {name: base64.b64encode(key).decode() for name, key in self.keys.items()},
                "lookup": base64.b64encode(self.lookup).decode(),
            }
        )

    def rotated(self) -> Self:
        """A ring with a new current key. The old ones stay until nothing sealed with them is left; look-ups keep their key."""
        name = secrets.token_hex(4)
        return type(self)(name, {**self.keys, name: secrets.token_bytes(32)}, self.lookup)

    def without_old(self) -> Self:
        return type(self)(self.current, {self.current: self.keys[self.current]}, self.lookup)

    def seal(self, text: str, purpose: str) -> bytes:
        nonce = secrets.token_bytes(12)
        body = _cipher(self.keys[self.current]).encrypt(nonce, text.encode(), purpose.encode())
        return _VERSION + bytes.fromhex(self.current) + nonce + body

    def open(self, sealed: bytes, purpose: str) -> str:
        """Raises ``KeyWrong`` when the key is not in the ring or the value was changed."""
        key = self.keys.get(sealed[1:5].hex())
        if key is None or sealed[:1] != _VERSION:
            raise KeyWrong(problem=f"沒有編號 {sealed[1:5].hex()} 的金鑰 / no key of that number")
        try:
            return _cipher(key).decrypt(sealed[5:17], sealed[17:], purpose.encode()).decode()
        except InvalidTag:
            raise KeyWrong(problem="內容與金鑰不符或已被更動 / the value was changed, or this is another key") from None

    def hash(self, text: str, purpose: str) -> str:
        """A look-up value: equal for equal texts, and of no use without the key."""
        return hmac.digest(self.lookup, f"{purpose}\0{text}".encode(), "sha256").hex()

    def chain(self, previous: str, line: str) -> str:
        """The digest of one line of the audit trail after ``previous``."""
        return chained(self.lookup, previous, line)


def chained(key: bytes, previous: str, line: str) -> str:
    """``KeyRing.chain`` with the key for look-ups."""
    return hmac.digest(key, f"audit\0{previous}\0{line}".encode(), "sha256").hex()


@functools.lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESGCM:
    """The key with its schedule, which is the same for every value."""
    return AESGCM(key)


def _sized(key: bytes) -> bytes:
    if len(key) != 32:
        raise ValueError("key length")
    return key


def load(settings: OutboxSettings | None = None) -> KeyRing:
    """The ring of this machine, made and stored when there is none yet. See the module for the places, in order."""
    settings = settings or OutboxSettings()
    if text := os.environ.get(VARIABLE):
        return KeyRing.parse(text)
    if settings.key == "env":
        raise KeyWrong(problem=f"環境變數 {VARIABLE} 未設定 / {VARIABLE} is not set")
    if settings.key == "keyring":
        return _from_keyring(settings)
    return _from_file(key_file(settings))


def save(ring: KeyRing, settings: OutboxSettings) -> str:
    """Store a changed ring where ``load`` found the old one; the place, in words. Raises ``KeyWrong`` for the environment."""
    if os.environ.get(VARIABLE) or settings.key == "env":
        raise KeyWrong(problem=f"金鑰由環境變數 {VARIABLE} 提供，請在該處更換 / the key comes from {VARIABLE}: change it there")
    if settings.key == "keyring":
        with _of_keyring() as store:
            _store(store, ring)
        return "keyring"
    path = key_file(settings)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    _write_private(new, ring.format())
    new.replace(path)
    return str(path)


def key_file(settings: OutboxSettings) -> Path:
    return settings.key_file or data_path() / "outbox.key"


def _from_file(path: Path) -> KeyRing:
    for _ in range(2):
        try:
            ring = KeyRing.parse(path.read_text("utf-8"))
            _only_ours(path)
            return ring
        except FileNotFoundError:
            pass
        except OSError as error:
            raise KeyWrong(problem=f"{path}: {error.strerror}") from None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            _write_private(fresh, KeyRing.new().format())
            try:
                # A link appears whole or not at all and never replaces: of two programs that start at once one ring wins.
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        except OSError as error:
            raise StoreReadOnly(path=str(path), problem=error.strerror) from None
    return KeyRing.parse(path.read_text("utf-8"))


def _only_ours(path: Path) -> None:
    """A file that came back from a copy is often open to all: closed again where it is ours to close."""
    with suppress(OSError):
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _of_keyring() -> Iterator[Any]:
    """The package ``keyring``; its failures in our words."""
    try:
        store = importlib.import_module("keyring")
    except ModuleNotFoundError:
        raise ComponentMissing(component="keyring", how="pip install 'nhirx[keyring]'") from None
    try:
        yield store
    except store.errors.NoKeyringError:
        raise ComponentMissing(
            component="金鑰圈服務 / a keyring service",
            how='apt-get install gnome-keyring（需登入桌面 / in a desktop session），或改用 / or set [outbox] key = "file"',
        ) from None
    except store.errors.KeyringError as error:
        # Locked, or the person said no.
        raise KeyWrong(problem=f"keyring: {type(error).__name__}") from None


def _store(store: Any, ring: KeyRing) -> None:
    text = ring.format()
    store.set_password(_SERVICE, _ACCOUNT, text)
    if store.get_password(_SERVICE, _ACCOUNT) != text:
        # A back end that keeps less than it was given (some limit the length) would lock everything up for good.
        raise KeyWrong(problem="keyring: 存入後讀回不同 / what was stored reads back differently")


def _from_keyring(settings: OutboxSettings) -> KeyRing:
    with _of_keyring() as store:
        text = store.get_password(_SERVICE, _ACCOUNT)
        if text is None:
            # A keyring cannot make an entry only where there is none: of two programs that start at once both would make a ring,
            # and one of them would seal with a key that nobody keeps.
            with _alone(key_file(settings).with_suffix(".making")):
                text = store.get_password(_SERVICE, _ACCOUNT)
                if text is None:
                    _store(store, KeyRing.new())
                    text = store.get_password(_SERVICE, _ACCOUNT)
    return KeyRing.parse(text or "")


@contextmanager
def _alone(mark: Path) -> Iterator[None]:
    """One program at a time: whoever makes the file goes on, the others wait. One that died in it holds them up for ten seconds."""
    until = time.monotonic() + 10
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                break
            except FileExistsError:
                if time.monotonic() > until:
                    break
                time.sleep(0.02)
    except OSError as error:
        raise StoreReadOnly(path=str(mark), problem=error.strerror) from None
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)
