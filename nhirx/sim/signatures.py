"""Signatures of the sandbox: what proves a request, a visit and an order line.

All of them are keyed hashes over what they stand for, so they can be verified without a list of what was ever signed: the
simulator's memory does not grow with use. Only the random values of the last hour are kept, because each may be used once.
The form of the real signatures is not published; ``clientRandom`` beginning with the time is the simulator's own invention.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from nhirx.sim.book import Refusal

VALID_SECONDS = 3600
"""A signature may be used for an hour (the shorter of two published figures)."""
_MEMBERS = ("hospitalId", "samId", "hcId", "hcIdNo", "hpcId", "hpcIdNo")


class Signer:
    """Makes and verifies. ``key`` outlives a restart (visits, orders); request signatures do not."""

    def __init__(self, key: bytes, now: Callable[[], datetime]) -> None:
        self._key = key
        self._session = secrets.token_bytes(16)
        self._now = now
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}
        self._purge_at = 0

    # ── one request ──────────────────────────────────────────────────────────────────────────────────────────────────

    def sign_request(self, kind: str, service: str, parties: dict[str, str]) -> dict[str, str]:
        """The members of a signature answer. ``kind`` is ``sam``, ``hc``, ``hpchc`` or ``hpc``."""
        random = f"{int(self._now().timestamp()):08x}{secrets.token_hex(12)}"
        return {"clientRandom": random, **parties, "signature": self._request(kind, service, random, parties)}

    def use(self, kind: str, service: str, body: Mapping[str, Any], *, again: str = "signature-used") -> None:
        """Verify the signature in ``body`` and spend it. Raises ``Refusal``: wrong, older than an hour, or used before."""
        random, given = str(body.get("clientRandom") or ""), str(body.get("signature") or "")
        parties = {name: str(body[name]) for name in _MEMBERS if body.get(name)}
        if not hmac.compare_digest(self._request(kind, service, random, parties).encode(), given.encode()):
            raise Refusal("signature-wrong")
        made, now = int(random[:8], 16), int(self._now().timestamp())
        if now - made > VALID_SECONDS:
            raise Refusal("signature-expired")
        with self._lock:
            if now >= self._purge_at:
                self._used = {one: end for one, end in self._used.items() if end >= now}
                self._purge_at = now + 60
            if random in self._used:
                raise Refusal(again)
            self._used[random] = made + VALID_SECONDS

    def _request(self, kind: str, service: str, random: str, parties: Mapping[str, str]) -> str:
        text = "|".join([kind, service, random, *(parties.get(name, "") for name in _MEMBERS)])
        return base64.b64encode(hmac.digest(self._session + self._key, text.encode(), "sha256")).decode()

    # ── what stays valid ─────────────────────────────────────────────────────────────────────────────────────────────

    def visit(self, *, sam: str, card: str, holder: str, institution: str, visited_at: str, visit_id: str) -> str:
        """M14: 256 capital hex characters over the fields a record with this signature has to repeat."""
        seed = self._digest("visit", sam, card, holder, institution, visited_at, visit_id)
        return hashlib.shake_256(seed).hexdigest(128).upper()

    def order(self, *, holder: str, visited_at: str, code: str, usage: str, days: object, total: object) -> bytes:
        """D11 before its text form: 20 bytes over one order line."""
        seed = self._digest("order", holder, visited_at, code.strip(), usage.strip(), _whole(days), _tenths(total))
        return seed[:20]

    def check(self, *parts: str) -> int:
        """A keyed check value, used inside visit IDs."""
        return int.from_bytes(self._digest("check", *parts)[:4], "big")

    def _digest(self, *parts: str) -> bytes:
        return hmac.digest(self._key, "\x1f".join(parts).encode(), "sha256")


def _whole(value: object) -> str:
    text = str(value if value is not None else "").strip()
    return str(int(text)) if text.isdecimal() else text


def _tenths(value: object) -> str:
    """One decimal, as uploaded; the card takes two."""
    text = str(value if value is not None else "").strip() or "0"
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return str(number.quantize(Decimal("0.1"), ROUND_HALF_UP)) if math.isfinite(number) else text
