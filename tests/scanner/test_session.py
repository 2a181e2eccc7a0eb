"""Video: agreement over frames, fusion of frames, forgetting."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from nhirx_scanner import Camera, Scanner, engines
from nhirx_scanner.session import MEMORY


def test_two_frames_agree(draw):
    """One unchecked form, seen twice, is agreement."""
    text = draw.visit_id(40)
    session, frame = Scanner().session(), draw.sheet((text, "Code39", 20, 60, 2), size=(480, 800))
    first, second = session.push(frame), session.push(frame)

    assert (text, text) == (first.visit_id, second.visit_id)
    assert ("single", "agreed") == (first.confidence, second.confidence)


def test_a_sheet_is_remembered_for_a_moment_and_then_forgotten(draw):
    """A blurred frame in between keeps the ID; after the sheet has gone, so has the ID."""
    text, blank = draw.visit_id(41), np.full((480, 640), 240, np.uint8)
    session = Scanner().session()
    session.push(draw.sheet((text, "QRCode", 100, 100), size=(480, 640)))
    seen = [session.push(blank).visit_id for _ in range(MEMORY + 2)]

    assert text == seen[0]
    assert seen[-1] is None


def test_the_next_sheet_replaces_the_one_before(draw):
    """Another ID is reported at once and alone: it is no second sheet and no conflict."""
    one, two = draw.visit_id(42), draw.visit_id(43)
    session = Scanner().session()
    session.push(draw.sheet((one, "QRCode", 100, 100), size=(480, 640)))
    scan = session.push(draw.sheet((two, "QRCode", 100, 100), size=(480, 640)))

    assert ("found", two, (two,)) == (scan.status, scan.visit_id, scan.visit_ids)


def test_a_new_sheet_whose_bars_say_otherwise_is_not_taken(draw, monkeypatch):
    """The library takes one place of a Code 39 for another: the model is asked, on the first sheet and on the next one."""
    zxing = engines.zxing

    def misread(*asked, **how):
        return [
            replace(read, text=read.text[:4] + ("S" if read.text[4] != "S" else "5") + read.text[5:])
            if read.symbology == "code39"
            else read
            for read in zxing(*asked, **how)
        ]

    session = Scanner().session()
    first = draw.sheet((draw.visit_id(44), "QRCode", 100, 100), size=(480, 800))
    second = draw.sheet((draw.visit_id(45), "Code39", 20, 60, 2), size=(480, 800))
    monkeypatch.setattr(engines, "zxing", misread)
    frames = [second] * 2 + [first] + [second] * (MEMORY + 2)
    seen = [session.push(frame).visit_id for frame in frames]

    assert {*seen} <= {None, draw.visit_id(44), draw.visit_id(45)}


def test_frames_that_cannot_be_read_alone_are_read_together(draw):
    """Bars so blurred that no frame reads alone; the mean of the frames does, and never as anything else."""
    text, chance = draw.visit_id(44), np.random.default_rng(1)
    clean = cv2.GaussianBlur(draw.sheet((text, "Code128", 20, 60, 2), size=(240, 760)), (0, 0), 2.2).astype(np.float32)
    session = Scanner(limit_ms=5000).session()
    seen = [session.push((clean * 0.6 + 60 + chance.normal(0, 12, clean.shape)).clip(0, 255).astype(np.uint8)) for _ in range(12)]

    assert {text} == {scan.visit_id for scan in seen if scan.visit_id}


def test_what_is_no_frame_is_an_error():
    """A camera that hands over nonsense does not end the loop."""
    assert "error" == Scanner().session().push(None).status


@pytest.fixture
def clip(draw, tmp_path):
    """A short MJPG film of a sheet."""
    path = str(tmp_path / "clip.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 15, (640, 480))
    frame = cv2.cvtColor(draw.sheet((draw.visit_id(45), "QRCode", 100, 100, 4), size=(480, 640)), cv2.COLOR_GRAY2BGR)
    for _ in range(5):
        writer.write(frame)
    writer.release()
    return path


def test_a_film_is_read_to_its_end(draw, clip):
    """Frames of a file end with the file, and every one of them reads."""
    session = Scanner().session()
    with Camera(clip) as camera:
        seen = [session.push(frame).visit_id for frame in camera]

    assert [draw.visit_id(45)] * 5 == seen


def test_a_camera_that_is_not_there_is_said_plainly(tmp_path):
    """Opening nothing is False, reading nothing is None, iterating nothing is an error with words."""
    from nhirx.errors import ComponentMissing

    camera = Camera(str(tmp_path / "none.avi"))

    assert (False, None) == (camera.open(), camera.read())
    with pytest.raises(ComponentMissing):
        next(iter(camera))
