"""One thread per plugin, with a time limit."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from nhirx.plugin.lane import Lane, NoAnswer


def test_value_and_error_come_back():
    """Whatever the work raises is handed back, not raised."""
    lane = Lane("a")
    error = SystemExit(3)

    def leave():
        raise error

    assert (7, None) == lane.call(lambda: 7, 5)
    assert (None, error) == lane.call(leave, 5)
    lane.close()


def test_time_out_of_the_work_itself_is_no_missed_limit():
    """A TimeoutError that the plugin raises is its error, not ours."""
    lane = Lane("a")

    def late():
        raise TimeoutError

    assert isinstance(lane.call(late, 5)[1], TimeoutError)
    lane.close()


def test_waiting_call_that_ran_out_of_time_is_never_run():
    """A call that never began is dropped: news must not arrive after the host has logged that it failed."""
    lane, free, ran = Lane("a"), threading.Event(), []
    holding = threading.Thread(target=lambda: lane.call(lambda: free.wait(10), 10))
    holding.start()
    while lane._thread is None or not holding.is_alive():
        pass

    with pytest.raises(NoAnswer):
        lane.call(lambda: ran.append(1), 0.1)
    free.set()
    holding.join()

    assert (None, None) == lane.call(lambda: None, 5)
    assert [] == ran
    lane.close()


def test_context_goes_along():
    """The language chosen by the caller holds inside the plugin."""
    language, lane = ContextVar("language", default="?"), Lane("a")
    language.set("zh")

    assert ("zh", None) == lane.call(language.get, 5)
    lane.close()


def test_hanging_work_does_not_keep_the_process():
    """The process ends although a plugin still hangs."""
    code = "import time; from nhirx.plugin.lane import Lane, NoAnswer\ntry: Lane('a').call(lambda: time.sleep(600), 0.1)\nexcept NoAnswer: print('left')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)

    assert "left" == ended.stdout.strip()
