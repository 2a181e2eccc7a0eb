"""The simulator's own endpoints, as a vendor calls them with curl."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"state": "present"}, 0),
        ({"state": "absent"}, 1102),
        ({"state": "expired"}, 0),
        ({"state": "pin", "pin": "1234"}, 1511),
        ({"state": "present", "national_id": "A223456781"}, 0),
        ({"state": "present", "national_id": "N200000003", "name": "某某", "birth_date": "0600101", "sex": "F"}, 0),
    ],
)
def test_card_states(ready: Any, body: dict[str, Any], code: int) -> None:
    """Each state shows where the real one would: at signing, or at the data centre."""
    ready.post("/sim/card", **body)
    answer = ready.post("/api/hc/v1/Signature/Hc", serviceType="01")
    if answer["statusCode"] == 0:
        answer = ready.post("/api/v1/BasicData/Query", **answer)
    assert answer["statusCode"] == code
    if code == 0 and "national_id" in body:
        assert answer["idCardNum"] == body["national_id"]


def test_another_person(ready: Any) -> None:
    """The card of somebody else, who really has another number."""
    ready.post("/sim/card", state="wrong-person")
    assert ready.post("/api/v1/BasicData/Query", **ready.signed("01"))["idCardNum"] == "A223456781"


def test_a_new_person_has_a_card_of_their_own(ready: Any) -> None:
    """Two people never share a card number."""
    first = ready.get("/sim/card")["card"]["card_number"]
    second = ready.post("/sim/card", state="present", national_id="N200000003", birth_date="0600101")["card"]["card_number"]
    assert first != second


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sim/card", {"state": "lost"}),
        ("/sim/card", {"national_id": "x"}),
        ("/sim/card", {"birth_date": "0501332"}),
        ("/sim/fail", {"kind": "hang", "times": 0}),
        ("/sim/settings", {"colour": "red"}),
        ("/sim/settings", {"list_accepted": 1}),
        ("/sim/clock", {"set": "yesterday"}),
    ],
)
def test_wrong_calls_say_what_is_wrong(ready: Any, path: str, body: dict[str, Any]) -> None:
    """An error object in both languages."""
    error = ready.post(path, **body)["error"]
    assert error["code"] == "invalid-value"
    assert error["zh"]
    assert error["en"]


def test_clock(ready: Any) -> None:
    """Set, stopped, moved on, and back to real time."""
    assert ready.post("/sim/clock", stop="1150301120000")["clock"] == "2026-03-01T12:00:00+08:00"
    assert ready.post("/sim/clock", advance=61)["clock"] == "2026-03-01T12:01:01+08:00"
    assert ready.number()["treatmentDateTime"] == "1150301120101"
    assert ready.post("/sim/clock", set="2026-03-02T08:00:00+08:00")["clock"].startswith("2026-03-02T08:00:0")
    assert not ready.post("/sim/clock", reset=True)["clock"].startswith("2026-03-0")


def test_settings(ready: Any) -> None:
    """What can be turned is in the state and turns."""
    assert ready.post("/sim/settings", result_polls=3, list_accepted=False)["settings"]["result_polls"] == 3
    assert ready.get("/sim/state")["settings"]["list_accepted"] is False


def test_people(ready: Any) -> None:
    """The default card is 王小明's; all of them are invented and valid."""
    from nhirx.identifiers import NationalId

    people = ready.get("/sim/people")["people"]
    assert (people[0]["name"], people[0]["national_id"], people[0]["card_number"]) == ("王小明", "A123456789", "000012345678")
    assert [person["name"] for person in people if not NationalId.is_valid(person["national_id"])] == []
    assert len({person["card_number"] for person in people}) == len(people)


def test_token(ready: Any) -> None:
    """A token for anybody on the list."""
    token = ready.post("/sim/token", national_id="A223456781")["token"]
    assert ready.post("/api/hc/v1/VirtualHc/ReadBasic", token=token)["idNo"] == "A223456781"


def test_professional_card(ready: Any) -> None:
    """Taken out, it cannot be verified."""
    ready.post("/sim/hpc", state="absent")
    assert ready.get("/api/common/v1/Status")["status"]["hpc"] == {"status": 0}
    assert ready.post("/api/hpc/v1/Verification/Hpc", pin="000000")["statusCode"] == 1402
    ready.post("/sim/hpc", state="verified")
    assert ready.post("/api/hpc/v1/Signature", serviceType="01")["statusCode"] == 0


def test_judging_without_sending(ready: Any, records: Any) -> None:
    """A vendor can try a file; nothing is kept of it."""
    answer = ready.post("/sim/check", xml=records.xml(records.normal(M13="A010")))
    assert answer["records"][0]["state"] == "rejected"
    assert answer["records"][0]["errors"][0] == {"field": "M13", "order": None, "code": "AD14", "effect": "reject"}
    assert ready.get("/sim/ledger")["summary"]["uploads"] == 0


def test_ledger(ready: Any, records: Any) -> None:
    """Issued and accepted, by visit ID."""
    record = records.normal()
    ready.upload(records.xml(record))
    ledger = ready.get("/sim/ledger")
    assert ledger["summary"] == {"issued": 1, "accepted": 1, "deleted": 0, "uploads": 1}
    assert (list(ledger["issued"]), list(ledger["records"])) == ([record["M15"]], [record["M15"]])
