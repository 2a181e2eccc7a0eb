"""Worker processes and their account: which piece each one has, when it was last heard of, what to do when it is lost.

A page that takes too long or ends its process twice is set aside as a page with ``error``, and the rest of its file is read by
a new process. The processes are spawned, so that they hold nothing of this one on any platform.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from nhirx.batch.worker import Piece, Reading, failure, main
from nhirx.errors import ComponentMissing, NhirxError, PageCrashed, PageTimeout

START_SECONDS = 120.0
RENEW_PAGES = 2000
"""A process is replaced after so many pages: what a decoder leaks does not add up."""
_TRIES, _LOST_IN_A_ROW = 2, 3

Event = tuple[Piece, tuple[Any, ...]]
"""What came of a piece: a message of ``worker``, or ``("lost", error)`` when the rest of it is given up."""


@dataclass(slots=True, eq=False)
class _Seat:
    process: SpawnProcess
    connection: Connection
    folder: Path
    heard: float
    ready: bool = False
    piece: Piece | None = None
    pages: int = 0


@dataclass(slots=True)
class _Trouble:
    """Of a piece that went wrong: how often at this page, how many pages were lost in a row."""

    tries: int = 0
    lost: int = 0


class Pool:
    """``workers`` processes, each with a folder of its own below ``folder`` for what it unpacks. ``page_seconds`` is how long one page may take."""

    def __init__(self, workers: int, reading: Reading, folder: Path, *, page_seconds: float) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._workers, self._reading, self._page_seconds = workers, reading, page_seconds
        self._folder, self._started = folder, 0
        self._seats: list[_Seat] = []
        self._again: deque[Piece] = deque()
        self._trouble: dict[tuple[int, int | None], _Trouble] = {}
        self._false_starts = 0

    def work(self, pieces: Iterator[Piece]) -> Iterator[Event]:
        """Do all ``pieces``; each is asked for when a process is free, so that more may be found on the way.

        ``pieces`` may be at its end for a moment: it is asked again after every event. Raises ``ComponentMissing`` when the
        processes do not even start, ``OSError`` when a process finds the disk full.
        """
        while True:
            self._hand_out(pieces)
            if not any(seat.piece for seat in self._seats) and not self._again:
                return
            yield from self._listen()

    def _hand_out(self, pieces: Iterator[Piece]) -> None:
        for old in [seat for seat in self._seats if seat.piece is None and seat.pages >= RENEW_PAGES]:
            self._remove(old)
        while True:
            seat: _Seat | None = next((seat for seat in self._seats if seat.piece is None), None)
            if seat is None and len(self._seats) >= self._workers:
                return
            piece = self._again.popleft() if self._again else next(pieces, None)
            if piece is None:
                return
            if seat is None:
                seat = self._start()
            seat.piece, seat.heard = piece, time.monotonic()
            if seat.ready:
                self._send(seat)

    def _start(self) -> _Seat:
        ours, theirs = self._context.Pipe()
        self._started += 1
        folder = self._folder / str(self._started)
        process = self._context.Process(target=main, args=(theirs, self._reading, folder), daemon=True)
        process.start()
        theirs.close()
        seat = _Seat(process, ours, folder, time.monotonic())
        self._seats.append(seat)
        return seat

    def _send(self, seat: _Seat) -> None:
        # If it ended in the meantime, the next look at its connection tells.
        with contextlib.suppress(OSError):
            seat.connection.send(seat.piece)

    def _listen(self) -> Iterator[Event]:
        busy = {seat.connection: seat for seat in self._seats if seat.piece is not None}
        for connection in wait(list(busy), timeout=0.5):
            seat = busy[connection]  # type: ignore[index]
            try:
                message = seat.connection.recv()
            except (EOFError, OSError):
                yield from self._lost(seat, timeout=False)
            else:
                yield from self._heard(seat, message)
        now = time.monotonic()
        for seat in [seat for seat in self._seats if seat.piece is not None]:
            if now - seat.heard > (self._page_seconds if seat.ready else START_SECONDS):
                yield from self._lost(seat, timeout=True)

    def _heard(self, seat: _Seat, message: tuple[Any, ...]) -> Iterator[Event]:
        seat.heard = time.monotonic()
        piece = seat.piece
        assert piece is not None  # noqa: S101 - only those with a piece are listened to
        if message[0] == "ready":
            seat.ready, self._false_starts = True, 0
            self._send(seat)
            return
        if message[0] == "disk":
            raise OSError(message[1], message[2])
        if message[0] == "page":
            # Where to go on if the process is lost now.
            seat.piece = replace(piece, first=message[1] + 1)
            seat.pages += 1
            self._trouble.pop((piece.number, piece.last), None)
        else:
            seat.piece = None
            self._trouble.pop((piece.number, piece.last), None)
        yield piece, message

    def _lost(self, seat: _Seat, *, timeout: bool) -> Iterator[Event]:
        piece = seat.piece
        assert piece is not None  # noqa: S101
        self._remove(seat)
        if not seat.ready:
            self._false_starts += 1
            if self._false_starts > 3:
                raise ComponentMissing(component=self._reading.scanner, how="nhirx doctor")
            self._again.append(piece)
            return
        trouble = self._trouble.setdefault((piece.number, piece.last), _Trouble())
        trouble.tries += 1
        if not timeout and trouble.tries < _TRIES:
            # The machine may have been short of memory; a second process gets one more chance.
            self._again.append(piece)
            return
        error: NhirxError = (
            PageTimeout(path=piece.path, problem=f"{self._page_seconds:g} s")
            if timeout
            else PageCrashed(path=piece.path, problem=f"exit {seat.process.exitcode}")
        )
        trouble.tries, trouble.lost = 0, trouble.lost + 1
        if piece.picture is not None or trouble.lost >= _LOST_IN_A_ROW or (piece.last is not None and piece.first >= piece.last):
            self._trouble.pop((piece.number, piece.last), None)
            yield piece, ("lost", error)
            return
        self._again.append(replace(piece, first=piece.first + 1))
        yield piece, ("page", piece.first, failure(error, piece.path, piece.first), None, 0.0)

    def _remove(self, seat: _Seat) -> None:
        self._seats.remove(seat)
        seat.connection.close()
        if seat.process.is_alive() and seat.piece is None:
            seat.process.join(2.0)
        self._end(seat)

    def _end(self, seat: _Seat) -> None:
        if seat.process.is_alive():
            seat.process.kill()
        seat.process.join()
        shutil.rmtree(seat.folder, ignore_errors=True)

    def close(self) -> None:
        """End all processes, whatever they are doing."""
        for seat in self._seats:
            seat.connection.close()
        for seat in self._seats:
            # One that is idle ends by itself and tidies up; one that is reading is not waited for.
            seat.process.join(0.0 if seat.piece is not None else 2.0)
            self._end(seat)
        self._seats.clear()
