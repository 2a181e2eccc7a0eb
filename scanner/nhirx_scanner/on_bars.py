"""What is done with strips of bars: look at them, look for faint ones, and ask library and models ever harder."""

from __future__ import annotations

import math

from nhirx_scanner import compare, engines, locate, read1d, rectify, refit, steered, widths
from nhirx_scanner.engines import Read
from nhirx_scanner.forms import Known
from nhirx_scanner.gathered import bared, gathered, is_uneven, levelled
from nhirx_scanner.kinds import classify, is_plausible
from nhirx_scanner.locate import Bars
from nhirx_scanner.page import SECOND_BARS, Work, is_known, placed
from nhirx_scanner.rectify import Cut
from nhirx_scanner.recut import recut
from nhirx_scanner.straighten import straightened

_MOST, _MOST_FAINT, _MOST_AGAIN, _MOST_REDRAWN, _LEAST_REDRAWN, _MOST_LIT, _MOST_AGAIN_DRAWN = 8, 5, 5, 4, 2, 2, 2
_SHORTEST = 163  # pixels: twenty characters are at least 217 modules wide, and a module three quarters of a pixel
HARDLY_BARS, _BARS = 0.05, 0.25  # how much of a strip varies across it only, before and after straightening
_LEAST_HALF = 4.0  # pixels: half the height of a strip that a library has read in one line
_SEEN_WELL, _IN_THE_BALANCE = 0.08, 0.01  # mean cost of a Code 39, and lead of its weakest character
_IN_TWO_MINDS = 0.03  # such a lead with which the drawing is asked
# Misfit of a drawing that says something, and the least lead of a place of it beside the usual one.
_FITS, _LEAST_SHARE = 0.08, 0.15
# Usual lead of a place from which on another line of the strip may say more, and misfit up to which.
_SOMETHING, _FITS_BADLY = 40.0, 0.22
# Mean cost of what a spot of light leaves: letters of a table look like the other symbologies sooner than like a Code 39.
_LIT, _LIT39 = 0.08, 0.14
_NO_CODE = 0.165  # mean cost of the best model above which a strip is no code of twenty characters
_FORWARDS = Known("code39", False)


def doubt(work: Work) -> None:
    """Take back a Code 39 that the first look alone has read where the model, which sees the code well, reads another one."""
    if work.answer.confidence != "single" or not work.may("model1d"):
        return
    for read in [each for each in work.reads if is_plausible_id(each.text) and each.symbology == "code39"]:
        bars = _bars_of(read)
        if bars.length >= _SHORTEST and _is_doubted(read.text, rectify.strip(work.gray, bars), _FORWARDS):
            work.reads.remove(read)


def _bars_of(read: Read) -> Bars:
    """The strip along which a library has read."""
    (x0, y0), (x1, y1) = read.polygon[:2]
    angle = math.atan2(y1 - y0, x1 - x0)
    along = [x * math.cos(angle) + y * math.sin(angle) for x, y in read.polygon]
    across = [y * math.cos(angle) - x * math.sin(angle) for x, y in read.polygon]
    middle, half = (min(across) + max(across)) / 2, max(_LEAST_HALF, (max(across) - min(across)) / 2)
    return Bars(angle, min(along), max(along), middle - half, middle + half, 1.0)


def find(work: Work) -> None:
    """Stage 2 for bars: find strips, cut them out, read them again; keep what stays unread."""
    if work.found is None:
        return
    known = [read.polygon for read in work.reads]
    for bars in locate.find_bars(work.found, _MOST):
        if not work.may("regions"):
            return
        if not is_known(bars.center, 0.3 * bars.length, known):
            _look_at(work, bars)
        if work.done and not work.thorough:
            return


def find_faint(work: Work) -> None:
    """Look again for bars, where what the texture shows was not enough."""
    if work.found is None or not work.may("faint"):
        return
    for bars in steered.find_bars(work.gray, work.found, SECOND_BARS if work.done else _MOST_FAINT):
        if not work.may("faint"):
            return
        known = [read.polygon for read in work.reads]
        # A part of these bars may have been found before: the longer strip is the better one.
        known += [other.polygon for other, _ in work.bars if other.length > 0.8 * bars.length]
        if not is_known(bars.center, 0.0, known):
            _look_at(work, bars)
    if not work.done:
        _cut_again(work)


