"""Signed messages, received by a real HTTP server in another thread."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from nhirx_webhook import EVENTS, Webhook
from nhirx_webhook.spool import Spool

from nhirx.errors import PluginRefused
from nhirx.model import CardReading, CheckError, Holder, Prescription, Receipt, UploadRecord
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

SECRET = "a key of the pharmacy"
VISIT_ID = "0USE4FA11RP4J370WR4K"
NOW = datetime(2026, 11, 20, 1, 0, 13, tzinfo=UTC)
RECORD = UploadRecord(fields={"M15": VISIT_ID})


class Receiver(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204


class Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 204:
            self.server.got.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/else")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def host(tmp_path: Any, url: str, **options: Any) -> Plugins:
    (tmp_path / "key").write_text(SECRET + "\n", "utf-8")
    mine = {"url": url, "secret_file": str(tmp_path / "key"), "spool": str(tmp_path / "spool")} | options
    plugins = Plugins(PluginSettings(options={"webhook": mine}), discover=False)
    plugins.register(Webhook(now=lambda: NOW), "webhook")
    return plugins


def url(server: Receiver) -> str:
    return f"http://127.0.0.1:{server.server_port}/in?from=nhirx"


def messages(server: Receiver, count: int) -> list[dict[str, Any]]:
    """What has arrived, when ``count`` messages have."""
    end = time.monotonic() + 10
    while len(server.got) < count and time.monotonic() < end:
        time.sleep(0.01)
    return [json.loads(body) for _, body in server.got]


def test_every_event_arrives_in_order(tmp_path, receiver):
    plugins = host(tmp_path, url(receiver))
    receipt = Receipt(opcode="OP-1", received_at=NOW)
    plugins.prescription_scanned(SimpleNamespace(status="found", visit_id=VISIT_ID))
    plugins.card_read(
        Holder(card_number="1", name="王小明", national_id="A123456789", birth_date=date(1961, 12, 31), sex="M"), "R1"
    )
    plugins.visit_number_issued(CardReading(made_by="card", visited_at=NOW, institution="5901234567", visit_id=VISIT_ID), "R1")
    prescription = Prescription.model_validate({"patient": {"national_id": "A123456789", "birth_date": "0501231"}, "sheet": {}})
    plugins.dispensed(RECORD, prescription, "R1")
    plugins.record_queued(RECORD, "R1")
    plugins.record_accepted(RECORD, receipt, "R1")
    plugins.record_rejected(RECORD, receipt, (CheckError(field="M15", code="D002"),), "R1")

    got = messages(receiver, 7)

    assert list(EVENTS) == [message["event"] for message in got]
    assert len({message["id"] for message in got}) == len(EVENTS)
    assert [None] + ["R1"] * 6 == [message["reference"] for message in got]
    assert {"holder": "A12******9"} == got[1]["data"]
    assert {"M15": VISIT_ID} == got[3]["data"]["fields"]
    assert "OP-1" == got[5]["data"]["opcode"]
    assert "D002" == got[6]["data"]["errors"][0]["code"]


def test_signature_is_over_time_and_body(tmp_path, receiver):
    """What a receiver in any language computes."""
    host(tmp_path, url(receiver)).record_queued(RECORD, "R1")
    messages(receiver, 1)
    ((headers, body),) = receiver.got

    expected = hmac.new(SECRET.encode(), headers["X-Nhirx-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()

    assert f"sha256={expected}" == headers["X-Nhirx-Signature"]


@pytest.mark.parametrize("status", [301, 307, 400, 500])
def test_undelivered_messages_wait_and_keep_their_order(tmp_path, receiver, status):
    """A redirect is no delivery either. With the next event everything goes out, oldest first."""
    receiver.status = status
    plugins = host(tmp_path, url(receiver))
    plugins.record_queued(RECORD, "R1")
    plugins.record_queued(RECORD, "R2")
    assert [] == receiver.got
    receiver.status = 204
    plugins.record_queued(RECORD, "R3")

    assert ["R1", "R2", "R3"] == [message["reference"] for message in messages(receiver, 3)]


def test_messages_survive_the_program(tmp_path, receiver):
    """What a receiver that was off has missed is sent when nhirx starts again."""
    port = receiver.server_port
    host(tmp_path, "http://127.0.0.1:9/closed").record_queued(RECORD, "R1")
    assert 1 == len(list((tmp_path / "spool").iterdir()))
    host(tmp_path, f"http://127.0.0.1:{port}/")

    assert ["R1"] == [message["reference"] for message in messages(receiver, 1)]


def test_only_the_events_wanted(tmp_path, receiver):
    plugins = host(tmp_path, url(receiver), events=["accepted"])
    plugins.record_queued(RECORD, "R1")
    plugins.record_accepted(RECORD, Receipt(opcode="OP-1", received_at=NOW), "R1")

    assert ["accepted"] == [message["event"] for message in messages(receiver, 1)]


def test_key_from_the_environment(tmp_path, receiver, monkeypatch):
    monkeypatch.setenv("NHIRX_WEBHOOK_SECRET", SECRET)
    plugins = Plugins(PluginSettings(options={"webhook": {"url": url(receiver), "spool": str(tmp_path / "s")}}), discover=False)
    plugins.register(Webhook(now=lambda: NOW), "webhook")
    plugins.record_queued(RECORD, None)

    assert 1 == len(messages(receiver, 1))


def test_delivered_messages_leave_the_folder(tmp_path):
    """And the first that is not taken holds back those behind it."""
    taken: list[bytes] = []
    spool = Spool(tmp_path, lambda body: len(taken) < 2 and not taken.append(body))
    for number in range(4):
        spool.add({"number": number})
    end = time.monotonic() + 10
    while len(list(tmp_path.glob("*.json"))) > 2 and time.monotonic() < end:
        time.sleep(0.01)

    assert not spool.deliver()
    assert [0, 1] == [json.loads(body)["number"] for body in taken]
    assert [2, 3] == [json.loads(path.read_bytes())["number"] for path in sorted(tmp_path.glob("*.json"))]


def test_the_counter_does_not_wait_for_the_receiver(tmp_path):
    """A server that takes the connection and never answers costs the dispensing nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        plugins = host(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        started = time.monotonic()
        for _ in range(5):
            plugins.record_queued(RECORD, "R1")

        assert time.monotonic() - started < 2
        assert 5 == len(list((tmp_path / "spool").glob("*.json")))


def test_tries_again_by_itself(tmp_path):
    """Without any new event, after a pause."""
    answers = iter([False, False, True])
    tried: list[bool] = []

    def send(body: bytes) -> bool:
        tried.append(next(answers, True))
        return tried[-1]

    Spool(tmp_path, send, retry=0.02).add({"number": 1})
    end = time.monotonic() + 10
    while list(tmp_path.glob("*.json")) and time.monotonic() < end:
        time.sleep(0.01)

    assert [False, False, True] == tried


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://pharmacy.example/in"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "not a url"},
        {"url": "https://127.0.0.1/", "events": ["acepted"]},
        {"url": "https://127.0.0.1/", "ca_file": "/nowhere"},
        {"url": "https://127.0.0.1/", "secret_file": "/nowhere"},
        {"uri": "https://127.0.0.1/"},
    ],
    ids=str,
)
def test_wrong_options_are_refused(tmp_path, options):
    """Plain http leaves this machine never; a wrong name is said."""
    with pytest.raises(PluginRefused, match="nhirx_configure"):
        host(tmp_path, **{"url": "https://127.0.0.1/"} | options)


def test_short_key_is_refused(tmp_path):
    (tmp_path / "short").write_text("abc", "utf-8")

    with pytest.raises(PluginRefused, match="secret_file"):
        host(tmp_path, "https://127.0.0.1/", secret_file=str(tmp_path / "short"))


def test_idle_without_a_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plugins = Plugins(discover=False)
    plugins.register(Webhook(), "webhook")
    plugins.record_queued(RECORD, "R1")

    assert [] == list(tmp_path.iterdir())
