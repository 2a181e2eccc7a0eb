"""Stamps, ticks and stains in colour: what they hide is read, and what is printed in colour still is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from nhirx_scanner import Scanner, colours, files, ocr
from PIL import Image, ImageDraw

from samples.fonts import font

_VERMILION = (20, 25, 190)  # blue first


@pytest.fixture(scope="module")
def stamped(draw):
    """A sheet whose only code lies under a stamp, and its ID."""
    text = draw.visit_id(31)
    page = cv2.cvtColor(draw.sheet((text, "QRCode", 60, 60, 4), size=(400, 400)), cv2.COLOR_GRAY2BGR)
    strokes = np.random.default_rng(7).random((60, 60)) < 0.42  # as fine as the modules: seals are full of small writing
    fine = cv2.resize(strokes.astype(np.uint8), None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    layer = np.full_like(page, 255)
    layer[45:285, 45:285][fine > 0] = _VERMILION
    return text, np.minimum(page, layer)


def test_what_a_stamp_hides_is_read(stamped):
    """In grey the strokes are one with the modules and nothing is read; in colour the page says its ID."""
    text, page = stamped
    grey = Scanner().scan(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY))
    coloured = Scanner().scan(page)

    assert (None, text, "found") == (grey.visit_id, coloured.visit_id, coloured.status)


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "pdf"])
def test_so_it_is_in_every_kind_of_file(stamped, tmp_path, kind):
    """Pictures, documents of several pages and scans inside a PDF are looked at in colour too."""
    text, page = stamped
    path = tmp_path / f"page.{kind}"
    Image.fromarray(page[:, :, ::-1]).save(path, quality=92)

    assert text == Scanner().scan(path).visit_id


def test_a_file_that_goes_away_between_two_looks_loses_nothing(tmp_path):
    """The second look opens the file once more: where that fails the page says what it said."""
    path = tmp_path / "page.png"
    Image.new("RGB", (300, 300), "white").save(path)
    [page] = files.pages(path)
    path.unlink()

    assert page.without_colour is not None
    assert page.without_colour() is None


@pytest.mark.parametrize("ink", [(30, 30, 200), (150, 40, 20), (60, 130, 30)])
def test_a_code_printed_in_colour_is_read(draw, ink):
    """Red, blue and green bars vanish without colour: the grey picture is looked at first."""
    text = draw.visit_id(32)
    grey = draw.sheet((text, "Code128", 40, 60, 2), size=(300, 900))
    page = np.where(grey[:, :, None] < 128, np.array(ink, np.uint8), np.uint8(255))

    assert text == Scanner().scan(page).visit_id


def test_paper_and_ink_without_colour_give_no_second_look(draw):
    """Black on white, and black on paper under a yellow lamp, have nothing to leave out."""
    page = cv2.cvtColor(draw.sheet((draw.visit_id(33), "QRCode", 60, 60, 4), size=(400, 400)), cv2.COLOR_GRAY2BGR)
    warm = (page * np.array([0.72, 0.92, 1.0])).astype(np.uint8)

    assert (None, None) == (colours.without(page), colours.without(warm))


def test_coloured_ink_turns_to_paper_and_black_stays(stamped):
    """The view is as bright as paper under the stamp, and dark where modules are, under the stamp as beside it."""
    _, page = stamped
    view = colours.without(page)
    red = (page[:, :, 2] > 190) & (page[:, :, 0] < 60)
    black = page.max(axis=2) < 40

    assert view is not None
    assert (True, True) == (bool((view[red] > 180).all()), bool((view[black] < 60).all()))


def test_a_line_that_was_found_is_not_sought_again(draw, monkeypatch):
    """Ink over the printed ID: the second look knows where the lines stand, and spends its time on reading them."""
    text = draw.visit_id(33)
    page = Image.new("RGB", (900, 500), (250, 250, 250))
    ImageDraw.Draw(page).text((80, 60), text, "black", font("mono", 30))
    picture = np.ascontiguousarray(np.asarray(page)[:, :, ::-1])
    for x in range(90, 600, 34):
        cv2.circle(picture, (x, 78), 15, (60, 60, 240), 5)
    printed = np.asarray(page)[:, :, 0] < 100
    picture[printed] = 0
    sought = []
    find = ocr.find_boxes
    monkeypatch.setattr(ocr, "find_boxes", lambda gray: sought.append(gray.shape) or find(gray))
    grey = Scanner().scan(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    coloured = Scanner().scan(picture)

    assert (None, text, "ocr") == (grey.visit_id, coloured.visit_id, coloured.confidence)
    assert len(grey.lines) > 0
    assert len(sought) == 2  # once for each scan
