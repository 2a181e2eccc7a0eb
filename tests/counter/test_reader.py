"""The reader's light on the page: a real smart card service, cards in and out, and what is said where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import httpx
import pytest

from tests.counter.conftest import wait_for
from tests.real.conftest import Service, Slot


@pytest.fixture
def counter(tmp_path, sim):
    """A counter as a process of its own, which finds the smart card service by the name of its socket."""
    running = []

    def start(socket_name):
        service = f'url = "{sim.url}"\nca_file = "{sim.ca_file.as_posix()}"\n'
        (tmp_path / "nhirx.toml").write_text(
            f'[control]\nkind = "control6"\n[control.local]\n{service}[control.data_centre]\n{service}[upload.service]\n{service}',
            "utf-8",
        )
        env = {**os.environ, "NHIRX_DATA": str(tmp_path / "data"), "NHIRX_CONFIG": str(tmp_path / "nhirx.toml")}
        env["PCSCLITE_CSOCK_NAME"] = str(socket_name)
        process = subprocess.Popen(
            [sys.executable, "-m", "nhirx", "counter", "--port", "0", "--no-open", "--json"],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        told = json.loads(process.stdout.readline())
        client = httpx.Client(base_url=told["url"], timeout=60)
        running.append(client)
        client.headers["X-Nhirx-Csrf"] = client.post(
            "/api/v1/session", json={"token": told["token_url"].split("token=")[1]}
        ).json()["csrf"]
        return client

    yield start
    for one in running:
        if isinstance(one, httpx.Client):
            one.close()
        else:
            one.terminate()
            one.communicate(timeout=60)


@pytest.fixture
def service(tmp_path_factory):
    started = Service(tmp_path_factory.mktemp("pcsc"))
    yield started
    started.stop()


def reader(client):
    return client.get("/api/v1/state").json()["reader"]


def test_cards_come_and_go_and_a_foreign_card_is_named(counter, service):
    """An NHI card shows its holder masked; a bank card says what it is; pulled out, nothing of either is left."""
    slot = Slot(service, 0)
    client = counter(service.socket_name)
    try:
        wait_for(lambda: reader(client)["state"] == "no-card", "the empty reader")
        slot.insert("nul-padded")
        wait_for(lambda: reader(client)["state"] == "card", "the card")
        shown = wait_for(lambda: client.get("/api/v1/card").json().get("holder"), "its holder")
        slot.insert("bank")
        foreign = wait_for(lambda: reader(client) if reader(client)["code"] else None, "the bank card")
        slot.pull()
        wait_for(
            lambda: (
                reader(client)
                == {"state": "no-card", "words_zh": "請插入健保卡", "words_en": "insert the NHI card", "code": None}
            ),
            "nothing",
        )
        service.stop()
        # Without a service the control software is asked, which has a card in this sandbox.
        wait_for(lambda: reader(client)["state"] == "card", "the control software")
    finally:
        slot.pull()

    assert ("王○明", "A12******9") == (shown["name"], shown["national_id"])
    assert "not-an-nhi-card" == foreign["code"]
    assert foreign["words_zh"]


def test_where_nothing_answers_it_is_said(counter, sim, tmp_path):
    """Neither a smart card service nor the control software."""
    client = counter(tmp_path / "nobody")
    wait_for(lambda: reader(client)["state"] == "card", "the control software")
    sim.fail("*", "refuse", times=100000)

    assert (
        "no-service"
        == wait_for(lambda: reader(client) if reader(client)["state"] == "no-service" else None, "the end of it")["state"]
    )
