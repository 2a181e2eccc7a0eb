"""One line from rows that are not equally good, and what is read from it that the mean of the rows does not say."""

from __future__ import annotations

import math

import cv2
import numpy as np
from nhirx_scanner import on_bars, rectify
from nhirx_scanner.gathered import gathered, is_uneven, levelled
from nhirx_scanner.locate import Bars
from nhirx_scanner.page import Work
from nhirx_scanner.rectify import Cut
from nhirx_scanner.scanner import Scanner


def _strip(draw, text: str, symbology: str = "Code128") -> np.ndarray:
    code = draw.barcode(text, symbology, 3, 60)
    code = np.pad(code[(code < 128).any(axis=1)][:90], ((0, 0), (45, 45)), constant_values=255).astype(np.float32)
    return cv2.GaussianBlur(60 + code * 0.5, (0, 0), 2.0)


def _with_glare(strip: np.ndarray) -> np.ndarray:
    """A spot that washes the bars out in the lower rows of the middle; the upper ones keep some."""
    y, x = np.mgrid[: strip.shape[0], : strip.shape[1]].astype(np.float32)
    spot = 420 * np.exp(-(((x - strip.shape[1] * 0.45) / 90) ** 2) - ((y - 60) / 45) ** 2)
    return np.clip(strip + spot, 0, 255).astype(np.uint8)


def _detail(line: np.ndarray) -> np.ndarray:
    piece = line[:, None].astype(np.float32)
    return (piece - cv2.blur(piece, (1, 61)))[250:450, 0]


def test_rows_that_glare_left_free_speak_for_the_place(draw):
    """Where the lower rows are white, the upper ones say what stands there: the line goes with the clean one, the mean does not."""
    clean = _strip(draw, draw.visit_id(51))
    spoilt = _with_glare(clean)
    truth = _detail(clean.mean(axis=0))
    alike = [float(np.corrcoef(truth, _detail(line))[0, 1]) for line in (rectify.weighed(spoilt), gathered(spoilt))]

    assert alike[0] < 0.92
    assert alike[1] > 0.97


def test_where_all_rows_are_equal_the_line_is_their_mean(draw):
    """Nothing is made up: of a clean strip, paper beside the code included, the line is the mean of the rows."""
    clean = _strip(draw, draw.visit_id(52)).astype(np.uint8)

    assert float(np.abs(gathered(clean) - clean.mean(axis=0)).max()) < 4


def test_paper_and_ink_become_even_under_a_light_that_is_not(draw):
    """A lamp on one side: paper and ink have the same levels at both ends, and only such a line is called uneven."""
    line = _strip(draw, draw.visit_id(53)).mean(axis=0).astype(np.float32)
    lit = line + np.linspace(0, 160, len(line), dtype=np.float32)
    even = levelled(lit, 1.5)
    tops = [float(np.percentile(part, 95)) for part in (even[60:250], even[-250:-60])]

    assert (False, True) == (is_uneven(line, 1.5), is_uneven(lit, 1.5))
    assert abs(tops[0] - tops[1]) < 12


def test_a_strip_under_glare_is_read_by_its_other_lines(draw):
    """The mean says something and nothing sure; drawn again from what the rows show best, the text is taken."""
    text = draw.visit_id(51)
    picture = _with_glare(_strip(draw, text))
    cut = Cut(picture, np.float64([[2 / 3, 0, 0], [0, 2 / 3, 0]]))
    bars = Bars(0.0, 0.0, picture.shape[1] / 1.5, 0.0, picture.shape[0] / 1.5, 1.0)
    work = Work(picture, Scanner(ocr=False), math.inf, bars=[(bars, cut)])
    on_bars.redraw(work)
    before = [read.text for read in work.reads]
    on_bars.draw_again(work)

    assert ([], [text]) == (before, [read.text for read in work.reads])
    assert not work.bars


def test_a_place_that_is_half_another_character_is_drawn_weakly(draw):
    """Two Code 39 that differ in one place, laid over each other: whatever is read there, the drawing does not vouch for it."""
    text = draw.visit_id(55)
    other = text[:9] + ("S" if text[9] != "S" else "5") + text[10:]
    one, two = (_strip(draw, each, "Code39") for each in (text, other))
    half = (0.55 * one + 0.45 * two).astype(np.uint8)
    cuts = [Cut(picture, np.float64([[2 / 3, 0, 0], [0, 2 / 3, 0]])) for picture in (one.astype(np.uint8), half)]

    assert [False, True] == [on_bars._is_weakly_drawn(text, cut) for cut in cuts]
    assert on_bars._is_weakly_drawn(other, cuts[0])
