"""A folder that scanners write into: what is complete is read, what comes later is added to the same batch.

A file counts as complete when its size and time are the same at two looks in a row and it opens. The plan only grows, so that
a watch that was killed goes on like any other batch, and the results are those of the plan.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from nhirx.batch.journal import Journal
from nhirx.batch.run import Options, Progress, prepare, run
from nhirx.batch.source import entries

LOOK_SECONDS = 3.0


class _Settled:
    """Remembers how each file looked the last time."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int]] = {}

    def __call__(self, path: Path) -> bool:
        try:
            told = path.stat()
            # A program that is still writing keeps the file to itself on Windows.
            with path.open("rb"):
                pass
        except OSError:
            return False
        now = (told.st_size, told.st_mtime_ns)
        same = self._before.get(str(path)) == now
        self._before[str(path)] = now
        return same

    def forget(self, path: str) -> None:
        self._before.pop(path, None)


def watch(
    options: Options,
    tell: Callable[[Progress], None] = lambda _: None,
    *,
    done: Callable[[dict[str, Any] | None], bool] = lambda _: False,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Read what comes until ``done`` answers True; it is asked after every look, with the summary if there was something new.

    Raises what ``run`` raises.
    """
    settled, known = _Settled(), set[str]()
    while True:
        fresh = _add(options, settled, known)
        options = replace(options, resume=True)
        if done(run(options, tell) if fresh else None):
            return
        pause(LOOK_SECONDS)


def _add(options: Options, settled: _Settled, known: set[str]) -> bool:
    """Add the files that are new and complete to the plan; whether there is something to read."""
    journal = Journal(options.out)
    try:
        prepare(journal, options)
        first = not known
        planned = list(journal.entries()) if journal.plan.exists() else []
        known.update(entry.file for entry in planned)

        def wanted(path: Path) -> bool:
            return os.path.abspath(path) not in known and settled(path)  # noqa: PTH100 - links stay as they are

        numbers = count(len(planned))
        found = entries(options.sources, leave_out=options.out, wanted=wanted)
        # Files of a store appear there whole; those of this machine were asked about above.
        new = [replace(entry, number=next(numbers)) for entry in found if entry.file not in known]
        for entry in new:
            known.add(entry.file)
            settled.forget(entry.file)
        if new:
            journal.write_plan([*planned, *new])
        # What an earlier watch had planned and not finished is read at the first look.
        return bool(new) or (first and bool(planned))
    finally:
        journal.close()
