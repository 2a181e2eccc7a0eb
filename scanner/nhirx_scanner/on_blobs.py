"""What is done with dense dark patches: read them enlarged and sharpened, treated in other ways, and by the model of a QR code."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nhirx_scanner import compareqr, engines, finders, locate, netqr, readqr, rectify, wholeqr
from nhirx_scanner.engines import Gray, Read
from nhirx_scanner.kinds import classify, is_id_text, is_plausible
from nhirx_scanner.locate import Blob
from nhirx_scanner.page import Grids, Work, is_known, placed
from nhirx_scanner.rectify import Cut

_MOST, _MOST_WEAK = 6, 10  # patches that are looked at on every page, and more where nothing was read
_MOST_WHOLE = 4  # patches compared with a whole code: dear, seldom needed, and never yet beside an ID that was read
_LEAST = 24  # pixels
_QR_LIKE = 0.55  # fit of the fixed parts above which a dark patch is taken for a QR code,
_SURELY_QR = 0.75  # and where so much was tried that something had to fit;
_LEAST_TRIED = 0.6  # such a fit is read from here on
_LEAST_JUDGED, _MOST_JUDGED = 0.42, 5  # grids that the network is asked about
_JUDGE_MS = 200.0
_MOST_SECOND = 4  # patches that are looked at once the answer is settled
_MOST_BESIDE = 3  # patches that are asked for another form of an ID that was read
_MOST_AGAIN = 2  # patches that are sought through once more


def find(work: Work) -> None:
    """Stage 2 for patches: find them, cut them out, read them again; keep what stays unread."""
    if work.found is None:
        return
    known = [read.polygon for read in work.reads]
    for blob in locate.find_blobs(work.gray, work.found, _MOST):
        if not work.may("regions"):
            return
        if is_known(blob.center, 0.3 * blob.size, known):
            continue
        cut = rectify.square(work.gray, blob)
        if min(cut.picture.shape) < _LEAST:
            continue
        factor = rectify.enlargement(cut.picture)
        for picture in _plain_and_sharp(cut.picture):
            reads = engines.zxing(picture, "qr", rotate=False, downscale=False)
            if reads:
                work.take(placed(reads, cut, factor))
                break
        else:
            work.blobs.append((blob, cut))
        if work.done and not work.thorough:
            return


def _plain_and_sharp(picture: Gray) -> Iterator[Gray]:
    yield rectify.enlarged(picture)
    yield rectify.enlarged(rectify.sharpened(picture, 1.2, 1.5))


def retry(work: Work) -> None:
    """The patches sharpened strongly, flattened, smoothed, by the library."""
    for blob, cut in work.open_blobs:
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
        if reads and work.take(placed(reads, cut, factor), only_ids=True):
            work.drop(blob)


def model(work: Work) -> None:
    """The patches by the model of a QR code: from its finder patterns, its outline, and the likeliest few as a whole.

    What is still unread then is judged by the network, the likeliest grids first.
    """
    if _by_models(work):
        _judge(work)


def says_too(work: Work, text: str) -> Read | None:
    """The reading of a code that nobody could read and that says ``text``, which is printed elsewhere on the sheet."""
    for blob, cut, grid in _different(work.grids)[:_MOST_JUDGED]:
        if not work.may("judge"):
            return None
        verdict = compareqr.compare_fitted(cut.picture, [grid], text, netqr.modules)
        if verdict is not None and verdict.says == "same":
            work.drop(blob)
            return Read(text, "qr", cut.on_page(verdict.corners), "model")
    return None


def second_sheet(work: Work) -> None:
    """Once an answer is settled: the patches with three finder patterns that nobody has read may be the code of another sheet."""
    for blob, cut in work.strongest_blobs(_MOST_SECOND):
        if work.answer.status != "found" or not work.may("second"):
            return
        fitted = [grid for grid in readqr.fit_all(cut.picture, finders.from_finders(cut.picture)) if grid.match > readqr.LIKELY]
        if not fitted:
            continue
        likeness, reading = readqr.read_fitted(cut.picture, fitted[:1], is_believed_qr, least=readqr.LIKELY)
        if reading is not None:
            work.take([Read(reading.text, "qr", cut.on_page(reading.corners), "model")])
            work.drop(blob)
        elif likeness > 0:
            _is_judged(work, [(blob, cut, fitted[0])])


def _by_models(work: Work) -> bool:
    """False when nothing more may be tried."""
    likeness: dict[Blob, float] = {}
    for blob, cut in work.strongest_blobs(_MOST_BESIDE) if work.done else list(work.blobs):
        for source in (finders.from_finders, finders.from_outline):
            if work.settled or not work.may("modelqr"):
                return False
            found = _by_model(work, blob, cut, source(cut.picture))
            if found is None:
                break
            likeness[blob] = max(found, likeness.get(blob, 0.0))
    if work.done:
        return False
    for blob, cut in _more(work):
        if not work.may("modelqr"):
            return False
        quads = finders.from_finders(cut.picture)
        if quads:
            work.blobs.append((blob, cut))
            found = _by_model(work, blob, cut, quads, _SURELY_QR)
            if found is None:
                return False
            likeness[blob] = found
    if any(read.symbology == "qr" and is_id_text(read.text) for read in work.reads):
        return False
    likely = sorted((item for item in work.blobs if item[0] in likeness), key=lambda item: -likeness[item[0]])
    for blob, cut in likely[:_MOST_WHOLE]:
        if work.settled or not work.may("modelqr"):
            return False
        if _by_model(work, blob, cut, wholeqr.from_whole(cut.picture), _SURELY_QR) is None:
            return False
    return True


def _judge(work: Work) -> None:
    """The likeliest grids by the network, until one says an ID; then the likeliest patches seen in other ways."""
    if work.scanner.limit_ms is None:
        work.give(_JUDGE_MS)  # strips of bars may have taken all the time
    if _is_judged(work, _different(work.grids)[:_MOST_JUDGED]):
        return
    best: dict[Blob, float] = {}
    for blob, _, grid in work.grids:
        best[blob] = max(grid.match, best.get(blob, 0.0))
    for blob, cut in sorted(work.blobs, key=lambda item: -best.get(item[0], 0.0))[:_MOST_AGAIN]:
        for picture, quads in wholeqr.other_views(cut.picture):
            if not work.may("judge"):
                return
            fitted = readqr.fit_all(picture, quads)[:3]
            if _is_judged(work, [(blob, cut, grid) for grid in fitted if grid.match > _LEAST_JUDGED]):
                return
            # Nothing undoes a clean smear as well as what the known modules teach.
            _, reading = readqr.read_fitted(cut.picture, fitted, is_believed_qr, least=_LEAST_TRIED)
            if reading is not None:
                work.take([Read(reading.text, "qr", cut.on_page(reading.corners), "model")])
                work.drop(blob)
                return


def _is_judged(work: Work, grids: Grids) -> bool:
    for blob, cut, grid in grids:
        if not work.may("judge"):
            return True
        odds = netqr.log_odds(cut.picture, grid)
        if netqr.clearness(odds, grid.version) > netqr.QR_LIKE:
            work.qr_like.add(blob)  # a code was seen, whether or not it can be read
        for judged in netqr.looks(cut.picture, grid, odds):
            if is_believed_judged(judged):
                work.take([Read(judged.text, "qr", cut.on_page(judged.corners), "model")])
                work.drop(blob)
                return True
    return False


def _different(grids: Grids) -> Grids:
    """The best fit first, none that lies where another one does."""
    out: Grids = []
    places: list[readqr.Fitted] = []
    for blob, cut, grid in sorted(grids, key=lambda item: -item[2].match):
        placed_grid = readqr.Fitted(grid.match, grid.version, np.array(cut.on_page(grid.polygon)))
        if not any(placed_grid.is_nearly(other) for other in places):
            places.append(placed_grid)
            out.append((blob, cut, grid))
    return out


def _more(work: Work) -> Iterator[tuple[Blob, Cut]]:
    """The patches that were too weak or too faded to be looked at before."""
    if work.found is None:
        return
    seen = set(locate.find_blobs(work.gray, work.found, _MOST))
    known = [read.polygon for read in work.reads]
    for blob in locate.find_blobs(work.gray, work.found, _MOST + _MOST_WEAK, faded=True):
        if blob not in seen and not is_known(blob.center, 0.3 * blob.size, known):
            cut = rectify.square(work.gray, blob)
            if min(cut.picture.shape) >= _LEAST:
                yield blob, cut


def _by_model(work: Work, blob: Blob, cut: Cut, quads: list[finders.Quad], alike: float = _QR_LIKE) -> float | None:
    """How much one of the quadrangles looks like a QR code; None when an ID was read."""
    if not quads:
        return 0.0
    ids = work.answer.visit_ids
    fitted = readqr.fit_all(cut.picture, quads)
    if len(ids) == 1:
        # One form was read: to ask whether this code says the same needs far less of it than to read it.
        verdict = compareqr.compare_fitted(cut.picture, fitted, ids[0])
        if verdict is not None:
            work.take([Read(verdict.text, "qr", cut.on_page(verdict.corners), "model")])
            work.drop(blob)
            return None
    # And when that gives no answer, only what is a QR code beyond doubt is worth reading: that of another sheet.
    least = readqr.LIKELY if ids else readqr.LEAST_FIT if alike == _QR_LIKE else _LEAST_TRIED
    likeness, reading = readqr.read_fitted(cut.picture, fitted, is_believed_qr, least=least)
    if likeness > alike:
        work.qr_like.add(blob)
    if reading is None:
        work.grids += [(blob, cut, grid) for grid in fitted if grid.match > _LEAST_JUDGED]
        return likeness
    work.take([Read(reading.text, "qr", cut.on_page(reading.corners), "model")])
    work.drop(blob)
    return None


def is_believed_qr(reading: readqr.Reading) -> bool:
    """Whether the model's reading of a QR code may be reported."""
    if classify(reading.text, "qr") not in ("visit-id", "placeholder"):
        return False
    return reading.is_sure or (reading.is_fair and is_plausible(reading.text))


def is_believed_judged(judged: netqr.Judged) -> bool:
    """Whether a text that the network judged may be reported."""
    if classify(judged.text, "qr") not in ("visit-id", "placeholder"):
        return False
    return judged.is_sure or (judged.is_fair and is_plausible(judged.text))
