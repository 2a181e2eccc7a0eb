"""The card's answer and the lines become one record; and what goes on the card."""

from __future__ import annotations

import pytest

from nhirx.errors import FactsInvalid, PlanBlocked, SettingMissing
from nhirx.model import CardReading, Order, Prescription
from nhirx.resolver import card_orders, fill, order_findings
from nhirx.roc import parse_datetime
from nhirx.settings import RecordSettings, Settings

SETTINGS = Settings(record=RecordSettings(medical_category="99"))
ID = "prescription.visit_id"
REFILL = {"number": 2, "of": 3, "days": 28, "total_days": 84}


@pytest.fixture
def reading(make_id):
    """A visit number as the control software gave it."""
    return CardReading(
        made_by="card",
        visited_at=parse_datetime("1151120090105"),
        institution="5901234567",
        visit_id=make_id(second=28_000_000),
        sam_id="SAM000000001",
        card_number="000000000001",
        security_signature="S" * 256,
    )


@pytest.fixture
def no_card(make_id):
    return CardReading(
        made_by="no-card",
        visited_at=parse_datetime("1151120100000"),
        institution="5901234567",
        visit_id=make_id(second=28_003_000),
    )


def prescription(facts, *orders: Order, **more):
    return Prescription(patient=facts.patient, sheet=facts.prescription, diagnoses=("I10", "E119"), orders=orders, **more)


DRUG = Order(code="AC12345100", usage="BID", days=28, total=56, route="PO")
FEE = Order(kind="service-fee", code="05202B", total=1)


def test_a_record_of_a_refill(facts, planned, reading, visit_id):
    """M11 and M15 from the read, D01 = M11, D03 counted, D10 padded, D11 for what went on the card, nothing empty."""
    changes = {ID: visit_id, "dispensed_at": "1151220090013", "prescription.refill": REFILL}
    sheet = prescription(facts(changes), DRUG, FEE, fee=600, copayment=20, payment_category="4")
    record = fill(planned(changes), reading, sheet, ["d" * 40], SETTINGS)
    wanted = {
        "H00": "1", "H01": "A", "M01": "SAM000000001", "M02": "000000000001", "M03": "A123456789", "M04": "0501231",
        "M05": "5901234567", "M06": "B200000002", "M07": "AF", "M11": "1151120090105", "M12": "1", "M14": "S" * 256,
        "M15": reading.visit_id, "M16": visit_id, "M17": "3502060427", "M18": "0007", "M19": "1151118093000", "M20": "28",
        "M21": "84", "M23": "0", "M26": "3", "M33": "2", "M35": "I10", "M36": "E119", "M44": "600", "M45": "20", "M51": "4",
        "M56": "99",
    }  # fmt: skip
    assert wanted == record.fields
    assert list(wanted) == list(record.fields)
    drug = {
        "D01": "1151120090105", "D02": "1", "D03": "001", "D04": "C", "D05": "A", "D06": "AC12345100", "D08": "BID", "D09": "28",
        "D10": "00056.0", "D11": "d" * 40, "D14": "PO",
    }  # fmt: skip
    fee = {"D01": "1151120090105", "D02": "9", "D03": "002", "D06": "05202B", "D10": "00001.0"}
    assert (drug, fee) == record.orders


def test_an_abnormal_record_has_no_card_fields(facts, planned, no_card, visit_id):
    """M11 stays the real time, M15 comes from 1.54, no signature anywhere."""
    changes = {ID: visit_id, "card.abnormal_serial": "A010", "card.state": "failed"}
    record = fill(planned(changes), no_card, prescription(facts(changes), DRUG), ["d" * 40], SETTINGS)
    assert ("B", "A010", "1151120090013", no_card.visit_id) == tuple(record.fields[name] for name in ("H01", "M13", "M11", "M15"))
    assert {"M01", "M02", "M14"} & set(record.fields) == set()
    assert ("1151120090013", None) == (record.orders[0]["D01"], record.orders[0].get("D11"))


@pytest.mark.parametrize(
    ("order", "refill", "expected"),
    [
        ({}, None, ("A", "M24", "1", "02")),
        ({"long_term": True}, None, ("B", "M25", "2", "06")),
        ({}, REFILL, ("C", "M26", "2", "06")),
        ({"long_term": True}, REFILL, ("C", "M26", "2", "06")),
        ({}, REFILL | {"controlled": True}, ("F", "M29", "2", "06")),
    ],
)
def test_kind_of_prescription_count_and_card_codes(facts, planned, reading, visit_id, order, refill, expected):
    """Tables 1 and 2 of the newer document: D04, its count, the card's class and delivery mark."""
    kind, count, order_class, mark = expected
    changes = {ID: visit_id, "dispensed_at": "1151220090013", "prescription.refill": refill}
    sheet = prescription(facts(changes), DRUG.model_copy(update=order))
    record = fill(planned(changes), reading, sheet, ["d" * 40], SETTINGS)
    assert (kind, "A", True) == (record.orders[0]["D04"], record.orders[0]["D05"], record.fields[count] > "0")
    line = card_orders(sheet, facts(changes))[0]
    assert (order_class, mark, "AC12345100", "BID", 28, 56, "PO") == (
        line.order_class, line.delivery_mark, line.code, line.usage, line.days, line.total, line.position,
    )  # fmt: skip