def _cut_again(work: Work) -> None:
    """The strips by their own close surroundings: without a neighbour's bars, or with the part that was missed."""
    new: list[Bars] = []
    for bars, cut in sorted(work.bars, key=lambda item: -item[0].score)[:_MOST_AGAIN]:
        if not work.may("faint"):
            return
        other = recut(work.gray, bars, cut)
        if other is None or other.length < _SHORTEST or any(_same(other, seen) for seen in (bars, *new)):
            continue
        new.append(other)
        closer = rectify.strip(work.gray, other, grown=False)
        reads = placed(engines.zxing(closer.picture, "linear", rotate=False, downscale=False, invert=False), closer)
        if work.take(reads, only_ids=True):
            return
        straight = Cut(straightened(closer.picture), closer.matrix)
        if rectify.barness(straight.picture) > _BARS:
            work.bars.append((other, straight))


def _same(bars: Bars, other: Bars) -> bool:
    """Whether two strips are one: as long, in the same place, and rising alike."""
    near = math.dist(bars.center, other.center) < 0.03 * bars.length
    return near and abs(bars.length - other.length) < 0.06 * bars.length and abs(bars.slope - other.slope) < 0.04


def _look_at(work: Work, bars: Bars) -> None:
    """Cut a strip out and read it; keep it when it stays unread and looks like a code."""
    cut = rectify.strip(work.gray, bars)
    # Without its own downscaling: an enlarged EAN at half size is read as another EAN.
    reads = engines.zxing(cut.picture, "all1d" if work.thorough else "linear", rotate=False, downscale=False, invert=False)
    reads = reads or engines.zxing(cut.picture, "linear", rotate=False, invert=False)
    if work.doubts:
        reads = [
            read
            for read in reads
            if read.symbology != "code39" or not (is_plausible_id(read.text) and _is_doubted(read.text, cut, _way(read)))
        ]
    on_page = placed(reads, cut)
    if work.take(on_page) or any(spans(read, bars) for read in on_page):
        return
    if bars.length >= _SHORTEST and rectify.barness(cut.picture) > HARDLY_BARS:
        straight = Cut(straightened(cut.picture), cut.matrix)
        if rectify.barness(straight.picture) > _BARS:
            work.bars.append((bars, straight))
            return
    work.rest.append((bars, cut))


def spans(read: Read, bars: Bars) -> bool:
    """Whether the reading is of the whole strip. A short text found in a part of it is a misreading of bars that are not read yet."""
    return math.dist(read.polygon[0], read.polygon[1]) > 0.7 * bars.length


def retry(work: Work) -> None:
    """The strips averaged, sharpened, and stacked, by the library."""
    for bars, cut in [item for item in work.open_bars if item[0] not in work.retried]:
        if not work.may("retry"):
            return
        work.retried.add(bars)
        measured = _measured(work, bars, cut)
        if measured:
            settle(work, bars, measured)
            continue
        reads = engines.zxing(work.stacked(bars, cut), "linear", rotate=False, downscale=False, invert=False)
        settle(work, bars, [read for read in reads if read.symbology != "code39" or not _is_doubted(read.text, cut, _way(read))])


def _measured(work: Work, bars: Bars, cut: Cut) -> list[Read]:
    """A Code 39 by its widths; where they leave a doubt, only together with zbar, which measures them as well."""
    found = widths.read(rectify.weighed(cut.picture))
    if found is None or not found.is_fair or not is_plausible_id(found.text):
        return []
    reads = [Read(found.text, "code39", (), "widths")]
    if found.is_clear:
        return reads
    others = engines.zbar(work.stacked(bars, cut), "linear") or engines.zbar(cut.picture, "linear")
    if all(other.text != found.text for other in others) or _is_weakly_drawn(found.text, cut):
        return []
    return [*reads, Read(found.text, "code39", (), "zbar")]


def is_plausible_id(text: str) -> bool:
    """Whether a text of bars is a visit ID that makes sense."""
    return classify(text, "code39") == "visit-id" and is_plausible(text)


