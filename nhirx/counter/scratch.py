"""A place for the picture that the scanner has to open by name: in the counter's own folder, for moments, and swept.

The folder for temporary files of the system is no place for a sheet with a patient on it: who else looks there is not ours to say, and
what a killed program leaves there stays for days.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LEFT = 600.0


@contextmanager
def scratch(data: Path) -> Iterator[Path]:
    """An empty folder that only its owner may enter, gone afterwards with everything in it.

    What a program that was killed left here is removed with the next picture, ten minutes later at the earliest: until then it could
    belong to another program at work.
    """
    folder = _place(data)
    folder.mkdir(parents=True, exist_ok=True)
    sweep(data)
    with tempfile.TemporaryDirectory(prefix="sheet-", dir=folder) as name:
        yield Path(name)


def sweep(data: Path) -> None:
    """Remove what was left in there ten minutes ago or longer. What cannot be removed stays for the next time."""
    for left in _place(data).glob("sheet-*"):
        try:
            old = time.time() - left.stat().st_mtime
        except OSError:
            continue
        # A time in the future was written before the clock was set back.
        if not 0 <= old < _LEFT:
            shutil.rmtree(left, ignore_errors=True)


def _place(data: Path) -> Path:
    return data / "scanning"
