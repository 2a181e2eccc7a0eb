"""The client against the sandbox, over TLS."""

from typing import Any

import pytest

from nhirx.errors import (
    AnswerLost,
    AnswerMalformed,
    RecordMalformed,
    ResultNotReady,
    ServiceTimeout,
    ServiceUnreachable,
    TlsRefused,
    UploadRefused,
)
from nhirx.http import JsonService
from nhirx.outbox.store import now
from nhirx.settings import ServiceSettings
from nhirx.upload import UploadClient

UPLOAD, DOWNLOAD = "*VNHI_Upload", "*VNHI_Download"


def test_a_record_is_taken_and_its_result_fetched(pharmacy) -> None:
    record = pharmacy.record()
    receipt = pharmacy.client.upload([record], now())
    result = pharmacy.client.result(receipt.opcode, {1: record.visit_id}, 1)

    assert pharmacy.sim.ledger.upload(receipt.opcode)["records"][0]["visit_id"] == record.visit_id
    assert {1: (True, ())} == {place: (one.accepted, one.errors) for place, one in result.items()}


@pytest.mark.parametrize("list_accepted", [True, False])
def test_each_record_of_a_batch_gets_its_own_result(pharmacy, list_accepted: bool) -> None:
    pharmacy.sim.behaviour.list_accepted = list_accepted
    records = [pharmacy.record(), pharmacy.record(M07="ZZ"), pharmacy.record()]
    receipt = pharmacy.client.upload(records, now())
    places = {place: record.visit_id for place, record in enumerate(records, start=1)}
    result = pharmacy.client.result(receipt.opcode, places, 3)

    assert {1: True, 2: False, 3: True} == {place: one.accepted for place, one in result.items()}
    assert "M07" in {error.field for error in result[2].errors}


@pytest.mark.parametrize("spelling", ["camel", "lower"])
def test_both_spellings_are_understood(make_pharmacy, spelling: str) -> None:
    pharmacy = make_pharmacy(key_spelling=spelling)

    assert pharmacy.client.upload([pharmacy.record()], now()).opcode


def test_a_result_that_is_not_ready(pharmacy) -> None:
    pharmacy.sim.behaviour.result_polls = 1
    record = pharmacy.record()
    opcode = pharmacy.client.upload([record], now()).opcode

    with pytest.raises(ResultNotReady):
        pharmacy.client.result(opcode, {1: record.visit_id}, 1)
    assert pharmacy.client.result(opcode, {1: record.visit_id}, 1)[1].accepted


def test_every_request_has_its_own_signature(pharmacy) -> None:
    made = []

    def sign():
        made.append(pharmacy.control.upload_signature())
        return made[-1]

    client = UploadClient(pharmacy.settings, sign)
    posted, plain = [], client._service.post

    def post(path, body, **more):
        posted.append(body["sClientRandom"])
        return plain(path, body, **more)

    client._service.post = post
    records = [pharmacy.record() for _ in range(2)]
    for record in records:
        opcode = client.upload([record], now()).opcode
        client.result(opcode, {1: record.visit_id}, 1)
    client.close()

    assert 4 == len(posted) == len(set(posted)), "none was sent twice, not even to be refused"
    assert posted == [signature.client_random for signature in made]


def test_an_expired_signature_is_made_anew_once(pharmacy) -> None:
    pharmacy.sim.fail(UPLOAD, "status-code", code="8203")

    assert pharmacy.client.upload([pharmacy.record()], now()).opcode


def test_a_signature_that_is_refused_twice_is_a_refusal(pharmacy) -> None:
    pharmacy.sim.fail(UPLOAD, "status-code", code="9002", times=2)

    with pytest.raises(UploadRefused, match="9002") as caught:
        pharmacy.client.upload([pharmacy.record()], now())
    assert "簽章" in caught.value.zh


@pytest.mark.parametrize("code", ["5003", "5004", "8201", "8202", "8205", "9005", "9999", "1234"])
def test_every_refusal_is_named_in_both_languages(pharmacy, code: str) -> None:
    pharmacy.sim.fail(UPLOAD, "status-code", code=code)

    with pytest.raises(UploadRefused) as caught:
        pharmacy.client.upload([pharmacy.record()], now())
    assert (True, True) == (code in caught.value.zh, code in caught.value.en)
    assert "?" not in caught.value.zh + caught.value.en


@pytest.mark.parametrize(
    ("kind", "error", "reached"),
    [
        ("refuse", (ServiceUnreachable, AnswerMalformed), True),
        ("reset", (ServiceUnreachable, AnswerMalformed), True),
        ("hang", ServiceTimeout, True),
        ("accept-then-hang", ServiceTimeout, True),
        ("accept-then-reset", (ServiceUnreachable, AnswerMalformed), True),
        ("html", AnswerMalformed, True),
        ("half-json", AnswerMalformed, True),
        ("lie-length", AnswerMalformed, True),
        ("missing-keys", AnswerMalformed, True),
        ("http500", (AnswerMalformed, UploadRefused), True),
    ],
)
def test_every_way_of_answering_wrongly_has_a_name(make_pharmacy, sim, kind: str, error, reached: bool) -> None:
    """None of them says that nothing arrived, so none lets a record without its own key be sent twice."""
    service = ServiceSettings(url=sim.url, ca_file=sim.ca_file, timeout=0.4)
    pharmacy = make_pharmacy(service=service)
    sim.fail(UPLOAD, kind, seconds=3)

    with pytest.raises(error) as caught:
        pharmacy.client.upload([pharmacy.record()], now())
    assert reached == caught.value.detail.get("reached", True)