def _is_doubted(text: str, cut: Cut, way: Known) -> bool:
    """Whether the model, which sees the code well, reads another Code 39 there or has a place of it in the balance.

    Nothing checks one, and a library that reads only the average of a strip has read a place the other way round that a stroke had
    made half of one character and half of the other. Where it is in two minds about a place, the drawing is asked.
    """
    seen = read1d.read_profile(rectify.weighed(cut.picture), enlarged=cut.enlarged, known=way)[:1]
    if any(each.cost < _SEEN_WELL and (each.text != text or each.weakest < _IN_THE_BALANCE) for each in seen):
        return True
    return any(each.weakest < _IN_TWO_MINDS for each in seen) and _is_weakly_drawn(text, cut, way)


def _way(read: Read) -> Known:
    """How a library has read a Code 39 in a strip."""
    return Known("code39", read.polygon[1][0] < read.polygon[0][0])


def _is_weakly_drawn(text: str, cut: Cut, known: Known | None = None) -> bool:
    """Whether a drawing that fits says something else, or leads at one place by much less than at the others: a stroke made a character
    another one there, and left what no character has.
    """
    drawn = refit.read(rectify.weighed(cut.picture), enlarged=cut.enlarged, known=known)
    if drawn is None or drawn.fit.misfit > _FITS:
        return False
    return drawn.text != text or drawn.lead < _LEAST_SHARE * drawn.usual


def model(work: Work) -> None:
    """The strips by the model of each symbology."""
    for bars, cut in work.open_bars:
        if not work.may("model1d"):
            return
        reading = _modelled(work, bars, cut)
        if reading is not None:
            settle(work, bars, [Read(reading.text, reading.symbology, (), "model")])


def _modelled(work: Work, bars: Bars, cut: Cut) -> read1d.Reading | None:
    """The model's reading of a strip: of its mean, then of what its bands agree on."""
    like: read1d.Reading | None = None
    for profile in (rectify.weighed(cut.picture), rectify.middling(cut.picture)):
        known = None if like is None else Known(like.symbology, like.runs_back)
        readings = read1d.read_profile(profile, enlarged=cut.enlarged, known=known)
        if readings and is_believed(readings[0]):
            return readings[0]
        for doubtful in readings:
            work.doubtful.setdefault(doubtful.text, Read(doubtful.text, doubtful.symbology, bars.polygon, "model"))
        if like is None and (not readings or readings[0].cost > _NO_CODE):
            work.unlike.add(bars)
            if not readings and read1d.is_flat(profile, bars.length * cut.enlarged):
                work.flat.add(bars)
            return None
        if like is not None and readings and _is_second_word(like, readings[0]):
            work.twice[bars] = like.text
        like = like or readings[0]
    return None


def _is_second_word(first: read1d.Reading, again: read1d.Reading) -> bool:
    """Whether the model has said the same twice. With a place in the balance it has not: a stroke made a 7 a G, twice."""
    return first.text == again.text and min(first.weakest, again.weakest) >= _IN_THE_BALANCE


def redraw(work: Work) -> None:
    """The strips that are left, by synthesis: dear, so the strongest first and not many."""
    # Curled far enough, bars look like no code until they are drawn: what looks like one comes first.
    by_worth = sorted(work.open_bars, key=lambda item: (item[0] in work.unlike, -item[0].score))
    alike = sum(bars not in work.unlike for bars, _ in by_worth)
    for bars, cut in by_worth[: min(_MOST_REDRAWN, max(_LEAST_REDRAWN, alike))]:
        if work.settled or not work.may("refit1d"):
            return
        if work.done:
            _compare(work, bars, cut)
            continue
        found = refit.read(rectify.weighed(cut.picture), enlarged=cut.enlarged)
        if not _told(work, bars, found):
            work.drawn.append((bars, cut, found))


