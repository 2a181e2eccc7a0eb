"""Strokes through a line of print are seen and taken out; letters, labels, bars above and rules below are no strokes."""

from __future__ import annotations

import numpy as np
import pytest
from nhirx_scanner import Scanner, ocr
from nhirx_scanner.centreline import strip
from nhirx_scanner.crossed import crossing
from nhirx_scanner.vote import LEAST_TRUST_IN_TEXT
from PIL import Image, ImageDraw

from samples.fonts import font

_BOX = np.array([[60.0, 60], [560, 60], [560, 92], [60, 92]])


def _line(draw, *, face: str = "mono") -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", (640, 160), 250)
    pen = ImageDraw.Draw(page)
    pen.text((64, 58), draw.visit_id(41) + "JQ7", 20, font(face, 28))
    return page, pen


@pytest.mark.parametrize(
    ("start", "end"),
    [((300, 20), (290, 130)), ((150, 140), (260, 66)), ((400, 30), (470, 80))],
)
def test_a_stroke_through_the_letters_is_seen(draw, start, end):
    """From above to below, or from one side into a letter."""
    page, pen = _line(draw)
    pen.line((*start, *end), 60, 3)

    line = strip(np.array(page), _BOX)
    found = crossing(line)

    assert found is not None
    first, last = sorted((start[0], end[0]))
    where = np.flatnonzero(found.columns) / found.scale * (500 + 32) / line.picture.shape[1] + 44
    assert first - 8 < where.min() < where.max() < last + 8 + abs(last - first)
    assert len(found.touched([(0, line.picture.shape[1] / 2), (0, 1)])) == (where.min() < 310)


def test_letters_alone_and_neighbours_are_no_strokes(draw):
    """Tails, bars close above, a rule and another line close below: nothing touches the letters."""
    plain, _ = _line(draw)
    barred, pen = _line(draw)
    for x in range(64, 560, 7):
        pen.rectangle((x, 10, x + 3, 52), 10)
    pen.line((40, 104, 600, 104), 30, 2)

    assert [None, None] == [crossing(strip(np.array(page), _BOX)) for page in (plain, barred)]


def test_strokes_through_letters_never_make_others_of_them(draw):
    """The same ID with a pen through each place in turn: most are proposed as they are, and none as another ID."""
    text = draw.visit_id(42)
    page = Image.new("L", (900, 200), 250)
    ImageDraw.Draw(page).text((80, 80), text, 20, font("mono", 30))
    wide = ImageDraw.Draw(page).textlength(text, font("mono", 30)) / 20
    ocr.prepare()
    said = []
    for place in range(20):
        crossed = page.copy()
        x = 80 + wide * (place + 0.75)
        ImageDraw.Draw(crossed).line((x - 8, 50, x + 8, 150), 60, 3)
        line = ocr.read(np.array(crossed), bool(1).__bool__)
        said.append(line.text if line is not None and line.trust >= LEAST_TRUST_IN_TEXT else None)

    assert {*said} <= {text, None}
    assert said.count(text) >= 6


def test_a_stroke_through_the_label_changes_no_letter(draw):
    """Dust on the glass makes a line down the whole page; where it does not meet the ID it is nothing."""
    page = Image.new("L", (1000, 300), 250)
    pen = ImageDraw.Draw(page)
    pen.text((60, 120), "就醫識別碼：", 20, font("cjk", 30))
    pen.text((260, 120), draw.visit_id(42), 20, font("mono", 30))
    pen.line((150, 0, 150, 300), 40, 2)
    scan = Scanner().scan(np.array(page))

    assert (draw.visit_id(42), "ocr") == (scan.visit_id, scan.confidence)


def test_a_stroke_along_the_whole_line_is_not_looked_through(draw):
    """Struck out from corner to corner: nothing tells what it says any more."""
    page = Image.new("L", (900, 300), 250)
    ImageDraw.Draw(page).text((80, 120), draw.visit_id(42), 20, font("mono", 30))
    ImageDraw.Draw(page).line((70, 170, 480, 108), 40, 7)

    assert Scanner().scan(np.array(page)).visit_id is None
