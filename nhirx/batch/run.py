"""One batch from the first file to the report."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhirx.batch import results
from nhirx.batch.journal import Done, Journal
from nhirx.batch.pool import Pool
from nhirx.batch.source import Entry, entries, place_of
from nhirx.batch.worker import CHUNK, Piece, Reading, failure
from nhirx.errors import BatchExists, FileDamaged, StoreReadOnly

if TYPE_CHECKING:
    from nhirx.batch.dask_engine import DaskPool
    from nhirx.batch.plans import Planning

PAGE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """``workers`` 0 means one for each core. ``page_seconds`` bounds one page."""

    sources: tuple[str, ...]
    out: Path
    workers: int = 0
    resume: bool = False
    page_seconds: float = PAGE_SECONDS
    reading: Reading = field(default_factory=Reading)
    engine: str = "local"
    scheduler: str | None = None
    """``engine`` is ``local`` or ``dask``; the latter starts ``workers`` processes of its own unless it is told a scheduler."""
    whole_ids: bool = False
    """Whether the report and the plans show visit IDs unmasked."""
    planning: Planning | None = None
    """With what pages go on to their plans; None stops at the visit IDs."""


@dataclass(slots=True)
class Progress:
    """How far it is. ``stage`` is ``list``, ``read``, ``write`` or ``plan``; ``before`` counts pages that an earlier run had done."""

    stage: str = "list"
    entries: int = 0
    ended: int = 0
    before: int = 0
    pages: int = 0
    started: float = field(default_factory=time.monotonic)
    fresh: int = 0
    """Entries that ended in this run: what the time left is reckoned from."""
    planned: int = 0


def run(options: Options, tell: Callable[[Progress], None] = lambda _: None) -> dict[str, Any]:
    """Do the batch and answer its summary (the content of ``summary.json``).

    Raises ``FileMissing`` for a source that is not there, ``BatchExists`` when ``out`` belongs to another batch or is in use,
    ``StoreReadOnly``, ``StoreDamaged``, ``OSError`` for a full disk; with ``planning`` what ``Planning.check`` raises.
    Whatever ends it: ``resume`` goes on.
    """
    if options.planning is not None:
        options.planning.check()
    journal = Journal(options.out)
    workers = options.workers or os.cpu_count() or 1
    progress = Progress()
    scrap = journal.folder / "tmp"
    pool = Pool(workers, options.reading, scrap, page_seconds=options.page_seconds)
    try:
        prepare(journal, options)
        shutil.rmtree(scrap, ignore_errors=True)  # of a run that was killed
        if not journal.plan.exists():
            journal.write_plan(_counted(entries(options.sources, leave_out=options.out), progress, tell))
        progress.entries = sum(1 for _ in journal.entries())
        done = journal.open()
        progress.stage, progress.before, progress.ended = "read", done.total, len(done.ended)
        progress.started = time.monotonic()
        tell(progress)
        with closing(_engine(options, pool, workers)) as engine:
            account = _Account(journal, done, progress)
            for piece, message in engine.work(account):
                account.take(piece, message)
                tell(progress)
        progress.stage = "write"
        tell(progress)
        seconds = time.monotonic() - progress.started

        def planned(pages: int) -> None:
            progress.stage, progress.planned = "plan", pages
            tell(progress)

        summary = results.write(journal, options, pool, planned)
        _write_run(options, progress, workers, seconds)
        return summary
    except PermissionError as error:
        raise _read_only(options.out) from error
    except OSError as error:
        if error.errno in (errno.EROFS, errno.EACCES):
            raise _read_only(options.out) from error
        raise
    finally:
        pool.close()
        journal.close()


def _engine(options: Options, pool: Pool, workers: int) -> Pool | DaskPool:
    if options.engine == "local":
        return pool
    from nhirx.batch.dask_engine import DaskPool

    return DaskPool(workers, options.reading, options.scheduler, page_seconds=options.page_seconds)


def _read_only(out: Path) -> StoreReadOnly:
    return StoreReadOnly(
        zh=f"無法寫入輸出資料夾 {out}。請檢查權限，或換一個資料夾。",
        en=f"The output folder {out} cannot be written. Check its permissions or name another folder.",
        path=str(out),
    )


def prepare(journal: Journal, options: Options) -> None:
    """Lock the folder and write down what was asked for. Raises ``BatchExists`` when it belongs to another batch."""
    if options.out.exists() and not options.out.is_dir():
        raise BatchExists(path=str(options.out), problem="not a folder 不是資料夾")
    if not options.resume and (journal.plan.exists() or (options.out / "results.jsonl").exists()):
        raise BatchExists(path=str(options.out), problem="it holds a batch already 已有批次")
    journal.lock()
    wanted = {
        "sources": [place_of(source) for source in options.sources],
        "scanner": options.reading.scanner,
        "options": dict(options.reading.options),
    }
    if journal.plan.exists():
        if json.loads(journal.settings.read_text("utf-8")) != wanted:
            raise BatchExists(path=str(options.out), problem="it was begun with other sources or settings 來源或設定不同")
        return
    new = journal.settings.with_suffix(".new")
    new.write_text(json.dumps(wanted, indent=1), "utf-8")
    new.replace(journal.settings)


def _counted(found: Iterator[Entry], progress: Progress, tell: Callable[[Progress], None]) -> Iterator[Entry]:
    for entry in found:
        progress.entries += 1
        tell(progress)
        yield entry


def _write_run(options: Options, progress: Progress, workers: int, seconds: float) -> None:
    """What differs from run to run stands apart from the results, which do not."""
    told = {
        "engine": options.engine,
        "workers": workers,
        "pages_read": progress.pages,
        "pages_before": progress.before,
        "seconds": round(seconds, 1),
        "pages_per_second": round(progress.pages / seconds, 2) if progress.pages and seconds else None,
    }
    (options.out / "run.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


class _Account(Iterator[Piece]):
    """Gives the pieces that are still to do, and keeps what came of them."""

    def __init__(self, journal: Journal, done: Done, progress: Progress) -> None:
        self._journal, self._done, self._progress = journal, done, progress
        self._entries = journal.entries()
        self._pieces: deque[Iterator[Piece]] = deque()

    def __next__(self) -> Piece:
        while True:
            while self._pieces:
                if (piece := next(self._pieces[0], None)) is not None:
                    return piece
                self._pieces.popleft()
            entry = next(self._entries)  # its StopIteration is ours
            if entry.number not in self._done.ended and (begun := self._begin(entry)) is not None:
                return begun

    def _begin(self, entry: Entry) -> Piece | None:
        pages = self._done.pages.get(entry.number, set())
        if entry.skipped is not None:
            self._end(entry.number, 0)
            return None
        if entry.error is not None:
            if not pages:
                self._page(entry.number, 1, failure(entry.error, entry.path, 1))
            self._end(entry.number, 1)
            return None
        piece = Piece(entry.number, entry.path, entry.file, entry.inside, size=entry.size)
        if (count := self._done.counts.get(entry.number)) is not None:
            self._split(piece, count)
            return None
        return replace(piece, first=max(pages, default=0) + 1)

    def _split(self, piece: Piece, count: int) -> None:
        """The pages still missing, in pieces. Each piece is a run of missing pages."""
        have = self._done.pages.setdefault(piece.number, set())
        if len(have) >= count:
            self._end(piece.number, count)
            return
        missing = [page for page in range(1, count + 1) if page not in have]
        runs: list[list[int]] = []
        for page in missing:
            if runs and runs[-1][1] == page - 1 and page - runs[-1][0] < CHUNK:
                runs[-1][1] = page
            else:
                runs.append([page, page])
        self._pieces.append(replace(piece, first=first, last=last) for first, last in runs)

    def take(self, piece: Piece, message: tuple[Any, ...]) -> None:
        """One event of the pool."""
        kind = message[0]
        if kind == "page":
            _, page, scan, picture, ms = message
            self._page(piece.number, page, scan, picture, ms)
        elif kind == "count":
            self._journal.add({"n": piece.number, "count": message[1]})
            self._done.counts[piece.number] = message[1]
            self._split(piece, message[1])
        elif kind in ("end", "lost"):
            self._finish(piece, message[1] if kind == "lost" else None)

    def _finish(self, piece: Piece, lost: Any) -> None:
        """The piece is over. Pages that were promised and did not come are pages with an error: none may be missing."""
        have = self._done.pages.setdefault(piece.number, set())
        last = piece.last if piece.last is not None else (piece.first if lost is not None else max(have, default=1))
        for page in range(piece.first if piece.last is not None or lost is not None else 1, last + 1):
            if page not in have:
                error = lost or FileDamaged(path=piece.path, problem=f"page {page}")
                self._page(piece.number, page, failure(error, piece.path, page))
        count = self._done.counts.get(piece.number)
        if count is None or len(have) >= count:
            self._end(piece.number, len(have))

    def _page(self, number: int, page: int, scan: dict[str, Any], picture: str | None = None, ms: float = 0.0) -> None:
        if page in self._done.pages.get(number, ()):
            return
        record = {"n": number, "page": page, "scan": scan, "picture": picture, "ms": ms}
        self._journal.add(record)
        self._done.take(record)
        self._progress.pages += 1

    def _end(self, number: int, pages: int) -> None:
        record = {"n": number, "end": pages}
        self._journal.add(record)
        self._done.take(record)
        self._progress.ended += 1
        self._progress.fresh += 1