def draw_again(work: Work) -> None:
    """What was drawn and not believed, by other lines of the strip; and what a spot of light lies on, so that it looked like no code."""
    if work.done:
        return
    clear = [
        (plain, bars, cut)
        for bars, cut, plain in work.drawn
        if plain is not None and plain.usual > _SOMETHING and plain.fit.misfit < _FITS_BADLY
    ]
    # Strips of one code say the same: the one that is drawn best is enough.
    clear = list({item[0].text: item for item in sorted(clear, key=lambda item: -item[0].fit.misfit)}.values())
    for plain, bars, cut in sorted(clear, key=lambda item: item[0].fit.misfit)[:_MOST_AGAIN_DRAWN]:
        line = rectify.weighed(cut.picture)
        for other in (levelled(line, cut.enlarged), gathered(cut.picture)):
            if work.done or not work.may("refit1d"):
                return
            if _told(work, bars, refit.read(other, enlarged=cut.enlarged), [plain.text]):
                break
    said = {bars for bars, _, plain in work.drawn if plain is not None}
    by_score = sorted((item for item in work.open_bars if item[0] not in said), key=lambda item: -item[0].score)
    lit = [item for item in by_score if is_uneven(rectify.weighed(item[1].picture), item[1].enlarged)]
    for bars, cut in lit[:_MOST_LIT]:
        if work.done or not work.may("refit1d"):
            return
        _look_through(work, bars, cut)


def _look_through(work: Work, bars: Bars, cut: Cut) -> None:
    """A strip under a spot of light: where the model sees a code in what the light leaves, it is drawn as well."""
    line = bared(cut.picture)
    seen = read1d.read_profile(line, enlarged=cut.enlarged)[:1]
    if not seen or seen[0].cost > (_LIT39 if seen[0].symbology == "code39" else _LIT):
        return
    if seen[0].symbology != "code39" and is_believed(seen[0]):
        settle(work, bars, [Read(seen[0].text, seen[0].symbology, (), "model")])
        return
    found = refit.read(line, enlarged=cut.enlarged)
    if found is None or found.usual < _SOMETHING:
        return
    other = refit.read(levelled(rectify.weighed(cut.picture), cut.enlarged), enlarged=cut.enlarged)
    heard = [] if other is None else [other.text]
    if not _told(work, bars, found, heard):
        _told(work, bars, other, [found.text])


def _told(work: Work, bars: Bars, found: refit.Refit | None, heard: list[str] | None = None) -> bool:
    """Take what was drawn of a strip, where it is sure enough; ``heard`` is what other lines of the strip have said, None for its mean."""
    if found is None:
        return False
    read = Read(found.text, found.symbology, (), "model")
    # Nothing checks a Code 39: what only one of the other lines says is not enough.
    alike = found.symbology != "code39" or heard is None or found.text in heard
    # And what the templates vouch for was measured on means: evened light makes a doubtful place lead by more.
    if alike and _is_sure(found, agreed=heard is None and found.text == work.twice.get(bars)):
        settle(work, bars, [read])
        return True
    work.doubtful.setdefault(found.text, read.moved(bars.polygon))
    return False


def _compare(work: Work, bars: Bars, cut: Cut) -> None:
    """One form was read elsewhere: whether this strip says the same, or clearly another ID."""
    ids = work.answer.visit_ids
    if len(ids) != 1:
        return
    verdict = compare.compare(rectify.weighed(cut.picture), ids[0], enlarged=cut.enlarged)
    if verdict is not None:
        settle(work, bars, [Read(verdict.text, verdict.symbology, (), "model")])


def _is_sure(found: refit.Refit, *, agreed: bool) -> bool:
    kind = classify(found.text, found.symbology)
    plausible = kind == "visit-id" and is_plausible(found.text)
    return kind in ("visit-id", "placeholder") and found.is_sure(plausible=plausible, agreed=agreed)


def is_believed(reading: read1d.Reading) -> bool:
    """Whether the model's reading of bars may be reported."""
    if classify(reading.text, reading.symbology) not in ("visit-id", "placeholder"):
        return False
    # Strokes over two characters once made a text whose check was right, with a margin of 0.21.
    far = reading.symbology == "code39" or reading.margin > 0.25 or reading.weakest > 0.06
    return reading.is_sure or (reading.is_fair and far and is_plausible(reading.text))


def settle(work: Work, bars: Bars, reads: list[Read]) -> None:
    """Take what was read of a strip; it is unread no more when an ID is among it."""
    if work.take([read.moved(bars.polygon) for read in reads], only_ids=True):
        work.drop(bars)
