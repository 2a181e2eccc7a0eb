"""One dispensed line: what the prescriber wrote, what was handed out, and whether the document can be made of the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nhirx import Order, Prescription
from nhirx_fhir import names
from nhirx_fhir.counter import Extra, Substitute
from nhirx_fhir.document import Document, Resource, code_of, dig, extension, number, text
from nhirx_fhir.read import Electronic, item_number, medication_of, order_code, usage

_NHI = "https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/medication-nhi-tw"


@dataclass(frozen=True)
class Line:
    item: str
    order: Order
    request: Resource
    prescribed: Resource
    """The Medication of the prescription."""
    prescribed_code: str
    substitute: Substitute | None = None

    @property
    def substituted(self) -> bool:
        return self.order.substituted or self.order.code != self.prescribed_code

    @property
    def order_kind(self) -> str:
        return code_of(self.request.get("category"), names.ORDER_KINDS) or ("3" if self.order.kind == "material" else "1")

    @property
    def days(self) -> int | None:
        found = number(dig(self.request, "dispenseRequest", "expectedSupplyDuration"))
        return self.order.days or (int(found) if found else None)

    @property
    def total_days(self) -> float | None:
        return number(extension(self.request, names.TOTAL_DAYS))

    @property
    def valid_until(self) -> str:
        return text(dig(self.request, "dispenseRequest", "validityPeriod", "end"))

    def lacks(self) -> list[tuple[str, str]]:
        """What the document needs of this line and does not have."""
        dose = dig(self.request, "dosageInstruction", "doseAndRate", "doseQuantity")
        drug: dict[str, Any] = self.medication()
        needed = [
            (self.days, "天數", "days"),
            (self.order.total, "總量", "total"),
            (text(dig(self.request, "dispenseRequest", "quantity", "unit")), "總量單位", "unit of the total"),
            (number(dose), "劑量", "dose"),
            (text(dig(dose, "unit")), "劑量單位", "unit of the dose"),
            (self._frequency(), "頻率", "frequency"),
            (dig(self.request, "dosageInstruction", "route"), "給藥途徑", "route"),
            (self.total_days, "給藥總日份", "total days"),
            (self.valid_until, "處方箋有效日期", "end of validity"),
            (text(dig(drug, "code", "text")), "學名", "generic name"),
            (text(dig(drug, "form", "text")), "劑型", "form"),
            (dig(drug, "ingredient", "strength"), "藥品單位含量", "strength"),
        ]
        if self.order.code != self.prescribed_code and self.substitute is None:
            needed.append(
                (None, "替代藥品的名稱、劑型、含量（substitutes）", "the substitute's name, form and strength (substitutes)")
            )
        return [(f"第 {self.item} 項：{zh}", f"line {self.item}: {en}") for there, zh, en in needed if not there]

    def quantity(self) -> dict[str, Any]:
        return {"value": self.order.total, "unit": text(dig(self.request, "dispenseRequest", "quantity", "unit"))}

    def dosage(self) -> dict[str, Any]:
        dose = dig(self.request, "dosageInstruction", "doseAndRate", "doseQuantity")
        timing: dict[str, Any] = {"repeat": {"frequency": self._frequency()}}
        if code := dig(self.request, "dosageInstruction", "timing", "code"):
            timing["code"] = code
        return {
            "timing": timing,
            "route": dig(self.request, "dosageInstruction", "route"),
            "doseAndRate": [{"doseQuantity": {"value": number(dose), "unit": text(dig(dose, "unit"))}}],
        }

    def medication(self) -> dict[str, Any]:
        """The drug that was handed out."""
        if other := self.substitute:
            concept = {"coding": [{"system": _NHI, "code": other.code, "display": other.name}], "text": other.generic}
            strength = {"numerator": {"value": other.strength, "unit": other.unit}, "denominator": {"value": 1}}
            ingredient = {"itemCodeableConcept": {"text": other.generic}, "strength": strength}
            return {"code": concept, "form": {"text": other.form}, "ingredient": [ingredient]}
        return {name: self.prescribed[name] for name in ("code", "form", "ingredient") if self.prescribed.get(name)}

    def _frequency(self) -> int | None:
        said = number(dig(self.request, "dosageInstruction", "timing", "repeat", "frequency"))
        return int(said) if said else names.TIMES_A_DAY.get(usage(self.request).upper())


def pair(found: Electronic, dispensed: Prescription, extra: Extra) -> list[Line]:
    """The dispensed lines with those of the prescription: by code, a substitute by the number it is filed under.

    Lines that were not dispensed are left out, and so is what the prescription never had (the pharmacy's own fee).
    """
    document: Document = found.document
    orders = [order for order in dispensed.orders if order.kind in {"drug", "material"}]
    left, made = list(orders), []
    for position, request in enumerate(found.lines, 1):
        item, code = item_number(request, position), order_code(document, request)
        other = extra.substitutes.get(item)
        order = next((each for each in left if each.code == (other.code if other else code)), None)
        if order is None and len(orders) == len(found.lines) and any(each is orders[position - 1] for each in left):
            order = orders[position - 1]  # changed at the counter, at its old place
        if order is not None:
            # By identity: a drug may stand on two lines with one usage in the morning and another at night.
            left = [each for each in left if each is not order]
            made.append(Line(item, order, request, medication_of(document, request), code, other))
    return made
