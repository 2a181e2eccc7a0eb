"""Our own decoders: the tables against another writer of the codes, and what they read that libraries give up on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import engines, finders, read1d, readqr, softqr, straighten, symbols
from nhirx_scanner.qrform import BLOCKS, layout, mask


def _bars(draw, text: str, symbology: str, scale: int = 3) -> np.ndarray:
    return draw.barcode(text, symbology, scale, 60)


@pytest.mark.parametrize("symbology", ["Code128", "Code39", "Code93"])
@pytest.mark.parametrize("seed", range(6))
def test_the_model_reads_what_another_program_wrote(draw, symbology, seed):
    """Clean bars, blurred by a module: the model finds every character, either way round, and is sure of it."""
    text = draw.visit_id(seed)
    picture = cv2.GaussianBlur(_bars(draw, text, symbology), (0, 0), 2.0)
    for turned in (picture, picture[:, ::-1]):
        best = read1d.read_profile(turned.mean(axis=0, dtype=np.float32))[0]

        assert (text, symbology.lower(), True) == (best.text, best.symbology, best.is_sure)


@pytest.mark.parametrize("symbology", ["Code128", "Code39", "Code93"])
def test_broken_bars_are_read_when_libraries_see_nothing(draw, symbology):
    """Bars with two thirds of their ink gone at random, in noise: only the mean along the bars still holds the text.

    Of a Code 39, which checks nothing, nothing is believed in so much noise.
    """
    text, chance = draw.visit_id(3), np.random.default_rng(3)
    picture = _bars(draw, text, symbology).astype(np.float32)
    picture[chance.random(picture.shape) < 0.65] = 255
    picture = (picture + chance.normal(0, 40, picture.shape)).clip(0, 255).astype(np.uint8)
    believed = [reading.text for reading in read1d.read_profile(picture.mean(axis=0, dtype=np.float32))[:1] if reading.is_sure]

    assert [] == engines.zxing(picture, "linear")
    assert ([text] if symbology != "Code39" else []) == believed


@pytest.mark.parametrize("text", ["00123456789012345678", "AB-12.CD 34/EF+56GH%", "ABCDEFGHIOABCDEFGHIO"])
def test_another_code_of_twenty_characters_is_not_bent_into_an_id(draw, text):
    """A code whose text is no ID is read as what it is: letters outside the alphabet are honest competitors."""
    best = read1d.read_profile(_bars(draw, text, "Code39").mean(axis=0, dtype=np.float32))[0]

    assert text == best.text


def test_noise_and_print_are_no_code():
    """Nothing that the model reads in noise may be believed."""
    chance = np.random.default_rng(9)
    for _ in range(60):
        line = cv2.GaussianBlur(chance.integers(0, 256, (1, 900)).astype(np.float32), (0, 0), chance.uniform(1, 5))[0]

        assert not [reading for reading in read1d.read_profile(line) if reading.is_sure]


def test_a_wrong_check_character_is_seen(draw):
    """Code 128 with one character exchanged and the old check character: never sure."""
    text = draw.visit_id(5)
    good = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image(scale=3))[0]
    other = np.array(
        zxingcpp.create_barcode(text[:7] + ("2" if text[7] == "1" else "1") + text[8:], zxingcpp.BarcodeFormat.Code128).to_image(
            scale=3
        )
    )[0]
    start = int(np.argmax(good == 0))
    place = slice(start + 8 * 33, start + 9 * 33)
    good[place] = other[place]
    line = np.pad(good, 40, constant_values=255).astype(np.float32)

    assert not [reading for reading in read1d.read_profile(line) if reading.is_sure or reading.is_fair]


def test_the_check_of_code_93():
    """The worked example of the symbology's description: TEST93 has the check characters + and 6."""
    values = [symbols.ALPHABET93.index(letter) for letter in "TEST93"]

    assert ("+", "6") == tuple(symbols.ALPHABET93[value] for value in symbols.check93(values))


def _modules(text: str, level: str) -> np.ndarray:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    return np.array(code.to_image(scale=1, add_quiet_zones=False)) < 128


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_a_qr_code_drawn_by_another_program(draw, level):
    """Every error level, turned and seen askew: the same text, no doubt left."""
    text = draw.visit_id(6)
    dark = _modules(text, level)
    picture = cv2.resize(np.where(np.pad(dark, 6), 20, 235).astype(np.uint8), None, fx=5, fy=5, interpolation=cv2.INTER_NEAREST)
    side = picture.shape[0]
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    askew = corners + np.array([[12, 3], [-4, 10], [-9, -7], [5, -12]], np.float32)
    picture = cv2.warpPerspective(picture, cv2.getPerspectiveTransform(corners, askew), (side, side), borderValue=(235,))
    _, reading = readqr.read(picture, finders.from_finders(picture))

    assert reading is not None
    assert (text, True) == (reading.text, reading.is_sure)


@pytest.mark.parametrize("level", ["L", "M", "Q", "H"])
def test_doubtful_modules_are_weighed(draw, level):
    """Modules in such noise that Reed-Solomon refuses are still read; and pure noise leads to nothing that may be believed."""
    text, chance = draw.visit_id(7), np.random.default_rng(4)
    dark = _modules(text, level)
    version = (dark.shape[0] - 17) // 4
    form = layout(version)
    number = next(
        n for n in range(8) if (likely := softqr.decode(_bits(dark, form, n), version, level)) is not None and likely.text == text
    )
    read = 0
    for _ in range(20):
        seen = np.where(dark, 1.0, -1.0) + chance.normal(0, 0.75, dark.shape)
        likely = softqr.decode(_signed(seen, form, number), version, level)
        read += likely is not None and likely.text == text and likely.lead > 0.003
    noise = [softqr.decode(chance.normal(0, 1, len(form.order)), version, level) for _ in range(20)]

    assert read >= 10
    assert not [one for one in noise if one is not None and one.lead > 0.02 and one.agreement > 0.88]


def _signed(seen: np.ndarray, form, number: int) -> np.ndarray:
    flipped = np.where(mask(number, form.size), -seen, seen)
    return flipped[form.order[:, 0], form.order[:, 1]]


def _bits(dark: np.ndarray, form, number: int) -> np.ndarray:
    return _signed(np.where(dark, 1.0, -1.0), form, number)


def test_block_sizes_hold_twenty_characters():
    """Every listed version and level has room for the sixteen data words that twenty characters take."""
    assert all(blocks * data >= 16 for blocks, _, data in BLOCKS.values())


def test_leaning_bars_are_made_upright(draw):
    """A strip whose bars fan out: straightened, its mean is as sharp as before."""
    picture = _bars(draw, draw.visit_id(8), "Code128")
    height, width = picture.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    leaning = cv2.remap(
        picture, x + (y - height / 2) * (x / width - 0.3) * 0.25, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    before, after = leaning.mean(axis=0).var(), straighten.straightened(leaning).mean(axis=0).var()

    assert after > 1.1 * before
