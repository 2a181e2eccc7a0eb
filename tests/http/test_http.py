"""JSON over real TLS: whom to trust, what to do with an answer that is none, and a name for every failure."""

from __future__ import annotations

import inspect
import json
import logging
import socket
import time

import httpx
import pytest

from nhirx import http
from nhirx.errors import (
    AnswerLost,
    AnswerMalformed,
    NhirxError,
    ServiceTimeout,
    ServiceUnreachable,
    SettingInvalid,
    TlsRefused,
)
from nhirx.http import JsonService
from nhirx.settings import ServiceSettings


@pytest.fixture
def service(server, certificate):
    """A client that trusts the server by its CA file."""
    made = JsonService(ServiceSettings(url=server.url + "/", ca_file=certificate.file, timeout=5))
    yield made
    made.close()


# ── whom to trust ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_ca_file_is_trusted(service, server):
    """What was asked arrives, what was answered comes back."""
    assert service.post("/path", {"名": "值"}) == {"statusCode": 0}

    head, _, body = server.requests[0].partition(b"\r\n\r\n")

    assert head.startswith(b"POST /path HTTP/1.1")
    assert json.loads(body) == {"名": "值"}


def test_get_sends_no_body(service, server):
    """A status request is empty."""
    service.get("/status")

    assert server.requests[0].startswith(b"GET /status ")
    assert server.requests[0].endswith(b"\r\n\r\n")


def test_the_systems_store_does_not_trust_a_stranger(server):
    """Without a word about the certificate the connection is refused before anything is sent."""
    with pytest.raises(TlsRefused) as caught:
        JsonService(ServiceSettings(url=server.url)).get("/")

    assert server.requests == []
    assert "self-signed" in caught.value.detail["problem"]


@pytest.mark.parametrize("spelling", [str.lower, str.upper, lambda text: ":".join(text[at : at + 2] for at in range(0, 64, 2))])
def test_a_fingerprint_is_enough(server, other_certificate, spelling):
    """One certificate is trusted as it stands, whatever name it carries."""
    server.use(other_certificate)
    pinned = JsonService(ServiceSettings(url=server.url, fingerprint=spelling(other_certificate.fingerprint)))

    assert pinned.get("/") == {"statusCode": 0}
    pinned.close()


def test_another_certificate_than_the_pinned_one_is_refused(server, other_certificate):
    """The fingerprint decides, and nothing is sent to who cannot show it."""
    with pytest.raises(TlsRefused):
        JsonService(ServiceSettings(url=server.url, fingerprint=other_certificate.fingerprint)).get("/")

    assert server.requests == []


def test_a_certificate_changed_after_pinning_is_refused(server, certificate, other_certificate):
    """A look at the fingerprint once does not open the door for the rest of the day."""
    pinned = JsonService(ServiceSettings(url=server.url, fingerprint=certificate.fingerprint))
    pinned.get("/")
    server.use(other_certificate)

    with pytest.raises(TlsRefused):
        pinned.get("/")
    assert len(server.requests) == 1
    pinned.close()


def test_a_ca_file_does_not_excuse_a_wrong_name(server, other_certificate):
    """A certificate of another machine is refused even where its issuer is trusted."""
    server.use(other_certificate)

    with pytest.raises(TlsRefused):
        JsonService(ServiceSettings(url=server.url, ca_file=other_certificate.file)).get("/")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_is_none(server, tmp_path, content):
    """The setting is named, so that it can be mended."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingInvalid, match="ca_file"):
        JsonService(ServiceSettings(url=server.url, ca_file=file)).get("/")


def test_a_proxy_of_the_desktop_sees_nothing(service, server, monkeypatch):
    """The environment's proxy is not used."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert service.get("/") == {"statusCode": 0}


# ── answers that are none ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"<html>Please log in.</html>", {"kind": "text/html"}),
        (b'{"statusCode": 0, "name": "\xe7\x8e', {}),
        (b'{"statusCode": ', {}),
        (b"", {}),
        (b"[1, 2]", {}),
        (b"null", {}),
        ('{"name": "王"}'.encode("cp950"), {}),
        (b"[" * 100_000, {}),
        (b"{}", {"status": "500 Internal Server Error"}),
        (b"", {"status": "302 Found", "headers": "Location: /login\r\n"}),
        (b"not gzip", {"headers": "Content-Encoding: gzip\r\n"}),
    ],
)
def test_what_is_no_json_object_is_malformed(service, server, body, more):
    """A web page, half an answer, a list: the word says so, and the content is not repeated."""
    server.says(body, **more)

    with pytest.raises(AnswerMalformed) as caught:
        service.get("/")
    assert "log in" not in str(caught.value.as_json())


def test_an_error_that_is_json_is_an_answer(service, server):
    """A service may say what is wrong with HTTP 500; the caller reads it."""
    server.says(b'{"statusCode": 1700}', status="500 Internal Server Error")

    assert service.get("/") == {"statusCode": 1700}


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Date: Fri, 20 Nov 2026 01:00:13 GMT\r\n", "2026-11-20T01:00:13+00:00"),
        ("Date: Fri, 20 Nov 2026 01:00:13 -0000\r\n", "2026-11-20T01:00:13+00:00"),
        ("Date: yesterday\r\n", None),
        ("Date: \r\n", None),
        ("", None),
    ],
)
def test_the_date_of_an_answer_tells_the_clock_of_the_service(service, server, header, told):
    server.says(b"{}", headers=header)
    service.get("/")

    assert told == (service.told_at.isoformat() if service.told_at else None)


