"""A code beside other things: where it ends on a line, and where it lies on a page."""

from __future__ import annotations

import math

import cv2
import numpy as np
from nhirx_scanner import read1d, rectify
from nhirx_scanner.locate import Bars
from nhirx_scanner.recut import recut
from nhirx_scanner.spans import spans


def _beside(draw, text: str) -> tuple[np.ndarray, float, float]:
    """The bars of ``text`` with another code so near that only its quiet zone parts them, and where they begin and end."""
    code, other = (draw.barcode(value, "Code128", 2, 60) for value in (text, "4710012345678"))
    code, other = (picture[:, np.ptp(picture, axis=0) >= 0] for picture in (code, other))
    dark = np.nonzero(code.min(axis=0) < 128)[0]
    ink = np.nonzero(other.min(axis=0) < 128)[0]
    height = min(code.shape[0], other.shape[0])
    quiet = np.full((height, 22), 255, np.uint8)
    wide = np.full((height, 60), 255, np.uint8)
    left, right = other[:height, ink[0] : ink[-1] + 1], code[:height, dark[0] : dark[-1] + 1]
    begin = 60 + left.shape[1] + 22
    return np.hstack([wide, left, quiet, right, wide]), float(begin), float(begin + right.shape[1])


def test_a_neighbour_beyond_the_quiet_zone_is_left_out(draw):
    """Of a line over two codes, one of the candidates is the code of twenty characters alone, and it is that one which is read."""
    text = draw.visit_id(5)
    picture, begin, end = _beside(draw, text)
    line = cv2.GaussianBlur(picture, (0, 0), 1.5)[10:50].mean(axis=0, dtype=np.float32)

    found = spans(line, read1d.ends(line))
    assert [True] == [
        abs(low - begin) < 4 and abs(high - end) < 4 for low, high in found if abs(low - begin) + abs(high - end) < 12
    ]
    assert text == read1d.read_profile(line)[0].text


def test_a_line_with_nothing_on_it_has_no_stretch():
    """Paper, and a few bars that are no code, give no candidate of their own."""
    bare = np.full(600, 240, np.float32)
    few = bare.copy()
    for x in range(100, 300, 40):
        few[x : x + 4] = 20

    assert [] == spans(bare, None)
    assert [] == spans(few, None)


def test_a_part_of_a_slanted_strip_is_cut_anew(draw):
    """From a part of a code that runs up hill, seen level, the whole code comes out with its slope."""
    picture = cv2.GaussianBlur(draw.barcode(draw.visit_id(6), "Code128", 2, 60), (0, 0), 1.0)
    dark = np.nonzero(picture.min(axis=0) < 128)[0]
    begin, end = int(dark[0]) + 150, int(dark[-1]) + 151
    page = cv2.copyMakeBorder(picture[6:56], 200, 200, 150, 150, cv2.BORDER_CONSTANT, value=255)
    rise = math.tan(math.radians(6))
    height, width = page.shape
    sheared = cv2.warpAffine(page, np.array([[1, 0, 0], [rise, 1, -rise * width / 2]]), (width, height), borderValue=255)
    middle = (begin + end) / 2
    y = height / 2 + rise * (middle - width / 2)
    part = Bars(0.0, middle - 150, middle + 150, y - 15, y + 15, 1.0)
    found = recut(sheared, part, rectify.strip(sheared, part))

    assert found is not None
    corners = np.array(found.polygon)
    left, right = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    line = [height / 2 + rise * (x - width / 2) for x in (begin, end)]
    assert np.hypot(*(left - (begin, line[0]))) < 15
    assert np.hypot(*(right - (end, line[1]))) < 15


def test_a_stroke_over_a_character_of_a_code39_is_not_believed(draw):
    """A white line down a Code 39 makes one character nearly another: the place that it damaged must not decide."""
    text = draw.visit_id(8)
    clean = cv2.GaussianBlur(draw.barcode(text, "Code39", 2, 40), (0, 0), 1.6).astype(np.float32)
    line = clean[20:60].mean(axis=0, dtype=np.float32)
    whole = read1d.read_profile(line)[0]
    wrong = []
    # Among them are three that were believed once.
    for x in (100, 200, 288, 340, 420, 504, 554, 600):
        struck = line.copy()
        struck[x : x + 5] = 235
        for best in read1d.read_profile(cv2.GaussianBlur(struck[None], (0, 0), 1.2)[0])[:1]:
            if best.text != text and (best.is_sure or best.is_fair):
                wrong.append((x, best.text))

    assert (text, True) == (whole.text, whole.is_fair)
    assert [] == wrong
