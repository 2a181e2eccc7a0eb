"""Electronic prescriptions in: what is read, what is left out, what is not ours. All people, places and numbers are invented."""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace
from typing import Any

import pytest
from nhirx_fhir.document import Document, NotABundle
from nhirx_fhir.invented import EMPD, VISIT_ID, categorised, ep, line
from nhirx_fhir.read import Unreadable, read

from nhirx.model import UploadPlan, UploadRecord

OWN_ID = "1USE4FA11RP4J370WR4L"
PLAN = UploadPlan(ok=True, action="upload", call="1.53", fields={}, from_card=(), why={})
RECORD = UploadRecord(fields={"M05": "5901234567", "M11": "1151120090013", "M13": "0008", "M15": OWN_ID})


def parsed(bundle: Any) -> Any:
    (found,) = read(Document.parse(json.dumps(bundle)))
    return found


def scan(visit_id: str | None = VISIT_ID) -> Any:
    return SimpleNamespace(visit_id=visit_id, codes=())


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
