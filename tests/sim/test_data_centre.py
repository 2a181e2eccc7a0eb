"""The data centre: one signature per call, made for that call, and what a card may do."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from nhirx.identifiers import VisitId
from nhirx.roc import format_datetime


def test_basic_data(ready: Any) -> None:
    """The holder of the card that signed."""
    answer = ready.post("/api/v1/BasicData/Query", **ready.signed("01"))
    assert answer["statusCode"] == 0
    assert [answer[name] for name in ("cardSn", "name", "idCardNum", "birthday", "sex")] == [
        "000012345678",
        "王小明",
        "A123456789",
        "0501231",
        "M",
    ]


def test_a_signature_works_once(ready: Any) -> None:
    """The second use has a code of its own."""
    signed = ready.signed("01")
    assert [ready.post("/api/v1/BasicData/Query", **signed)["statusCode"] for _ in range(2)] == [0, 3245]


@pytest.mark.parametrize(
    ("path", "service", "kind"),
    [
        ("/api/v1/BasicData/Query", "02", "hc"),
        ("/api/v1/BasicData/Query", "01", "sam"),
        ("/api/v1/SequelNumber/Next", "01", "hc"),
        ("/api/v1/TreatmentNumber/NoCard", "03", "hc"),
        ("/api/v1/Prescription/Write", "03", "hc"),
        ("/api/v1/HcContent/Update", "01", "hc"),
        ("/api/v1/Prescription/Query", "01", "hc"),
    ],
)
def test_a_signature_for_something_else(ready: Any, path: str, service: str, kind: str) -> None:
    """The wrong service, or the wrong parties, is a wrong signature."""
    assert ready.post(path, patientId="A123456789", treatmentItem="AF", **ready.signed(service, kind))["statusCode"] == 3100


@pytest.mark.parametrize("member", ["clientRandom", "signature", "hospitalId", "samId", "hcId", "hcIdNo"])
def test_a_changed_member(ready: Any, member: str) -> None:
    """Everything that was signed is covered by the signature."""
    signed = ready.signed("01")
    signed[member] = "0" * len(signed[member])
    assert ready.post("/api/v1/BasicData/Query", **signed)["statusCode"] == 3100


def test_an_old_signature(ready: Any) -> None:
    """It holds for an hour."""
    signed = ready.signed("01")
    ready.post("/sim/clock", advance=3601)
    assert ready.post("/api/v1/BasicData/Query", **signed)["statusCode"] == 3100


def test_a_visit_number_for_dispensing(ready: Any) -> None:
    """No number of the year, and an ID that holds person and second."""
    answer = ready.number()
    seen = VisitId.parse(answer["treatmentNumber"])
    assert (answer["statusCode"], answer["sequenceNumber"], answer["hospitalId"]) == (0, None, "5901234567")
    assert (seen.holder_id, format_datetime(seen.issued_at)) == ("A123456789", answer["treatmentDateTime"])
    assert (len(answer["signature"]), answer["samId"], answer["isSameDay"]) == (256, "SAM000000001", False)


def test_a_second_visit_on_the_same_day(ready: Any) -> None:
    """It is marked, and its ID is another one even within one second."""
    first, second = ready.number(), ready.number()
    assert second["isSameDay"] is True
    assert first["treatmentNumber"] != second["treatmentNumber"]


def test_a_category_that_counts(ready: Any) -> None:
    """Clinics use the same sandbox: an ordinary visit has a number and needs visits left on the card."""
    assert ready.number("01")["sequenceNumber"].isdecimal()
    ready.sim.insert_card(visits_left=0)
    assert ready.number("01")["statusCode"] == 3213
    assert ready.number("AF")["statusCode"] == 0


def test_an_expired_card(ready: Any) -> None:
    """It can be read, but gets no number until its contents are updated."""
    ready.sim.insert_card(expired=True)
    assert ready.post("/api/v1/BasicData/Query", **ready.signed("01"))["statusCode"] == 0
    assert ready.number()["statusCode"] == 3201
    assert ready.post("/api/v1/HcContent/Update", **ready.signed("04"))["statusCode"] == 0
    assert ready.number()["statusCode"] == 0


def test_an_id_without_card(ready: Any) -> None:
    """The patient's number goes in, an ID of the other service comes out."""
    ready.sim.remove_card()
    answer = ready.no_card_id("A223456781")
    seen = VisitId.parse(answer["treatmentNumber"])
    assert (answer["statusCode"], answer["hospitalId"], seen.holder_id) == (0, "5901234567", "A223456781")
    assert ready.sim.world.visit_ids.read(answer["treatmentNumber"]).service == "no-card"


