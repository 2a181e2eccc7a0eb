"""Coming in, being locked out, and who signs for what."""

from __future__ import annotations

import httpx
import pytest

from nhirx.counter.options import Options
from nhirx.counter.people import Keys, Operators
from nhirx.counter.sessions import Sessions
from nhirx.errors import InvalidValue, PinWrong, SessionNeeded, ThingMissing


class Wall:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_link_opens_one_session_and_is_used_up(shop):
    """Who finds the link in a history opens nothing with it."""
    link = shop.server.link()
    token = {"token": link.split("token=")[1]}
    with httpx.Client(base_url=shop.server.url) as client:
        first = client.post("/api/v1/session", json=token)
        second = client.post("/api/v1/session", json=token)
        cookie = first.headers["set-cookie"]

    assert (200, 401) == (first.status_code, second.status_code)
    assert "session-needed" == second.json()["error"]["code"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))


def test_a_reloaded_page_gets_its_csrf_token_back_by_the_cookie(page):
    """Nothing about the session stands in the page's own storage."""
    assert page.headers["X-Nhirx-Csrf"] == page.ok("GET", "/session")["csrf"]


def test_a_change_without_the_csrf_token_is_refused(page):
    """A form of another page would send the cookie, never the token."""
    del page.headers["X-Nhirx-Csrf"]

    assert 403 == page.call("POST", "/worker", {"action": "pause"})[0]
    assert 200 == page.call("GET", "/state")[0]


def test_without_a_session_nothing_is_answered_but_the_page_itself(shop):
    """The page and the description of the API hold nothing of the pharmacy."""
    with httpx.Client(base_url=shop.server.url) as client:
        closed = {
            path: client.get(f"/api/v1{path}").status_code
            for path in ("/state", "/records", "/operators", "/print/today", "/card")
        }
        opened = {path: client.get(path).status_code for path in ("/", "/openapi.json", "/static/icon.svg")}

    assert {401} == set(closed.values())
    assert {200} == set(opened.values())


def test_a_session_ends_when_it_is_told_to(page):
    assert 204 == page.request("DELETE", "/api/v1/session").status_code
    assert 401 == page.call("GET", "/state")[0]


def test_operators_sign_lock_and_stand_in_the_audit_trail(own):
    """The first operator is added freely, from then on the page asks who is there; what is done stands under the name."""
    with own() as shop, shop.page() as page:
        assert page.ok("GET", "/session")["locked"] is False
        page.ok("POST", "/operators", {"name": "林藥師", "pin": "2468"})
        assert (423, "session-locked") == _code(page.call("GET", "/records"))
        assert (423, "session-locked") == _code(page.call("POST", "/operators", {"name": "別人", "pin": "1111"}))
        assert (403, "pin-wrong") == _code(page.call("POST", "/session/unlock", {"operator": "林藥師", "pin": "0000"}))
        assert (403, "pin-wrong") == _code(page.call("POST", "/session/unlock", {"operator": "無此人", "pin": "0000"}))
        answer = page.ok("POST", "/session/unlock", {"operator": "林藥師", "pin": "2468"})
        assert ("林藥師", False) == (answer["operator"], answer["locked"])
        page.ok("POST", "/operators", {"name": "王藥師", "pin": "1357"})
        assert (403, "request-refused") == _code(page.call("POST", "/operators", {"name": "王藥師", "pin": "9999"}))
        page.ok("POST", "/worker", {"action": "send-now"})
        assert page.ok("POST", "/session/lock")["locked"] is True
        state = page.ok("GET", "/state")

        assert ("林藥師", True) == (state["operator"], state["locked"])
        assert [{"name": "林藥師"}, {"name": "王藥師"}] == sorted(
            page.ok("GET", "/operators")["items"], key=lambda one: one["name"] == "王藥師"
        )
        assert ("林藥師", "worker-send-now") in shop.trail()


def test_a_session_outlives_a_restart_and_keeps_who_signed_in(own):
    """The page goes on with its cookie; no new link is needed."""
    with own() as shop, shop.page() as page:
        page.ok("POST", "/operators", {"name": "p1", "pin": "2468"})
        page.ok("POST", "/session/unlock", {"operator": "p1", "pin": "2468"})
        cookie, csrf = page.cookies[shop.server.options.cookie], page.headers["X-Nhirx-Csrf"]
    with own() as again:
        # Here the port is another one; a counter that is started again has its own.
        cookies = {again.server.options.cookie: cookie}
        with httpx.Client(base_url=again.server.url, cookies=cookies) as client:
            answer = client.get("/api/v1/session").json()

    assert {"csrf": csrf, "operator": "p1", "locked": False} == answer


