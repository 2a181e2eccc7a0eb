"""The order of the work on one page: cheap first, and what is dear only where something was seen and not read.

1. the whole picture by zxing-cpp, in the symbologies that can hold a visit ID;
2. regions by texture; each one rectified and read again;
3. retries on the regions: averaged bands, sharpened and flattened copies, zbar, OpenCV;
4. our own decoders by model, for bars and for QR codes;
5. the printed text;
6. the names of the other codes.

A stage is only entered while the time of the page lasts. ``Scanner.skip`` leaves stages out, to measure what each one gives.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from nhirx_scanner import compare, engines, finders, locate, read1d, readqr, rectify, refit, steered
from nhirx_scanner.cores import one_core
from nhirx_scanner.engines import Read
from nhirx_scanner.kinds import classify, is_plausible
from nhirx_scanner.locate import Bars, Blob
from nhirx_scanner.reasons import could_hold_id, reasons
from nhirx_scanner.rectify import Cut
from nhirx_scanner.result import Scan
from nhirx_scanner.sheets import are_apart
from nhirx_scanner.straighten import straightened
from nhirx_scanner.vote import decide

if TYPE_CHECKING:
    from nhirx_scanner.engines import Gray
    from nhirx_scanner.scanner import Scanner

STAGES = ("regions", "faint", "retry", "zbar", "opencv", "model1d", "refit1d", "modelqr", "ocr", "others")
THOROUGH_MS, FAST_MS, SECOND_FORM_MS, TEXT_MS, OTHERS_MS = 1400.0, 60.0, 250.0, 900.0, 100.0
_MOST_BARS, _MOST_FAINT, _MOST_REDRAWN, _MOST_BLOBS = 8, 5, 4, 6
_SHORTEST = 163  # pixels: twenty characters are at least 217 modules wide, and a module three quarters of a pixel
_HARDLY_BARS, _BARS = 0.05, 0.25  # how much of a strip varies across it only, before and after straightening
_QR_LIKE = 0.55  # fit of the fixed parts above which a dark patch is taken for a QR code
_NO_CODE = 0.2  # mean cost of the best model above which a strip is no code of twenty characters

one_core()


@dataclass(slots=True)
class Work:
    """One page while it is worked on."""

    gray: Gray
    scanner: Scanner
    until: float
    reads: list[Read] = field(default_factory=list)
    bars: list[tuple[Bars, Cut]] = field(default_factory=list)
    blobs: list[tuple[Blob, Cut]] = field(default_factory=list)
    qr_like: set[Blob] = field(default_factory=set)
    found: locate.Texture | None = None
    doubtful: dict[str, Read] = field(default_factory=dict)  # texts that the models found and did not believe
    unlike: set[Bars] = field(default_factory=set)  # strips that no code of twenty characters looks like
    rest: list[tuple[Bars | Blob, Cut]] = field(default_factory=list)  # regions too small for an ID, not read either

    @property
    def thorough(self) -> bool:
        return self.scanner.effort == "thorough"

    def may(self, stage: str) -> bool:
        return stage not in self.scanner.skip and time.perf_counter() < self.until

    def take(self, found: Iterable[Read], *, only_ids: bool = False) -> bool:
        """Keep what was found; True when an ID (or placeholder) is among it. Second engines are believed about IDs only."""
        hit = False
        for read in found:
            is_id = classify(read.text, read.symbology) in ("visit-id", "placeholder")
            if is_id or not only_ids:
                self.reads.append(read)
            hit = hit or is_id
        return hit

    @property
    def unread(self) -> list[tuple[Bars | Blob, Cut]]:
        """The regions that look like a code that could hold an ID and were not read.

        Where a placeholder was read, the sheet has said that it carries no ID.
        """
        if any(classify(read.text, read.symbology) == "placeholder" for read in self.reads):
            return []
        known = [read.polygon for read in self.reads]
        bars = [item for item in self.bars if item[0] not in self.unlike and could_hold_id(*item, known)]
        return [*bars, *(item for item in self.blobs if item[0] in self.qr_like)]

    @property
    def settled(self) -> bool:
        """Whether nothing that is still unread could change the answer."""
        scan = decide(self.reads)
        return scan.status in ("several", "conflict") or scan.confidence == "agreed"

    @property
    def done(self) -> bool:
        return decide(self.reads).status in ("found", "several", "conflict")


def look(gray: Gray, scanner: Scanner) -> Scan:
    """Everything the scanner may do for ``gray`` in its time."""
    work = fast_pass(gray, scanner)
    if work.done and not work.thorough:
        return decide(work.reads)
    if work.may("regions"):
        regions(work)
        if work.thorough:
            for stage in (
                _faint_bars,
                _retry_bars,
                _model_bars,
                _redraw_bars,
                _retry_blobs,
                _model_blobs,
                _printed_text,
                _last_resort,
            ):
                if work.settled or (work.done and stage in (_printed_text, _last_resort)):
                    break
                if work.done and scanner.limit_ms is None:
                    # One form was read. Another one that can still be read agrees, or shows that the sheet contradicts itself.
                    # A caller who gives a limit of his own (a batch) wants the same answer on a busy machine, too.
                    work.until = min(work.until, time.perf_counter() + SECOND_FORM_MS / 1000.0)
                stage(work)
            _other_codes(work)
    scan = decide(work.reads, seen=("damaged",) if work.unread else None, apart=lambda a, b: are_apart(gray, a, b))
    return replace(scan, reasons=reasons(gray, work.unread)) if scan.status == "unreadable" and work.unread else scan


def fast_pass(gray: Gray, scanner: Scanner) -> Work:
    """Stage 1, and the time limit of the rest."""
    started = time.perf_counter()
    work = Work(gray, scanner, started)
    work.take(engines.zxing(gray, "id"))
    if scanner.limit_ms is not None:
        work.until = started + scanner.limit_ms / 1000.0
    elif scanner.effort == "thorough":
        work.until = started + THOROUGH_MS / 1000.0
    else:
        # Video must go on: what was not read at once may take about twice as long again, not more.
        work.until = started + min(FAST_MS / 1000.0, 2.6 * (time.perf_counter() - started))
    return work


def regions(work: Work) -> None:
    """Stage 2: find what the whole-picture pass left, cut it out, read it again; keep what stays unread."""
    work.found = found = locate.texture(work.gray)
    if found is None:
        return
    known = [read.polygon for read in work.reads]
    for bars in locate.find_bars(found, _MOST_BARS):
        if not work.may("regions"):
            return
        if not _is_known(bars.center, 0.3 * bars.length, known):
            _look_at(work, bars)
        if work.done and not work.thorough:
            return
    for blob in locate.find_blobs(work.gray, found, _MOST_BLOBS):
        if not work.may("regions"):
            return
        if _is_known(blob.center, 0.3 * blob.size, known):
            continue
        cut = rectify.square(work.gray, blob)
        if min(cut.picture.shape) < 24:
            continue
        factor = rectify.enlargement(cut.picture)
        for picture in _plain_and_sharp(cut.picture):
            reads = engines.zxing(picture, "qr", rotate=False, downscale=False)
            if reads:
                work.take(_placed(reads, cut, factor))
                break
        else:
            work.blobs.append((blob, cut))
        if work.done and not work.thorough:
            return


def _look_at(work: Work, bars: Bars) -> None:
    """Cut a strip out and read it; keep it when it stays unread and looks like a code."""
    cut = rectify.strip(work.gray, bars)
    # Without its own downscaling: an enlarged EAN at half size is read as another EAN.
    reads = engines.zxing(cut.picture, "all1d" if work.thorough else "linear", rotate=False, downscale=False, invert=False)
    reads = reads or engines.zxing(cut.picture, "linear", rotate=False, invert=False)
    placed = _placed(reads, cut)
    if work.take(placed) or any(_spans(read, bars) for read in placed):
        return
    if bars.length >= _SHORTEST and rectify.barness(cut.picture) > _HARDLY_BARS:
        straight = Cut(straightened(cut.picture), cut.matrix)
        if rectify.barness(straight.picture) > _BARS:
            work.bars.append((bars, straight))
            return
    work.rest.append((bars, cut))


def _faint_bars(work: Work) -> None:
    """Look again for bars, where what the texture shows was not enough."""
    if work.found is None or not work.may("faint"):
        return
    for bars in steered.find_bars(work.gray, work.found, _MOST_FAINT):
        if not work.may("faint"):
            return
        known = [read.polygon for read in work.reads]
        # A part of these bars may have been found before: the longer strip is the better one.
        known += [other.polygon for other, _ in work.bars if other.length > 0.8 * bars.length]
        if not _is_known(bars.center, 0.0, known):
            _look_at(work, bars)


def _spans(read: Read, bars: Bars) -> bool:
    """Whether the reading is of the whole strip. A short text found in a part of it is a misreading of bars that are not read yet."""
    return math.dist(read.polygon[0], read.polygon[1]) > 0.7 * bars.length


def _plain_and_sharp(picture: Gray) -> Iterator[Gray]:
    yield rectify.enlarged(picture)
    yield rectify.enlarged(rectify.sharpened(picture, 1.2, 1.5))


def _retry_bars(work: Work) -> None:
    if not work.may("retry"):
        return
    for bars, cut in list(work.bars):
        if not work.may("retry"):
            return
        stacked = rectify.bands(cut.picture)
        reads = engines.zxing(stacked, "linear", rotate=False, downscale=False, invert=False)
        _settle_bars(work, bars, cut, reads)


def _model_bars(work: Work) -> None:
    for bars, cut in list(work.bars):
        if not work.may("model1d"):
            return
        reading = _read_bars(work, bars, cut)
        if reading is not None:
            _settle_bars(work, bars, cut, [Read(reading.text, reading.symbology, (), "model")])


def _read_bars(work: Work, bars: Bars, cut: Cut) -> read1d.Reading | None:
    """The model's reading of a strip: of its mean, then of what its bands agree on."""
    enlarged = 1.0 / float(np.hypot(cut.matrix[0, 0], cut.matrix[1, 0]))
    like: read1d.Reading | None = None
    for profile in (rectify.weighed(cut.picture), rectify.middling(cut.picture)):
        readings = read1d.read_profile(profile, enlarged=enlarged, like=like)
        if readings and is_believed(readings[0]):
            return readings[0]
        for doubtful in readings:
            work.doubtful.setdefault(doubtful.text, Read(doubtful.text, doubtful.symbology, bars.polygon, "model"))
        if like is None and (not readings or readings[0].cost > _NO_CODE):
            work.unlike.add(bars)
            return None
        like = like or readings[0]
    return None


