"""The worker: everything arrives, once, and what does not stands before a person."""

import threading
import time
from datetime import timedelta

import pytest

from nhirx.errors import DiskFull
from nhirx.outbox.store import now
from nhirx.settings import ServiceSettings

UPLOAD, DOWNLOAD = "*VNHI_Upload", "*VNHI_Download"


def test_from_queue_to_accepted(pharmacy) -> None:
    number = pharmacy.put()
    first, second = pharmacy.worker.step(), pharmacy.worker.step()

    assert (1, 1) == (first.sent + second.sent, first.accepted + second.accepted)
    assert [("sent", number), ("accepted", number)] == [(event, item) for event, item, _ in pharmacy.news]
    assert "accepted" == pharmacy.sim.ledger.state_of(pharmacy.outbox.queue.item(number).record.visit_id)


def test_a_rejected_record_keeps_field_and_code(pharmacy) -> None:
    number = pharmacy.put(M14="F" * 256)
    pharmacy.until_checked()
    item = pharmacy.outbox.queue.item(number)

    assert "rejected" == item.state
    assert "M14" in {error.field for error in item.result.errors}
    assert ["sent", "rejected"] == [event for event, _, _ in pharmacy.news]


def test_batches_are_as_large_as_the_setting(make_pharmacy) -> None:
    pharmacy = make_pharmacy(batch_size=2)
    for _ in range(5):
        pharmacy.put()
    pharmacy.until_checked()

    assert [2, 2, 1] == [event["received"] for event in pharmacy.sim.ledger.events("upload")]
    assert ["accepted"] * 5 == pharmacy.states()


def test_one_record_with_an_error_is_not_sent_and_does_not_hold_up_the_others(pharmacy) -> None:
    pharmacy.put()
    bad = pharmacy.put(M35="\U0001f48a")
    pharmacy.put()
    pharmacy.until_checked()

    assert ["accepted", "stuck", "accepted"] == pharmacy.states()
    assert "check-failed" == pharmacy.outbox.queue.item(bad).problem.code
    assert ("stuck", bad) in [(event, item) for event, item, _ in pharmacy.news]


@pytest.mark.parametrize(
    "kind", ["refuse", "reset", "html", "half-json", "http500", "accept-then-reset", "lie-length", "missing-keys"]
)
def test_a_failed_upload_is_sent_again_and_accepted_once(pharmacy, kind: str) -> None:
    number = pharmacy.put()
    pharmacy.sim.fail(UPLOAD, kind)
    first = pharmacy.worker.step()

    assert (0, 1, 1) == (first.sent, first.failed, first.pause.failures)
    assert "built" == pharmacy.outbox.queue.item(number).state

    time.sleep(max(0.0, (pharmacy.worker.pause.until - now()).total_seconds()))
    pharmacy.until_checked()
    visit = pharmacy.outbox.queue.item(number).record.visit_id

    assert ("accepted", "accepted", None) == (pharmacy.states()[0], pharmacy.sim.ledger.state_of(visit), pharmacy.worker.pause)


@pytest.mark.parametrize("kind", ["reset", "html", "half-json", "http500", "lie-length", "missing-keys"])
def test_a_failed_look_at_the_result_is_repeated(pharmacy, kind: str) -> None:
    pharmacy.put()
    pharmacy.sim.fail(DOWNLOAD, kind)
    pharmacy.worker.step()

    assert ["sent"] == pharmacy.states()

    time.sleep(max(0.0, (pharmacy.worker.pause.until - now()).total_seconds()))
    pharmacy.until_checked()

    assert ["accepted"] == pharmacy.states()
    assert 1 == len(list(pharmacy.sim.ledger.events("upload")))


def test_a_lost_answer_of_a_record_without_its_own_key_waits_for_a_person(pharmacy) -> None:
    number = pharmacy.put(M15="SM00" + "0" * 16)
    pharmacy.sim.fail(UPLOAD, "accept-then-reset")
    step = pharmacy.worker.step()

    assert (1, "stuck") == (step.stuck, pharmacy.outbox.queue.item(number).state)
    assert ("stuck", number) in [(event, item) for event, item, _ in pharmacy.news]


def test_nobody_there_leaves_a_record_without_its_own_key_in_the_queue(make_pharmacy, sim) -> None:
    pharmacy = make_pharmacy(service=ServiceSettings(url="https://127.0.0.1:9", timeout=2))
    number = pharmacy.put(M15="SM00" + "0" * 16)
    pharmacy.worker.step()

    assert "built" == pharmacy.outbox.queue.item(number).state


