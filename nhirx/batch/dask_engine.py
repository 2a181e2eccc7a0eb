"""The engine of several machines: chunks of a batch on the workers of a Dask cluster, which pull them when they are free.

The same pieces, the same reading process and the same account as on one machine (``pool``): a worker of the cluster holds one
such process for each of its threads, so that a page that crashes or hangs ends that process and not the worker. A worker that
is lost costs the chunks it had; Dask gives them to another one, and whatever arrives twice is written once. A chunk that ends
its workers again and again is taken apart until the page is found, and that page is set aside.

Files are opened where the worker runs: every machine has to see them under the same path or address.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nhirx.batch.pool import Event, Pool
from nhirx.batch.worker import Piece, Reading
from nhirx.errors import ComponentMissing, NhirxError, PageCrashed, ServiceUnreachable

CHUNK_BYTES, CHUNK_PIECES = 16_000_000, 16
"""A chunk ends with whichever is reached first: a second or two of work, far more than a scheduler takes to hand it out."""
LOST_WORKERS = 2
"""On a cluster of our own, so many workers may end on a chunk before it is taken apart. Another cluster has its own setting."""
_AHEAD = 2  # chunks for each thread of the cluster: one in work, one waiting
_NO_WORKERS_SECONDS = 600.0
_CONNECT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class _Chunk:
    pieces: tuple[Piece, ...]
    tries: int = 0
    alone: bool = False
    """Nothing else is on the cluster meanwhile. A worker that ends takes all it was given with it, whichever page ended it."""


class DaskPool:
    """What ``Pool`` is, on the cluster at ``scheduler``; None starts one of ``workers`` processes on this machine.

    Raises ``ComponentMissing`` without the extra ``dask``, ``ServiceUnreachable`` when no scheduler answers.
    """

    def __init__(self, workers: int, reading: Reading, scheduler: str | None, *, page_seconds: float) -> None:
        try:
            import dask

            distributed = _distributed()
        except ImportError:
            raise ComponentMissing(component="distributed", how="pip install 'nhirx[dask]'") from None
        self._reading, self._page_seconds = reading, page_seconds
        self._cluster: Any = None
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._running: dict[Any, tuple[Any, _Chunk]] = {}
        self._again: deque[_Chunk] = deque()
        self._suspects: deque[_Chunk] = deque()
        if scheduler is None:
            with dask.config.set({"distributed.scheduler.allowed-failures": LOST_WORKERS - 1}):
                self._cluster = distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=50
                )
        self._client: Any = None
        self._where = scheduler or self._cluster.scheduler_address
        try:
            self._client = distributed.Client(self._where, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            self._close_cluster()
            raise self._unreachable(type(error).__name__) from None

    def work(self, pieces: Iterator[Piece]) -> Iterator[Event]:
        """As ``Pool.work``. Raises ``ServiceUnreachable`` when the scheduler goes away, or all workers for ten minutes."""
        alone = time.monotonic()
        while True:
            threads = sum(self._client.nthreads().values()) if self._client.status == "running" else 0
            alone = time.monotonic() if threads else alone
            while self._has_room(threads) and (chunk := self._next(pieces)) is not None:
                self._submit(chunk)
            if not self._running:
                if not self._suspects:
                    return
                self._submit(self._suspects.popleft())
            try:
                future = self._done.get(timeout=1.0)
            except queue.Empty:
                if self._client.status not in ("running", "connecting"):
                    raise self._unreachable(self._client.status) from None
                if time.monotonic() - alone > _NO_WORKERS_SECONDS:
                    raise self._unreachable("no workers") from None
                continue
            yield from self._took(future)

    def _has_room(self, threads: int) -> bool:
        return len(self._running) < max(1, _AHEAD * threads) and not any(chunk.alone for _, chunk in self._running.values())

    def _next(self, pieces: Iterator[Piece]) -> _Chunk | None:
        if self._again:
            return self._again.popleft()
        taken: list[Piece] = []
        weight = 0
        while len(taken) < CHUNK_PIECES and weight < CHUNK_BYTES and (piece := next(pieces, None)) is not None:
            taken.append(piece)
            if piece.last is not None:
                break  # some pages of a long file are as much as a chunk of others
            weight += piece.size
        return _Chunk(tuple(taken)) if taken else None

    def _submit(self, chunk: _Chunk) -> None:
        future = self._client.submit(read, chunk.pieces, self._reading, self._page_seconds, pure=False)
        self._running[future.key] = (future, chunk)
        future.add_done_callback(self._done.put)

    def _took(self, future: Any) -> Iterator[Event]:
        distributed = _distributed()
        if future.key not in self._running:
            return
        _, chunk = self._running.pop(future.key)
        if future.status == "cancelled":
            if self._client.status != "running" or chunk.tries > 2:
                raise self._unreachable("cancelled")
            self._again.append(replace(chunk, tries=chunk.tries + 1))
            return
        try:
            answers = future.result(timeout=_CONNECT_SECONDS)
        except distributed.KilledWorker:
            yield from self._apart(chunk)
            return
        except (TimeoutError, distributed.comm.CommClosedError, distributed.client.FutureCancelledError):
            # The worker that held the answer is gone, too.
            if self._client.status != "running" or chunk.tries > 2:
                raise self._unreachable("answer lost") from None
            self._again.append(replace(chunk, tries=chunk.tries + 1))
            return
        for index, first, message in answers:
            yield replace(chunk.pieces[index], first=first), message

    def _apart(self, chunk: _Chunk) -> Iterator[Event]:
        """Nearer to the page that ends workers: a piece at a time, then a page at a time, then the page alone, then it is set aside."""
        if len(chunk.pieces) > 1:
            self._again.extend(_Chunk((piece,)) for piece in chunk.pieces)
            return
        (piece,) = chunk.pieces
        if piece.last is None and (count := _count(piece)) > piece.first:
            yield piece, ("count", count)
        elif piece.last is not None and piece.last > piece.first:
            self._again.extend(_Chunk((replace(piece, first=page, last=page),)) for page in range(piece.first, piece.last + 1))
        elif not chunk.alone:
            self._suspects.append(replace(chunk, alone=True))
        else:
            yield piece, ("lost", PageCrashed(path=piece.path, problem="worker"))

    def _unreachable(self, problem: str) -> ServiceUnreachable:
        return ServiceUnreachable(
            zh=f"Dask 排程器 {self._where} 無法使用（{problem}）。讀完的頁都已保存；修復後加 --resume 接續。",
            en=f"The Dask scheduler {self._where} cannot be used ({problem}). Finished pages are kept; mend it and go on with --resume.",
            service=self._where,
            problem=problem,
        )

    def close(self) -> None:
        """Let go of the cluster; one of our own is ended."""
        with contextlib.suppress(Exception):
            if self._client.status == "running":
                self._client.cancel([future for future, _ in self._running.values()])
                if self._cluster is None:
                    self._client.run(let_go, wait=True)
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)
        self._close_cluster()

    def _close_cluster(self) -> None:
        if self._cluster is not None:
            with contextlib.suppress(Exception):
                self._cluster.close(timeout=10)


def _distributed() -> Any:
    """The package is typed in part only."""
    return importlib.import_module("distributed")


def _count(piece: Piece) -> int:
    """How many pages the file has; 1 when that is not known here."""
    if piece.inside:
        return 1
    from nhirx_scanner.files import page_count

    try:
        return page_count(piece.file) or 1
    except (NhirxError, OSError):
        return 1


# ── on the workers ────────────────────────────────────────────────────────────────────────────────────────────────────

_idle: dict[tuple[Reading, float], list[Pool]] = {}
_guard = threading.Lock()
_made = 0


def read(pieces: Sequence[Piece], reading: Reading, page_seconds: float) -> list[tuple[int, int, tuple[Any, ...]]]:
    """The task: all events of ``pieces`` as (index of the piece, where it is, message). Errors of pages are among them."""
    place = {(piece.number, piece.last): index for index, piece in enumerate(pieces)}
    pool = _take(reading, page_seconds)
    told = []
    try:
        for piece, message in pool.work(iter(pieces)):
            told.append((place[(piece.number, piece.last)], piece.first, message))
    except BaseException:
        pool.close()
        raise
    with _guard:
        _idle.setdefault((reading, page_seconds), []).append(pool)
    return told


def let_go() -> None:
    """End the reading processes of this worker that have nothing to do."""
    with _guard:
        pools = [pool for some in _idle.values() for pool in some]
        _idle.clear()
    for pool in pools:
        pool.close()


def _take(reading: Reading, page_seconds: float) -> Pool:
    global _made
    with _guard:
        if pools := _idle.get((reading, page_seconds)):
            return pools.pop()
        _made += 1
        number = _made
    # Workers below a nanny are marked as processes that may have no children; ours end by themselves with their parent.
    if multiprocessing.current_process().daemon:
        multiprocessing.current_process().daemon = False
    # Dask has its workers give memory back at once. The reading process would do so with every picture, and get it anew from the
    # system for the next step: more than twice the time for a page. It inherits what stands here when it is started.
    os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
    from distributed import get_worker

    folder = Path(get_worker().local_directory) / f"nhirx-{number}"
    return Pool(1, reading, folder, page_seconds=page_seconds)
