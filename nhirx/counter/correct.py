"""A corrected record for a rejected one: what the rules repair by themselves, what a person sets, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nhirx import resolver
from nhirx.counter.explain import masked
from nhirx.counter.models import CorrectionBody
from nhirx.errors import CheckFailed, CorrectionUnknown, PlanBlocked, RequestInvalid, TransitionRefused
from nhirx.host import Host
from nhirx.model import CheckError, Finding, UploadRecord
from nhirx.outbox import Queued
from nhirx.records.check import check_record
from nhirx.records.repair import repaired
from nhirx.records.report import ReportedRecord
from nhirx.tables.check_codes import check_codes
from nhirx.tables.fields import fields as field_specs

_CORRECTABLE = ("rejected", "stuck", "sent", "accepted")


@dataclass(frozen=True, slots=True)
class Correction:
    """``record`` is what would be sent, None while a person has to decide; ``open`` are the errors nobody has mended."""

    before: UploadRecord
    record: UploadRecord | None
    open: tuple[CheckError, ...]
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        changes = _changes(self.before, self.record) if self.record else []
        return {
            "possible": self.record is not None,
            "changes": changes,
            "open": [error.model_dump(mode="json") | {"look_at": self._look_at(error)} for error in self.open],
            "findings": [finding.model_dump(mode="json") for finding in self.findings],
        }

    def _look_at(self, error: CheckError) -> list[str]:
        """Other fields that the remedy speaks of: what is wrong may stand there."""
        row = check_codes().get(("2.0", error.code))
        return [name for name in row.look_at if name != error.field] if row else []


def correction(host: Host, item: Queued, body: CorrectionBody | None = None) -> Correction:
    """Raises ``TransitionRefused`` for a record that was never judged, ``RequestInvalid`` for a line that is not there."""
    if item.state not in _CORRECTABLE:
        raise TransitionRefused(state=item.state, event="correction")
    sent = item.record
    judged = item.result.errors if item.result else check_record(sent, today=host.clock().date())
    errors = tuple(error for error in judged if error.severity == "error")
    if body is not None and (body.fields or body.orders):
        mended: UploadRecord | None = _set(sent, body)
        left: tuple[CheckError, ...] = ()
    else:
        mended = repaired(sent, ReportedRecord(n=None, fields={}, errors=errors)) if errors else None
        left = () if mended is not None else errors
    if mended is None:
        return Correction(sent, None, left, ())
    amended = resolver.amend(sent, "correct", on=host.clock().date(), corrected=mended)
    return Correction(sent, amended.record, left, amended.findings)


def to_send(host: Host, item: Queued, body: CorrectionBody | None) -> UploadRecord:
    """The record for the queue. Raises ``CorrectionUnknown``, ``PlanBlocked`` and ``CheckFailed``."""
    found = correction(host, item, body)
    if any(finding.severity == "block" for finding in found.findings):
        codes = "、".join(finding.code for finding in found.findings)
        raise PlanBlocked(findings=codes, count=len(found.findings), told=[one.model_dump(mode="json") for one in found.findings])
    if found.record is None:
        raise CorrectionUnknown(fields="、".join(f"{error.field} {error.code}" for error in found.open) or "—")
    wrong = [error for error in check_record(found.record, today=host.clock().date()) if error.severity == "error"]
    if wrong:
        raise CheckFailed(count=len(wrong), errors=[error.model_dump(mode="json") for error in wrong])
    return found.record


def _set(record: UploadRecord, body: CorrectionBody) -> UploadRecord:
    fields = _with(dict(record.fields), body.fields)
    orders = [dict(order) for order in record.orders]
    for number, values in body.orders.items():
        place = int(number) - 1
        if not 0 <= place < len(orders):
            raise RequestInvalid(where=f"orders.{number}", problem="沒有這一行醫令 / no such order line")
        orders[place] = _with(orders[place], values)
    return UploadRecord(fields=fields, orders=tuple(orders))


def _with(segment: dict[str, str], values: dict[str, str | None]) -> dict[str, str]:
    for name, value in values.items():
        if value:
            segment[name] = value
        else:
            segment.pop(name, None)
    return segment


def _changes(before: UploadRecord, after: UploadRecord) -> list[dict[str, Any]]:
    found = _differences(None, before.fields, after.fields)
    for number, (old, new) in enumerate(zip(before.orders, after.orders, strict=False), 1):
        found += _differences(number, old, new)
    return found


def _differences(order: int | None, old: dict[str, str], new: dict[str, str]) -> list[dict[str, Any]]:
    rows = []
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            spec = field_specs().get(name)
            rows.append(
                {
                    "field": name,
                    "order": order,
                    "name_zh": spec.zh if spec else name,
                    "name_en": spec.en if spec else name,
                    "before_masked": masked(name, old.get(name)),
                    "after_masked": masked(name, new.get(name)),
                    "zh": "移除此欄" if name not in new else ("補上此欄" if name not in old else "更正此欄"),
                    "en": "taken out" if name not in new else ("added" if name not in old else "corrected"),
                }
            )
    return rows