def test_a_week_without_network_loses_nothing(make_pharmacy) -> None:
    """The clock runs through a week of failures; waits grow to the limit and not beyond; then everything goes out."""
    started = now()
    time_at = [started]
    pharmacy = make_pharmacy(lambda: time_at[0], retry_first=5.0, retry_limit=3600.0)
    numbers = [pharmacy.put() for _ in range(3)]
    pharmacy.sim.fail(UPLOAD, "reset", times=10_000)
    waits = []
    while time_at[0] < started + timedelta(days=7):
        pause = pharmacy.worker.step().pause
        waits.append(pause.until - time_at[0])
        time_at[0] = pause.until

    assert timedelta(hours=1) >= max(waits) > timedelta(minutes=30)
    assert timedelta(seconds=5) >= waits[0]
    assert 168 < len(waits) < 400

    pharmacy.sim.faults.clear()
    time_at[0] = now()
    pharmacy.outbox.queue.hurry()
    pharmacy.worker._breaker.succeeded()
    pharmacy.until_checked()

    assert ["accepted"] * 3 == [pharmacy.outbox.queue.item(number).state for number in numbers]


def test_while_paused_the_service_is_left_alone(make_pharmacy) -> None:
    pharmacy = make_pharmacy(retry_first=600.0)
    pharmacy.put()
    pharmacy.sim.fail(UPLOAD, "status-code", code="9999")
    pharmacy.worker.step()
    pharmacy.outbox.queue.hurry()
    again = pharmacy.worker.step()

    assert (0, "upload-refused") == (again.sent, again.pause.error.code)
    assert [] == list(pharmacy.sim.ledger.events("upload"))


def test_a_record_refused_too_often_waits_for_a_person(make_pharmacy) -> None:
    pharmacy = make_pharmacy(most_attempts=3, retry_first=0.001, retry_limit=0.001)
    number = pharmacy.put()
    pharmacy.sim.fail(UPLOAD, "status-code", code="9999", times=3)
    pharmacy.until_checked()

    assert ("stuck", "upload-refused") == (pharmacy.states()[0], pharmacy.outbox.queue.item(number).problem.code)


def test_results_that_never_come_are_shown_to_a_person(make_pharmacy) -> None:
    started = now()
    time_at = [started]
    pharmacy = make_pharmacy(lambda: time_at[0], give_up_results=12 * 3600.0)
    pharmacy.sim.behaviour.result_polls = 10_000
    number = pharmacy.put()
    looks = 0
    while pharmacy.outbox.queue.item(number).state in ("built", "sent"):
        pharmacy.worker.step()
        looks += 1
        time_at[0] = max(pharmacy.outbox.queue.item(number).due_at, time_at[0] + timedelta(seconds=1))

    assert ("stuck", "result-not-ready") == (pharmacy.states()[0], pharmacy.outbox.queue.item(number).problem.code)
    assert timedelta(hours=12) < time_at[0] - started < timedelta(hours=12, minutes=30)
    assert 70 < looks < 150, "at first soon, then every ten minutes"


def test_no_signature_no_upload_and_nothing_lost(pharmacy) -> None:
    pharmacy.put()
    pharmacy.sim.fail("*/api/sam/v1/Signature", "reset", times=2)
    step = pharmacy.worker.step()

    assert (1, ["built"]) == (step.failed, pharmacy.states())


