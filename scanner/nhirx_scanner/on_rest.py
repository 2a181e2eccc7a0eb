"""The end of the work on a page: the printed text, the other libraries, and the names of the other codes."""

from __future__ import annotations

import cv2
import numpy as np

from nhirx_scanner import engines, on_bars, on_blobs, rectify
from nhirx_scanner.engines import Gray, Read
from nhirx_scanner.kinds import classify
from nhirx_scanner.locate import Bars
from nhirx_scanner.page import Work, placed
from nhirx_scanner.rectify import Cut
from nhirx_scanner.vote import LEAST_TRUST_IN_TEXT, SAME_SHEET_DISTANCE, distance

TEXT_MS, SHORT_TEXT_MS, OTHERS_MS = 600.0, 400.0, 100.0
_MOST_UNCUT, _MARGIN = 4, 20  # strips that zbar is asked about as they lie, and pixels of page around each
_SMALL, _LONGEST = 2_000_000, 4096  # pixels of a page that is looked at once more at twice its size, and of its side: no ribbon


def read_text(work: Work) -> None:
    """Propose what is printed; together with a doubtful reading that says the same it is no proposal any more."""
    if work.has_placeholder or not _may_read_text(work):
        return
    from nhirx_scanner import ocr

    ocr.prepare()
    if work.scanner.limit_ms is None:
        # What was seen of bars may have taken all the time; the text is another way, and a short one.
        work.give(SHORT_TEXT_MS if "long" in work.scanner.skip else TEXT_MS)
    boxes = [np.array(each) for each in work.lines] or ocr.find_boxes(work.gray)
    work.lines = tuple(tuple((float(x), float(y)) for x, y in each) for each in boxes)
    line = ocr.read(work.gray, lambda: work.may("ocr"), boxes)
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
            on_bars.settle(work, bars, _checked(reads))
    for bars, _ in sorted(work.bars, key=lambda item: -item[0].score)[:_MOST_UNCUT]:
        if work.may("zbar"):
            # A ghost image, or slanting bars: what was straightened and what the models take for no code, zbar may read as it lies.
            on_bars.settle(work, bars, _checked(engines.zbar(_uncut(work.gray, bars), "linear")))
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
    if not work.done and work.gray.size < _SMALL and max(work.gray.shape) <= _LONGEST and work.may("larger"):
        # Dirt may crowd a small clear code out of the patches that are looked at.
        twice = cv2.resize(work.gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        work.take([_halved(read) for read in _checked(engines.zxing(twice))], only_ids=True)


def _checked(reads: list[Read]) -> list[Read]:
    # Nothing checks a Code 39, and the models had their doubts about this one: alone, zbar read 2 of 2,400 damaged ones wrongly.
    return [read for read in reads if read.symbology != "code39"]


def _uncut(gray: Gray, bars: Bars) -> Gray:
    """The upright piece of the page in which a strip lies, every pixel as it is."""
    (left, top), (right, bottom) = np.min(bars.polygon, axis=0), np.max(bars.polygon, axis=0)
    rows, columns = (slice(max(0, int(low) - _MARGIN), int(high) + _MARGIN) for low, high in ((top, bottom), (left, right)))
    return np.ascontiguousarray(gray[rows, columns])


def _halved(read: Read) -> Read:
    return read.moved(tuple((x / 2, y / 2) for x, y in read.polygon))


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
            scale = 0.5 if cut.enlarged > 1 else 1.0
        else:
            reads, scale = [], max(1.0, rectify.enlargement(cut.picture) / 2)
        reads = _others(reads or _matrix(cut, scale))
        if reads:
            work.take(reads)
            work.drop(region)
    if not work.reads and work.may("others"):
        # A code that fills the picture has modules too large to look like texture: what the first look did not ask for, wherever it is.
        work.take(_others(engines.zxing(work.gray, "others")))


def _others(reads: list[Read]) -> list[Read]:
    return [read for read in reads if classify(read.text, read.symbology) not in ("visit-id", "placeholder")]


def _matrix(cut: Cut, scale: float) -> list[Read]:
    """Codes of other kinds in a piece. It is looked at half as large as where an ID is sought: their names are not worth four times as long."""
    picture = cut.picture
    if scale != 1.0:
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how)
    return placed(engines.zxing(picture, "matrix", invert=False), cut, scale)


def _linear(work: Work, bars: Bars, cut: Cut) -> list[Read]:
    """What other symbology the whole of a strip reads as. A line of letters is not asked for a second time."""
    reads = engines.zxing(cut.picture, "rest1d", rotate=False, downscale=False, invert=False)
    if not reads and rectify.barness(cut.picture) > on_bars.HARDLY_BARS:
        reads = engines.zxing(work.stacked(bars, cut), "rest1d", rotate=False, downscale=False, invert=False)
    return [read for read in placed(reads, cut) if on_bars.spans(read, bars)]
