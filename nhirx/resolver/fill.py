"""``fill``: the card's answer and the prescription's lines put into a plan, ready to be written; and what goes on the card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from nhirx import roc
from nhirx.errors import FactsInvalid, PlanBlocked
from nhirx.model import CardOrder, CardReading, Facts, Order, Prescription, Reason, UploadPlan, UploadRecord
from nhirx.resolver.derive import refill_kind
from nhirx.settings import Settings
from nhirx.tables.decide import Decision, decide

_SECONDARY_DIAGNOSES = ("M36", "M37", "M38", "M39", "M40")


def fill(
    plan: UploadPlan,
    reading: CardReading | None,
    prescription: Prescription,
    order_signatures: Sequence[str],
    settings: Settings,
) -> UploadRecord:
    """The record of one dispensing: M-fields in numeric order, one dict of D-fields per line, nothing empty.

    ``reading`` is None only for a plan that calls nothing. ``order_signatures`` are the card's, one per line that went on
    the card, in order; empty for an abnormal record. Raises ``PlanBlocked`` when nothing may be uploaded,
    ``SettingMissing`` for M56 unless it is set, and ``FactsInvalid`` when the lines do not fit together.
    """
    if plan.action != "upload" or plan.blocking:
        raise PlanBlocked(findings=", ".join(each.code for each in plan.blocking) or plan.action)
    fields = {name: value for name, value in plan.fields.items() if value}
    fields |= _from_reading(plan, reading)
    day = roc.parse_datetime(fields["M11"]).date()
    kinds = [_order_decision(order, prescription, day) for order in prescription.orders]
    fields |= _from_prescription(prescription, settings)
    for kind in kinds:
        # The count that goes with the prescription's kind; a refill's own count is already there.
        if (name := kind.then["count_field"]) and name not in fields and refill_kind(prescription.sheet.refill) == "none":
            fields[name] = "1"
    signed = "M14" in plan.from_card
    signatures = iter(order_signatures)
    orders = []
    for number, (order, kind) in enumerate(zip(prescription.orders, kinds, strict=True), 1):
        on_card = bool(kind.then["card_class"])
        signature = next(signatures, None) if signed and on_card else None
        orders.append(_order_fields(number, order, kind, fields["M11"], signature))
    return UploadRecord(fields=dict(sorted(item for item in fields.items() if item[1])), orders=tuple(orders))


def card_orders(prescription: Prescription, facts: Facts) -> tuple[CardOrder, ...]:
    """The lines that are written on the card, in the order of the prescription. Service fees are not among them."""
    day = facts.dispensed_at.astimezone(roc.TAIPEI).date()
    lines = []
    for order in prescription.orders:
        kind = _order_decision(order, prescription, day)
        if not kind.then["card_class"]:
            continue
        lines.append(
            CardOrder(
                order_class=kind.then["card_class"],
                code=order.code,
                usage=order.usage or "",
                days=order.days or 0,
                total=order.total,
                position=order.route or "",
                delivery_mark=kind.then["card_mark"],
            )
        )
    return tuple(lines)


def explain_lines(prescription: Prescription, day: date) -> tuple[dict[str, Reason], tuple[dict[str, Reason], ...]]:
    """Why the tables chose the codes of the lines on ``day``: of the counts among the M-fields, and of each line's D-fields."""
    counts: dict[str, Reason] = {}
    lines = []
    for order in prescription.orders:
        kind = _order_decision(order, prescription, day)
        if kind.then["count_field"]:
            counts.setdefault(kind.then["count_field"], kind.reason)
        lines.append({**dict.fromkeys(("D02", "D04", "D05"), kind.reason), "D15": _substitution(order, day).reason})
    return counts, tuple(lines)


def _substitution(order: Order, day: date) -> Decision:
    return decide("substitution", {"order": order.kind, "substituted": "yes" if order.substituted else "no"}, day)


def _order_decision(order: Order, prescription: Prescription, day: date) -> Decision:
    return decide(
        "orders",
        {
            "order": order.kind,
            "term": "long" if order.long_term else "short",
            "refill": refill_kind(prescription.sheet.refill),
        },
        day,
    )


def _from_reading(plan: UploadPlan, reading: CardReading | None) -> dict[str, str]:
    if not plan.from_card:
        return {}
    if reading is None:
        if plan.call is None:
            return {}
        raise FactsInvalid(where="reading", problem=f"the plan calls API {plan.call}, but there is no reading")
    given = {
        "M01": reading.sam_id,
        "M02": reading.card_number,
        "M11": roc.format_datetime(reading.visited_at),
        "M14": reading.security_signature,
        "M15": reading.visit_id,
    }
    return {name: value for name in plan.from_card if (value := given[name])}


def _from_prescription(prescription: Prescription, settings: Settings) -> dict[str, str]:
    fields = {
        "M44": str(prescription.fee),
        "M45": str(prescription.copayment),
        "M56": str(settings.require("record.medical_category")),
    }
    if prescription.payment_category:
        fields["M51"] = prescription.payment_category
    if (days := _days(prescription)) is not None:
        fields["M20"] = str(days)
    if prescription.diagnoses:
        fields["M35"] = prescription.diagnoses[0]
        fields |= dict(zip(_SECONDARY_DIAGNOSES, prescription.diagnoses[1:], strict=False))
    return fields


def _days(prescription: Prescription) -> int | None:
    """Days supplied: as said, else of the refill, else the longest line."""
    if prescription.days is not None:
        return prescription.days
    if prescription.sheet.refill is not None and prescription.sheet.refill.days is not None:
        return prescription.sheet.refill.days
    return max((order.days for order in prescription.orders if order.days and order.kind == "drug"), default=None)


def _order_fields(number: int, order: Order, kind: Decision, visited_at: str, signature: str | None) -> dict[str, str]:
    mark = _substitution(order, roc.parse_datetime(visited_at).date())
    fields = {
        "D01": visited_at,
        "D02": kind.then["D02"],
        "D03": f"{number:03d}",
        "D04": kind.then["D04"],
        "D05": kind.then["D05"],
        "D06": order.code,
        "D08": order.usage or "",
        "D09": str(order.days) if order.days else "",
        "D10": f"{order.total:07.1f}",
        "D11": signature or "",
        "D14": order.route or "",
        "D15": mark.then["D15"],
    }
    return {name: value for name, value in fields.items() if value}
