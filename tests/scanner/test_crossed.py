"""Strokes through a line of print are seen, and letters, labels, bars above and rules below are no strokes."""

from __future__ import annotations

import numpy as np
import pytest
from nhirx_scanner import Scanner
from nhirx_scanner.centreline import strip
from nhirx_scanner.crossed import is_crossed
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

    assert is_crossed(strip(np.array(page), _BOX))


def test_letters_alone_and_neighbours_are_no_strokes(draw):
    """Tails, bars close above, a rule and another line close below: nothing touches the letters."""
    plain, _ = _line(draw)
    barred, pen = _line(draw)
    for x in range(64, 560, 7):
        pen.rectangle((x, 10, x + 3, 52), 10)
    pen.line((40, 104, 600, 104), 30, 2)

    assert [False, False] == [is_crossed(strip(np.array(page), _BOX)) for page in (plain, barred)]


def test_a_crossed_line_is_not_proposed(draw):
    """The same ID, printed plainly and with a pen through it: only the first is proposed."""
    page = Image.new("L", (900, 400), 250)
    ImageDraw.Draw(page).text((80, 200), draw.visit_id(42), 20, font("mono", 30))
    plain = Scanner().scan(np.array(page))
    ImageDraw.Draw(page).line((300, 160, 280, 280), 60, 4)
    crossed = Scanner().scan(np.array(page))

    assert (draw.visit_id(42), "ocr", None) == (plain.visit_id, plain.confidence, crossed.visit_id)
