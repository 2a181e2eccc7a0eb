"""Failures on command, seen by a real client: what it gets, and whether the work was done all the same."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import Any

import pytest

from nhirx.errors import AnswerMalformed, NhirxError, ServiceTimeout, ServiceUnreachable, TlsRefused
from nhirx.sim.faults import KINDS

_NEXT = "/api/v1/SequelNumber/Next"


@pytest.mark.parametrize(
    ("kind", "error", "issued"),
    [
        ("refuse", (AnswerMalformed, ServiceUnreachable), 0),
        ("hang", ServiceTimeout, 0),
        ("reset", (AnswerMalformed, ServiceUnreachable), 0),
        ("html", AnswerMalformed, 0),
        ("half-json", AnswerMalformed, 1),
        ("accept-then-hang", ServiceTimeout, 1),
        ("accept-then-reset", (AnswerMalformed, ServiceUnreachable), 1),
        ("lie-length", AnswerMalformed, 1),
    ],
)
def test_what_the_client_sees(ready: Any, kind: str, error: Any, issued: int) -> None:
    """The exception, and what the ledger says of the number."""
    body = {"treatmentItem": "AF", "babyTreatment": " ", "afterCheck": "1"} | ready.signed("03")
    ready.sim.fail(_NEXT, kind=kind)
    with pytest.raises(error) as caught:
        ready.http.post(_NEXT, body, timeout=0.5 if "hang" in kind else 10.0)
    # A connection stood, so the client may not claim that nothing arrived.
    assert caught.value.detail.get("reached", True) is True
    assert len(ready.sim.ledger.issued()) == issued
    assert ready.number()["statusCode"] == 0


def test_http_500(ready: Any) -> None:
    """A JSON error with status 500 carries no code of success."""
    ready.sim.fail("/api/common/v1/Status", "http500")
    assert ready.get("/api/common/v1/Status") == {"error": "Internal Server Error"}


def test_a_code_of_ones_choice(ready: Any) -> None:
    """For both families of services."""
    ready.sim.fail(_NEXT, "status-code", code=5010)
    assert ready.number() == {"statusCode": 5010}
    ready.sim.fail("/V2000/*", "status-code", code="8205")
    assert ready.upload("<RECS/>") == {"RtnCode": "8205"}


def test_slow(ready: Any) -> None:
    """The right answer, late."""
    ready.sim.fail("/api/common/v1/Status", "slow", seconds=0.3)
    started = time.monotonic()
    assert ready.get("/api/common/v1/Status")["statusCode"] == 0
    assert time.monotonic() - started >= 0.3


def test_answer_twice(ready: Any) -> None:
    """The second copy does not become the answer to the next question, however fast that comes."""
    ready.sim.fail(_NEXT, "answer-twice", times=20)
    for _ in range(20):
        assert "treatmentNumber" in ready.number()
        assert "status" in ready.get("/api/common/v1/Status")


def test_codes_as_text_and_missing_members(ready: Any) -> None:
    """Both were seen from real services."""
    ready.sim.fail("/api/common/v1/Status", "string-code")
    assert ready.get("/api/common/v1/Status")["statusCode"] == "0"
    ready.sim.fail(_NEXT, "missing-keys")
    assert "treatmentNumber" not in ready.number()


def test_times_and_after(ready: Any) -> None:
    """So many go well, so many fail, then all go well."""
    ready.sim.fail("/api/common/*", "http500", times=2, after=1)
    seen = ["error" in ready.get("/api/common/v1/Status") for _ in range(5)]
    assert seen == [False, True, True, False, False]


def test_over_http(ready: Any) -> None:
    """The same from any language, and taken back."""
    assert ready.post("/sim/fail", path="*", kind="http500", times=9)["faults"][0]["times"] == 9
    assert "error" in ready.get("/api/common/v1/Status")
    assert ready.http.request("DELETE", "/sim/fail", {}) == {"faults": []}
    assert ready.get("/api/common/v1/Status")["statusCode"] == 0
    assert ready.post("/sim/fail", kind="no such kind")["error"]["code"] == "invalid-value"


def test_every_kind_is_described(ready: Any) -> None:
    """What the state endpoint tells a vendor about each kind is what the code does."""
    assert ready.get("/sim/state")["fault_kinds"] == {
        kind: {"carried_out": done, "seen": seen} for kind, (done, seen) in KINDS.items()
    }


def test_bodies_as_other_languages_send_them(sim: Any) -> None:
    """In chunks, with a byte order mark, waiting for "100 Continue" first, and with capitals in the members."""
    context = ssl.create_default_context(cafile=str(sim.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", sim.port, context=context, timeout=5)
    answers = []
    for body, headers in (
        (iter([b'{"state": ', b'"absent"}']), {}),
        (b'\xef\xbb\xbf{"state": "present"}', {"Content-Type": "application/json; charset=utf-8"}),
        (b'{"state": "absent"}', {"Expect": "100-continue"}),
    ):
        connection.request("POST", "/sim/card", body, headers)
        answers.append(json.loads(connection.getresponse().read())["card"] is None)
    connection.close()
    assert answers == [True, False, True]


def test_no_client_error_names_the_simulator_wrongly(sim: Any) -> None:
    """Requests that are no requests: wrong path, no JSON, wrong length, plain HTTP."""
    context = ssl.create_default_context(cafile=str(sim.ca_file))
    connection = http.client.HTTPSConnection("127.0.0.1", sim.port, context=context, timeout=5)
    found = []
    for method, path, body in (("GET", "/nowhere", b""), ("POST", "/sim/fail", b"{"), ("POST", "/sim/fail", b"[1]")):
        connection.request(method, path, body)
        response = connection.getresponse()
        found.append((response.status, "error" in json.loads(response.read())))
    assert found == [(404, True), (400, True), (400, True)]
    for headers in ({"Content-Length": "99999999999"}, {"Content-Length": "-1"}, {"Transfer-Encoding": "chunked"}):
        connection.putrequest("POST", "/sim/fail")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(b"zz\r\n" if "Transfer-Encoding" in headers else None)
        assert connection.getresponse().status == 413
        connection.close()
    plain = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=5)
    plain.request("GET", "/sim/state")
    with pytest.raises((OSError, http.client.HTTPException)):
        plain.getresponse()
    plain.close()


def test_an_untrusting_client_is_refused_by_itself(sim: Any) -> None:
    """Without the CA file the certificate is not accepted."""
    from nhirx.http import JsonService
    from nhirx.settings import ServiceSettings

    stranger = JsonService(ServiceSettings(url=sim.url))
    with pytest.raises(NhirxError) as caught:
        stranger.get("/sim/state")
    assert caught.value.code == "tls-refused"
    stranger.close()


def test_a_pinned_client(sim: Any) -> None:
    """The fingerprint that is printed is the certificate's."""
    from nhirx.http import JsonService
    from nhirx.settings import ServiceSettings

    pinned = JsonService(ServiceSettings(url=sim.url, fingerprint=sim.fingerprint))
    assert pinned.get("/sim/state")["institution"] == "5901234567"
    pinned.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("tls-expired", "certificate has expired"),
        ("tls-wrong-name", "IP address mismatch"),
        ("tls-unknown-ca", "unable to get local issuer certificate"),
    ],
)
def test_a_bad_certificate(ready: Any, kind: str, words: str) -> None:
    """Refused by the client for the one thing that is wrong with it; nothing was sent."""
    ready.sim.fail("*", kind)
    with pytest.raises(TlsRefused) as caught:
        ready.get("/api/common/v1/Status")
    assert words in caught.value.detail["problem"]
    assert caught.value.detail["reached"] is False
    assert ready.get("/api/common/v1/Status")["statusCode"] == 0
