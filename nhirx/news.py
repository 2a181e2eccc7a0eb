"""News of the upload for the plugins: accepted and rejected, with the pharmacy system's own reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nhirx.model import CheckResult, Receipt
from nhirx.outbox import Outbox, Queued

if TYPE_CHECKING:
    from nhirx.plugin.manager import Plugins


class News:
    """What a worker calls after a fact is on disk. ``sent`` is no news to a plugin: sent is not accepted."""

    def __init__(self, outbox: Outbox, plugins: Plugins) -> None:
        self._outbox = outbox
        self._plugins = plugins

    def __call__(self, event: str, item: Queued, result: CheckResult | None) -> None:
        receipt = Receipt(opcode=item.opcode, received_at=item.sent_at) if item.opcode and item.sent_at else None
        if event == "accepted" and receipt is not None:
            self._plugins.record_accepted(item.record, receipt, self._reference(item))
        elif event == "rejected":
            self._plugins.record_rejected(item.record, receipt, result.errors if result else (), self._reference(item))

    def _reference(self, item: Queued) -> str | None:
        if item.dispensing_id is None:
            return None
        prescription = self._outbox.journal.dispensing(item.dispensing_id).prescription or {}
        return prescription.get("reference")
