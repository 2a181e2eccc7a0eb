"""A plan on the terminal: short for ``resolve``, field by field for ``explain``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from nhirx.i18n import say
from nhirx.model import Finding, UploadPlan
from nhirx.resolver import Window, explain_plan, masked_value
from nhirx.tables.fields import fields as field_specs

_ACTIONS = {"upload": ("上傳", "upload"), "hold": ("暫不上傳", "hold"), "none": ("不上傳", "no upload")}
_CONFIDENCE = {"confirmed": ("已證實", "confirmed"), "single": ("單一來源", "one source"), "inferred": ("推論", "inferred")}
_SEVERITY = {"block": ("擋下", "block", "bold red"), "warn": ("注意", "warn", "yellow"), "info": ("說明", "info", "cyan")}


def show_plan(plan: UploadPlan) -> None:
    """Action, call, the fields that are filled, and the findings."""
    console = Console(highlight=False)
    console.print(_headline(plan))
    for name, value in plan.fields.items():
        if value is not None or name in plan.from_card:
            console.print(f"  {name} {_name(name)}：{shown(plan, name)}")
    _show_findings(console, plan.findings)


def show_explanation(plan: UploadPlan, windows: Sequence[Window] = ()) -> None:
    """Action and call, the table of the fields, the findings, the periods with their arithmetic."""
    console = Console(highlight=False)
    console.print(_headline(plan))
    console.print(explanation_table(plan))
    _show_findings(console, plan.findings)
    for window in windows:
        console.print(f"{say('期限', 'period')}：{say(window.zh, window.en)} [dim]({window.source})[/]")


def explanation_table(plan: UploadPlan) -> Table:
    """One line per field: name, value, rule in words, source, how sure. Persons and visit IDs are masked."""
    table = Table(header_style="bold", expand=True)
    for heading, ratio in ((("欄位", "field"), 4), (("值", "value"), 4), (("規則", "rule"), 8), (("依據", "source"), 4)):
        table.add_column(say(*heading), overflow="fold", ratio=ratio)
    last = ""
    for entry in explanation(plan)["fields"]:
        same, last = entry["rule"] == last, entry["rule"]
        table.add_row(
            f"{entry['field']} {say(entry['name_zh'], entry['name_en'])}",
            shown(plan, entry["field"]),
            "〃" if same else f"{say(entry['zh'], entry['en'])}\n[dim]{entry['rule']}[/]",
            "〃" if same else f"{entry['source']}\n{say(*_CONFIDENCE[entry['confidence']])}",
        )
    return table


def explanation(plan: UploadPlan) -> dict[str, Any]:
    """The plan with the words of each rule; values as they stand."""
    return {
        "ok": plan.ok,
        "action": plan.action,
        "call": plan.call,
        "fields": explain_plan(plan),
        "findings": [finding.model_dump(mode="json") for finding in plan.findings],
    }


def told_by_rule(plan: UploadPlan) -> list[tuple[str, str, list[str]]]:
    """The fields that have a value, or get one from the card, gathered under the rule that chose them.

    Each entry: the rule in words, its reference (ID, source, how sure), and one line a field.
    """
    told: dict[str, tuple[str, str, list[str]]] = {}
    for entry in explanation(plan)["fields"]:
        if entry["value"] is None and not entry["from_card"]:
            continue
        sure = say(*_CONFIDENCE[entry["confidence"]])
        reference = say(f"（{entry['rule']}；{entry['source']}；{sure}）", f"({entry['rule']}; {entry['source']}; {sure})")
        lines = told.setdefault(entry["rule"], (say(entry["zh"], entry["en"]), reference, []))[2]
        lines.append(f"{entry['field']} {say(entry['name_zh'], entry['name_en'])}：{shown(plan, entry['field'])}")
    return list(told.values())


def _headline(plan: UploadPlan) -> str:
    call = f"，API {plan.call}" if plan.call else ""
    return f"{say(*_ACTIONS[plan.action])}{call}"


def shown(plan: UploadPlan, name: str) -> str:
    """A field's value for a person's eyes: who and when are masked, what the card fills is said."""
    value = plan.fields[name]
    if value is None:
        return say("（過卡後填入）", "(from the card)") if name in plan.from_card else say("（不填）", "(empty)")
    return masked_value(name, value)


def _name(name: str) -> str:
    spec = field_specs().get(name)
    return say(spec.zh, spec.en) if spec else name


def _show_findings(console: Console, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        zh, en, style = _SEVERITY[finding.severity]
        console.print(f"[{style}]{say(zh, en)}[/] {say(finding.zh, finding.en)} [dim]({finding.source})[/]")
