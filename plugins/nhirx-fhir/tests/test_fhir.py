"""Electronic prescriptions in, dispensing documents out. All people, places and numbers are invented."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from nhirx_fhir import Fhir
from nhirx_fhir.document import Document, NotABundle
from nhirx_fhir.read import Unreadable, read
from nhirx_fhir.write import Incomplete, dispensing_document

from nhirx import hookimpl
from nhirx.errors import PluginRefused
from nhirx.model import Prescription, UploadPlan, UploadRecord
from nhirx.plugin.manager import Plugins
from nhirx.roc import TAIPEI
from nhirx.settings import PluginSettings

VISIT_ID = "0USE4FA11RP4J370WR4K"  # of A123456789 (derived)
OWN_ID = "1USE4FA11RP4J370WR4L"
EMPD = "https://nhicore.nhi.gov.tw/empd"
SHOP = {
    "name": "安心藥局",
    "phone": "02-00000000",
    "address": "臺北市測試路 1 號",
    "pharmacist": "陳測試",
    "service_code": "TEST1",
}
NOW = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)
PLAN = UploadPlan(ok=True, action="upload", call="1.53", fields={}, from_card=(), why={})
RECORD = UploadRecord(fields={"M05": "5901234567", "M11": "1151120090013", "M13": "0008", "M15": OWN_ID})


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


def parsed(bundle: Any) -> Any:
    (found,) = read(Document.parse(json.dumps(bundle)))
    return found


@pytest.fixture
def counter(tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """``counter(bundle, supplement, **options)``: a host with the plugin, its folders, and the bundle in the inbox."""

    def build(bundle: Any = None, extra: Any = None, **options: Any) -> SimpleNamespace:
        folders = {name: tmp_path / name for name in ("in", "out")}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        if bundle is not None:
            (folders["in"] / "a.json").write_text(json.dumps(bundle), "utf-8")
        if extra is not None:
            (folders["in"] / "a.supplement.json").write_text(json.dumps({"RX-0001": extra}), "utf-8")
        table = {"inbox": str(folders["in"]), "outbox": str(folders["out"]), **SHOP, **options}
        host = Plugins(PluginSettings(options={"fhir": table}), discover=False)
        host.register(Fhir(lambda: NOW), "fhir")
        return SimpleNamespace(host=host, inbox=folders["in"], outbox=folders["out"])

    return build


def scan(visit_id: str | None = VISIT_ID) -> Any:
    return SimpleNamespace(visit_id=visit_id, codes=())


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_prescription_of_a_scanned_sheet(counter):
    """Everything the record needs, from the place in the guide where it stands."""
    found = counter(ep(line(), line(2, "BC22222100"))).host.find_prescription(scan())

    assert ("A123456789", "1961-12-31") == (found.patient.national_id, found.patient.birth_date.isoformat())
    assert (VISIT_ID, "0007", "3502060427") == (found.sheet.visit_id, found.sheet.visit_serial, found.sheet.institution)
    assert (("E119",), 28, "4", "RX-0001") == (found.diagnoses, found.days, found.payment_category, found.reference)
    assert [("AC12345100", "TID", 28, 84.0, "PO"), ("BC22222100", "TID", 28, 84.0, "PO")] == [
        (each.code, each.usage, each.days, each.total, each.route) for each in found.orders
    ]


def test_day_of_the_visit():
    """The guide has a day without a time: midnight stands for it, as in the upload format."""
    assert "2020-01-14T00:00:00+08:00" == parsed(ep()).prescription.sheet.visited_at.isoformat()


@pytest.mark.parametrize(
    ("identifiers", "visit_id", "serial"),
    [
        ([{"system": "https://www.nhi.gov.tw/ch/mp-1.html", "value": VISIT_ID}], VISIT_ID, None),
        ([{"value": VISIT_ID}, {"value": "0007"}], VISIT_ID, "0007"),
        ([{"value": "C000"}], None, "C000"),
        ([{"value": VISIT_ID}, {"value": OWN_ID}], None, None),
        ({"value": VISIT_ID}, VISIT_ID, None),
        ([{"value": "C000" + "0" * 16}], "C000" + "0" * 16, None),
        ([], None, None),
    ],
)
def test_visit_id_by_system_then_by_shape(identifiers, visit_id, serial):
    """Foreign systems, none at all, forgotten brackets; of two that fit nothing is chosen."""
    sheet = parsed(ep(Encounter={"identifier": identifiers})).prescription.sheet

    assert (visit_id, serial) == (sheet.visit_id, sheet.visit_serial)


@pytest.mark.parametrize("pay", ["Y", "00"])
def test_self_paid_lines_are_left_out(counter, pay):
    """Both spellings of the guide's versions; a person is told."""
    host = counter(ep(line(), categorised("A", pay, id="line-2"))).host
    found = host.find_prescription(scan())

    assert 1 == len(found.orders)
    assert {"fhir-self-paid": "info"} == {
        each.code: each.severity for each in host.check(PLAN, found) if each.code == "fhir-self-paid"
    }