def test_an_id_for_nobody(ready: Any) -> None:
    """A patient number of the wrong shape is a wrong parameter, and nothing is issued."""
    assert ready.no_card_id("王小明")["statusCode"] == 1704
    assert ready.sim.ledger.issued() == {}


def test_order_signatures(ready: Any) -> None:
    """One per line, as base64 of 20 bytes and as the same bytes in hex."""
    visited_at = ready.number()["treatmentDateTime"]
    line = {"treatmentItem": "1", "treatmentItemCode": "AC12345100", "usage": "QD", "days": 3, "totalQuantity": "3.00"}
    answer = ready.write(visited_at, line, line | {"treatmentItemCode": "AC54321100"})
    assert answer["statusCode"] == 0
    assert [base64.b64decode(one).hex().upper() for one in answer["signatureItems"]] == answer["hexSignatureItems"]
    assert [len(one) for one in answer["hexSignatureItems"]] == [40, 40]
    assert len(set(answer["hexSignatureItems"])) == 2


def test_writing_to_a_visit_that_is_not_there(ready: Any) -> None:
    """Orders belong to a visit number; no lines and broken lines are wrong parameters."""
    assert ready.write("1150101000000", {"treatmentItemCode": "X"})["statusCode"] == 3208
    visited_at = ready.number()["treatmentDateTime"]
    assert ready.write(visited_at)["statusCode"] == 1704


def test_asking_for_the_id_again(ready: Any) -> None:
    """By card and time, for a number whose ID got lost on the way."""
    number = ready.number()
    again = ready.post("/api/v1/TreatmentNumber/Card", treatmentDateTime=number["treatmentDateTime"], **ready.signed("03"))
    assert again == {"statusCode": 0, "treatmentNumber": number["treatmentNumber"]}
    missing = ready.post("/api/v1/TreatmentNumber/Card", treatmentDateTime="1150101000000", **ready.signed("03"))
    assert missing["statusCode"] == 3208


def test_giving_a_number_back(ready: Any) -> None:
    """Only numbered categories can be, and only once."""

    def roll_back(number: dict[str, Any]) -> int:
        body = {"treatmentDateTime": number["treatmentDateTime"]} | ready.signed("03")
        code: int = ready.post("/api/v1/SequelNumber/Rollback", **body)["statusCode"]
        return code

    # Each has a second of its own, because a number is named by its card and second.
    dispensing = ready.number("AF")
    ready.post("/sim/clock", advance=5)
    clinic = ready.number("01")
    assert [roll_back(dispensing), roll_back(clinic), roll_back(clinic)] == [3219, 0, 3220]
    assert ready.sim.ledger.issued()[clinic["treatmentNumber"]]["rolled_back"] is True


def test_tele_medicine(ready: Any) -> None:
    """A request token becomes a virtual card's token, once."""
    access = ready.post("/api/v1/TeleMedicine/RequestToken", patientId="A123456789", **ready.signed("01", "sam"))["accessToken"]
    answer = ready.post("/api/v1/TeleMedicine/ResponseToken", accessToken=access, **ready.signed("01", "sam"))
    assert ready.post("/api/hc/v1/Verification/VirtualHc", token=answer["virtualCardToken"])["statusCode"] == 0


@pytest.mark.parametrize(
    ("path", "service", "kind", "member"),
    [
        ("/api/v1/BasicData/Register", "01", "hc", "cardValidity"),
        ("/api/v1/BasicData/Register2", "01", "hc", "treatmentCounter"),
        ("/api/v1/EmergentTel/Query", "01", "hc", "tel"),
        ("/api/v1/Treatment/NoNeedHPC", "01", "hc", "treatments"),
        ("/api/v1/Treatment/NeedHPC", "01", "hpchc", "criticalIllnesses"),
        ("/api/v1/CriticalIllness/Query", "01", "hpchc", "criticalIllnesses"),
        ("/api/v1/Prescription/Query", "01", "hpchc", "outpatientPrescriptions"),
    ],
)
def test_the_other_readings(ready: Any, path: str, service: str, kind: str, member: str) -> None:
    """They answer with their member, so that a client for clinics runs too."""
    answer = ready.post(path, format="0", **ready.signed(service, kind))
    assert answer["statusCode"] == 0
    assert member in answer
