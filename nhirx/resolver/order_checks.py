"""Findings about single lines that no later check can mend: drugs a pharmacy may not dispense, or not with this serial."""

from __future__ import annotations

from collections.abc import Iterator

from nhirx.model import Finding, Order, Prescription, UploadPlan
from nhirx.tables.decide import finding
from nhirx.tables.load import code_rows


def order_findings(plan: UploadPlan, prescription: Prescription) -> tuple[Finding, ...]:
    """Findings for the lines of ``prescription`` under ``plan``, in the order of the lines."""
    return tuple(each for order in prescription.orders for each in _line(plan, order))


def _line(plan: UploadPlan, order: Order) -> Iterator[Finding]:
    if order.kind == "virtual" and order.code not in code_rows("virtual_orders"):
        yield finding("virtual-order-unknown", order=order.code)
    drug = code_rows("antivirals").get(order.code)
    if drug is None:
        return
    if drug.attribute("pharmacy") != "yes":
        yield finding("antiviral-not-released")
        return
    usages = drug.attribute("usages").split()
    if order.usage not in usages:
        yield finding("antiviral-usage", allowed="、".join(usages))
    if str(order.days) != drug.attribute("days"):
        yield finding("antiviral-days", allowed=drug.attribute("days"))
    if plan.fields.get("M13") in drug.attribute("refused_serials").split():
        yield finding("antiviral-serial")
