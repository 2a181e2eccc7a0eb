"""Why a code was not read: each cause made alone, and what cannot be a visit ID is no unread code."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from nhirx_scanner import Scanner
from nhirx_scanner.engines import zxing
from nhirx_scanner.locate import Bars
from nhirx_scanner.reasons import could_hold_id, reasons
from nhirx_scanner.rectify import strip


def _strip(draw, text, symbology="Code128", scale=2, height=60):
    """A picture of one barcode, and where it is."""
    picture = np.pad(draw.barcode(text, symbology, scale, height), 60, constant_values=255)
    quiet = 60 + 12 * scale
    ink = np.flatnonzero((picture < 128).any(axis=0))
    return picture, Bars(0.0, float(ink[0]), float(ink[-1]), float(quiet), float(quiet + height), 1.0)


def _cut(picture, bars):
    return [(bars, strip(picture, bars))]


def test_a_good_strip_has_nothing_but_damage_to_blame(draw):
    """Sharp, dark, large and whole: what else could it be."""
    picture, bars = _strip(draw, draw.visit_id(70), scale=3)

    assert ("damaged",) == reasons(picture, _cut(picture, bars))


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda page: cv2.GaussianBlur(page, (0, 0), 4), "blur"),
        (lambda page: (page * 0.12 + 100).astype(np.uint8), "low-contrast"),
    ],
)
def test_each_fault_is_named(draw, harm, reason):
    """Blur and pale print of the whole picture."""
    picture, bars = _strip(draw, draw.visit_id(71), scale=3)
    picture = harm(picture)

    assert reason in reasons(picture, _cut(picture, bars))


def test_glare_is_a_patch_without_bars(draw):
    """Burnt out over more than any gap of a code is wide."""
    picture, bars = _strip(draw, draw.visit_id(72), scale=3)
    picture = (picture * 0.8).astype(np.uint8)
    picture[:, 400:520] = 255

    assert "glare" in reasons(picture, _cut(picture, bars))


def test_a_code_at_the_edge_is_cropped(draw):
    """Half of it is outside the picture."""
    picture, bars = _strip(draw, draw.visit_id(73), scale=3)
    half = int(bars.u1) // 2
    cropped = Bars(0.0, bars.u0, float(half), bars.v0, bars.v1, 1.0)

    assert "cropped" in reasons(np.ascontiguousarray(picture[:, :half]), _cut(picture[:, :half], cropped))


def test_few_pixels_are_too_small(draw):
    """Less than about a pixel for each module."""
    picture, bars = _strip(draw, draw.visit_id(74), scale=3)
    small = cv2.resize(picture, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    shrunk = Bars(0.0, bars.u0 * 0.3, bars.u1 * 0.3, bars.v0 * 0.3, bars.v1 * 0.3, 1.0)

    assert "too-small" in reasons(small, _cut(small, shrunk))


@pytest.mark.parametrize("symbology", ["Code128", "Code39", "Code93"])
def test_twenty_characters_may_be_an_id(draw, symbology):
    """Sharp or blurred to a module."""
    picture, bars = _strip(draw, draw.visit_id(75), symbology)

    for page in (picture, cv2.GaussianBlur(picture, (0, 0), 1.6)):
        assert could_hold_id(bars, strip(page, bars))


@pytest.mark.parametrize(
    ("text", "symbology"), [("4711234567899", "EAN13"), ("AX90001100", "Code128"), ("1234", "Code39"), ("96385074", "EAN8")]
)
def test_a_short_code_is_no_id(draw, text, symbology):
    """An EAN or the code of a drug that was not read says nothing about the visit ID."""
    picture, bars = _strip(draw, text, symbology, height=40)
    page = cv2.GaussianBlur(picture, (0, 0), 1.6)

    assert not could_hold_id(bars, strip(page, bars))


def test_a_strip_over_codes_that_were_read_is_no_id(draw):
    """Two short codes side by side look like one long one."""
    left, right = draw.barcode("AX90001100", "Code128", 2), draw.barcode("AX90002100", "Code128", 2)
    picture = np.pad(np.hstack([left, right]), 40, constant_values=255)
    ink = np.flatnonzero((picture < 128).any(axis=0))
    bars = Bars(0.0, float(ink[0]), float(ink[-1]), 70.0, 120.0, 1.0)
    known = [read.polygon for read in zxing(picture, "id")]

    assert 2 == len(known)
    assert not could_hold_id(bars, strip(picture, bars), known)


def test_the_lines_of_a_table_are_no_id():
    """Far apart, however many."""
    page = np.full((300, 900), 250, np.uint8)
    page[50:250, 60:860:100] = 20
    page[50:250, 63:860:100] = 20
    bars = Bars(0.0, 60.0, 860.0, 60.0, 240.0, 1.0)

    assert not could_hold_id(bars, strip(page, bars))


def test_a_page_of_other_codes_has_none_and_one_with_a_torn_id_is_unreadable(draw):
    """Seen from outside: the answer, and the reason with it."""
    others = draw.sheet(("4711234567899", "EAN13", 40, 60, 2), ("https://example.org/x", "QRCode", 40, 300, 4))
    torn = draw.sheet((draw.visit_id(76), "Code128", 40, 60, 2))
    torn[80:150, 160:420] = np.repeat(np.where(np.random.default_rng(2).random(130) < 0.5, 0, 255), 2).astype(np.uint8)

    assert ("none", ()) == (Scanner().scan(others).status, Scanner().scan(others).reasons)
    scan = Scanner(ocr=False).scan(torn)
    assert ("unreadable", None) == (scan.status, scan.visit_id)
    assert scan.reasons


@pytest.mark.parametrize("smear", [12, 20, 28])
def test_bars_that_a_moving_hand_has_wiped_out_are_blurred_and_not_nothing(draw, smear):
    """Nobody can tell what kind of code it was, but there was one: a longer hold may show the ID."""
    page = draw.sheet((draw.visit_id(78), "Code128", 60, 300, 2, 110), size=(800, 1300))
    page = cv2.blur(page, (smear, 1))
    scan = Scanner(ocr=False).scan(page)

    assert ("unreadable", None) == (scan.status, scan.visit_id)
    assert "blur" in scan.reasons


@pytest.mark.parametrize("smear", [12, 20, 28])
def test_a_short_code_that_was_wiped_out_is_no_id(draw, smear):
    """Its bars are wider, and its strip is shorter."""
    page = draw.sheet(("4711234567899", "EAN13", 60, 300, 2, 110), size=(800, 1300))

    assert Scanner(ocr=False).scan(cv2.blur(page, (smear, 1))).status == "none"
