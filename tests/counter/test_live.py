"""Frames and news over WebSockets: one frame at a time, agreement over frames, and a page that cannot fill the memory."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import ExitStack

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from samples import clip
from tests.counter.conftest import wait_for

SHEET = "0USE4FA11RP4J3DLSH9J"


@pytest.fixture(scope="module")
def frames():
    """A desk without and with the sheet, as JPEG."""
    picture = cv2.imread("samples/rendered/demo-sheet.jpg")
    scale = 720 / picture.shape[0]
    sheet = np.full((720, 1280, 3), 90, np.uint8)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:, :1280]
    sheet[:, : small.shape[1]] = small
    return [
        cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes() for image in (np.full_like(sheet, 90), sheet)
    ]


def ask(link, frame):
    link.send(frame)
    return json.loads(link.recv(60))


def test_a_sheet_is_taken_once_when_frames_agree(page, frames):
    """Nothing on the desk, then the sheet: the overlay gets every code, the sheet is taken once, and its picture is kept."""
    empty, sheet = frames
    with page.socket("/scans/live") as link:
        before = ask(link, empty)
        seen = [ask(link, sheet) for _ in range(6)]
    [taken] = [one for one in seen if one["taken"]]
    picture = page.get(f"/api/v1/scans/{taken['scan']['ref']}/preview.jpg")
    codes = taken["scan"]["codes"]

    assert (1, 1280, 720, "none", False) == (
        before["frame"],
        before["width"],
        before["height"],
        before["scan"]["status"],
        before["taken"],
    )
    assert before["scan"]["advice_zh"]
    assert (SHEET, sheet) == (taken["scan"]["visit_id"], picture.content)
    assert "visit-id" in {code["kind"] for code in codes}
    assert all(4 == len(code["polygon"]) and SHEET not in code["text_masked"] for code in codes)
    assert [None] * 5 == [one["scan"]["ref"] for one in seen if not one["taken"]]


def test_after_a_reset_the_same_sheet_may_be_taken_again(page, frames):
    """The next patient's sheet may be the one that was put away by mistake."""
    with page.socket("/scans/live") as link:
        first = [ask(link, frames[1])["taken"] for _ in range(4)]
        link.send(json.dumps({"type": "reset"}))
        second = [ask(link, frames[1])["taken"] for _ in range(4)]

    assert (1, 1) == (sum(first), sum(second))


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", "file-empty"),
        (b"no picture", "file-kind-unknown"),
        (b"\xff\xd8\xff\xe0\x00", "file-damaged"),
        ("[1]", "request-invalid"),
        ("{", "request-invalid"),
    ],
)
def test_what_is_no_frame_is_an_error_and_the_next_frame_is_read(page, frames, frame, code):
    with page.socket("/scans/live") as link:
        wrong, right = ask(link, frame), ask(link, frames[0])

    assert ("error", code) == (wrong["type"], wrong["error"]["code"])
    assert 1 == right["frame"]


def test_a_frame_that_is_too_large_closes_the_connection(page):
    with page.socket("/scans/live") as link, pytest.raises(ConnectionClosed):
        ask(link, b"\xff" * (page.server.options.most_frame + 1))


def test_a_page_that_sends_ahead_is_answered_in_order_and_held_back(page, frames):
    """Frames that nobody waited for stay with the sender: the connection takes no more than it answers."""
    with page.socket("/scans/live") as link:
        for _ in range(12):
            link.send(frames[0])
        numbers = [json.loads(link.recv(60))["frame"] for _ in range(12)]

    assert list(range(1, 13)) == numbers


def test_a_locked_page_gets_no_answer_to_its_frames(own, frames):
    with own() as shop, shop.page() as page:
        page.ok("POST", "/operators", {"name": "p1", "pin": "2468"})
        page.ok("POST", "/session/unlock", {"operator": "p1", "pin": "2468"})
        with page.socket("/scans/live") as link:
            ask(link, frames[0])
            page.ok("POST", "/session/lock")
            told = ask(link, frames[0])
            with pytest.raises(ConnectionClosed) as closed:
                link.recv(60)
        with page.socket("/scans/live") as link:
            refused = json.loads(link.recv(60))

    assert ["session-locked"] * 2 == [one["error"]["code"] for one in (told, refused)]
    assert 4423 == closed.value.rcvd.code


