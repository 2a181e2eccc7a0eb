"""What follows for a record that was uploaded: correct it, delete it, or let the prescriber change the prescription."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from nhirx import roc
from nhirx.model import Finding, Reason, UploadRecord
from nhirx.resolver.windows import correction_window
from nhirx.tables.decide import decide, finding

Change = Literal["correct", "delete", "prescriber-changes", "cancel-refills", "undo-cancel"]


@dataclass(frozen=True, slots=True)
class Amendment:
    """``record`` is what to send, None when nothing may be sent; ``findings`` tell a person what to see to."""

    record: UploadRecord | None
    why: Reason
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not any(each.severity == "block" for each in self.findings)


def amend(
    sent: UploadRecord,
    change: Change,
    *,
    on: date,
    corrected: UploadRecord | None = None,
    first_sent: Literal["2.0", "1.0"] = "2.0",
    acted_elsewhere: bool = False,
) -> Amendment:
    """The record to send on the day ``on`` so that ``change`` happens to ``sent``.

    ``corrected`` is the record as it should have been; its upload kind and visit ID become those of ``sent``, because the
    visit ID is the key under which the last upload counts. Raises ``NoRuleApplies`` where nothing is published.
    """
    facts = {
        "change": change,
        "first_sent": "v2" if first_sent == "2.0" else "v1",
        "acted_elsewhere": "yes" if acted_elsewhere else "no",
    }
    decision = decide("change", facts, on)
    findings = [finding(name) for name in decision.row.findings]
    if decision.then["action"] != "upload":
        return Amendment(None, decision.reason, tuple(findings))
    visited = roc.parse_datetime(sent.fields["M11"]).date()
    window = correction_window(visited, on=on)
    if window.last is not None and on > window.last:
        findings.append(finding("correction-late", arithmetic_zh=window.zh, arithmetic_en=window.en))
        return Amendment(None, decision.reason, tuple(findings))
    base = corrected if corrected is not None and change == "correct" else sent
    fields = dict(base.fields)
    for name in ("H01", "M15"):
        value = decision.then[name]
        fields[name] = sent.fields[name] if value == "@same" else value
    return Amendment(base.model_copy(update={"fields": fields}), decision.reason, tuple(findings))
