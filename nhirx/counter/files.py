"""Small JSON files that only their owner may read, replaced whole: a stop in the middle leaves the old one."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from nhirx.errors import StoreDamaged, StoreReadOnly


def read_json(path: Path, empty: Any) -> Any:
    """What is in ``path``, or ``empty`` when there is no such file. Raises ``StoreDamaged``."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return empty
    except (OSError, ValueError) as error:
        raise StoreDamaged(path=str(path), problem=type(error).__name__) from None


def write_json(path: Path, value: Any) -> None:
    write_bytes(path, json.dumps(value, ensure_ascii=False).encode())


def write_bytes(path: Path, data: bytes) -> None:
    """On disk when this returns. Raises ``StoreReadOnly``."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StoreReadOnly(path=str(path), problem=error.strerror) from None