def test_two_workers_send_each_record_once(make_pharmacy) -> None:
    pharmacy = make_pharmacy(batch_size=2)
    other = make_pharmacy(batch_size=2)
    other.worker._outbox = pharmacy.outbox
    for _ in range(10):
        pharmacy.put()
    threads = [threading.Thread(target=one.worker.step) for one in (pharmacy, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pharmacy.until_checked()
    sent = [record["visit_id"] for event in pharmacy.sim.ledger.events("upload") for record in event["records"]]

    assert 10 == len(sent) == len(set(sent))


def test_the_thread_works_until_it_is_stopped_and_wakes_at_once(pharmacy) -> None:
    stop = threading.Event()
    accepted = threading.Event()
    pharmacy.worker._notify = lambda event, item, result: accepted.set() if event == "accepted" else None
    thread = threading.Thread(target=pharmacy.worker.run, args=(stop,), kwargs={"idle": 60.0})
    thread.start()
    pharmacy.put()
    pharmacy.worker.wake()
    heard = accepted.wait(10)
    stop.set()
    pharmacy.worker.wake()
    thread.join(5)

    assert (True, False) == (heard, thread.is_alive())


@pytest.mark.parametrize("error", [DiskFull(), RuntimeError("A123456789")])
def test_the_thread_survives_whatever_happens(pharmacy, monkeypatch: pytest.MonkeyPatch, caplog, error: Exception) -> None:
    """The first round fails; the second is as if nothing had been, and the log holds no more than the kind of error."""
    stop, plain = threading.Event(), pharmacy.worker.step

    def step():
        monkeypatch.setattr(pharmacy.worker, "step", plain)
        raise error

    monkeypatch.setattr(pharmacy.worker, "step", step)
    pharmacy.worker._notify = lambda event, item, result: stop.set() if event == "accepted" else None
    pharmacy.put()
    thread = threading.Thread(target=pharmacy.worker.run, args=(stop,), kwargs={"idle": 0.01})
    thread.start()
    thread.join(10)

    assert (False, ["accepted"]) == (thread.is_alive(), pharmacy.states())
    assert ("disk" in caplog.text or "RuntimeError" in caplog.text, False) == (True, "A123456789" in caplog.text)


def test_a_listener_that_raises_stops_nothing(pharmacy) -> None:
    def listen(event, item, result) -> None:
        raise RuntimeError("a plugin")

    pharmacy.worker._notify = listen
    pharmacy.put()
    pharmacy.until_checked()

    assert ["accepted"] == pharmacy.states()


def test_a_full_disk_when_the_opcode_comes_means_the_same_record_again(pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload arrived, the Opcode could not be kept: after the lease the record goes again, and the last one counts."""
    number = pharmacy.put()

    def full(*_: object, **__: object) -> None:
        raise DiskFull

    monkeypatch.setattr(pharmacy.outbox.queue, "sent", full)
    monkeypatch.setattr(pharmacy.outbox.queue, "sent_and_claim", full)
    with pytest.raises(DiskFull):
        pharmacy.worker.step()
    monkeypatch.undo()
    with pharmacy.outbox.database.writing() as connection:
        connection.exec_driver_sql("UPDATE queue SET lease_until = 1")
    pharmacy.until_checked()

    assert "accepted" == pharmacy.outbox.queue.item(number).state
    assert [1, 1] == [event["received"] for event in pharmacy.sim.ledger.events("upload")]


def test_an_opcode_is_kept_when_the_next_batch_cannot_be_claimed(pharmacy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both happen in one transaction; when that fails, what is known already is kept alone."""
    pharmacy.put()

    def full(*_: object, **__: object) -> None:
        raise DiskFull

    monkeypatch.setattr(pharmacy.outbox.queue, "sent_and_claim", full)
    sent = pharmacy.worker.step().sent

    assert (1, ["accepted"]) == (sent, pharmacy.states())
    assert [1] == [event["received"] for event in pharmacy.sim.ledger.events("upload")]


def test_the_log_names_nobody(pharmacy, caplog: pytest.LogCaptureFixture) -> None:
    """A day with every kind of trouble, logged at DEBUG, and nothing of the patients, signatures or IDs is in it."""
    caplog.set_level("DEBUG")
    records = [pharmacy.record(), pharmacy.record(M14="F" * 256), pharmacy.record(M35="\U0001f48a")]
    for record in records:
        pharmacy.outbox.queue.put(record)
    pharmacy.worker._notify = lambda event, item, result: 1 / 0
    for path, kind in ((UPLOAD, "html"), (UPLOAD, "accept-then-reset"), (DOWNLOAD, "half-json"), ("*/sam/v1/Signature", "reset")):
        pharmacy.sim.fail(path, kind)
    for _ in range(6):
        pharmacy.outbox.queue.hurry()
        pharmacy.worker._breaker.succeeded()
        pharmacy.worker.step()
    pharmacy.until_checked()
    secrets = {value for record in records for name in ("M02", "M03", "M14", "M15") if (value := record.fields[name])}

    assert ["accepted", "rejected", "stuck"] == pharmacy.states()
    assert "notify" in caplog.text
    assert [] == [secret for secret in secrets if secret in caplog.text]