def _redraw_bars(work: Work) -> None:
    """The strips that are left, by synthesis: dear, so the strongest first and not many."""
    alike = [item for item in work.bars if item[0] not in work.unlike]
    for bars, cut in sorted(alike, key=lambda item: -item[0].score)[:_MOST_REDRAWN]:
        if work.settled or not work.may("refit1d"):
            return
        if work.done:
            _compare_bars(work, bars, cut)
            continue
        found = _redrawn(cut)
        if found is not None:
            read = Read(found.text, found.symbology, (), "model")
            if _is_sure(found):
                _settle_bars(work, bars, cut, [read])
            else:
                work.doubtful.setdefault(found.text, read.moved(bars.polygon))


def _compare_bars(work: Work, bars: Bars, cut: Cut) -> None:
    """One form was read elsewhere: whether this strip says the same, or clearly another ID."""
    ids = decide(work.reads).visit_ids
    if len(ids) != 1:
        return
    enlarged = 1.0 / float(np.hypot(cut.matrix[0, 0], cut.matrix[1, 0]))
    verdict = compare.compare(rectify.weighed(cut.picture), ids[0], enlarged=enlarged)
    if verdict is not None:
        _settle_bars(work, bars, cut, [Read(verdict.text, verdict.symbology, (), "model")])


