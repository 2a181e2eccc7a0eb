"""Scanners that misbehave, by the name of the file: ``hang``, ``crash``, ``crash-once``. Used in worker processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nhirx_scanner import Scan, Scanner


class Odd:
    """A real scanner, but for files with those names; page 2 of them is the bad one when they have several."""

    def __init__(self, **options: Any) -> None:
        self._scanner = Scanner(ocr=False, **options)

    def scan_pages(self, path: str, first: int, most: int) -> Iterator[Scan]:
        name = Path(path).stem
        bad = 2 if path.endswith(".tiff") else 1
        if first > bad or not name.startswith(("hang", "crash")):
            yield from self._scanner.scan_pages(path, first, most)
            return
        if first < bad:
            yield from self._scanner.scan_pages(path, first, bad - first)
        self._misbehave(Path(path), name)
        yield from self._scanner.scan_pages(path, bad, most)

    def _misbehave(self, path: Path, name: str) -> None:
        if name.startswith("hang"):
            time.sleep(600)
        elif name.startswith("crash-once"):
            mark = path.with_suffix(".crashed")
            if not mark.exists():
                mark.touch()
                os._exit(70)
        else:
            os._exit(70)


class Counting:
    """Writes a line for every page it gives to the file named by the environment, so that a test can see what was read twice."""

    def __init__(self, **options: Any) -> None:
        self._scanner = Scanner(ocr=False, **options)

    def scan_pages(self, path: str, first: int, most: int) -> Iterator[Scan]:
        for scan in self._scanner.scan_pages(path, first, most):
            with Path(os.environ["READ_PAGES"]).open("a") as file:
                file.write(f"{path} {scan.page}\n")
            yield scan


class KillsWorkers:
    """For files whose name begins with ``kill``: ends the process that started this one, as a machine that goes down does."""

    def __init__(self, **options: Any) -> None:
        self._scanner = Scanner(ocr=False, **options)

    def scan_pages(self, path: str, first: int, most: int) -> Iterator[Scan]:
        if Path(path).name.startswith("kill"):
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
        yield from self._scanner.scan_pages(path, first, most)


class Blank:
    """Says of every page at once that all is well."""

    def __init__(self, **options: Any) -> None:
        pass

    def scan_pages(self, path: str, first: int, most: int) -> Iterator[Scan]:
        for number in range(first, first + most):
            yield Scan(path=path, page=number, status="found", visit_id="x", visit_ids=("x",), confidence="agreed")