@pytest.mark.parametrize("kind", ["answer-twice", "string-code"])
def test_an_odd_answer_that_can_be_read_is_read(pharmacy, kind: str) -> None:
    pharmacy.sim.fail(UPLOAD, kind)

    assert pharmacy.client.upload([pharmacy.record()], now()).opcode


def test_uploads_share_a_connection_and_everything_else_has_its_own(pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a receipt says by its Opcode what it answers; a check result, a number or a signature does not."""
    seen: list[tuple[str, bool]] = []
    plain = JsonService.request

    def heard(service: JsonService, method: str, path: str, *words: Any, reuse: bool = False, **more: Any) -> Any:
        seen.append((path, reuse))
        return plain(service, method, path, *words, reuse=reuse, **more)

    monkeypatch.setattr(JsonService, "request", heard)
    record = pharmacy.record()
    pharmacy.client.result(pharmacy.client.upload([record], now()).opcode, {1: record.visit_id}, 1)

    assert {path for path, reuse in seen if reuse} == {pharmacy.settings.upload.upload_path}
    assert len([reuse for _, reuse in seen if not reuse]) > 4


def test_a_second_copy_never_becomes_the_receipt_of_another_upload(pharmacy) -> None:
    """Early enough it ends the connection; too late for that, its Opcode gives it away and the upload goes again."""
    pharmacy.sim.fail(UPLOAD, "answer-twice", times=12)
    told: dict[str, str] = {}
    for _ in range(12):
        record = pharmacy.record()
        try:
            told[pharmacy.client.upload([record], now()).opcode] = record.visit_id
        except AnswerLost as error:
            assert error.detail["reached"] is True  # noqa: PT017 - either end is right
            told[pharmacy.client.upload([record], now()).opcode] = record.visit_id

    assert len(told) == 12
    assert told == {opcode: pharmacy.sim.ledger.upload(opcode)["records"][0]["visit_id"] for opcode in told}


def test_a_receipt_that_came_before_is_no_answer(pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy that looks clean, made certain: the service's answer to the first upload comes once more."""
    answers: list[dict[str, Any]] = []
    plain = JsonService.request

    def again(service: JsonService, *words: Any, **more: Any) -> dict[str, Any]:
        answer = plain(service, *words, **more)
        if more.get("reuse"):
            answers.append(answer)
            return answers[0]
        return answer

    first, second = pharmacy.record(), pharmacy.record()
    monkeypatch.setattr(JsonService, "request", again)
    pharmacy.client.upload([first], now())
    with pytest.raises(AnswerLost) as caught:
        pharmacy.client.upload([second], now())

    assert caught.value.detail["reached"] is True


def test_nobody_there(make_pharmacy, sim) -> None:
    pharmacy = make_pharmacy(service=ServiceSettings(url="https://127.0.0.1:9", timeout=2))

    with pytest.raises(ServiceUnreachable) as caught:
        pharmacy.client.upload([pharmacy.record()], now())
    assert caught.value.detail["reached"] is False


def test_an_unknown_certificate_is_refused(make_pharmacy, sim) -> None:
    pharmacy = make_pharmacy(service=ServiceSettings(url=sim.url, timeout=5))

    with pytest.raises(TlsRefused) as caught:
        pharmacy.client.upload([pharmacy.record()], now())
    assert caught.value.detail["reached"] is False


def test_a_pinned_certificate_is_enough(make_pharmacy, sim) -> None:
    pharmacy = make_pharmacy(service=ServiceSettings(url=sim.url, fingerprint=sim.fingerprint, timeout=5))

    assert pharmacy.client.upload([pharmacy.record()], now()).opcode


def test_a_record_that_cannot_be_written_is_never_sent(pharmacy) -> None:
    with pytest.raises(RecordMalformed):
        pharmacy.client.upload([pharmacy.record(M35="\U0001f48a")], now())
    assert [] == list(pharmacy.sim.ledger.events("upload"))


def test_the_time_of_the_upload_has_17_digits(pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    plain = JsonService.post
    monkeypatch.setattr(
        JsonService, "post", lambda self, path, body, **more: seen.append(body) or plain(self, path, body, **more)
    )
    moment = now().replace(year=2026, month=11, day=20, hour=9, minute=0, second=13, microsecond=45_678)
    pharmacy.client.upload([pharmacy.record()], moment)

    assert "20261120090013045" == seen[-1]["sUploadDT"]
    assert {"sSamId", "sHospId", "sClientRandom", "sSignature", "sType", "sPatData", "sUploadDT"} == set(seen[-1])