def _redrawn(cut: Cut) -> refit.Refit | None:
    """What the whole strip says, seen as one code."""
    enlarged = 1.0 / float(np.hypot(cut.matrix[0, 0], cut.matrix[1, 0]))
    return refit.read(rectify.weighed(cut.picture), enlarged=enlarged)


def _is_sure(found: refit.Refit) -> bool:
    kind = classify(found.text, found.symbology)
    return kind in ("visit-id", "placeholder") and found.is_sure(plausible=kind == "visit-id" and is_plausible(found.text))


def is_believed(reading: read1d.Reading) -> bool:
    if classify(reading.text, reading.symbology) not in ("visit-id", "placeholder"):
        return False
    return reading.is_sure or (reading.is_fair and is_plausible(reading.text))


def _settle_bars(work: Work, bars: Bars, cut: Cut, reads: list[Read]) -> None:
    placed = [read.moved(bars.polygon) for read in reads]
    if work.take(placed, only_ids=True):
        work.bars.remove((bars, cut))


def _retry_blobs(work: Work) -> None:
    for blob, cut in list(work.blobs):
        if not work.may("retry"):
            return
        factor = rectify.enlargement(cut.picture)
        large = rectify.enlarged(cut.picture)
        reads: list[Read] = []
        strong = rectify.enlarged(rectify.sharpened(cut.picture, 2.0, 3.0))
        for picture in (strong, *rectify.treatments(large, factor)):
            reads = engines.zxing(picture, "qr", rotate=False, downscale=False)
            if reads:
                break
        if reads and work.take(_placed(reads, cut, factor), only_ids=True):
            work.blobs.remove((blob, cut))


