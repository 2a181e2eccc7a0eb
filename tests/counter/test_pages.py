"""The page is there before the application is, and an application that cannot be made is said."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from nhirx.counter.options import Options
from nhirx.counter.serve import Address, Server
from nhirx.errors import StoreDamaged
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
