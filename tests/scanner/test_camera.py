"""The camera through OpenCV's own V4L2 backend: the system calls below it are answered by a device that is not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

Run = Callable[[str], Any]


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device, compiled. Without a compiler the tests fail: ``./run test`` installs one."""
    made = tmp_path_factory.mktemp("v4l2") / "fake_v4l2.so"
    source = Path(__file__).with_name("fake_v4l2.c")
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"], check=True, timeout=120)
    return made


@pytest.fixture
def folder(draw: Any, tmp_path: Path) -> Path:
    """A camera of three sizes that looks at one sheet; the smaller sizes show it smaller."""
    page = cv2.cvtColor(draw.sheet((draw.visit_id(50), "QRCode", 200, 150, 12), size=(1080, 1920)), cv2.COLOR_GRAY2BGR)
    for width, height in ((640, 360), (1280, 720), (1920, 1080)):
        cv2.imwrite(str(tmp_path / f"{width}x{height}.jpg"), cv2.resize(page, (width, height), interpolation=cv2.INTER_AREA))
    return tmp_path


@pytest.fixture
def run(shim: Path, folder: Path) -> Run:
    """``run(code)``: what a process with that camera prints, as JSON."""

    def started(code: str) -> Any:
        surroundings = {**os.environ, "LD_PRELOAD": str(shim), "FAKE_CAMERA": str(folder), "OPENCV_VIDEOIO_PRIORITY_LIST": "V4L2"}
        head = "import json\nfrom pathlib import Path\nfrom nhirx_scanner import Scanner, camera\nfrom nhirx_scanner.camera import Camera\n"
        done = subprocess.run(
            [sys.executable, "-c", head + code], env=surroundings, capture_output=True, text=True, timeout=240, check=False
        )
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return started


def test_a_device_is_opened_by_its_number_and_read(draw: Any, run: Run) -> None:
    """Number 0: frames come, and the session over them reads the sheet."""
    seen = run(
        "session = Scanner().session()\n"
        "with Camera(0) as source:\n"
        "    frames = [source.read() for _ in range(3)]\n"
        "print(json.dumps([[list(frame.shape) for frame in frames], session.push(frames[-1]).visit_id]))"
    )

    assert [[[1080, 1920, 3]] * 3, draw.visit_id(50)] == seen


@pytest.mark.parametrize(
    ("missing", "asked", "expected"),
    [((), None, [1920, 1080]), (("1920x1080",), None, [1280, 720]), ((), (640, 360), [640, 360])],
    ids=["the best there is", "the next one where the best is missing", "the one that is asked for"],
)
def test_the_resolution_is_chosen(
    run: Run, folder: Path, missing: tuple[str, ...], asked: tuple[int, int] | None, expected: list[int]
) -> None:
    """More pixels per module are worth more than more frames per second."""
    for name in missing:
        (folder / f"{name}.jpg").unlink()
    seen = run(
        f"with Camera(0, size={asked!r}) as source:\n    frame = source.read()\nprint(json.dumps([frame.shape[1], frame.shape[0]]))"
    )

    assert expected == seen


def test_a_camera_that_is_pulled_out_and_put_in_again_goes_on(run: Run, folder: Path) -> None:
    """Frames, then none while it is gone, then frames again, in one loop and without an error."""
    mark = folder / "unplugged"
    seen = run(
        "import threading\n"
        f"mark = Path({str(mark)!r})\n"
        "camera._RETRY = 0.02\n"
        "tries = []\n"
        "whole = Camera.open\n"
        "def counted(self):\n"
        "    answer = whole(self)\n"
        "    tries.append(answer)\n"
        "    if tries[-3:] == [False] * 3:\n"
        "        mark.unlink(missing_ok=True)\n"  # put in again once it was missed three times
        "    return answer\n"
        "Camera.open = counted\n"
        "frames = 0\n"
        "with Camera(0) as source:\n"
        "    for frame in source:\n"
        "        frames += 1\n"
        "        if frames == 3:\n"
        "            mark.touch()\n"
        "        if frames == 6:\n"
        "            break\n"
        "print(json.dumps([frames, list(frame.shape), tries.count(False) >= 3, mark.exists()]))"
    )

    assert [6, [1080, 1920, 3], True, False] == seen


def test_a_camera_that_is_not_there_is_said_plainly(run: Run, folder: Path) -> None:
    """Unplugged from the beginning: opening is False, a frame is None, and the loop says what is missing."""
    (folder / "unplugged").touch()
    seen = run(
        "from nhirx.errors import ComponentMissing\n"
        "source = Camera(0)\n"
        "answers = [source.open(), source.read()]\n"
        "try:\n"
        "    next(iter(source))\n"
        "except ComponentMissing as error:\n"
        "    answers.append(error.code)\n"
        "print(json.dumps(answers))"
    )

    assert [False, None, "component-missing"] == seen


def test_frames_are_what_the_device_shows(run: Run, folder: Path) -> None:
    """Not black, not green: the picture itself, within what JPEG loses."""
    kept = folder / "frame.npy"
    run(
        "import numpy\n"
        f"with Camera(0, size=(640, 360)) as source:\n    numpy.save({str(kept)!r}, source.read())\n"
        "print(json.dumps(None))"
    )

    assert np.abs(np.load(kept).astype(int) - cv2.imread(str(folder / "640x360.jpg")).astype(int)).mean() < 4
