"""The end of the work on a page: the printed text, the other libraries, and the names of the other codes."""

from __future__ import annotations

from nhirx_scanner import engines, on_bars, on_blobs, rectify
from nhirx_scanner.engines import Read
from nhirx_scanner.kinds import classify
from nhirx_scanner.locate import Bars
from nhirx_scanner.page import Work, placed
from nhirx_scanner.rectify import Cut
from nhirx_scanner.vote import LEAST_TRUST_IN_TEXT, SAME_SHEET_DISTANCE, distance

TEXT_MS, SHORT_TEXT_MS, OTHERS_MS = 600.0, 300.0, 100.0


def read_text(work: Work) -> None:
    """Propose what is printed; together with a doubtful reading that says the same it is no proposal any more."""
    if work.has_placeholder or not _may_read_text(work):
        return
    from nhirx_scanner import ocr

    ocr.prepare()
    if work.scanner.limit_ms is None:
        # What was seen of bars may have taken all the time; the text is another way, and a short one.
        work.give(SHORT_TEXT_MS if "long" in work.scanner.skip else TEXT_MS)
    line = ocr.read(work.gray, lambda: work.may("ocr"))
    if line is None:
        return
    for doubtful in work.doubtful.values():
        if line.agrees(doubtful.text):
            work.take([doubtful, Read(doubtful.text, "text", line.polygon, "ocr")], only_ids=True)
            return
    if (same := on_blobs.says_too(work, line.text)) is not None:
        work.take([same, Read(line.text, "text", line.polygon, "ocr", line.trust)], only_ids=True)
        return
    if line.trust >= LEAST_TRUST_IN_TEXT:  # what is not sure enough to be proposed is not shown either: who sees it may take it
        work.take([Read(line.text, "text", line.polygon, "ocr", line.trust)])


def second_sheet(work: Work) -> None:
    """Once an answer is settled: the strongest strips that may hold an ID and that nobody has read may be those of another sheet."""
    for look in (on_bars.retry, on_bars.model):
        if work.answer.status == "found" and work.may("second"):
            look(work)


def tell_sheets_apart(work: Work) -> None:
    """Two IDs in two forms are a conflict, unless the print says that each has a sheet of its own."""
    ids = {read.text for read in work.reads if classify(read.text, read.symbology) == "visit-id"}
    if len(ids) != 2 or not _may_read_text(work) or distance(*ids) <= SAME_SHEET_DISTANCE:
        return
    from nhirx_scanner import ocr, witness

    ocr.prepare()
    if work.scanner.limit_ms is None:
        work.give(TEXT_MS)
    work.two_sheets = witness.are_all_said(work.gray, sorted(ids), lambda: work.may("ocr"))


def _may_read_text(work: Work) -> bool:
    if not work.scanner.ocr or "ocr" in work.scanner.skip:
        return False
    from nhirx_scanner import ocr

    return ocr.is_available()


def last_resort(work: Work) -> None:
    """Two more libraries: they read little that is left, but what they read would be lost otherwise."""
    for bars, cut in list(work.bars):
        if bars not in work.unlike and work.may("zbar"):
            reads = engines.zbar(work.stacked(bars, cut), "linear") or engines.zbar(cut.picture, "linear")
            # Nothing checks a Code 39, and the models had their doubts about this one: alone, zbar read 2 of 2,400 damaged ones wrongly.
            on_bars.settle(work, bars, [read for read in reads if read.symbology != "code39"])
    for blob, cut in list(work.blobs):
        if blob not in work.qr_like:
            continue
        factor = rectify.enlargement(cut.picture)
        large = rectify.enlarged(rectify.sharpened(cut.picture, 1.2, 1.5))
        reads = engines.zbar(large, "qr") if work.may("zbar") else []
        if not reads and work.may("opencv"):
            reads = engines.opencv(large)
        if work.take(placed(reads, cut, factor), only_ids=True):
            work.drop(blob)


def name_others(work: Work) -> None:
    """Name what is left: a strip that reads as another code is none with an ID, and every code of a sheet is told.

    Last, because some of these symbologies check nothing and would be read out of the bars of an ID.
    """
    if work.scanner.limit_ms is None:
        work.give(OTHERS_MS)
    for region, cut in (*work.bars, *work.rest, *work.blobs):
        if not work.may("others"):
            return
        if isinstance(region, Bars):
            reads = _linear(work, region, cut)
            factor, large = 1, cut.picture
        else:
            reads, factor, large = [], rectify.enlargement(cut.picture), rectify.enlarged(cut.picture)
        reads = reads or placed(engines.zxing(large, "matrix", invert=False), cut, factor)
        reads = _others(reads)
        if reads:
            work.take(reads)
            work.drop(region)
    if not work.reads and work.may("others"):
        # A code that fills the picture has modules too large to look like texture: what the first look did not ask for, wherever it is.
        work.take(_others(engines.zxing(work.gray, "others")))


def _others(reads: list[Read]) -> list[Read]:
    return [read for read in reads if classify(read.text, read.symbology) not in ("visit-id", "placeholder")]


def _linear(work: Work, bars: Bars, cut: Cut) -> list[Read]:
    """What other symbology the whole of a strip reads as. A line of letters is not asked for a second time."""
    reads = engines.zxing(cut.picture, "rest1d", rotate=False, downscale=False, invert=False)
    if not reads and rectify.barness(cut.picture) > on_bars.HARDLY_BARS:
        reads = engines.zxing(work.stacked(bars, cut), "rest1d", rotate=False, downscale=False, invert=False)
    return [read for read in placed(reads, cut) if on_bars.spans(read, bars)]