def test_a_key_lets_a_program_in_without_cookie_and_its_revocation_is_immediate(own):
    """The key is shown once and stands on disk as a hash only."""
    with own() as shop, httpx.Client(base_url=shop.server.url) as program:
        keys = Keys(shop.server.options.folder)
        key = keys.add("his")
        program.headers["Authorization"] = f"Bearer {key}"
        with_key = program.post("/api/v1/worker", json={"action": "send-now"}).status_code
        keys.revoke("his")
        without = program.get("/api/v1/state").status_code
        stored = (shop.server.options.folder / "keys.json").read_text("utf-8")

        assert (200, 401) == (with_key, without)
        assert ("key:his", "worker-send-now") in shop.trail()
        assert key not in stored
        with pytest.raises(ThingMissing):
            keys.revoke("his")


def test_nothing_on_disk_opens_a_session(own):
    """Tokens, cookies and PINs are kept as hashes."""
    with own() as shop, shop.page() as page:
        link = shop.server.link()
        page.ok("POST", "/operators", {"name": "p1", "pin": "24681357"})
        kept = "".join(path.read_text("utf-8") for path in shop.server.options.folder.glob("*.json"))
        secrets = [
            link.split("token=")[1],
            dict(page.cookies)[shop.server.options.cookie],
            page.headers["X-Nhirx-Csrf"],
            "24681357",
        ]

    assert [] == [secret for secret in secrets if secret in kept]


def test_the_page_locks_after_idle_and_the_session_ends_after_its_life(tmp_path):
    """Idle counts from a person's last act, not from what the page asks by itself."""
    wall = Wall()
    sessions = Sessions(Options(folder=tmp_path, now=wall, idle=600, session_life=7200))
    cookie, session = sessions.open(sessions.link())
    sessions.unlock(session, "p1")
    wall.now += 599
    before = sessions.is_locked(sessions.find(cookie), somebody=True)
    wall.now += 2
    after = sessions.is_locked(sessions.find(cookie), somebody=True)
    wall.now += 7201

    assert (False, True) == (before, after)
    with pytest.raises(SessionNeeded):
        sessions.find(cookie)


def test_a_link_that_nobody_opened_within_the_hour_is_dead(tmp_path):
    wall = Wall()
    sessions = Sessions(Options(folder=tmp_path, now=wall))
    link = sessions.link()
    wall.now += 3601

    with pytest.raises(SessionNeeded):
        sessions.open(link)


def test_after_five_wrong_pins_even_the_right_one_has_to_wait(tmp_path):
    """Longer each time, so that nobody tries them all."""
    wall = Wall()
    operators = Operators(tmp_path, wall)
    operators.add("p1", "2468")

    def waits(pin: str) -> int | None:
        try:
            operators.check("p1", pin)
        except PinWrong as error:
            return int(error.detail["seconds"])
        return None

    assert [0, 0, 0, 0, 30, 30] == [waits("0000") for _ in range(6)]
    assert 30 == waits("2468")
    wall.now += 31
    assert 60 == waits("0000")
    wall.now += 61
    assert waits("2468") is None


@pytest.mark.parametrize(("name", "pin"), [("", "2468"), ("a/b", "2468"), ("x" * 21, "2468"), ("p1", "123"), ("p1", "1" * 33)])
def test_names_and_pins_have_limits(tmp_path, name, pin):
    with pytest.raises(InvalidValue):
        Operators(tmp_path).add(name, pin)


def _code(answer):
    return answer[0], answer[1]["error"]["code"]


def test_two_counters_on_one_computer_do_not_take_each_others_session(own, shop):
    """A browser sends cookies to every port: the demo beside the real one has a name of its own."""
    with own() as other, shop.page() as page, httpx.Client(cookies=dict(page.cookies)) as browser:
        token = {"token": other.server.link().split("token=")[1]}
        browser.post(f"{other.server.url}/api/v1/session", json=token)

        assert [200, 200] == [browser.get(f"{one.server.url}/api/v1/session").status_code for one in (shop, other)]
