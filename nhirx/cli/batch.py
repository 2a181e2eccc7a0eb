"""``nhirx batch``: a pile of scanned pages, read by all cores, into tables and a report (contract §7). See ``docs/howto/batch.md``.

Annotations are not postponed here: ``register`` loads Typer when it is called, and Typer evaluates them.
"""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from nhirx.cli.output import emit
from nhirx.i18n import say

if TYPE_CHECKING:
    import typer

    from nhirx.batch.plans import Planning
    from nhirx.batch.run import Options, Progress


def register(app: "typer.Typer") -> None:
    import typer

    from nhirx.batch.run import PAGE_SECONDS
    from nhirx.cli.batch_review import WithReview

    @app.command(
        "batch",
        cls=WithReview,
        help=say(
            "批次讀取整個資料夾的掃描檔；nhirx batch review OUT 開啟人工查看清單",
            "read whole folders of scans; nhirx batch review OUT opens the list for a person",
        ),
    )
    def batch(
        sources: Annotated[
            list[str],
            typer.Argument(metavar="SOURCE…", help=say("資料夾、樣式、檔案或 zip", "folders, patterns, files or zip archives")),
        ],
        out: Annotated[Path, typer.Option("--out", metavar="DIR", help=say("輸出資料夾", "folder for the results"))],
        workers: Annotated[
            int, typer.Option("--workers", min=0, max=512, help=say("程序數；0 為每核心一個", "processes; 0: one a core"))
        ] = 0,
        engine: Annotated[
            str, typer.Option("--engine", help=say("執行方式：local 或 dask", "how to run: local or dask"))
        ] = "local",
        scheduler: Annotated[
            str | None,
            typer.Option("--scheduler", metavar="ADDRESS", help=say("Dask 排程器位址", "address of the Dask scheduler")),
        ] = None,
        watch: Annotated[
            bool, typer.Option("--watch", help=say("持續讀取新進來的檔案", "go on with files that come later"))
        ] = False,
        show_ids: Annotated[
            bool, typer.Option("--show-ids", help=say("報告中完整顯示識別碼", "whole visit IDs in the report"))
        ] = False,
        resolve: Annotated[
            bool,
            typer.Option("--resolve", help=say("接著找處方、算出上傳計畫並檢核；不讀卡", "go on to plans and checks; no card")),
        ] = False,
        at: Annotated[
            str | None,
            typer.Option("--at", metavar="TIME", help=say("調劑日期時間（配合 --resolve）", "when dispensed (with --resolve)")),
        ] = None,
        config: Annotated[Path | None, typer.Option("--config", help=say("設定檔", "settings file"))] = None,
        resume: Annotated[
            bool, typer.Option("--resume", help=say("接續先前中斷的批次", "go on with a batch that was stopped"))
        ] = False,
        page_seconds: Annotated[
            float, typer.Option("--page-seconds", min=0.1, help=say("每頁時限（秒）", "seconds that one page may take"))
        ] = PAGE_SECONDS,
        full_priority: Annotated[
            bool, typer.Option("--full-priority", help=say("不降低優先權", "do not give way to other programs"))
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出摘要 JSON", "the summary as JSON"))] = False,
    ) -> int:
        return run(
            sources,
            out,
            workers=workers,
            engine=engine,
            scheduler=scheduler,
            show_ids=show_ids,
            watch=watch,
            resolve=resolve,
            at=at,
            config=config,
            resume=resume,
            page_seconds=page_seconds,
            full_priority=full_priority,
            as_json=as_json,
        )


def run(
    sources: list[str],
    out: Path,
    *,
    workers: int,
    engine: str,
    resume: bool,
    page_seconds: float,
    full_priority: bool,
    as_json: bool,
    scheduler: str | None = None,
    show_ids: bool = False,
    watch: bool = False,
    resolve: bool = False,
    at: str | None = None,
    config: Path | None = None,
) -> int:
    """Do the batch; the exit code is 1 when a page needs a person."""
    from nhirx.batch.run import Options
    from nhirx.batch.worker import Reading
    from nhirx.errors import InvalidValue

    if engine not in ("local", "dask"):
        raise InvalidValue(what="--engine", problem="local | dask")
    if scheduler is not None and engine != "dask":
        raise InvalidValue(what="--scheduler", problem="--engine dask")
    if at is not None and not resolve:
        raise InvalidValue(what="--at", problem="--resolve")
    reading = Reading(low_priority=not full_priority)
    options = Options(tuple(sources), out, workers, resume, page_seconds, reading, engine, scheduler, show_ids)
    teller = _Teller()
    with _planning(config, at) if resolve else contextlib.nullcontext() as planning:
        options = replace(options, planning=planning)
        if watch:
            _watch(options, teller, out, as_json)
            return 0
        summary = _told(options, teller)
    teller.end()
    if as_json:
        emit(summary)
    else:
        _print(summary, out)
    stopped = summary.get("plans", {}).get("by_status", {}).keys() - {"planned", "dispensed"}
    return 1 if summary["review"] or stopped else 0


def _told(options: "Options", teller: "_Teller") -> dict[str, Any]:
    from nhirx.batch.run import run as run_batch

    try:
        return run_batch(options, teller)
    except KeyboardInterrupt:
        teller.end()
        sys.stderr.write(
            say("已中止；讀完的頁都已保存，加 --resume 可接續。\n", "Stopped. Finished pages are kept; --resume goes on.\n")
        )
        raise


@contextlib.contextmanager
def _planning(config: Path | None, at: str | None) -> "Iterator[Planning]":
    """The host of the settings, and its outbox where this machine has one: looking for what was dispensed must not make one."""
    from nhirx import settings as settings_module
    from nhirx.batch.plans import Planning
    from nhirx.host import Host
    from nhirx.roc import parse_datetime

    settings = settings_module.load(config)
    moment = parse_datetime(at) if at is not None else None
    there = settings.outbox.url is not None or (settings_module.data_path() / "outbox.sqlite").exists()
    with Host(settings) as host:
        yield Planning(host, moment, host.outbox if there else None)


def _watch(options: "Options", teller: "_Teller", out: Path, as_json: bool) -> None:
    """Until Ctrl-C, which is the usual end of it."""
    from nhirx.batch.watch import watch

    def done(summary: dict[str, Any] | None) -> bool:
        teller.end()
        if summary is not None:
            if as_json:
                emit(summary)
            else:
                _print(summary, out)
            sys.stdout.flush()
        return False

    sys.stderr.write(say("等待新的檔案；按 Ctrl-C 結束。\n", "Waiting for files; Ctrl-C ends.\n"))
    sys.stderr.flush()
    with contextlib.suppress(KeyboardInterrupt):
        watch(options, teller, done=done)


class _Teller:
    """Progress on stderr: a line that is written over on a terminal, else a line every half minute."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + (1.0 if self._terminal else 30.0)
        self._shown = False

    def __call__(self, progress: "Progress") -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (0.5 if self._terminal else 30.0)
        self._shown = True
        sys.stderr.write(f"\r\x1b[K{words(progress, now)}" if self._terminal else words(progress, now) + "\n")
        sys.stderr.flush()

    def end(self) -> None:
        if self._shown and self._terminal:
            sys.stderr.write("\r\x1b[K")


def words(progress: "Progress", now: float) -> str:
    """How far the batch is, in one line: files, pages, pages a second, time left."""
    if progress.stage == "list":
        return say(f"尋找檔案：{progress.entries}", f"looking for files: {progress.entries}")
    if progress.stage == "plan":
        return say(f"試算上傳計畫：{progress.planned} 頁", f"plans: {progress.planned} pages")
    if progress.stage == "write":
        return say("寫出結果", "writing the results")
    seconds = max(now - progress.started, 1e-6)
    rate = progress.pages / seconds
    text = say(
        f"檔案 {progress.ended}/{progress.entries}，本次 {progress.pages} 頁，每秒 {rate:.1f} 頁",
        f"files {progress.ended}/{progress.entries}, {progress.pages} pages in this run, {rate:.1f} pages/s",
    )
    if progress.fresh:
        left = round((progress.entries - progress.ended) * seconds / progress.fresh)
        clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
        text += say(f"，剩餘約 {clock}", f", about {clock} left")
    return text


def _print(summary: dict[str, Any], out: Path) -> None:
    review = sum(summary["review"].values())
    lines = [
        say(
            f"看到 {summary['seen']}：讀到 {summary['found']}，未讀到 {summary['failed']}，未處理 {summary['skipped']}",
            f"seen {summary['seen']}: found {summary['found']}, failed {summary['failed']}, skipped {summary['skipped']}",
        ),
        say(f"需要人工查看：{review} 頁", f"for a person to look at: {review}"),
        *_plans(summary),
        say(f"報告：{out / 'report.html'}", f"report: {out / 'report.html'}"),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _plans(summary: dict[str, Any]) -> list[str]:
    """One line for each status of the plans, in the order of ``words.PLAN_STATUS``."""
    from nhirx.batch.words import PLAN_STATUS

    counts = summary.get("plans", {}).get("by_status", {})
    return [f"  {say(*said)}：{counts[name]}" for name, said in PLAN_STATUS.items() if name in counts]


__all__ = ["register", "run"]
