"""What a host has to say of one dispensing."""

from __future__ import annotations

from dataclasses import dataclass

from nhirx.model import CardReading, CheckError, Holder, UploadPlan, UploadRecord


@dataclass(frozen=True, slots=True)
class Dispensing:
    """How far one dispensing has come. ``state``: ``held`` (card owed), ``queued`` (stands in the outbox), ``none`` (no upload)."""

    id: int | None
    state: str
    plan: UploadPlan
    holder: Holder | None = None
    reading: CardReading | None = None
    record: UploadRecord | None = None
    checked: tuple[CheckError, ...] = ()
    """Warnings and pending checks; an error never gets this far."""
    queued: int | None = None
    """The record's ID in the outbox."""
