"""What a foreign page, a foreign name and a body without end come to; and the one shape of every failure."""

from __future__ import annotations

import socket

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    ],
)
def test_another_host_or_origin_is_refused_whatever_the_cookie(page, headers):
    """DNS rebinding cannot choose Host, a foreign page cannot choose Origin."""
    status, answer = page.call("GET", "/state", headers=headers)

    assert (403, "request-refused") == (status, answer["error"]["code"])


def test_the_own_origin_and_a_link_on_another_page_come_in(page):
    origin = page.get("/api/v1/state", headers={"Origin": page.server.url})
    followed = page.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})

    assert (200, 200) == (origin.status_code, followed.status_code)


def test_a_socket_of_another_origin_is_refused(page):
    with pytest.raises(InvalidStatus), page.socket("/events", headers={"Origin": "https://evil.example"}):
        pass


def test_a_socket_without_the_csrf_token_is_told_why_and_closed(page):
    page.headers["X-Nhirx-Csrf"] = "0" * 64
    with page.socket("/events") as link:
        told = link.recv()
        with pytest.raises(ConnectionClosed) as closed:
            link.recv()

    assert '"request-refused"' in told
    assert 4403 == closed.value.rcvd.code


def test_every_answer_tells_the_browser_what_is_allowed(page):
    """No inline script, no foreign source, no frame, no guessing of types, no store for personal data; and no CORS."""
    answers = [page.get(path) for path in ("/", "/static/icon.svg", "/api/v1/state", "/api/v1/nothing")]
    wanted = {"content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy"}

    assert all(wanted <= set(answer.headers) for answer in answers)
    assert all("unsafe" not in answer.headers["content-security-policy"] for answer in answers)
    assert ["no-cache", "no-cache", "no-store", "no-store"] == [answer.headers["cache-control"] for answer in answers]
    assert not any(name.startswith("access-control") for answer in answers for name in answer.headers)


def test_a_body_larger_than_the_limit_is_refused_with_and_without_a_length(page):
    """The second one is sent in pieces, so nobody knows its length before it has come."""

    def pieces():
        for _ in range(40):
            yield b"x" * 65536

    told = page.post("/api/v1/codes", content=b"x" * 2_000_000)
    untold = page.post("/api/v1/codes", content=pieces())

    assert [(413, "body-too-large")] * 2 == [(one.status_code, one.json()["error"]["code"]) for one in (told, untold)]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/v1/nothing", None, 404, "not-found"),
        ("GET", "/nothing", None, 404, "not-found"),
        ("GET", "/static/nothing.js", None, 404, "not-found"),
        ("GET", "/static/../app.py", None, 404, "not-found"),
        ("PUT", "/api/v1/state", None, 405, "method-not-allowed"),
        ("GET", "/api/v1/records/x", None, 422, "request-invalid"),
        ("GET", "/api/v1/records/99999999999999999999", None, 422, "request-invalid"),
        ("POST", "/api/v1/codes", b"{", 422, "request-invalid"),
        ("POST", "/api/v1/codes", b"\xff", 422, "request-invalid"),
        ("POST", "/api/v1/codes", b'{"text": "x", "more": 1}', 422, "request-invalid"),
        ("POST", "/api/v1/codes", b'{"text": "\\ud800"}', 422, "request-invalid"),
        ("POST", "/api/v1/plan", b'{"prescription": {"patient": {"national_id": "A1"}}}', 422, "request-invalid"),
    ],
)
def test_every_failure_has_one_shape_in_two_languages(page, method, path, body, status, code):
    answer = page.request(method, path, content=body, headers={"Content-Type": "application/json"})
    error = answer.json()["error"]

    assert (status, code) == (answer.status_code, error["code"])
    assert {"code", "zh", "en", "detail"} == set(error)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in error["zh"])
    assert error["en"]


def test_what_was_sent_is_not_told_back(page):
    """A wrong prescription holds a person; the error names the place only."""
    body = {"prescription": {"patient": {"national_id": "A12345678Z", "birth_date": "0501231"}, "sheet": {}}}
    status, answer = page.call("POST", "/plan", body)

    assert 422 == status
    assert "A12345678Z" not in str(answer)
    assert "national_id" in answer["error"]["detail"]["where"]


def test_only_loopback_listens(shop):
    """The other addresses of this computer answer nothing."""
    with socket.socket() as probe:
        probe.settimeout(5)
        refused = probe.connect_ex(("127.0.0.2", shop.server.options.port))

    assert refused != 0


def test_an_answer_in_two_pieces_does_not_wait(shop):
    """asyncio turns Nagle's algorithm off only for a socket that names its protocol; with it on, each answer took 40 ms longer."""
    assert socket.IPPROTO_TCP == shop.server._listener.proto


def test_localhost_is_a_name_of_this_computer(shop):
    answer = httpx.get(f"http://localhost:{shop.server.options.port}/openapi.json")

    assert 200 == answer.status_code


def test_a_defect_of_ours_is_500_in_the_same_shape_and_names_nobody(shop, page, monkeypatch, capfd, caplog):
    """The words of an exception may be a patient: only its kind and place are logged, whoever logs."""

    def broken(*_):
        raise ValueError("A123456789 王小明")

    monkeypatch.setattr(shop.host, "plan", broken)
    status, answer = page.call("POST", "/plan", {"prescription": shop.prescription()})
    written = "".join(capfd.readouterr()) + caplog.text

    assert (500, "error", {"kind": "ValueError"}) == (status, answer["error"]["code"], answer["error"]["detail"])
    assert "ValueError in test_guard.py" in caplog.text
    assert "A123456789" not in written
    assert "王小明" not in written


def test_files_of_the_page_are_asked_for_again_and_answered_shortly(page):
    """After an update of the program no browser shows the old page."""
    first = page.get("/static/icon.svg")
    again = page.get("/static/icon.svg", headers={"If-None-Match": first.headers["etag"]})
    head = page.head("/")

    assert ("image/svg+xml", 200) == (first.headers["content-type"], first.status_code)
    assert (304, b"") == (again.status_code, again.content)
    assert (200, b"") == (head.status_code, head.content)
    assert [404] * 4 == [
        page.get(path).status_code for path in ("/static/%2e%2e/app.py", "/static/js", "/static/.hidden.js", "/static/a%5Cb.js")
    ]
    assert 405 == page.post("/static/icon.svg").status_code