def _model_blobs(work: Work) -> None:
    sources: tuple[Callable[[Gray], list[finders.Quad]], ...] = (finders.from_finders, finders.from_outline)
    for blob, cut in list(work.blobs):
        for source in sources:
            if not work.may("modelqr"):
                return
            quads = source(cut.picture)
            if not quads:
                continue
            likeness, reading = readqr.read(cut.picture, quads, is_believed_qr)
            if likeness > _QR_LIKE:
                work.qr_like.add(blob)
            if reading is not None:
                work.take([Read(reading.text, "qr", cut.on_page(reading.corners), "model")])
                work.blobs.remove((blob, cut))
                break


def _printed_text(work: Work) -> None:
    """Stage 5: propose what is printed; together with a doubtful reading that says the same it is no proposal any more."""
    has_placeholder = any(classify(read.text, read.symbology) == "placeholder" for read in work.reads)
    if has_placeholder or not work.scanner.ocr or "ocr" in work.scanner.skip:
        return
    from nhirx_scanner import ocr

    if not ocr.is_available():
        return
    ocr.prepare()
    if work.scanner.limit_ms is None:
        # What was seen of bars may have taken all the time; the text is another way, and a short one.
        work.until = max(work.until, time.perf_counter() + TEXT_MS / 1000.0)
    line = ocr.read(work.gray, lambda: work.may("ocr"))
    if line is None:
        return
    for doubtful in work.doubtful.values():
        if line.agrees(doubtful.text):
            work.take([doubtful, Read(doubtful.text, "text", line.polygon, "ocr")], only_ids=True)
            return
    if line.trust >= ocr.LISTED:
        work.take([Read(line.text, "text", line.polygon, "ocr", line.trust if line.twice else min(line.trust, ocr.LISTED))])


def _last_resort(work: Work) -> None:
    """Two more libraries: they read little that is left, but what they read would be lost otherwise."""
    for bars, cut in list(work.bars):
        if work.may("zbar"):
            reads = engines.zbar(rectify.bands(cut.picture), "linear") or engines.zbar(cut.picture, "linear")
            _settle_bars(work, bars, cut, reads)
    for blob, cut in list(work.blobs):
        if blob not in work.qr_like:
            continue
        factor = rectify.enlargement(cut.picture)
        large = rectify.enlarged(rectify.sharpened(cut.picture, 1.2, 1.5))
        reads = engines.zbar(large, "qr") if work.may("zbar") else []
        if not reads and work.may("opencv"):
            reads = engines.opencv(large)
        if work.take(_placed(reads, cut, factor), only_ids=True):
            work.blobs.remove((blob, cut))


def _other_codes(work: Work) -> None:
    """Name what is left: a strip that reads as another code is none with an ID, and every code of a sheet is told.

    Last, because some of these symbologies check nothing and would be read out of the bars of an ID.
    """
    if work.scanner.limit_ms is None:
        work.until = max(work.until, time.perf_counter() + OTHERS_MS / 1000.0)
    for region, cut in (*work.bars, *work.rest, *work.blobs):
        if not work.may("others"):
            return
        reads: list[Read] = []
        if isinstance(region, Bars):
            for picture in (cut.picture, rectify.bands(cut.picture)):
                reads = reads or engines.zxing(picture, "rest1d", rotate=False, downscale=False, invert=False)
            reads = [read for read in _placed(reads, cut) if _spans(read, region)]
        factor = rectify.enlargement(cut.picture) if isinstance(region, Blob) else 1
        large = rectify.enlarged(cut.picture) if factor > 1 else cut.picture
        reads = reads or _placed(engines.zxing(large, "matrix", invert=False), cut, factor)
        reads = [read for read in reads if classify(read.text, read.symbology) not in ("visit-id", "placeholder")]
        if reads:
            work.take(reads)
            work.bars = [item for item in work.bars if item[0] is not region]
            work.blobs = [item for item in work.blobs if item[0] is not region]


def is_believed_qr(reading: readqr.Reading) -> bool:
    """Whether the model's reading of a QR code may be reported."""
    if classify(reading.text, "qr") not in ("visit-id", "placeholder"):
        return False
    return reading.is_sure or (reading.is_fair and is_plausible(reading.text))


def _placed(reads: Iterable[Read], cut: Cut, factor: int = 1) -> list[Read]:
    out = []
    for read in reads:
        shrunk = tuple((x / factor, y / factor) for x, y in read.polygon)
        out.append(read.moved(cut.on_page(shrunk)))
    return out


def _is_known(center: tuple[float, float], reach: float, polygons: Iterable[engines.Polygon]) -> bool:
    """Whether something was read there already."""
    for polygon in polygons:
        middle = (sum(p[0] for p in polygon) / 4, sum(p[1] for p in polygon) / 4)
        if math.dist(middle, center) < max(10.0, reach):
            return True
        if cv2.pointPolygonTest(np.array(polygon, np.float32).reshape(-1, 1, 2), center, False) >= 0:
            return True
    return False
