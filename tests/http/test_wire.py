"""When a connection may carry another request: only after one clean answer and nothing behind it."""

from __future__ import annotations

import select
import threading

import pytest

from nhirx.http import JsonService
from nhirx.settings import ServiceSettings
from nhirx.wire import Watched, is_one_answer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def answer(number: int) -> bytes:
    body = b'{"n": %d}' % number
    return HEAD % len(body) + body


@pytest.fixture
def service(server, certificate):
    server.stays = True
    made = JsonService(ServiceSettings(url=server.url, ca_file=certificate.file, timeout=5))
    yield made
    made.close()


def numbered(server, spoil=lambda connection, number: None):
    """Answer request n with n, and let ``spoil`` send more."""

    def reply(connection, request):
        number = len(server.requests)
        connection.sendall(answer(number))
        spoil(connection, number)

    server.answer = reply


def test_clean_answers_share_a_connection(service, server):
    numbered(server)

    assert [1, 2, 3] == [service.post("/", {}, reuse=True)["n"] for _ in range(3)]
    assert server.connections == 1


def test_without_a_word_none_is_shared(service, server):
    """Numbers of patients are asked for this way."""
    numbered(server)

    assert [1, 2, 3] == [service.post("/", {})["n"] for _ in range(3)]
    assert server.connections == 3


def test_a_second_copy_in_one_piece_ends_the_connection(service, server):
    """Both copies are read at once; the second must not become the answer to the next request."""

    def reply(connection, request):
        connection.sendall(answer(len(server.requests)) * 2)

    server.answer = reply

    assert [1, 2, 3] == [service.post("/", {}, reuse=True)["n"] for _ in range(3)]
    assert server.connections == 3


def test_a_second_copy_that_waits_ends_the_connection(service, server, monkeypatch):
    """It comes by itself, after the first was read and before the next request."""
    go, streams = threading.Event(), []
    plain = Watched.__init__

    def spoil(connection, number):
        if number == 1:
            go.wait(5)
            connection.sendall(answer(1))

    def made(self, stream):
        streams.append(stream)
        plain(self, stream)

    monkeypatch.setattr(Watched, "__init__", made)
    numbered(server, spoil)
    first = service.post("/", {}, reuse=True)["n"]
    go.set()
    select.select([streams[-1].get_extra_info("socket")], [], [], 5)
    second = service.post("/", {}, reuse=True)["n"]

    assert (1, 2) == (first, second)
    assert server.connections == 2


def test_an_ending_begun_by_the_server_is_noticed(service, server):
    numbered(server)
    server.stays = False

    assert [1, 2] == [service.post("/", {}, reuse=True)["n"] for _ in range(2)]
    assert server.connections == 2


def test_letting_go_begins_anew(service, server):
    numbered(server)
    first = service.post("/", {}, reuse=True)["n"]
    service.let_go()

    assert (1, 2) == (first, service.post("/", {}, reuse=True)["n"])
    assert server.connections == 2


@pytest.mark.parametrize(
    ("came", "clean"),
    [
        (answer(1), True),
        (answer(1).replace(b"Content-Length", b"content-length"), True),
        (HEAD % 0, True),
        (b"", False),
        (answer(1) + b"\n", False),
        (answer(1)[:-1], False),
        (answer(1) * 2, False),
        (answer(1).replace(b"200", b"500"), False),
        (answer(1).replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (answer(1).replace(b"Content-Length", b"X-Length"), False),
        (answer(1).replace(b"Content-Type: application/json", b"Content-Length: 8"), False),
        (answer(1).replace(b"Content-Type: application/json", b"Transfer-Encoding: chunked"), False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + answer(1), False),
    ],
)
def test_what_is_one_answer(came, clean):
    assert clean == is_one_answer(came)
