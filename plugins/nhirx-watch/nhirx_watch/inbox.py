"""A folder in which files appear, slowly and in parts, and from which they are moved when they were read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nhirx_watch.outbox import Outbox

_KINDS = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".pdf"}


class Inbox:
    """Reads a file when its size and time stand still between two looks: a scanner writes for seconds.

    A file that was read goes to ``done``, one on which a person has to look to ``look``. The answer is written before the
    file is moved: after a stop in between it is read once more, never lost.
    """

    def __init__(self, folder: Path, scan: Callable[[Path], Sequence[Any]], outbox: Outbox) -> None:
        self._folder = folder
        self._scan = scan
        self._outbox = outbox
        self._seen: dict[Path, tuple[int, int]] = {}

    def run(self, *, seconds: float, once: bool = False, sleep: Callable[[float], None] = time.sleep) -> None:
        """Until the process is stopped; with ``once`` until nothing is left."""
        while True:
            self.look()
            if once and not self._waiting():
                return
            sleep(seconds)

    def look(self) -> int:
        """One look at the folder; how many files were read."""
        read = 0
        present: dict[Path, tuple[int, int]] = {}
        for path in self._waiting():
            try:
                status = path.stat()
            except OSError:
                continue  # gone between two steps
            mark = (status.st_size, status.st_mtime_ns)
            if self._seen.get(path) == mark:
                self._read(path)
                read += 1
            else:
                present[path] = mark
        self._seen = present
        return read

    def _waiting(self) -> list[Path]:
        return sorted(path for path in self._folder.iterdir() if path.suffix.lower() in _KINDS and path.is_file())

    def _read(self, path: Path) -> None:
        pages = [page.as_json() for page in self._scan(path)]
        for page in pages:
            page["path"] = path.name
        clear = bool(pages) and all(page["status"] == "found" and page["confidence"] != "ocr" for page in pages)
        self._outbox.write(f"scan-{path.name}", {"event": "scanned", "file": path.name, "clear": clear, "pages": pages})
        self._move(path, "done" if clear else "look")

    def _move(self, path: Path, to: str) -> None:
        folder = self._folder / to
        folder.mkdir(exist_ok=True)
        target = folder / path.name
        number = 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        path.replace(target)
