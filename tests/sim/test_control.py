"""The local half of control software 6.0: its states and what it refuses in each."""

from __future__ import annotations

from typing import Any

import pytest

_SIGNATURES = {
    "sam": "/api/sam/v1/Signature",
    "hc": "/api/hc/v1/Signature/Hc",
    "hpchc": "/api/hc/v1/Signature/HpcHc",
    "hpc": "/api/hpc/v1/Signature",
}


def test_status_follows_the_start(client: Any) -> None:
    """Each step of starting shows in the status."""
    assert client.get("/api/common/v1/Status")["status"] == {
        "initialized": False,
        "sam": {"status": 0},
        "hpc": {"status": 1},
        "hc": {"status": 1},
    }
    client.start()
    assert client.get("/api/common/v1/Status")["status"] == {
        "initialized": True,
        "sam": {"status": 2},
        "hpc": {"status": 3},
        "hc": {"status": 1},
    }
    client.sim.remove_card()
    assert client.get("/api/common/v1/Status")["status"]["hc"] == {"status": 0}


def test_starting_twice_and_stopping_twice(client: Any) -> None:
    """Both have codes of their own, which a client counts as done."""
    assert [client.post("/api/common/v1/Initial")["statusCode"] for _ in range(2)] == [0, 1001]
    assert [client.post("/api/common/v1/Finalize")["statusCode"] for _ in range(2)] == [0, 1000]


@pytest.mark.parametrize("name", ["SAM000000001", "COM3", ""])
def test_names_that_initial_takes(client: Any, name: str) -> None:
    """A SAM, a serial port, or nothing."""
    assert client.post("/api/common/v1/Initial", name=name)["statusCode"] == 0


def test_a_sam_that_is_not_here(client: Any) -> None:
    """Another SAM's name is a wrong parameter."""
    assert client.post("/api/common/v1/Initial", name="SAM000000002")["statusCode"] == 1704


@pytest.mark.parametrize("kind", sorted(_SIGNATURES))
def test_nothing_is_signed_before_the_start(client: Any, kind: str) -> None:
    """Not initialised, then SAM not verified."""
    assert client.post(_SIGNATURES[kind], serviceType="01")["statusCode"] == 1000
    client.post("/api/common/v1/Initial")
    assert client.post(_SIGNATURES[kind], serviceType="01")["statusCode"] == 1300


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("sam", {"hospitalId": "5901234567", "samId": "SAM000000001"}),
        ("hc", {"hospitalId": "5901234567", "samId": "SAM000000001", "hcId": "000012345678", "hcIdNo": "A123456789"}),
        ("hpc", {"hospitalId": "5901234567", "samId": "SAM000000001", "hpcId": "HPC000000001", "hpcIdNo": "B200000002"}),
    ],
)
def test_a_signature_names_who_signed(ready: Any, kind: str, members: dict[str, str]) -> None:
    """Each kind carries its parties, a random value and the signature."""
    answer = ready.signed("01", kind)
    assert {name: answer[name] for name in members} == members
    assert set(answer) == {*members, "clientRandom", "signature"}


def test_every_signature_is_new(ready: Any) -> None:
    """Two requests never share their random value."""
    assert len({ready.signed("01")["clientRandom"] for _ in range(5)}) == 5


def test_an_unknown_service(ready: Any) -> None:
    """A service type that does not exist is refused before anything is signed."""
    assert ready.post(_SIGNATURES["hc"], serviceType="99")["statusCode"] == 1704


def test_no_card_no_signature(ready: Any) -> None:
    """The SAM alone can still sign."""
    ready.sim.remove_card()
    assert ready.post(_SIGNATURES["hc"], serviceType="01")["statusCode"] == 1102
    assert ready.post(_SIGNATURES["sam"], serviceType="01")["statusCode"] == 0


def test_the_professional_card_needs_its_pin(client: Any) -> None:
    """Signatures with it are refused until the PIN was right."""
    client.post("/api/common/v1/Initial")
    client.post("/api/sam/v1/Verification")
    assert client.post(_SIGNATURES["hpchc"], serviceType="01")["statusCode"] == 1402
    assert client.post("/api/hpc/v1/Verification/Hpc", pin="999999")["statusCode"] == 1402
    assert client.post("/api/hpc/v1/Verification/Hpc", pin="000000")["statusCode"] == 0
    assert client.post(_SIGNATURES["hpchc"], serviceType="01")["statusCode"] == 0


def test_a_card_with_a_pin(ready: Any) -> None:
    """It signs after its PIN and forgets it at log-out."""
    ready.sim.insert_card(pin="135790")
    assert ready.post(_SIGNATURES["hc"], serviceType="01")["statusCode"] == 1511
    assert ready.post("/api/hc/v1/Pin", pin="000000")["statusCode"] == 1514
    assert ready.post("/api/hc/v1/Pin", pin="135790")["statusCode"] == 0
    assert ready.post(_SIGNATURES["hc"], serviceType="01")["statusCode"] == 0
    ready.http.request("DELETE", "/api/hc/v1/Logout", {})
    assert ready.post(_SIGNATURES["hc"], serviceType="01")["statusCode"] == 1511


def test_setting_and_disabling_a_pin(ready: Any) -> None:
    """A PIN can be put on a card and taken off again."""
    assert ready.post("/api/hc/v1/Pin", pin="1")["statusCode"] == 1510
    assert ready.http.request("PUT", "/api/hc/v1/Pin", {"newPin": "2468"})["statusCode"] == 0
    assert ready.http.request("DELETE", "/api/hc/v1/Pin", {})["statusCode"] == 0
    assert ready.post(_SIGNATURES["hc"], serviceType="01")["statusCode"] == 0


def test_a_virtual_card(ready: Any) -> None:
    """Read without spending the token, use it once, and it is gone after log-out."""
    ready.sim.remove_card()
    token = ready.sim.virtual_card_token()
    read = ready.post("/api/hc/v1/VirtualHc/ReadBasic", token=token)
    assert (read["statusCode"], read["idNo"], read["birthday"], read["sex"]) == (0, "A123456789", "0501231", "M")
    assert ready.post("/api/hc/v1/Verification/VirtualHc", token=token)["statusCode"] == 0
    assert ready.number()["statusCode"] == 0
    assert ready.post("/api/hc/v1/Verification/VirtualHc", token=token)["statusCode"] == 1525
    ready.http.request("DELETE", "/api/hc/v1/Logout", {})
    assert ready.post(_SIGNATURES["hc"], serviceType="01")["statusCode"] == 1102


def test_a_token_holds_five_minutes(ready: Any) -> None:
    """After that it has timed out; a text that was never a token is malformed."""
    token = ready.sim.virtual_card_token()
    ready.post("/sim/clock", advance=301)
    assert ready.post("/api/hc/v1/Verification/VirtualHc", token=token)["statusCode"] == 1521
    assert ready.post("/api/hc/v1/Verification/VirtualHc", token="made up")["statusCode"] == 1520
