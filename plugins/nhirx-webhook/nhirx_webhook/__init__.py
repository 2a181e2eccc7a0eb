"""nhirx-webhook: every piece of news as a signed JSON message to a URL, for pharmacy systems in any language."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nhirx import hookimpl
from nhirx.errors import FileMissing, SettingInvalid
from nhirx.identifiers import mask_id
from nhirx.roc import TAIPEI
from nhirx.settings import data_path
from nhirx_webhook.sender import Sender
from nhirx_webhook.spool import Spool

_KNOWN = {"url", "secret_file", "ca_file", "events", "spool"}
EVENTS = ("scanned", "card-read", "number-issued", "dispensed", "queued", "accepted", "rejected")


class Webhook:
    """Idle until the option ``url`` is set."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(TAIPEI)) -> None:
        self._now = now
        self._spool: Spool | None = None
        self._events: frozenset[str] = frozenset(EVENTS)

    @hookimpl
    def nhirx_configure(self, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - _KNOWN):
            raise SettingInvalid(
                setting="plugins.options.webhook", problem=f"沒有這個選項 / no such option: {', '.join(unknown)}"
            )
        if "url" not in options:
            return
        if unknown := sorted(set(options.get("events", ())) - set(EVENTS)):
            raise SettingInvalid(
                setting="plugins.options.webhook.events", problem=f"沒有這個事件 / no such event: {', '.join(unknown)}"
            )
        self._events = frozenset(options.get("events", EVENTS))
        ca_file = Path(options["ca_file"]) if "ca_file" in options else None
        sender = Sender(options["url"], _secret(options), ca_file)
        self._spool = Spool(Path(options.get("spool", data_path() / "webhook")), sender.send)

    @hookimpl
    def nhirx_prescription_scanned(self, scan: Any) -> None:
        self._send("scanned", None, status=str(scan.status), visit_id=scan.visit_id)

    @hookimpl
    def nhirx_card_read(self, holder: Any, reference: str | None) -> None:
        self._send("card-read", reference, holder=mask_id(holder.national_id))

    @hookimpl
    def nhirx_visit_number_issued(self, reading: Any, reference: str | None) -> None:
        data = {"visit_id": reading.visit_id, "visited_at": reading.visited_at.isoformat(), "visit_serial": reading.visit_serial}
        self._send("number-issued", reference, made_by=reading.made_by, **data)

    @hookimpl
    def nhirx_dispensed(self, record: Any, reference: str | None) -> None:
        self._send("dispensed", reference, visit_id=record.visit_id, fields=dict(record.fields))

    @hookimpl
    def nhirx_record_queued(self, record: Any, reference: str | None) -> None:
        self._send("queued", reference, visit_id=record.visit_id)

    @hookimpl
    def nhirx_record_accepted(self, record: Any, receipt: Any, reference: str | None) -> None:
        self._send("accepted", reference, visit_id=record.visit_id, opcode=receipt.opcode)

    @hookimpl
    def nhirx_record_rejected(self, record: Any, receipt: Any, errors: Sequence[Any], reference: str | None) -> None:
        listed = [error.model_dump(mode="json") for error in errors]
        self._send("rejected", reference, visit_id=record.visit_id, opcode=receipt.opcode if receipt else None, errors=listed)

    def _send(self, event: str, reference: str | None, **data: Any) -> None:
        if self._spool is not None and event in self._events:
            self._spool.add({"event": event, "time": self._now().isoformat(), "reference": reference, "data": data})


def _secret(options: Mapping[str, Any]) -> bytes:
    """A key is no setting: it comes from a file of its own or from the environment."""
    if "secret_file" in options:
        path = Path(options["secret_file"])
        if not path.is_file():
            raise FileMissing(path=str(path))
        secret = path.read_bytes().strip()
    else:
        secret = os.environ.get("NHIRX_WEBHOOK_SECRET", "").encode()
    if len(secret) < 16:
        raise SettingInvalid(
            setting="plugins.options.webhook.secret_file", problem="金鑰至少 16 個字元 / a key has at least 16 characters"
        )
    return secret


__all__ = ["EVENTS", "Webhook"]
