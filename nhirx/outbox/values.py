"""What the outbox hands out: frozen values, opened and parsed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from nhirx.identifiers import mask_visit_id
from nhirx.logs import mask
from nhirx.model import CardReading, CheckResult, UploadRecord, Value


class Dispensing(Value):
    """One dispensing of the journal. ``plan``, ``prescription`` and ``facts`` are the JSON objects that were handed in."""

    id: int
    state: str
    opened_at: datetime
    changed_at: datetime
    plan: dict[str, Any] | None = None
    prescription: dict[str, Any] | None = None
    facts: dict[str, Any] | None = None
    reading: CardReading | None = None
    signatures: tuple[str, ...] | None = None
    reason: str | None = None
    settled_by: int | None = None

    def masked(self) -> dict[str, Any]:
        """For screens and support: when and in what state, the visit ID masked, no person."""
        return {
            "id": self.id,
            "state": self.state,
            "opened_at": self.opened_at.isoformat(timespec="seconds"),
            "changed_at": self.changed_at.isoformat(timespec="seconds"),
            "visit_id": mask_visit_id(self.reading.visit_id) if self.reading and self.reading.visit_id else None,
            "signatures": len(self.signatures or ()),
            "reason": None if self.reason is None else mask(self.reason),
            "settled_by": self.settled_by,
        }


class Problem(Value):
    """Why a record is not further: the code and words of an error, without personal data."""

    code: str
    zh: str
    en: str


class Queued(Value):
    """One record of the queue. ``place`` is its 1-based place in the upload of ``batch`` records that ``opcode`` names."""

    id: int
    dispensing_id: int | None
    state: str
    record: UploadRecord = Field(repr=False)
    built_at: datetime
    changed_at: datetime
    attempts: int
    """How often the service refused it, or a sender ended without a word."""
    due_at: datetime
    unique: bool = True
    """Whether a second copy replaces the first at the NHI. Placeholders in M15 do not name one visit."""
    lease: str | None = None
    lease_until: datetime | None = None
    """When another sender may take it: nothing that this one sends may still be on its way then."""
    opcode: str | None = None
    place: int | None = None
    batch: int | None = None
    sent_at: datetime | None = None
    result: CheckResult | None = None
    problem: Problem | None = None

    def masked(self) -> dict[str, Any]:
        """For screens and support: state, times, errors of the check; the visit ID masked, no other field of the record."""
        result = self.result
        return {
            "id": self.id,
            "dispensing_id": self.dispensing_id,
            "state": self.state,
            "visit_id": mask_visit_id(self.record.visit_id) or None,
            "built_at": self.built_at.isoformat(timespec="seconds"),
            "changed_at": self.changed_at.isoformat(timespec="seconds"),
            "sent_at": self.sent_at.isoformat(timespec="seconds") if self.sent_at else None,
            "due_at": self.due_at.isoformat(timespec="seconds") if self.state in ("built", "sent") else None,
            "attempts": self.attempts,
            "opcode": self.opcode,
            "orders": len(self.record.orders),
            "errors": [error.model_dump(mode="json") for error in result.errors] if result else [],
            "problem": self.problem.model_dump() if self.problem else None,
        }


class Event(Value):
    """One line of the audit trail."""

    seq: int
    at: datetime
    who: str
    event: str
    subject: str
    subject_id: int | None
    after: str | None
    note: str
    digest: str