def test_a_camera_of_the_server_shows_its_picture_and_takes_the_sheet(own, frames, tmp_path):
    """A picture, its answer, and the next only when it is asked for."""
    film = tmp_path / "film.avi"
    empty, sheet = (cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR) for frame in frames)
    clip.write_avi(film, [empty, *[sheet] * 5])
    with own(camera=str(film)) as shop, shop.page() as page, page.socket("/scans/camera?device=0") as link:
        answers = []
        for _ in range(6):
            picture = link.recv(60)
            answers.append(json.loads(link.recv(60)))
            link.send(json.dumps({"type": "next"}))
        ended = json.loads(link.recv(60))

    assert picture[:3] == b"\xff\xd8\xff"
    assert (1, SHEET) == (sum(one["taken"] for one in answers), answers[-1]["scan"]["visit_id"])
    assert "camera-gone" == ended["error"]["code"]


@pytest.mark.parametrize(
    ("device", "code"), [("9", "camera-gone"), ("99", "request-invalid"), ("../x", "request-invalid"), ("-1", "request-invalid")]
)
def test_a_camera_that_is_not_there_is_said(page, device, code):
    with page.socket(f"/scans/camera?device={device}") as link:
        assert code == json.loads(link.recv(60))["error"]["code"]


def test_news_of_a_dispensing_reach_every_page(shop, page):
    """hello at once, then the dispensing and each step of its record."""
    with page.socket("/events") as link, shop.page() as other:
        hello = json.loads(link.recv(60))
        done = other.ok(
            "POST", "/dispensings", {"prescription": shop.prescription()}, headers={"Idempotency-Key": str(uuid.uuid4())}
        )["dispensing"]
        heard = []
        while not any(one["type"] == "record" and one["state"] == "accepted" for one in heard):
            heard.append(json.loads(link.recv(60)))
    mine = [one for one in heard if one.get("id") == done["record_id"] and one["type"] == "record"]

    assert ("hello", shop.server.app.state.desk.started) == (hello["type"], hello["started"])
    assert {"type": "dispensing", "id": done["id"], "state": "queued"} in heard
    assert ["accepted", "built", "sent"] == sorted({one["state"] for one in mine})
    assert {done["id"]} == {one["dispensing"] for one in mine}


def test_a_lock_is_news_and_a_locked_page_hears_nothing_else(own):
    """The connection stays, so that the page goes on at once after the PIN."""
    ahead = [0.0]
    with own(idle=600, now=lambda: time.time() + ahead[0]) as shop, shop.page() as page:
        page.ok("POST", "/operators", {"name": "p1", "pin": "2468"})
        page.ok("POST", "/session/unlock", {"operator": "p1", "pin": "2468"})
        with page.socket("/events") as link:
            # At once after the first word: a lock that falls between it and the server's next look is news all the same.
            assert "hello" == json.loads(link.recv(60))["type"]
            ahead[0] = 601.0
            told = json.loads(link.recv(60))
            while told["type"] != "session" or not told["locked"]:
                told = json.loads(link.recv(60))
            shop.server.app.state.desk.hub.tell({"type": "dispensing", "id": 1, "state": "queued"})
            page.ok("POST", "/session/unlock", {"operator": "p1", "pin": "2468"})
            after = json.loads(link.recv(60))

    assert {"type": "session", "locked": True, "operator": "p1"} == told
    assert ("session", False) == (after["type"], after["locked"])


def test_a_page_that_does_not_listen_is_let_go(shop, page):
    """Its line is bounded: a page left open over a weekend costs nothing."""
    desk = shop.server.app.state.desk
    before = len(desk.hub._lines)
    with page.socket("/events", close_timeout=0.2) as link:
        wait_for(lambda: len(desk.hub._lines) == before + 1, "the page")
        link.recv(60)
        started = time.monotonic()
        while len(desk.hub._lines) > before and time.monotonic() - started < 60:
            for _ in range(500):
                desk.hub.tell({"type": "dispensing", "id": 1, "state": "x" * 1000})
            time.sleep(0.01)

        assert len(desk.hub._lines) == before


def test_the_program_ends_though_pages_are_open(own, frames):
    """Ctrl-C does not wait for a browser."""
    with ExitStack() as links:
        with own() as shop, shop.page() as page:
            _, live = (links.enter_context(page.socket(path, close_timeout=0.2)) for path in ("/events", "/scans/live"))
            ask(live, frames[0])
            started = time.monotonic()
        took = time.monotonic() - started

    assert took < 30
