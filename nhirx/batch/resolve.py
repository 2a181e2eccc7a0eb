"""From a page of a batch to its plan: prescription, facts, rules, plugins, record checks; and there it stops, before the card.

The steps are those of the counter (``nhirx.host``). Nothing is asked of a person here, so whatever a person would be asked stops
the page: a visit ID that only text recognition saw, two sheets on one page, the same visit ID on an earlier page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from nhirx.batch.words import PLAN_STOPS, REVIEW
from nhirx.errors import ComponentMissing, NhirxError, StoreError
from nhirx.host import Host
from nhirx.model import CheckError, Facts, Finding, UploadPlan
from nhirx.rehearsal import WITH_CARD, check_before_card
from nhirx.tables.decide import limit

if TYPE_CHECKING:
    from nhirx_scanner import Scan

    from nhirx.outbox import Outbox

_FIND = frozenset({"nhirx_find_prescription", "nhirx_parse_code"})
_READ = frozenset({"found", "several"})
_MAY_BE_KNOWN = frozenset({"found", "none", "unreadable"})
_GONE = frozenset({"withdrawn", "superseded"})
_STOPPED = frozenset({"numbered", "writing", "written", "held"})
_SHEET_FIELDS = ("M16", "M33", "M34")
"""What tells one sheet from another: its visit ID, and which fill of a refillable prescription it is."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """``host`` with the plugins; ``at``: when the drugs are, or were, handed out; ``now``: against which lateness is told.

    ``outbox``: where to look whether a sheet was dispensed already; None where this machine has none.
    """

    host: Host
    at: datetime
    now: datetime
    outbox: Outbox | None = None

    def line(self, row: dict[str, Any]) -> dict[str, Any]:
        """The line for one line of ``results.jsonl``, unmasked. ``docs/howto/batch.md`` describes the members.

        Raises only what makes all pages fail alike: ``OSError``, ``StoreError``.
        """
        told: dict[str, Any] = {"path": row["path"], "page": row["page"], "status": "no-id", "visit_id": row["visit_id"]}
        told |= dict.fromkeys(("reference", "action", "call", "needs", "run", "record")) | {"fields": {}, "findings": []}
        if row["status"] == "several" or row["same_visit_id_as"] is not None:
            why = "several-sheets" if row["status"] == "several" else "same-visit-id"
            return told | {"status": "blocked", "findings": [_finding(_stop(why, *PLAN_STOPS[why]))]}
        if row["status"] in _MAY_BE_KNOWN:
            try:
                self._fill(told, scan_of(row))
            except (OSError, StoreError):
                raise
            except NhirxError as error:
                told |= {"status": "blocked", "findings": [*told["findings"], _finding(_stop(error.code, error.zh, error.en))]}
            except Exception as error:
                broken = NhirxError(kind=type(error).__name__)
                told |= {
                    "status": "blocked",
                    "findings": [_finding(_stop(f"internal-{type(error).__name__}", broken.zh, broken.en))],
                }
        if told["status"] == "no-id":
            told["findings"] = [_finding(_stop(row["status"], *REVIEW[row["status"]][:2]))]
        return told

    def _fill(self, told: dict[str, Any], scan: Scan) -> None:
        host = self.host
        host.plugins.prescription_scanned(scan)
        prescription = host.find_prescription(scan)
        if prescription is None:
            if scan.status in _READ:
                told |= {
                    "status": "no-prescription",
                    "findings": [_finding(_stop("no-prescription", *PLAN_STOPS["no-prescription"]))],
                }
            return
        told["reference"] = prescription.reference
        sheet = prescription.sheet
        if scan.visit_id is None and not sheet.visit_id and sheet.visit_id_state is None:
            return  # whether the sheet has none or it is illegible is for a person to say
        facts = host.facts(prescription, scan=scan, at=self.at)
        live = facts.pharmacy.format2_since
        # Dispensed before a go-live that is past: a late record. Before one that is to come: 1.0 counts, and 2.0 is for the 預檢.
        before = live is not None and self.now.date() < live
        facts = _as_if_live(facts) if before else facts
        plan = host.plan(facts, prescription)
        told |= {"visit_id": facts.prescription.visit_id, "action": plan.action, "call": plan.call}
        told["fields"] = {name: value for name, value in plan.fields.items() if value is not None}
        told["findings"] = [_finding(finding) for finding in plan.findings]
        told["status"] = "blocked" if plan.blocking or not plan.ok else "planned"
        if told["status"] == "planned" and plan.action == "upload":
            self._judge(told, plan, check_before_card(plan, facts, prescription, host.settings), before=before)
        if self.outbox is not None and (record := _known(self.outbox, plan, facts)) is not None:
            told |= {"status": "dispensed", "record": record, "needs": None, "run": None}

    def _judge(self, told: dict[str, Any], plan: UploadPlan, checked: Iterable[CheckError], *, before: bool) -> None:
        told["findings"] += [_checked(error) for error in checked if error.severity != "pending"]
        if any(finding["severity"] == "block" for finding in told["findings"]):
            told["status"] = "blocked"
            return
        told["needs"] = _needs(plan)
        due = self.at + timedelta(hours=limit("upload-hours", self.now.date()).value)
        if before or self.host.settings.upload.is_precheck:
            told["run"] = "precheck"
        elif told["needs"] == "old-record" or self.now > due:
            told["run"] = "late"
        else:
            told["run"] = "upload"


def require_ready(host: Host) -> None:
    """Raise ``SettingMissing`` or ``ComponentMissing`` for what would stop every page alike."""
    for name in ("pharmacy.institution", "pharmacy.pharmacist"):
        host.settings.require(name)
    if not any(_FIND & set(status.hooks) for status in host.plugins.statuses if status.status == "loaded"):
        raise ComponentMissing(component="nhirx_find_prescription", how="nhirx plugins")


def scan_of(row: dict[str, Any]) -> Scan:
    """A line of ``results.jsonl`` as the scan it came from."""
    from nhirx_scanner import Code, Scan

    codes = tuple(
        Code(code["text"], code["symbology"], code["kind"], tuple((x, y) for x, y in code["polygon"]), code["reads"])
        for code in row["codes"]
    )
    members: dict[str, Any] = {name: row[name] for name in ("status", "visit_id", "confidence", "path", "page")}
    members |= {name: tuple(row[name]) for name in ("visit_ids", "evidence", "reasons")}
    return Scan(codes=codes, **members)


def _as_if_live(facts: Facts) -> Facts:
    """A pharmacy before its go-live sends 1.0; for the 預檢 it makes the record of 2.0 as if it were live."""
    return facts.model_copy(update={"pharmacy": facts.pharmacy.model_copy(update={"format2_since": None})})


def _needs(plan: UploadPlan) -> str:
    """What is still missing of the record: the card, an ID without a card, values of the kept 1.0 record, or nothing."""
    if plan.call is not None:
        return "card" if plan.call == WITH_CARD else "no-card-id"
    return "old-record" if plan.from_card else "nothing"


def _known(outbox: Outbox, plan: UploadPlan, facts: Facts) -> dict[str, Any] | None:
    """Where this sheet stands if it was dispensed here already: a record of the queue, or a dispensing that was stopped or is held."""
    visit_id = facts.prescription.visit_id
    if visit_id is None:
        return None
    person = facts.patient.national_id
    for item in outbox.queue.find(national_id=person):
        if item.state not in _GONE and all(
            item.record.fields.get(name) == plan.fields.get(name) for name in _SHEET_FIELDS if name in plan.fields
        ):
            return {"queue": item.id, "dispensing": item.dispensing_id, "state": item.state}
    for one in outbox.journal.of_person(person):
        kept = (one.facts or {}).get("prescription") or {}
        if one.state in _STOPPED and kept.get("visit_id") == visit_id:
            return {"queue": None, "dispensing": one.id, "state": one.state}
    return None


def _stop(code: str, zh: str, en: str) -> Finding:
    return Finding(code=code, severity="block", zh=zh, en=en)


def _finding(finding: Finding) -> dict[str, Any]:
    return finding.model_dump() | {"order": None}


def _checked(error: CheckError) -> dict[str, Any]:
    return {
        "code": error.code,
        "severity": "block" if error.severity == "error" else "warn",
        "zh": " ".join(filter(None, (error.zh, error.fix_zh))),
        "en": " ".join(filter(None, (error.en, error.fix_en))),
        "source": None,
        "field": error.field,
        "order": error.order,
    }