def test_self_paid_prescription_has_nothing_to_upload(counter):
    host = counter(ep(categorised("A", "Y"))).host

    assert "block" in {
        each.severity for each in host.check(PLAN, host.find_prescription(scan())) if each.code == "fhir-self-paid"
    }


def test_cancelled_prescription_is_stopped(counter):
    host = counter(ep(line(status="cancelled"))).host

    assert ["fhir-cancelled"] == [
        each.code for each in host.check(PLAN, host.find_prescription(scan())) if each.severity == "block"
    ]


@pytest.mark.parametrize(
    ("start", "end", "warned"),
    [
        ("2026-11-18", "2026-11-20", False),
        ("2026-11-21", "2026-11-23", True),
        ("2026-11-16", "2026-11-19T23:59:59+08:00", True),
        ("", "soon", False),
    ],
)
def test_days_that_the_document_names(counter, start, end, warned):
    """A warning, not a stop: hospitals count the three days differently, and the rules decide."""
    request = line()
    request["dispenseRequest"] = request["dispenseRequest"] | {"validityPeriod": {"start": start, "end": end}}
    host = counter(ep(request)).host
    found = [each for each in host.check(PLAN, host.find_prescription(scan())) if each.code == "fhir-validity"]

    assert ["warn"] * warned == [each.severity for each in found]


@pytest.mark.parametrize(
    "days",
    [
        {"valuePositiveInt": 84},
        {"valueQuantity": {"value": 84, "unit": "d"}},
        {"valueQuantity": {"value": "84"}},
        {"valueInteger": 84},
    ],
)
def test_refill_as_the_counter_says_it(counter, days):
    """The number of the fill is the counter's to know; total days in any of the types that are met."""
    request = categorised("C", extension=[{"url": "x/Extension-TotalDuration", **days}])
    request["dispenseRequest"] = request["dispenseRequest"] | {"numberOfRepeatsAllowed": 3}
    found = counter(ep(request), {"fill": 2}).host.find_prescription(scan())

    assert {"number": 2, "of": 3, "days": 28, "total_days": 84, "controlled": False} == found.sheet.refill.model_dump()
    assert found.orders[0].long_term


def test_refill_without_its_number_is_asked_for(counter):
    """Never taken for the first one."""
    host = counter(ep(categorised("C"))).host
    found = host.find_prescription(scan())

    assert found.sheet.refill is None
    assert "block" in {each.severity for each in host.check(PLAN, found) if each.code == "fhir-refill-number"}


def test_two_prescriptions_of_one_visit_come_one_after_the_other(counter):
    """The controlled one has a number of its own and is offered when the first was dispensed."""
    second = categorised("D", id="line-2")
    second["identifier"] = [{"use": "usual", "value": "RX-0002"}]
    second["note"] = [{"text": "是"}]
    at = counter(ep(line(), second), {"copayment_code": "T1"}, write="dispensed")
    first = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, first, first.reference)
    after = at.host.find_prescription(scan())

    assert ("RX-0001", "RX-0002") == (first.reference, after.reference)
    assert "fhir-combined" in {each.code for each in at.host.check(PLAN, after)}


def test_older_guide():
    """Payment category in the coverage's type, material in the line itself, numbers in quotation marks."""
    material = line(
        category=[{"coding": [{"system": "x/OrderType-cs", "code": "3"}]}],
        medicationCodeableConcept={"coding": [{"system": f"{EMPD}/CodeSystem/NonNHIMaterial-cs", "code": "CBZ000000001"}]},
    )
    del material["medicationReference"]
    material["dispenseRequest"] = {"quantity": {"value": "2"}, "expectedSupplyDuration": "7"}
    payment = {"extension": [], "type": {"coding": [{"system": "y/PaymentCategory-cs", "code": "1"}]}}
    found = parsed(ep(material, Coverage=payment)).prescription

    assert ("1", 7) == (found.payment_category, found.days)
    assert [("material", "CBZ000000001", 2.0)] == [(each.kind, each.code, each.total) for each in found.orders]