def test_what_goes_on_the_card(facts):
    """Material and virtual orders do, the service fee does not."""
    lines = (DRUG, FEE, Order(kind="material", code="WDD00000000A", total=2), Order(kind="virtual", code="R001"))
    written = card_orders(prescription(facts(), *lines), facts())
    assert [("1", "02"), ("4", "04"), ("G", "")] == [(line.order_class, line.delivery_mark) for line in written]


def test_signatures_go_to_the_lines_that_were_written(facts, planned, reading, visit_id):
    """The fee between two drugs takes none."""
    other = DRUG.model_copy(update={"code": "BC12345100"})
    record = fill(
        planned({ID: visit_id}), reading, prescription(facts({ID: visit_id}), DRUG, FEE, other), ["a" * 40, "b" * 40], SETTINGS
    )
    assert ["a" * 40, None, "b" * 40] == [order.get("D11") for order in record.orders]


def test_other_lines(facts, planned, reading, visit_id):
    """Material is 3 in 2.0; a virtual order has amount 0 and no mode; a substituted drug says Y."""
    lines = (
        Order(kind="material", code="WDD00000000A", total=2),
        Order(kind="virtual", code="R001"),
        DRUG.model_copy(update={"substituted": True}),
    )
    record = fill(planned({ID: visit_id}), reading, prescription(facts({ID: visit_id}), *lines), [], SETTINGS)
    assert [("3", None, None), ("G", None, None), ("1", "A", "Y")] == [
        (order["D02"], order.get("D05"), order.get("D15")) for order in record.orders
    ]
    assert "00000.0" == record.orders[1]["D10"]


def test_the_category_is_asked_for(facts, planned, reading, visit_id):
    """M56 has no published value: unset is an error that names the setting."""
    with pytest.raises(SettingMissing) as caught:
        fill(planned({ID: visit_id}), reading, prescription(facts({ID: visit_id}), DRUG), [], Settings())
    assert "record.medical_category" == caught.value.detail["setting"]


@pytest.mark.parametrize("changes", [{"card.state": "absent"}, {"prescription.institution": None}])
def test_a_plan_that_must_not_go_out_is_not_filled(facts, planned, reading, visit_id, changes):
    """Held, or blocked by a finding."""
    plan = planned({ID: visit_id} | changes)
    with pytest.raises(PlanBlocked):
        fill(plan, reading, prescription(facts({ID: visit_id}), DRUG), [], SETTINGS)


def test_a_plan_that_calls_needs_a_reading(facts, planned, visit_id):
    """Nothing is filled with blanks."""
    with pytest.raises(FactsInvalid):
        fill(planned({ID: visit_id}), None, prescription(facts({ID: visit_id}), DRUG), [], SETTINGS)


def test_no_status_needs_no_reading(facts, planned, visit_id):
    """Twenty Fs and no call."""
    changes = {ID: visit_id, "patient.no_nhi_status": "IC09", "card.state": "absent"}
    record = fill(planned(changes), None, prescription(facts(changes), DRUG), [], SETTINGS)
    assert ("B", "IC09", "F" * 20) == tuple(record.fields[name] for name in ("H01", "M13", "M15"))


@pytest.mark.parametrize(
    ("order", "changes", "expected"),
    [
        (Order(code="XCOVID0001", usage="BID", days=5, total=30), {}, []),
        (Order(code="XCOVID0001", usage="TID", days=5, total=30), {}, ["antiviral-usage"]),
        (Order(code="XCOVID0001", usage="BID", days=7, total=30), {}, ["antiviral-days"]),
        (Order(code="XCOVID0002", usage="BID", days=5, total=40), {}, ["antiviral-not-released"]),
        (Order(code="XCOVID0001", usage="Q12H", days=5, total=30), {"card.abnormal_serial": "Z000"}, ["antiviral-serial"]),
        (Order(code="XCOVID0001", usage="Q12H", days=5, total=30), {"card.abnormal_serial": "A010"}, []),
        (Order(kind="virtual", code="R001"), {}, []),
        (Order(kind="virtual", code="R099"), {}, ["virtual-order-unknown"]),
    ],
)
def test_lines_with_rules_of_their_own(facts, planned, visit_id, order, changes, expected):
    """P27 and P28: virtual orders, and the antivirals of table 3."""
    changes = {ID: visit_id} | changes
    found = order_findings(planned(changes), prescription(facts(changes), order))
    assert expected == [finding.code for finding in found]
