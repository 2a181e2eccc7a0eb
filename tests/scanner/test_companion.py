"""The process that takes the second of two looks: the same answers, and nothing lost whatever happens to it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from nhirx_scanner import Scan, Scanner, companion
from nhirx_scanner.companion import Companion, _Crew

from samples import corpus


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    pages = [*corpus.pages("webcam", range(1000, 1002), severity=2), *corpus.pages("text", range(1000, 1001), severity=1)]
    return [cv2.cvtColor(page.image, cv2.COLOR_BGR2GRAY) for page in pages]


@pytest.fixture(scope="module")
def one() -> Iterator[Companion]:
    made = Companion()
    assert made.start()
    yield made
    made.end()


def test_it_answers_what_this_process_answers(one: Companion, pictures: list[np.ndarray]) -> None:
    """Member by member: ID, codes, places, evidence."""
    scanner = Scanner(limit_ms=60_000)

    assert [replace(scanner.scan(each), ms=0.0) for each in pictures] == [one.ask(each, scanner) for each in pictures]


def test_a_picture_that_is_a_part_of_another_goes_over_whole(one: Companion, pictures: list[np.ndarray]) -> None:
    """Rows of it do not lie side by side."""
    part, scanner = pictures[0][::-1, 10:-10], Scanner(limit_ms=60_000, ocr=False)

    assert replace(scanner.scan(part), ms=0.0) == one.ask(part, scanner)


def test_the_second_look_goes_to_a_companion(pictures: list[np.ndarray]) -> None:
    crew = _Crew()
    assert [None, None] == [crew.enter(), crew.enter()]
    _until(lambda: bool(crew._free))
    third = crew.enter()
    try:
        assert third is not None
        assert isinstance(third.ask(pictures[0], Scanner()), Scan)
        assert crew.enter() is None  # it is at work, and there is no second one
    finally:
        for each in (third, None, None, None):
            crew.leave(each)
        process = third.process if third else None
        crew.dismiss()
    assert process is not None
    assert process.poll() is not None


def test_alone_nobody_is_called() -> None:
    crew = _Crew()
    for _ in range(3):
        assert crew.enter() is None
        crew.leave(None)

    assert ([], False) == (crew._there, crew._starting)


def test_one_that_dies_at_work_loses_nothing(monkeypatch: pytest.MonkeyPatch, pictures: list[np.ndarray]) -> None:
    """Killed while it looks: the page is looked at here, and the answer is the same."""
    crew, scanner = _Crew(), Scanner(limit_ms=60_000, ocr=False)
    monkeypatch.setattr(companion, "_crew", crew)
    monkeypatch.setenv(companion.VARIABLE, "0")  # nobody comes in its place
    alone = [replace(scanner.scan(each), ms=0.0) for each in pictures[:2] * 2]
    dying = Companion()
    assert dying.start()
    crew._there.append(dying)
    crew._free.append(dying)
    assert crew.enter() is None  # somebody is at work here
    process = dying.process
    assert process is not None
    threading.Timer(0.05, process.kill).start()
    seen = [replace(scanner.scan(each), ms=0.0) for each in pictures[:2] * 2]
    crew.leave(None)

    assert alone == seen
    assert process.wait(30) != 0
    assert (dying.process, []) == (None, crew._there)


def test_a_look_that_is_left_in_the_middle_answers_no_other_page(
    monkeypatch: pytest.MonkeyPatch, pictures: list[np.ndarray]
) -> None:
    """Ctrl-C while an answer is waited for: that answer stays unread, so whoever could give it is gone."""
    left, scanner = Companion(), Scanner(ocr=False)
    assert left.start()

    def interrupted(_: object) -> object:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(companion, "_receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            left.ask(pictures[0], scanner)

    assert (None, None) == (left.process, left.ask(pictures[1], scanner))


def test_an_answer_to_another_question_is_none(pictures: list[np.ndarray]) -> None:
    """Every question has a number, and the answer tells it."""
    asked = companion._send
    late = Companion()
    assert late.start()
    process = late.process
    assert process is not None
    assert process.stdin is not None
    asked(process.stdin, (7, Scanner(ocr=False), (30, 30), "|u1"), np.zeros((30, 30), np.uint8).data)

    assert (None, None) == (late.ask(pictures[0], Scanner(ocr=False)), late.process)


def test_a_machine_without_threads_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object) -> None:
        raise RuntimeError("can't start new thread")

    crew = _Crew()
    monkeypatch.setattr(threading.Thread, "start", none)

    assert [None, None, None] == [crew.enter() for _ in range(3)]
    assert ([], False) == (crew._there, crew._starting)


def test_two_threads_answer_what_one_does(monkeypatch: pytest.MonkeyPatch, pictures: list[np.ndarray]) -> None:
    """While it is started, and with it."""
    monkeypatch.setattr(companion, "_crew", _Crew())
    scanner = Scanner(limit_ms=60_000, ocr=False)
    alone = [replace(scanner.scan(each), ms=0.0) for each in pictures[:2]]
    with ThreadPoolExecutor(2) as pool:
        assert alone * 4 == [replace(seen, ms=0.0) for seen in pool.map(scanner.scan, pictures[:2] * 4)]
    companion.dismiss()


def test_it_ends_with_its_program_however_that_ends() -> None:
    """Killed without a word."""
    code = (
        "import os, signal; from nhirx_scanner.companion import Companion\n"
        "one = Companion(); assert one.start(); print(one.process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)

    _until(lambda: not _is_alive(int(told.stdout)))


def test_a_fork_leaves_its_parents_companion_alone() -> None:
    code = (
        "import os; import numpy as np; from nhirx_scanner import Scanner, companion\n"
        "one = companion.Companion(); assert one.start(); companion._crew._there.append(one); companion._crew._free.append(one)\n"
        "child = os.fork()\n"
        "if not child: os._exit(7 if companion._crew._free == [] and one.process is None else 1)\n"
        "left = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "print(left, one.ask(np.full((90, 90), 255, np.uint8), Scanner()).status)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)

    assert "7 none" == told.stdout.strip(), told.stderr


@pytest.mark.parametrize(("name", "value"), [("frozen", True), ("executable", ""), ("executable", "/opt/pharmacy.exe")])
def test_a_program_that_is_no_python_has_none(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    monkeypatch.setattr(sys, name, value, raising=False)

    assert 0 == companion.most()


@pytest.mark.parametrize(("value", "most"), [("0", 0), ("3", 3), ("-1", 0)])
def test_how_many_may_be_said(monkeypatch: pytest.MonkeyPatch, value: str, most: int) -> None:
    monkeypatch.setenv(companion.VARIABLE, value)

    assert most == companion.most()


def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(6000):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Dead, and nobody has asked yet how it ended.
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"