@pytest.mark.parametrize(
    ("bundle", "where"),
    [
        (ep(Patient={"identifier": [{"value": "A123456780"}, {"value": "P9"}]}), "Patient.identifier"),
        (ep(Patient={"identifier": [{"value": "A123456789"}, {"value": "B200000004"}]}), "Patient.identifier"),
        (ep(Patient={"birthDate": "50/12/31"}), "Patient.birthDate"),
        (ep(Medication={"code": {"text": "Testamine"}}), "Medication.code"),
        (ep(Medication={"code": {"coding": [{"code": "AC12345100"}, {"code": "BC22222100"}]}}), "Medication.code"),
    ],
)
def test_what_cannot_be_told_is_named_not_guessed(bundle, where):
    with pytest.raises(Unreadable, match=where) as error:
        parsed(bundle)

    assert "A123456789" not in str(error.value)


HOSTILE = [
    "",
    "{",
    "[]",
    "null",
    "{}",
    '{"resourceType": "Bundle"}',
    '{"resourceType": "Bundle", "entry": {"resource": 7}}',
    '{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest"}}]}',
    '{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": ["x"]}}]}',
    "[" * 100_000,
    '{"resourceType": "Bundle", "a": "' + "\x00" * 50 + '"}',
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_not_mine(counter, text):
    """In a code and in a folder: nothing is raised, and the good document beside it is still found."""
    at = counter(ep())
    (at.inbox / "0-bad.json").write_text(text, "utf-8")

    assert at.host.parse_code(text, "qr") is None
    assert "RX-0001" == at.host.find_prescription(scan()).reference


def _paths(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(each for key, value in inner for each in _paths(value, (*path, key)))]


def test_any_member_may_be_of_any_kind(counter):
    """Each member of a document replaced by each kind of value: found, or refused with a name, and never an accident."""
    whole = ep()
    for path in _paths(whole)[1:]:
        for value in (None, [], {}, 7, "x", [[]], True):
            broken = copy.deepcopy(whole)
            at = broken
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = value
            try:
                read(Document.parse(json.dumps(broken)))
            except (NotABundle, Unreadable):
                continue


def test_a_bundle_as_text_of_a_code(counter):
    assert "RX-0001" == counter().host.parse_code("  " + json.dumps(ep()), "qr").reference


def test_other_sheets_are_not_mine(counter):
    host = counter(ep()).host

    assert host.find_prescription(scan(OWN_ID)) is None
    assert host.find_prescription(scan(None)) is None
    assert host.parse_code(VISIT_ID, "qr") is None


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_document_of_an_accepted_record(counter):
    """Complete, valid R4B, every reference inside, both visit IDs told apart; out only when the NHI has accepted."""
    at = counter(ep(line(), line(2, "BC22222100")), {"copayment_code": "T1", "batches": {"1": "LOT-7"}})
    found = at.host.find_prescription(scan())
    assert () == at.host.check(PLAN, found)
    at.host.dispensed(RECORD, found, found.reference)
    before = written(at.outbox)
    at.host.record_accepted(RECORD, SimpleNamespace(opcode="OP-1"), found.reference)
    (bundle,) = written(at.outbox)

    assert [] == before
    assert [] == written(at.outbox / "waiting")
    assert Bundle.model_validate(bundle).type == "document"
    kinds = ["Composition", "Patient", "Organization", "Practitioner", "Encounter", "Coverage", "Condition", "Medication"]
    kinds += ["MedicationRequest", "MedicationDispense", "ChargeItem", "Media"]
    assert [1, 1, 2, 2, 1, 1, 1, 2, 2, 2, 1, 0] == [len(resources(bundle, kind)) for kind in kinds]
    assert "Composition" == bundle["entry"][0]["resource"]["resourceType"]
    assert [("old", VISIT_ID), ("official", OWN_ID), ("secondary", "0008")] == [
        (each["use"], each["value"]) for each in resources(bundle, "Encounter")[0]["identifier"]
    ]
    handed = resources(bundle, "MedicationDispense")
    assert [["1", "LOT-7"], ["2"]] == [[each["value"] for each in one["identifier"]] for one in handed]
    assert [(84, 28, False, "無")] * 2 == [
        (one["quantity"]["value"], one["daysSupply"]["value"], one["substitution"]["wasSubstituted"], one["note"][0]["text"])
        for one in handed
    ]
    request = resources(bundle, "MedicationRequest")[0]
    assert {"value": 28.0, "unit": "d"} == request["extension"][0]["valueQuantity"]
    assert ["A", "N"] == [each["coding"][0]["code"] for each in request["category"]]  # no way of dispensing
    assert 58 == resources(bundle, "Patient")[0]["extension"][0]["valueAge"]["value"]


def test_document_at_once(counter):
    at = counter(ep(), {"copayment_code": "T1"}, write="dispensed")
    found = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, found, found.reference)

    assert 1 == len(written(at.outbox))


