"""A strip beside an ID that was read elsewhere: the same, another, or nothing to say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import Scanner, compare


def _line(draw, text: str, symbology: str, blur: float = 2.0) -> np.ndarray:
    picture = np.pad(draw.barcode(text, symbology, 3, 40), ((0, 0), (30, 30)), constant_values=255)
    noise = np.random.default_rng(3).normal(0, 4, picture.shape)
    return (cv2.GaussianBlur(picture, (0, 0), blur) + noise).mean(axis=0, dtype=np.float32)


def _misprinted(text: str, place: int = 17) -> str:
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


@pytest.mark.parametrize("symbology", ["Code128", "Code39", "Code93"])
def test_the_same_text_agrees_and_a_misprint_does_not(draw, symbology):
    """One character off is another ID, and the strip's own text is named; a wholly different ID is not judged."""
    text = draw.visit_id(31)
    line = _line(draw, text, symbology)

    same, other = compare.compare(line, text), compare.compare(line, _misprinted(text))

    assert ("same", text) == (same and (same.says, same.text))
    assert ("other", text) == (other and (other.says, other.text))
    assert compare.compare(line, draw.visit_id(32)) is None


def test_another_code_and_noise_say_nothing(draw):
    """A chart number, and no code at all."""
    chance = np.random.default_rng(8)
    noise = cv2.GaussianBlur(chance.integers(0, 256, (1, 900)).astype(np.float32), (0, 0), 2)[0]

    assert compare.compare(_line(draw, "C0012345", "Code39"), draw.visit_id(33)) is None
    assert compare.compare(noise, draw.visit_id(33)) is None


def test_a_damaged_place_is_no_conflict(draw):
    """Ink over one character of the very same ID: never another ID."""
    text = draw.visit_id(34)
    for symbology in ("Code128", "Code39", "Code93"):
        for at in (300, 520):
            line = _line(draw, text, symbology)
            line[at : at + 14] = 20
            verdict = compare.compare(line, text)

            assert verdict is None or verdict.says == "same"


@pytest.mark.parametrize(
    "text",
    [
        "0USE4FA11RP4J370WR4K",
        "1234AFA11RP4J370WR4K",
        "07D31ZR9339Q53B3ZM93",
        "0V3DWLQ85417B3BL31M1",
        "ABCDEFGHJKLMNPQRS123",
        "ABCDEFGH123456KLMNPQ",
        "ABCDEFGHJKLMNPQ12345",
    ],
)
def test_the_expected_code_is_the_one_that_writers_print(text):
    """Start, pairs of digits and check of Code 128 as another program writes them."""
    written = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image(scale=1, add_quiet_zones=False))[0]
    form = next(form for form in compare.FORMS if form.name == "code128" and compare.expected(form, text) is not None)
    numbers = compare.expected(form, text)
    assert numbers is not None
    widths = "".join(compare_widths(int(number)) for number in numbers) + "2331112"

    assert len(written) == sum(int(width) for width in widths)
    assert [int(width) for width in widths] == np.diff(np.r_[0, np.flatnonzero(np.diff(written)) + 1, len(written)]).tolist()


def compare_widths(number: int) -> str:
    from nhirx_scanner.symbols import CODE128

    return CODE128[number]


def test_a_sheet_that_contradicts_itself_in_an_unreadable_form_is_a_conflict(draw):
    """A clear QR code and bars too faint and noisy for every library, one character apart."""
    text = draw.visit_id(35)
    page = np.full((600, 1100), 255, np.uint8)
    square = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_image(scale=5))
    page[20 : 20 + square.shape[0], 700 : 700 + square.shape[1]] = square
    bars = draw.barcode(_misprinted(text), "Code128", 3, 80)
    bars = cv2.GaussianBlur(bars, (0, 0), 2.4)
    chance = np.random.default_rng(4)
    faint = 200 + 40 * (bars / 255) + chance.normal(0, 10, bars.shape)
    page[380 : 380 + bars.shape[0], 60 : 60 + bars.shape[1]] = faint.clip(0, 255)

    assert "conflict" == Scanner(ocr=False, limit_ms=60_000).scan(page).status
