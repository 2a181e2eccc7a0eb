"""Certificates that a person has looked at and accepted, one fingerprint per address.

For local control software that signs its own certificate: the first time a person sees the fingerprint and says yes
(``nhirx trust add``); from then on no other certificate is accepted at that address. Taking it back is ``nhirx trust
remove``. Fingerprints are no secret, so the file is plain JSON; it lies beside the outbox.
"""

from __future__ import annotations

import json
from pathlib import Path

from nhirx.errors import FileDamaged, InputError
from nhirx.settings import data_path


def trust_file() -> Path:
    return data_path() / "trust.json"


def accepted() -> dict[str, str]:
    """Address → SHA-256 fingerprint. Raises ``FileDamaged`` when the file is not what was written."""
    path = trust_file()
    try:
        known = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise FileDamaged(path=str(path), problem="JSON") from None
    if not isinstance(known, dict) or not all(isinstance(part, str) for pair in known.items() for part in pair):
        raise FileDamaged(path=str(path), problem="JSON")
    return known


def fingerprint_for(url: str) -> str | None:
    """The accepted fingerprint of the service at ``url``, or None."""
    return accepted().get(address(url))


def accept(url: str, fingerprint: str) -> None:
    """Trust this certificate, and only this one, at ``url`` from now on."""
    _write(accepted() | {address(url): fingerprint})


def revoke(url: str) -> None:
    """Trust nothing special at ``url`` any more. Raises ``InputError`` when nothing was."""
    known = accepted()
    if known.pop(address(url), None) is None:
        raise InputError(problem=f"沒有信任過 {address(url)} 的憑證 / no certificate of {address(url)} was trusted")
    _write(known)


def address(url: str) -> str:
    return url.rstrip("/").lower()


def _write(known: dict[str, str]) -> None:
    path = trust_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    # A new file put in place of the old one: a power cut leaves one or the other.
    new = path.with_suffix(".new")
    new.write_text(json.dumps(known, indent=1, sort_keys=True), "utf-8")
    new.replace(path)