def test_an_answer_that_ends_early(service, server):
    """A connection that closes in the middle gives no half record."""
    server.answer = lambda connection, request: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

    with pytest.raises(AnswerMalformed):
        service.get("/")


def test_no_answer_at_all(service, server):
    """The connection closes without a word: the request may have been carried out."""
    server.answer = lambda connection, request: None

    with pytest.raises(AnswerLost):
        service.get("/")


def test_a_connection_that_breaks_after_the_request_is_no_closed_door(service, server):
    """The request was heard, so it may have been carried out: that is another word than "cannot connect"."""
    import struct

    def break_off(connection, request):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)

    server.answer = break_off

    with pytest.raises(AnswerLost):
        service.post("/", {})
    assert len(server.requests) == 1


def test_an_answer_without_end_is_cut(service, server, monkeypatch):
    """A flood is stopped at the limit and not kept in memory."""
    monkeypatch.setattr(http, "_LARGEST_ANSWER", 10_000)
    server.says(b" " * 20_000 + b"{}")

    with pytest.raises(AnswerMalformed, match="too large"):
        service.get("/")


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_silence_ends_at_the_limit(service, server):
    """A service that never answers costs the limit and no more."""
    server.answer = lambda connection, request: server.wait(10)
    began = time.monotonic()

    with pytest.raises(ServiceTimeout):
        service.request("GET", "/", timeout=0.3)
    assert time.monotonic() - began < 3


def test_a_trickle_ends_at_the_limit(service, server):
    """A byte now and then does not stretch the limit for ever."""

    def trickle(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b" ")
            server.wait(0.05)

    server.answer = trickle
    began = time.monotonic()

    with pytest.raises(ServiceTimeout):
        service.request("GET", "/", timeout=0.4)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("reuse", [False, True])
def test_a_head_that_never_ends_ends_at_the_limit(service, server, reuse):
    """A service that takes the request and then sends its headers letter by letter is a service that hangs."""

    def trickle(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(200):
            connection.sendall(b"a")
            server.wait(0.05)

    server.answer = trickle
    began = time.monotonic()

    with pytest.raises(ServiceTimeout) as caught:
        service.request("POST", "/", {}, timeout=0.4, reuse=reuse)
    assert time.monotonic() - began < 3
    assert caught.value.detail["reached"] is True


# ── nobody there ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pin", [None, "00" * 32])
def test_nobody_listens(pin):
    """A closed port is unreachable, pinned or not."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(ServiceUnreachable):
            JsonService(ServiceSettings(url=url, fingerprint=pin, timeout=2)).get("/")


@pytest.mark.parametrize("pin", [None, "00" * 32])
def test_a_service_without_tls_is_refused(pin):
    """Plain HTTP on the port is no reason to speak plainly."""
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def plain():
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=plain)
    thread.start()
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"

    with pytest.raises(TlsRefused):
        JsonService(ServiceSettings(url=url, fingerprint=pin, timeout=2)).get("/")
    thread.join()
    listener.close()


@pytest.mark.parametrize("url", ["https://127.0.0.1:port", "ftp://127.0.0.1", "127.0.0.1", "https://" + "a" * 300])
@pytest.mark.parametrize("pin", [None, "00" * 32])
def test_an_address_that_is_none(url, pin):
    """A slip in the settings is named; it is not a network that is down."""
    with pytest.raises((SettingInvalid, ServiceUnreachable)) as caught:
        JsonService(ServiceSettings(url=url, fingerprint=pin, timeout=1)).get("/")

    assert caught.value.zh


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def exceptions_of_httpx():
    return sorted(
        (kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, Exception)),
        key=lambda kind: kind.__name__,
    )


@pytest.mark.parametrize("kind", exceptions_of_httpx(), ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_has_a_name_here(kind, service, monkeypatch):
    """Whatever httpx raises, the caller sees one of our exceptions, without the text of the original."""
    error = kind.__new__(kind)
    error.args = ("Bearer secret A123456789",)

    class Failing:
        def stream(self, *arguments, **options):
            raise error

        def close(self):
            """Nothing is held."""

    monkeypatch.setattr(service, "_connected", lambda reuse: Failing())

    with pytest.raises(NhirxError) as caught:
        service.get("/")
    assert type(caught.value) is not NhirxError
    if not issubclass(kind, httpx.NetworkError | httpx.ProxyError):
        assert "A123456789" not in str(caught.value.as_json())


def test_the_enumeration_sees_all_roots():
    """The list above is not empty by accident."""
    names = {kind.__name__ for kind in exceptions_of_httpx()}

    assert {"ConnectError", "ReadTimeout", "InvalidURL", "StreamError", "CookieConflict", "DecodingError"} <= names


def test_bodies_never_reach_a_log(service, server, caplog):
    """Neither ours nor the library's log shows what was sent or answered."""
    caplog.set_level(logging.DEBUG)
    server.says(b'{"name": "secret answer"}')

    service.post("/", {"name": "secret question"})

    assert "secret" not in caplog.text
