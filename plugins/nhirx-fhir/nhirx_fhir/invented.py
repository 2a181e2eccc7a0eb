"""An electronic prescription of nobody, as the guide's examples write one: for tests, and to try the plugin out.

People, places and numbers are invented. ``ep(line(2), Patient={…})`` is a whole bundle, changed in what a test is about.
"""

from __future__ import annotations

from typing import Any

VISIT_ID = "0USE4FA11RP4J370WR4K"  # of A123456789 (derived)
EMPD = "https://nhicore.nhi.gov.tw/empd"
SHOP = {
    "name": "安心藥局",
    "phone": "02-00000000",
    "address": "臺北市測試路 1 號",
    "pharmacist": "陳測試",
    "service_code": "TEST1",
}


def line(item: int = 1, code: str = "AC12345100", **changes: Any) -> dict[str, Any]:
    """A MedicationRequest as the guide's examples write it."""
    request = {
        "resourceType": "MedicationRequest",
        "id": f"line-{item}",
        "extension": [{"url": f"{EMPD}/StructureDefinition/Extension-TotalDuration", "valuePositiveInt": 28}],
        "identifier": [
            {"use": "usual", "system": f"{EMPD}/identifier/prescription", "value": "RX-0001"},
            {"use": "secondary", "value": str(item)},
        ],
        "status": "active",
        "intent": "order",
        "category": [
            {"coding": [{"system": f"{EMPD}/CodeSystem/TypeOfPrescription-cs", "code": "A"}]},
            {"coding": [{"system": f"{EMPD}/CodeSystem/OrderType-cs", "code": "1"}]},
            {"coding": [{"system": f"{EMPD}/CodeSystem/SelfpayStatus-cs", "code": "N"}]},
        ],
        "medicationReference": {"reference": f"Medication/drug-{code}"},
        "subject": {"reference": "Patient/p"},
        "insurance": [{"reference": "Coverage/c"}],
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 3}, "code": {"coding": [{"system": "urn:t", "code": "TID"}]}},
                "route": {"coding": [{"system": "urn:r", "code": "PO"}]},
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
            }
        ],
        "dispenseRequest": {
            "validityPeriod": {"start": "2026-11-18", "end": "2026-11-20"},
            "numberOfRepeatsAllowed": 1,
            "expectedSupplyDuration": {"value": 28, "unit": "d"},
            "quantity": {"value": 84, "unit": "tablet"},
        },
    }
    return request | changes


def drug(code: str = "AC12345100") -> dict[str, Any]:
    return {
        "resourceType": "Medication",
        "id": f"drug-{code}",
        "code": {
            "coding": [
                {"system": "https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/medication-fda-tw", "code": "F000000001"},
                {
                    "system": "https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/medication-nhi-tw",
                    "code": code,
                    "display": "測試錠",
                },
            ],
            "text": "Testamine",
        },
        "form": {"text": "TAB"},
        "ingredient": [
            {
                "itemCodeableConcept": {"text": "Testamine"},
                "strength": {"numerator": {"value": 250, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}},
            }
        ],
    }


def ep(*lines: dict[str, Any], **changes: dict[str, Any]) -> dict[str, Any]:
    """An EP bundle; ``changes`` replace members of a resource by its kind."""
    lines = lines or (line(),)
    codes = dict.fromkeys(
        each["medicationReference"]["reference"].split("-", 1)[1] for each in lines if "medicationReference" in each
    )
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Composition",
            "id": "x",
            "status": "final",
            "custodian": {"reference": "Organization/h"},
            "subject": {"reference": "Patient/p"},
            "encounter": {"reference": "Encounter/e"},
        },
        {
            "resourceType": "Patient",
            "id": "p",
            # The guide's own example calls an ID number a chart number.
            "identifier": [
                {"type": {"coding": [{"code": "MR"}]}, "value": "A123456789"},
                {"type": {"coding": [{"code": "MR"}]}, "value": "C-77"},
            ],
            "name": [{"text": "王小明"}],
            "gender": "male",
            "birthDate": "1961-12-31",
        },
        {
            "resourceType": "Organization",
            "id": "h",
            "identifier": [{"value": "3502060427"}],
            "name": "測試診所",
            "telecom": [{"system": "phone", "value": "02-11111111"}],
        },
        {"resourceType": "Organization", "id": "payor", "identifier": [{"value": "A000000000"}], "name": "付款人"},
        {
            "resourceType": "Practitioner",
            "id": "d",
            "identifier": [{"value": "L-1"}],
            "name": [{"text": "林測試"}],
            "telecom": [{"system": "phone", "value": "02-11111111"}],
        },
        {
            "resourceType": "Encounter",
            "id": "e",
            "status": "finished",
            "identifier": [
                {"system": f"{EMPD}/sid/nhi-card-visit-sequence", "value": "0007"},
                {"system": f"{EMPD}/sid/visit-identifier", "value": VISIT_ID},
            ],
            "class": {"system": f"{EMPD}/CodeSystem/CaseType-cs", "code": "01"},
            "serviceType": {"text": "家醫科"},
            "period": {"start": "2020-01-14"},
        },
        {
            "resourceType": "Condition",
            "id": "i",
            "code": {
                "coding": [{"system": "https://twcore.mohw.gov.tw/ig/twcore/CodeSystem/icd-10-cm-2023-tw", "code": "E11.9"}]
            },
        },
        {
            "resourceType": "Coverage",
            "id": "c",
            "extension": [
                {
                    "url": f"{EMPD}/StructureDefinition/Extension-PaymentCategory",
                    "valueCodeableConcept": {"coding": [{"system": f"{EMPD}/CodeSystem/PaymentCategory-cs", "code": "4"}]},
                }
            ],
            "type": {"coding": [{"system": f"{EMPD}/CodeSystem/nhi-identity-type", "code": "00"}]},
        },
        *(drug(code) for code in codes),
        *lines,
    ]
    for resource in resources:
        resource.update(changes.get(resource["resourceType"], {}))
    entries = [{"fullUrl": f"{EMPD}/{each['resourceType']}/{each['id']}", "resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "document", "identifier": {"value": "B-1"}, "entry": entries}


def categorised(code: str, pay: str = "N", **changes: Any) -> dict[str, Any]:
    return line(
        category=[
            {"coding": [{"system": f"{EMPD}/CodeSystem/TypeOfPrescription-cs", "code": code}]},
            {"coding": [{"system": f"{EMPD}/CodeSystem/SelfpayStatus-cs", "code": pay}]},
        ],
        **changes,
    )