def test_written_twice_it_is_the_same(counter, tmp_path):
    found, shop, extra = parsed(ep()), SHOP, {"copayment_code": "T1"}
    from nhirx_fhir.counter import Extra, Shop

    made = [dispensing_document(found, found.prescription, RECORD, Shop(**shop), Extra(**extra), tmp_path) for _ in range(2)]

    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("bundle", "extra", "options", "word"),
    [
        (ep(), {}, {}, "copayment_code"),
        (ep(), {"copayment_code": "T1"}, {"phone": ""}, "option phone"),
        (ep(Encounter={"serviceType": None}), {"copayment_code": "T1"}, {}, "department"),
        (ep(Medication={"ingredient": []}), {"copayment_code": "T1"}, {}, "line 1: strength"),
        (ep(line(dosageInstruction=[])), {"copayment_code": "T1"}, {}, "line 1: dose"),
        (ep(categorised("D")), {"copayment_code": "T1"}, {}, "signature_file"),
        (ep(), {"copayment_code": "T1", "colour": "red"}, {}, "colour"),
    ],
)
def test_incomplete_document_is_not_written_and_says_so_before(counter, caplog, bundle, extra, options, word):
    """What is missing is named as a warning before dispensing, and again when the document is not written."""
    at = counter(bundle, extra, write="dispensed", **options)
    found = at.host.find_prescription(scan())
    (warned,) = [each for each in at.host.check(PLAN, found) if each.code == "fhir-document-incomplete"]
    with caplog.at_level(logging.ERROR):
        at.host.dispensed(RECORD, found, found.reference)

    assert ("warn", True) == (warned.severity, word in warned.en)
    assert [] == written(at.outbox)
    assert word in caplog.text
    assert "A123456789" not in caplog.text + warned.zh


def test_controlled_prescription_carries_who_collected(counter):
    """Name, relationship, telephone, and the picture of the signature."""
    recipient = {"name": "李測試", "relationship": "家屬", "phone": "0900000000"}
    at = counter(
        ep(categorised("D")),
        {"copayment_code": "T1", "recipient": recipient, "signature_file": "sign.png"},
        certificate="P-1",
        write="dispensed",
    )
    (at.inbox / "sign.png").write_bytes(b"\x89PNG")
    found = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, found, found.reference)
    (bundle,) = written(at.outbox)

    assert "李測試" == resources(bundle, "Patient")[0]["contact"][0]["name"]["text"]
    assert ["image/png"] == [each["content"]["contentType"] for each in resources(bundle, "Media")]


def test_signature_is_taken_from_beside_the_document_only(counter, tmp_path):
    """A path into the rest of the disk is cut to its name."""
    (tmp_path / "secret.png").write_bytes(b"\x89PNG")
    recipient = {"name": "李測試", "relationship": "家屬", "phone": "0900000000"}
    extra = {"copayment_code": "T1", "recipient": recipient, "signature_file": "../secret.png"}
    at = counter(ep(categorised("D")), extra, certificate="P-1", write="dispensed")
    found = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, found, found.reference)

    assert [] == written(at.outbox)


def test_substituted_line(counter):
    """The substitute is named with all a drug needs; the prescription's own line stays what it was."""
    other = {"code": "XC99999100", "name": "他廠錠", "generic": "Testamine", "form": "TAB", "strength": 250, "unit": "mg"}
    at = counter(ep(), {"copayment_code": "T1", "substitutes": {"1": other}}, write="dispensed")
    found = at.host.find_prescription(scan())
    order = found.orders[0].model_copy(update={"code": "XC99999100", "substituted": True})
    at.host.dispensed(RECORD, found.model_copy(update={"orders": (order,)}), found.reference)
    (bundle,) = written(at.outbox)

    assert [True] == [each["substitution"]["wasSubstituted"] for each in resources(bundle, "MedicationDispense")]
    assert "XC99999100" == resources(bundle, "Medication")[0]["code"]["coding"][0]["code"]


