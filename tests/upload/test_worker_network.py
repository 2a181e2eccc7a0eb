"""The network and the other side misbehave while the worker sends: every record arrives once, or waits with a reason."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from nhirx.outbox.store import now
from nhirx.settings import ServiceSettings

UPLOAD = "*VNHI_Upload"
PLACEHOLDER = "SM00" + "0" * 16


def after_the_pause(pharmacy) -> None:
    """The breaker's pause is a fraction of a second here; then everything that can go out does."""
    if pharmacy.worker.pause is not None:
        time.sleep(max(0.0, (pharmacy.worker.pause.until - now()).total_seconds()))
    pharmacy.until_checked()


def received(pharmacy) -> list[str]:
    return [record["visit_id"] for event in pharmacy.sim.ledger.events("upload") for record in event["records"]]


@pytest.mark.parametrize("kind", ["tls-expired", "tls-wrong-name", "tls-unknown-ca"])
def test_a_certificate_that_is_expired_or_wrong_gets_nothing(make_pharmacy, kind: str) -> None:
    """Nothing is sent, even a record without a key of its own stays in the queue, and all goes out when the certificate is right."""
    pharmacy = make_pharmacy(retry_first=0.05)
    number = pharmacy.put()
    other = pharmacy.put(M15=PLACEHOLDER)
    # The signature is asked for first; without it there is no upload, so only the connection of the upload is spoilt.
    packed = pharmacy.client.pack([pharmacy.outbox.queue.item(item).record for item in (number, other)], sign=True)
    pharmacy.client.pack = lambda records, *, sign=False: packed
    pharmacy.sim.fail("*", kind)
    first = pharmacy.worker.step()

    assert (0, 2, "tls-refused") == (first.sent, first.failed, first.pause.error.code)
    assert ["built", "built"] == pharmacy.states()
    assert [] == received(pharmacy)

    del pharmacy.client.pack
    after_the_pause(pharmacy)

    assert "accepted" == pharmacy.outbox.queue.item(number).state


@pytest.mark.parametrize("kind", ["accept-then-hang", "slow"])
def test_an_answer_that_comes_too_late_means_the_same_record_again(make_pharmacy, sim, kind: str) -> None:
    """It was carried out each time, the last one counts, and the record is accepted once."""
    service = ServiceSettings(url=sim.url, ca_file=sim.ca_file, timeout=1.0)
    pharmacy = make_pharmacy(service=service, retry_first=0.05)
    number = pharmacy.put()
    sim.fail(UPLOAD, kind, seconds=3)
    first = pharmacy.worker.step()
    pharmacy.worker.close()

    assert (0, "service-timeout") == (first.sent, first.pause.error.code)

    pharmacy.client._service._settings = service.model_copy(update={"timeout": 20.0})  # a slow machine must not time out again
    after_the_pause(pharmacy)
    visit = pharmacy.outbox.queue.item(number).record.visit_id

    assert (["accepted"], "accepted") == (pharmacy.states(), sim.ledger.state_of(visit))
    assert [visit] * 2 == received(pharmacy)


def test_an_upload_is_over_when_its_lease_ends(make_pharmacy, sim) -> None:
    """A service that hangs longer than the lease: by the time another sender may take the record, this one has let go of it."""
    pharmacy = make_pharmacy(service=ServiceSettings(url=sim.url, ca_file=sim.ca_file, timeout=60.0), lease=1.5)
    number = pharmacy.put()
    sim.fail(UPLOAD, "hang", seconds=30)
    began = time.monotonic()
    step = pharmacy.worker.step()

    assert (1, "service-timeout") == (step.failed, step.pause.error.code)
    assert time.monotonic() - began < 20
    assert [] == received(pharmacy)
    assert "built" == pharmacy.outbox.queue.item(number).state


def test_what_stood_behind_another_upload_for_too_long_is_not_sent(make_pharmacy) -> None:
    """Claimed ahead, its lease ended while the upload before it was on its way: it goes back into the queue and is sent once, later."""
    ahead = [timedelta()]
    pharmacy = make_pharmacy(clock=lambda: now() + ahead[0], batch_size=1, retry_first=0.01, retry_limit=0.02)
    for _ in range(3):
        pharmacy.put()
    plain = pharmacy.client.send

    def long(packed, at, **more):
        receipt = plain(packed, at, **more)
        ahead[0] += timedelta(seconds=400)
        return receipt

    pharmacy.client.send = long
    first = pharmacy.worker.step()

    assert (1, 1) == (first.sent, len(received(pharmacy)))
    assert first.pause.error.detail["reached"] is False

    pharmacy.client.send = plain
    ahead[0] += timedelta(minutes=1)
    pharmacy.until_checked()

    assert ["accepted"] * 3 == pharmacy.states()
    assert 3 == len(received(pharmacy)) == len(set(received(pharmacy)))


def test_answers_that_come_twice_leave_each_record_its_own_receipt(make_pharmacy) -> None:
    """One upload per record over one kept connection, every receipt doubled: none is taken for another's."""
    pharmacy = make_pharmacy(batch_size=1, retry_first=0.01, retry_limit=0.02)
    numbers = [pharmacy.put() for _ in range(8)]
    pharmacy.sim.fail(UPLOAD, "answer-twice", times=30)
    until = time.monotonic() + 60
    while pharmacy.outbox.counts()["built"] + pharmacy.outbox.counts()["sending"] and time.monotonic() < until:
        pharmacy.outbox.queue.hurry()
        pharmacy.worker.step()
    pharmacy.until_checked()

    assert ["accepted"] * 8 == pharmacy.states()
    for number in numbers:
        item = pharmacy.outbox.queue.item(number)

        assert item.record.visit_id == pharmacy.sim.ledger.upload(item.opcode)["records"][0]["visit_id"]


def test_a_clock_that_jumps_sends_everything_once(make_pharmacy) -> None:
    """A day ahead, back, further ahead, and back: nothing is sent twice and nothing is held for ever."""
    ahead = [timedelta()]
    pharmacy = make_pharmacy(clock=lambda: now() + ahead[0])
    for jump in (timedelta(days=1), timedelta(), timedelta(hours=26), timedelta()):
        pharmacy.put()
        ahead[0] = jump
        pharmacy.worker.step()
    pharmacy.until_checked()

    assert ["accepted"] * 4 == pharmacy.states()
    assert 4 == len(received(pharmacy)) == len(set(received(pharmacy)))
