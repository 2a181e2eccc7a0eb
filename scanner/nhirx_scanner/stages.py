"""The order of the work on one page: cheap first, and what is dear only where something was seen and not read.

1. the whole picture by zxing-cpp, in the symbologies that can hold a visit ID;
2. regions by texture; each one rectified and read again (``on_bars``, ``on_blobs``);
3. retries on the regions: averaged bands, sharpened and flattened copies;
4. our own decoders by model, for bars and for QR codes, and for bars once more;
5. the printed text, zbar and OpenCV, and a small page at twice its size (``on_rest``);
6. the names of the other codes.

Once one printed form was read, another one that can still be read agrees, or shows that the sheet contradicts itself: so the
stages go on, with a few regions only (``page.SECOND_BARS``). All this is counted. The time limit is for emergencies: what a page
says must not depend on how busy the machine is. ``Scanner.skip`` leaves stages out, to measure what each one gives.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nhirx_scanner import engines, locate, on_bars, on_blobs, on_rest
from nhirx_scanner.cores import one_core
from nhirx_scanner.page import Work
from nhirx_scanner.reasons import reasons
from nhirx_scanner.sheets import are_apart
from nhirx_scanner.vote import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nhirx_scanner.engines import Gray, Polygon
    from nhirx_scanner.result import Scan
    from nhirx_scanner.scanner import Scanner

STAGES = (
    "regions",
    "faint",
    "retry",
    "zbar",
    "opencv",
    "larger",
    "model1d",
    "refit1d",
    "modelqr",
    "judge",
    "second",
    "ocr",
    "others",
    "long",
)
THOROUGH_MS, SHORT_MS, FAST_MS = 1200.0, 300.0, 60.0  # of a core, of it without the stage ``long``, and of the clock on the wall
_WITH_CODES = (
    on_bars.retry,  # of what was found at once: it gives most for its time, and what it reads need not be looked for
    on_bars.find_faint,
    on_bars.retry,
    on_bars.model,
    on_bars.redraw,
    on_blobs.retry,
    on_blobs.model,
    on_bars.draw_again,
)
_WITHOUT = (on_rest.read_text, on_rest.last_resort)

one_core()


def look(gray: Gray, scanner: Scanner, lines: Sequence[Polygon] = ()) -> Scan:
    """Everything the scanner may do for ``gray`` in its time. ``lines`` of text, where an earlier look at the page has found them."""
    work = fast_pass(gray, scanner)
    work.lines = tuple(lines)

    def apart(first: tuple[float, float], second: tuple[float, float]) -> bool:
        return work.two_sheets or are_apart(gray, first, second)

    if work.doubts:
        on_bars.doubt(work)
    if work.done and not work.thorough:
        return work.answer
    if work.may("regions"):
        regions(work)
        if work.thorough:
            for stage in (*_WITH_CODES, *_WITHOUT):
                if work.settled or (work.done and stage in _WITHOUT):
                    break
                stage(work)
            if work.settled:
                on_rest.second_sheet(work)
                on_blobs.second_sheet(work)
            if work.answer.status == "conflict" and decide(work.reads, apart=apart).status == "conflict":
                on_rest.tell_sheets_apart(work)
            on_rest.name_others(work)
    scan = decide(work.reads, seen=("damaged",) if work.unread else None, apart=apart)
    if scan.status not in ("none", "unreadable"):
        return scan
    told = reasons(gray, work.unread) if scan.status == "unreadable" and work.unread else scan.reasons
    return replace(scan, reasons=told, lines=work.lines)


def fast_pass(gray: Gray, scanner: Scanner) -> Work:
    """Stage 1, and the time limit of the rest."""
    # What a caller asks for is his time. Our own limit for a page is the core's: a busy machine takes longer and reads the same.
    own = scanner.limit_ms is None and scanner.effort == "thorough"
    clock = time.thread_time if own else time.perf_counter
    started = clock()
    work = Work(gray, scanner, started, clock, doubts=scanner.effort == "thorough")
    work.take(engines.zxing(gray, "id"))
    if scanner.limit_ms is not None:
        work.until = started + scanner.limit_ms / 1000.0
    elif own:
        work.until = started + (SHORT_MS if "long" in scanner.skip else THOROUGH_MS) / 1000.0
    else:
        # Video must go on: what was not read at once may take about twice as long again, the last look at a region included.
        work.until = started + min(FAST_MS / 1000.0, 2.1 * (clock() - started))
    return work


def regions(work: Work) -> None:
    """Stage 2: find what the whole-picture pass left, cut it out, read it again; keep what stays unread."""
    work.found = locate.texture(work.gray)
    on_bars.find(work)
    if work.thorough or not work.done:
        on_blobs.find(work)