def test_line_that_was_not_dispensed_is_left_out(counter):
    at = counter(ep(line(), line(2, "BC22222100")), {"copayment_code": "T1"}, write="dispensed")
    found = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, found.model_copy(update={"orders": found.orders[1:]}), found.reference)

    assert [["2"]] == [
        [each["value"] for each in one["identifier"]] for one in resources(written(at.outbox)[0], "MedicationDispense")
    ]


def test_same_drug_on_two_lines_keeps_both():
    """One in the morning, another at night: each line has its own total."""
    from nhirx_fhir.counter import Extra
    from nhirx_fhir.lines import pair

    second = line(2)
    second["dispenseRequest"] = second["dispenseRequest"] | {"quantity": {"value": 7, "unit": "tablet"}}
    found = parsed(ep(line(), second))

    assert [84.0, 7.0] == [each.order.total for each in pair(found, found.prescription, Extra())]


def test_other_prescriptions_have_no_document(counter):
    """What came from elsewhere holds too little for one."""
    at = counter(ep(), {"copayment_code": "T1"}, write="dispensed")
    other = Prescription.model_validate({"patient": {"national_id": "A123456789", "birth_date": "0501231"}, "sheet": {}})
    at.host.dispensed(RECORD, other, "somebody else's")

    assert [] == written(at.outbox)


@pytest.mark.parametrize("options", [{"inbox": "nowhere"}, {"colour": "red"}, {"write": "never"}, {"name": 7}])
def test_wrong_options_refuse_the_plugin(options):
    host = Plugins(PluginSettings(options={"fhir": options}), discover=False)

    with pytest.raises(PluginRefused):
        host.register(Fhir(), "fhir")


def test_incomplete_names_both_languages():
    assert "甲 / a" == str(Incomplete([("甲", "a")]))


def test_check_command_says_what_was_understood(tmp_path, capsys):
    """One line a prescription; a file that is none gives exit code 1."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(ep(categorised("C"))), "utf-8")
    bad.write_text("{}", "utf-8")
    command = Fhir().nhirx_register_commands()["fhir-check"]

    assert (0, 1) == (command([good]), command([good, bad, tmp_path / "none.json"]))
    assert "good.json: RX-0001  C" in capsys.readouterr().out


def test_from_electronic_prescription_to_accepted_document(nhirx_counter, nhirx_sim, nhirx_people, tmp_path):
    """The whole way on the sandbox: found by the sheet, dispensed, uploaded, accepted, document out."""
    person = nhirx_people[0]
    visited = nhirx_sim.world.clock().replace(microsecond=0)
    visit_id, _ = nhirx_sim.world.visit_ids.make("card", "3502060427", person.national_id, visited)
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    patient = {"identifier": [{"value": person.national_id}], "birthDate": person.birth_date.isoformat()}
    ids = [{"system": f"{EMPD}/sid/visit-identifier", "value": visit_id}, {"value": "0007"}]
    encounter = {"identifier": ids, "period": {"start": visited.date().isoformat()}}
    (tmp_path / "in" / "a.json").write_text(json.dumps(ep(Patient=patient, Encounter=encounter)), "utf-8")
    (tmp_path / "in" / "a.supplement.json").write_text('{"RX-0001": {"copayment_code": "T1"}}', "utf-8")
    table = {"inbox": str(tmp_path / "in"), "outbox": str(tmp_path / "out"), **SHOP}

    class SetUp(Fhir):
        @hookimpl
        def nhirx_configure(self, options: Any) -> None:
            super().nhirx_configure(table)

    counter = nhirx_counter(SetUp())
    found = counter.host.find_prescription(scan(visit_id))
    done = counter.dispense(found.model_copy(update={"fee": 300}))
    states = counter.send()
    (bundle,) = written(tmp_path / "out")

    assert ["accepted"] == states
    assert [visit_id, done.record.visit_id] == [
        each["value"] for each in resources(bundle, "Encounter")[0]["identifier"] if each["use"] != "secondary"
    ]
