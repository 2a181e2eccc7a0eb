"""Bars read by drawing the whole code: what blur, curl and a wrong neighbour do to it, and what it must not believe."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from nhirx_scanner import read1d, rectify, refit, solve1d
from nhirx_scanner.forms import FORMS


def _line(draw, text: str, symbology: str, blur: float, scale: int = 3) -> np.ndarray:
    picture = draw.barcode(text, symbology, scale, 40)
    return cv2.GaussianBlur(np.pad(picture, ((0, 0), (30, 30)), constant_values=255), (0, 0), blur).mean(axis=0, dtype=np.float32)


@pytest.mark.parametrize("symbology", ["Code128", "Code39", "Code93"])
def test_bars_out_of_focus_by_more_than_a_module_are_read(draw, symbology):
    """A blur of 1.2 modules: each character alone is misread, all together are read, and with a wide lead."""
    text = draw.visit_id(11)
    line = _line(draw, text, symbology, 3.6)
    reading = refit.read(line)

    assert reading is not None
    assert (text, symbology.lower()) == (reading.text, reading.symbology)
    assert reading.is_sure(plausible=True) or symbology == "Code39"
    assert reading.usual > 100


@pytest.mark.parametrize(
    ("lead", "usual", "agreed", "believed"),
    [
        (277, 3170, False, False),  # a stroke made a C an E: one place far behind all others
        (151, 633, True, False),  # a U a 4, and the templates said so too
        (108, 637, True, False),
        (117, 299, False, False),
        (117, 299, True, True),
        (250, 900, False, True),
    ],
)
def test_a_code_39_is_believed_by_its_weakest_place(draw, lead, usual, agreed, believed):
    """How far it leads, how that compares with the other places, and whether the templates read the same."""
    reading = refit.read(_line(draw, draw.visit_id(14), "Code39", 0.8))

    assert reading is not None
    assert believed == replace(reading, lead=lead, usual=usual).is_sure(plausible=True, agreed=agreed)


def test_a_curled_code_is_followed(draw):
    """The middle of the code is shifted by five modules, as on a sheet that does not lie flat."""
    text = draw.visit_id(12)
    line = _line(draw, text, "Code39", 2.0)
    at = np.arange(len(line), dtype=np.float32)
    bent = np.interp(at + 15 * np.sin(at / len(line) * 2 * np.pi), at, line).astype(np.float32)
    reading = refit.read(bent)

    assert reading is not None
    assert (text, True) == (reading.text, reading.is_sure(plausible=True))
    assert 0.03 < reading.fit.uneven < 0.2


def test_a_code_may_run_backwards(draw):
    """Upside down is the same code."""
    text = draw.visit_id(13)
    reading = refit.read(_line(draw, text, "Code128", 3.0)[::-1])

    assert reading is not None
    assert (text, True) == (reading.text, reading.fit.backwards)


@pytest.mark.parametrize("symbology", ["Code128", "Code93"])
def test_a_changed_character_is_not_believed(draw, symbology):
    """One character exchanged and the check left as it was: the check costs too much to be believed."""
    text = draw.visit_id(14)
    good = draw.barcode(text, symbology, 3, 1)[0]
    other = draw.barcode(text[:9] + ("2" if text[9] == "1" else "1") + text[10:], symbology, 3, 1)[0]
    start, width = int(np.argmax(good == 0)), 33 if symbology == "Code128" else 27
    place = slice(start + 10 * width, start + 11 * width)
    good[place] = other[place]
    line = cv2.GaussianBlur(np.pad(good, 40, constant_values=255).astype(np.float32)[None], (0, 0), 1.5)[0]
    reading = refit.read(line)

    assert reading is None or not reading.is_sure(plausible=True)


def test_a_stroke_that_makes_one_character_another_is_not_believed(draw):
    """A bar drawn over one gap of a Code 39: no check tells, but the place fits worse than all others."""
    text = draw.visit_id(15)
    wrong = 0
    for place in range(200, 700, 100):
        line = _line(draw, text, "Code39", 1.5)
        line[place : place + 6] = 10
        reading = refit.read(line)
        wrong += reading is not None and reading.text != text and reading.is_sure(plausible=True)

    assert 0 == wrong


@pytest.mark.parametrize("symbology", ["Code128", "Code93"])
def test_bars_smeared_by_motion_are_read(draw, symbology):
    """Three and a half modules of even smear, as a hand that moves leaves them: no bar stands alone any more."""
    text = draw.visit_id(17)
    smeared = cv2.blur(_line(draw, text, symbology, 1.0)[None], (11, 1))[0]
    reading = refit.read(smeared)

    assert reading is not None
    assert (text, symbology.lower(), True) == (reading.text, reading.symbology, reading.is_sure(plausible=True))


def test_a_place_without_ink_makes_no_other_text_believed(draw):
    """A worn print head left two modules of one character white: it weighs less, and still no wrong text is believed."""
    text = draw.visit_id(18)
    for place in (300, 450):
        line = _line(draw, text, "Code128", 1.5)
        line[place : place + 7] = 250
        reading = refit.read(line)

        assert reading is not None
        assert text == reading.text or not reading.is_sure(plausible=True)


def test_a_line_without_edges_is_left_at_once():
    """A shadow and slow waves are no code: nothing is solved for them."""
    slow = (128 + 90 * np.sin(np.arange(900) / 40)).astype(np.float32)

    assert [] == read1d.read_profile(slow)
    assert refit.read(slow) is None


def test_noise_is_no_code():
    """Lines of grain of every width lead to nothing that may be believed."""
    chance = np.random.default_rng(21)
    for width in (1.0, 2.0, 3.0, 4.0):
        line = cv2.GaussianBlur(chance.integers(0, 256, (1, 900)).astype(np.float32), (0, 0), width)[0]
        reading = refit.read(line)

        assert reading is None or not (reading.is_sure(plausible=True) or reading.is_sure(plausible=False))


def test_the_drawing_is_the_code():
    """The sum of the drawn characters is what the bars of another writer look like, to a few per cent."""
    import zxingcpp

    text = "7QK8JM125EDGR3E9MEEN"
    picture = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code39).to_image(scale=4, add_quiet_zones=False))
    line = cv2.GaussianBlur(np.pad(255.0 - picture[0], 24)[None], (0, 0), 4 * 0.6)[0] / 255
    form = next(form for form in FORMS if (form.name, form.ratio) == ("code39", 2.0))
    from nhirx_scanner.compare import expected

    drawn = refit.rendered(refit.Drawn(form, 0.6, 0.0), expected(form, text))

    assert float(np.abs(drawn[: len(line)] - line[: len(drawn)]).max()) < 0.12


@pytest.mark.parametrize("text", ["0R2MHMC1691QA3DESR1F", "0V3DWLQ85417B3BL31MA", "0ZJJ5MV11DVAW3CLJ993", "07D31ZR9339Q53B3ZM93"])
def test_digits_within_a_code_128_may_be_pairs(text):
    """Writers change to pairs of digits for four digits in between, and for two at the end: both models read such codes."""
    import zxingcpp

    picture = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_image(scale=3, add_quiet_zones=False))
    line = cv2.GaussianBlur(np.pad(picture[0].astype(np.float32), 40, constant_values=255)[None], (0, 0), 2.4)[0]
    readings, found = read1d.read_profile(line), refit.read(line)

    assert (text, 0.0) == (readings[0].text, round(readings[0].forced, 6))
    assert found is not None
    assert (text, True) == (found.text, found.is_sure(plausible=False))


def test_another_way_to_write_the_digits_is_another_text():
    """What the last two places say as letters competes with what they say as a pair of digits."""
    values = [104, *(ord(letter) - 32 for letter in "ABCDEFGHJKLMNPQRST"), 99, 93]
    check = (104 + sum(place * value for place, value in enumerate(values) if place)) % 103
    costs = np.full((22, 106), 100.0)
    costs[np.arange(22), [*values, check]] = 0.0
    costs[19, 33], costs[20, 34] = 1.0, 1.0
    rival = (104 + sum(place * value for place, value in enumerate([*values[:19], 33, 34]) if place)) % 103
    costs[21, rival] = 0.5
    reading = solve1d.solve_places(costs, FORMS[0])

    assert ("ABCDEFGHJKLMNPQRST93", 0.0) == (reading.text, reading.forced)
    assert pytest.approx(2.5) == reading.margin
    assert pytest.approx(2.5) == solve1d.runner_up128(costs)


def test_the_second_best_text_is_found_exactly():
    """Two places whose changes cancel in the check: the rival has the same check character, and its price is known."""
    form = FORMS[0]
    costs = np.full((22, 106), 100.0)
    text = "ABCDEFGHJKLMNPQRSTUV"
    values = [104, *(ord(letter) - 32 for letter in text)]
    check = (104 + sum(place * value for place, value in enumerate(values) if place)) % 103
    costs[np.arange(22), [*values, check]] = 0.0
    costs[2, values[2] + 2] = 3.0  # 2 × 2 more …
    costs[4, values[4] - 1] = 4.0  # … and 4 × 1 less
    reading = solve1d.solve_places(costs, form)

    assert (text, 0.0) == (reading.text, reading.forced)
    assert pytest.approx(7.0) == solve1d.runner_up128(costs)
    assert reading.margin > 50


def test_a_pen_stroke_does_not_weigh_on_a_strip(draw):
    """A dark stroke across all bars in a part of the strip: the weighed mean is nearer to the clean one than the plain mean."""
    clean = draw.barcode(draw.visit_id(16), "Code128", 3, 120)
    struck = clean.copy()
    struck[30:60] = 40
    plain, weighed = struck.mean(axis=0), rectify.weighed(struck)
    assert np.ptp(weighed) > 1.2 * np.ptp(plain)
    assert read1d.read_profile(weighed)[0].is_sure
