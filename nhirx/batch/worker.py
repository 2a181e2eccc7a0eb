"""The process that reads pages. It is told one piece of work at a time and sends back page after page.

It may crash, hang or be killed: the other side keeps the time and the account (``pool``). Messages to it are pickled
``Piece`` values, messages from it tuples: ``("page", page, scan, picture, ms)``, ``("count", pages)``, ``("end", pages)``.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nhirx.batch import archives, remote
from nhirx.batch.full import is_full
from nhirx.errors import FileTooLarge, FileUnreadable, NhirxError

CHUNK = 32
"""Pages of a long file that one process reads in a row; files with more are read by several."""
MAX_PAGES = 200_000
LIMIT_MS = 30_000.0
"""A page may take its time here: a search cut off by a busy machine would make results differ from run to run."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Pages ``first`` … ``last`` of one entry; ``last`` None reads to the end, unless the file turns out to be a long one."""

    number: int
    path: str
    file: str
    inside: tuple[int, ...] = ()
    first: int = 1
    last: int | None = None
    size: int = 0
    """Bytes of the file, where that is known: what a chunk weighs."""
    picture: str | None = None
    """A file to write page ``first`` to, for people to look at, instead of reading it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """``scanner`` is the dotted name of a factory with ``scan_pages(path, first, most)``, and its arguments by name."""

    scanner: str = "nhirx_scanner.Scanner"
    options: tuple[tuple[str, Any], ...] = (("limit_ms", LIMIT_MS),)
    low_priority: bool = True


def main(connection: Connection, reading: Reading, folder: Path) -> None:
    """Entry point of the process. ``folder`` is its own, for what it unpacks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if reading.low_priority and hasattr(os, "nice"):
        os.nice(10)
    # Before numpy is loaded: the products of a page are too small for several threads, which then only take turns on the cores of
    # the other workers (measured: 206 ms of processor time a page instead of 116, for the same page in the same time).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    module, _, name = reading.scanner.rpartition(".")
    scanner = getattr(importlib.import_module(module), name)(**dict(reading.options))
    files = _Files(folder)
    try:
        connection.send(("ready",))
        while (piece := connection.recv()) is not None:
            _work(connection, scanner, files, piece)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)


def _work(connection: Connection, scanner: Any, files: _Files, piece: Piece) -> None:
    try:
        path, picture = files.local(piece)
        if piece.picture is not None:
            from nhirx.batch.pictures import write

            connection.send(("picture", write(path, piece)))
        else:
            _read(connection, scanner, path, picture, piece)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except OSError as error:
        if is_full(error):
            # Nothing is wrong with the page: to book it as broken would lose it for good.
            connection.send(("disk", error.errno, error.strerror))
            return
        problem = FileUnreadable(path=piece.path, problem=error.strerror or type(error).__name__)
        _fail(connection, problem, piece)
    except NhirxError as error:
        _fail(connection, error, piece)


def _fail(connection: Connection, error: NhirxError, piece: Piece) -> None:
    if piece.picture is not None:
        connection.send(("picture", None))
        return
    connection.send(("page", piece.first, failure(error, piece.path, piece.first), None, 0.0))
    connection.send(("end", 1))


def _read(connection: Connection, scanner: Any, path: Path, picture: str | None, piece: Piece) -> None:
    last, done = piece.last, 0
    if last is None:
        from nhirx_scanner.files import page_count

        count = page_count(path)
        if count is not None and count > MAX_PAGES:
            raise FileTooLarge(path=piece.path, problem=f"{count} pages")
        if count is not None and count > CHUNK:
            connection.send(("count", count))
            return
    pages = scanner.scan_pages(str(path), piece.first, MAX_PAGES if last is None else last - piece.first + 1)
    try:
        for scan in pages:
            connection.send(("page", scan.page, _told(scan, piece), picture, round(scan.ms, 1)))
            done += 1
    except (MemoryError, RecursionError) as error:
        page = piece.first + done
        problem = FileUnreadable(path=piece.path, problem=type(error).__name__)
        connection.send(("page", page, failure(problem, piece.path, page), None, 0.0))
        done += 1
    connection.send(("end", done))


def _told(scan: Any, piece: Piece) -> dict[str, Any]:
    """The scan's object, said of the entry, without its time: results must be the same every time."""
    told: dict[str, Any] = scan.as_json()
    del told["ms"]
    told["path"] = piece.path
    if scan.error is not None and "path" in scan.error.detail:
        # Inside an archive the words name a file of the moment.
        error = type(scan.error)(**{**scan.error.detail, "path": piece.path})
        told["error"] = {"code": error.code, "zh": error.zh, "en": error.en}
    return told


def failure(error: NhirxError | dict[str, str], path: str, page: int) -> dict[str, Any]:
    """The object of a page that could not be read."""
    told = error if isinstance(error, dict) else {"code": error.code, "zh": error.zh, "en": error.en}
    return {
        "path": path,
        "page": page,
        "status": "error",
        "visit_id": None,
        "visit_ids": [],
        "codes": [],
        "evidence": [],
        "confidence": None,
        "reasons": [],
        "error": told,
    }


class _Files:
    """Entries as files of this machine: members of archives are unpacked, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._nested: tuple[str, tuple[int, ...]] | None = None
        self._fetched: str | None = None
        self._last: tuple[str, tuple[int, ...], Path, str | None] | None = None

    def local(self, piece: Piece) -> tuple[Path, str | None]:
        """The file, and what its bytes are known by (None when they cannot be read)."""
        if self._last is not None and self._last[:2] == (piece.file, piece.inside):
            return self._last[2:]
        self._last = None
        path = self._outer(piece)
        if piece.inside:
            path = self._unpack(self._archive(piece), piece.inside[-1], "member", piece.path)
        self._last = (piece.file, piece.inside, path, _digest(path))
        return self._last[2:]

    def _archive(self, piece: Piece) -> Path:
        """The archive right around the member; an inner one stays unpacked as long as its members are asked for."""
        outer, key = self._outer(piece), (piece.file, piece.inside[:-1])
        if not key[1]:
            return outer
        if self._nested != key:
            self._nested = None
            for depth, index in enumerate(key[1]):
                outer = self._unpack(outer, index, f"inner-{depth}.zip", piece.path)
            self._nested = key
        return self._folder / f"inner-{len(key[1]) - 1}.zip"

    def _outer(self, piece: Piece) -> Path:
        """The file itself; one that lies elsewhere is fetched once, and kept as long as its pages and members are asked for."""
        if not remote.is_remote(piece.file):
            return Path(piece.file)
        target = self._folder / "fetched"
        if self._fetched != piece.file:
            self._fetched = None
            self._folder.mkdir(parents=True, exist_ok=True)
            remote.fetch(piece.file, target)
            self._fetched = piece.file
        return target

    def _unpack(self, archive: Path, index: int, name: str, shown: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / name
        archives.unpack(archive, index, target, shown)
        return target


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError:
        return None
