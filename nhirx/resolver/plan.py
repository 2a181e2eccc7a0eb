"""``plan``: what the rules say for one set of facts on one day."""

from __future__ import annotations

from datetime import date
from typing import Literal, cast

from nhirx.model import Facts, Finding, Reason, UploadPlan
from nhirx.resolver.calendar import Calendar
from nhirx.resolver.cross_checks import cross_check
from nhirx.resolver.derive import Derived, derive
from nhirx.settings import Settings
from nhirx.tables.decide import Decision, decide, finding
from nhirx.tables.schema import CARD

# Tables whose outcomes are fields, in the order in which their findings are told.
_FIELD_TABLES = ("record", "mode", "newborn", "make-up", "origin-id", "origin-serial", "refill")
_CARD_FIELDS = ("M01", "M02", "M11", "M14", "M15")


def plan(
    facts: Facts, *, on: date | None = None, settings: Settings | None = None, calendar: Calendar | None = None
) -> UploadPlan:
    """The upload plan for ``facts``.

    ``on`` is the day whose rules apply; None takes the day of the dispensing, or of the go-live for a record from before
    it. ``calendar`` tells holidays; None is the public ones. Raises ``NoRuleApplies`` where no row covers the facts and
    ``FactsInvalid`` where they contradict each other.
    """
    settings = settings or Settings()
    calendar = calendar or Calendar()
    known = derive(facts, on=on, settings=settings, calendar=calendar)
    path = decide("dispensing", known.facts, known.day)
    action = cast("Literal['upload', 'hold', 'none']", path.then["action"])
    call = cast("Literal['1.53', '1.54'] | None", path.then["call"] or None)
    decisions = [path]
    if action == "upload":
        decisions += [decide(name, known.facts, known.day) for name in _FIELD_TABLES]
    fields: dict[str, str | None] = {}
    why = {"action": path.reason, "call": path.reason}
    for decision in decisions:
        _take(decision, known, fields, why, filled=action == "upload")
    _settings(settings, fields, why)
    findings = [finding(name) for decision in decisions for name in decision.row.findings]
    findings += cross_check(facts, known, action, calendar)
    return UploadPlan(
        ok=not any(each.severity == "block" for each in findings),
        action=action,
        call=call,
        fields=dict(sorted(fields.items())) if action == "upload" else dict.fromkeys(_ALL_FIELDS),
        from_card=tuple(name for name in _CARD_FIELDS if path.then[name] == CARD) if action == "upload" else (),
        why=why if action == "upload" else {name: why[name] for name in ("action", "call")},
        findings=_once(findings),
    )


def _take(decision: Decision, known: Derived, fields: dict[str, str | None], why: dict[str, Reason], *, filled: bool) -> None:
    if not filled:
        return
    for name, value in decision.then.items():
        if not name[0].isupper():
            continue
        fields[name] = known.values[value] if value.startswith("@") else value or None
        why[name] = decision.reason


def _settings(settings: Settings, fields: dict[str, str | None], why: dict[str, Reason]) -> None:
    """What a pharmacy set for a field that no source settles."""
    if settings.record.dispensing_mode is not None and "M23" in fields:
        fields["M23"] = settings.record.dispensing_mode
        why["M23"] = Reason(rule="settings.record.dispensing_mode", source="field-notes §9", confidence="inferred")


def _once(findings: list[Finding]) -> tuple[Finding, ...]:
    seen: dict[str, Finding] = {}
    for each in findings:
        seen.setdefault(each.code, each)
    order = {"block": 0, "warn": 1, "info": 2}
    return tuple(sorted(seen.values(), key=lambda each: order[each.severity]))


_ALL_FIELDS = (
    "H00",
    "H01",
    *(f"M{number:02d}" for number in (*range(1, 20), 21, 22, 23, 26, 29, 33, 34, 49, 52)),
)
