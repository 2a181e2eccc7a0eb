"""The page is there before the application is, and an application that cannot be made is said."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from nhirx.counter.options import PORT, Options
from nhirx.counter.pages import Late
from nhirx.counter.serve import Address, Server
from nhirx.errors import StoreDamaged
from nhirx.settings import CounterSettings
from tests.counter.conftest import wait_for


def test_the_page_is_served_while_the_application_is_made(shop, tmp_path, monkeypatch):
    """A request to the API waits for it; the files of the page do not."""
    go = threading.Event()
    server = Server(shop.host, Options(folder=tmp_path, watch_readers=False), Address())
    made = server.app
    monkeypatch.setattr(Server, "app", property(lambda _: go.wait(60) and made))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.is_up, "the server")
    with httpx.Client(base_url=server.url, timeout=60) as client:
        page = client.get("/").status_code
        with pytest.raises(httpx.TimeoutException):
            client.get("/api/v1/state", timeout=0.3)
        go.set()
        state = client.get("/api/v1/state").status_code
    server.stop()
    thread.join(60)

    assert (200, 401, False) == (page, state, thread.is_alive())


def test_an_application_that_cannot_be_made_ends_the_program_with_its_error(shop, tmp_path):
    """A damaged file of sessions is named, not answered around."""
    (tmp_path / "sessions.json").write_text("{", "utf-8")
    server = Server(shop.host, Options(folder=tmp_path, watch_readers=False), Address())

    # In a thread of its own: a browser test of the same process may have left its loop in this one.
    with ThreadPoolExecutor(1) as pool, pytest.raises(StoreDamaged):
        pool.submit(server.run).result(60)


def test_the_host_is_made_while_the_page_is_served(shop, tmp_path):
    """Opening the database takes as long as loading the page: neither waits for the other, and the link is good before both."""
    go = threading.Event()
    server = Server(lambda: go.wait(60) and shop.host, Options(folder=tmp_path, watch_readers=False), Address())
    link = server.link()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with httpx.Client(base_url=server.url, timeout=60) as client:
        page = client.get("/").status_code
        with ThreadPoolExecutor(1) as pool:
            session = pool.submit(client.post, "/api/v1/session", json={"token": link.split("token=")[1]})
            waits = not session.done()
            go.set()
            entered = session.result(60).status_code
    server.stop()
    thread.join(60)

    assert (200, True, 200, False) == (page, waits, entered, thread.is_alive())


def test_who_waits_for_an_application_that_cannot_be_made_is_told_why(tmp_path):
    """In the words of the error, and a foreign page is told nothing."""
    options, failed, go = Options(folder=tmp_path, port=PORT), [], threading.Event()

    def make():
        go.wait(60)
        raise StoreDamaged(path="outbox.sqlite")

    async def story() -> list[tuple[int, str]]:
        late, heard = Late(make, options, failed.append), asyncio.Queue()
        await heard.put({"type": "lifespan.startup"})
        started = asyncio.Event()

        async def begun(_):
            started.set()

        life = asyncio.create_task(late({"type": "lifespan"}, heard.get, begun))
        await started.wait()
        asked = [asyncio.create_task(_ask(late, host)) for host in (f"127.0.0.1:{PORT}", "pharmacy.example")]
        go.set()
        told = [await one for one in asked]
        await heard.put({"type": "lifespan.shutdown"})
        await life
        return told

    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(asyncio.run, story()).result(60)

    assert [(503, "store-damaged"), (403, "request-refused")] == told
    assert [StoreDamaged] == [type(error) for error in failed]


async def _ask(app, host: str) -> tuple[int, str]:
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    await app({"type": "http", "method": "GET", "path": "/api/v1/state", "headers": [(b"host", host.encode())]}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])["error"]["code"]


def test_a_demo_listens_where_the_settings_would():
    """It reads no settings, so that it need not import them before it has told its address."""
    assert CounterSettings().port == PORT
