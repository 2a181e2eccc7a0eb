"""Codes that are no visit IDs are told for what they are, as a library with all its symbologies would tell them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import Scanner, on_rest, stages
from nhirx_scanner.locate import Bars
from nhirx_scanner.rectify import Cut
from PIL import Image, ImageDraw

from samples.fonts import font


@pytest.mark.parametrize("turn", [0, 7, 90])
def test_a_code_that_fills_the_picture_is_named(draw, turn):
    """Its modules are too large to be texture, so that no region is cut out."""
    code = np.array(zxingcpp.create_barcode("64441758", zxingcpp.BarcodeFormat.MicroQRCode).to_image(scale=20))
    page = np.pad(code, ((60, 60), (140, 140)), constant_values=240)
    height, width = page.shape
    page = cv2.warpAffine(page, cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1), (width, height), borderValue=240)
    scan = Scanner().scan(page)

    assert (None, [("64441758", "microqr")]) == (scan.visit_id, [(code.text, code.symbology) for code in scan.codes])


def test_an_extended_code_39_is_told_as_it_is_meant(draw):
    """Small letters are written with two characters each; what holds no such pair stays as it is."""
    meant = zxingcpp.create_barcode("Ward7b-c", zxingcpp.BarcodeFormat.Code39Ext)
    bars = np.repeat(np.array(meant.to_image(scale=3))[20][None], 80, axis=0)
    page = draw.sheet(("A1+2 B/3", "Code39", 60, 420))
    page[100 : 100 + len(bars), 60 : 60 + bars.shape[1]] = bars

    assert {"Ward7b-c", "A1+2 B/3"} == {code.text for code in Scanner().scan(page).codes}


def test_a_chart_number_is_not_taken_for_a_foreign_pharmacists_number(draw):
    """Six digits in a Code 39 are an Italian one by chance, one time in ten: the digits are told as they stand there."""
    for number in range(100100, 100140):
        page = draw.sheet((str(number), "Code39", 60, 100), size=(300, 500))

        assert [str(number)] == [code.text for code in Scanner("fast").scan(page).codes]


@pytest.mark.parametrize(("printed", "confidence"), [("the same", "agreed"), ("another", "ocr")])
def test_a_ruined_qr_code_still_confirms_what_is_printed(draw, printed, confidence):
    """Nobody can read it, but it can be asked whether it says the printed ID: then no person has to."""
    text = draw.visit_id(41)
    code = zxingcpp.create_barcode(
        text if printed == "the same" else draw.visit_id(44), zxingcpp.BarcodeFormat.QRCode, ec_level="M"
    )
    patch = np.array(code.to_image(scale=4)).astype(np.float32) * 0.55 + 60
    patch = cv2.GaussianBlur(patch, (0, 0), 1.4) + np.random.default_rng(1).normal(0, 60, patch.shape)
    cv2.circle(patch, (len(patch) // 2 + 10, len(patch) // 2 + 10), 22, 255, -1)  # glare on a fifth of it
    page = Image.new("L", (900, 500), 250)
    ImageDraw.Draw(page).text((80, 60), text, 20, font("mono", 30))
    page.paste(Image.fromarray(patch.clip(0, 255).astype(np.uint8)), (420, 200))
    scan = Scanner().scan(np.array(page))

    assert (text, confidence) == (scan.visit_id, scan.confidence)
    assert (("qr", "text") if confidence == "agreed" else ("text",)) == scan.evidence


@pytest.mark.parametrize(("symbology", "read"), [("Code128", True), ("Code39", False)])
def test_what_no_model_takes_for_a_code_zbar_may_read_as_it_lies(draw, symbology, read):
    """Straightening spoils what it mistakes, so the page itself is asked; but nothing checks a Code 39."""
    text = draw.visit_id(51)
    page = np.full((400, 1100), 255, np.uint8)
    code = draw.barcode(text, symbology, 2, 90)
    page[120 : 120 + code.shape[0], 40 : 40 + code.shape[1]] = code
    page = cv2.warpAffine(page, cv2.getRotationMatrix2D((550, 200), 2, 1), (1100, 400), borderValue=(255,))
    work = stages.fast_pass(np.full_like(page, 255), Scanner(limit_ms=60_000))
    work.gray = page
    bars = Bars(np.deg2rad(-2.0), 0.0, 1000.0, 120.0, 300.0, 1.0)
    work.bars.append((bars, Cut(np.full((60, 900), 255, np.uint8), np.eye(3))))
    work.unlike.add(bars)
    on_rest.last_resort(work)

    assert ([(text, "zbar")] if read else []) == [(each.text, each.engine) for each in work.reads]
    assert read is not bool(work.bars)


@pytest.mark.parametrize("seed", [1, 3, 22])
def test_a_small_code_that_no_patch_was_cut_for_is_read_at_twice_the_size(draw, monkeypatch, seed):
    """Black and white, 1.3 pixels a module; dirt elsewhere had taken every place among the patches."""
    text = draw.visit_id(seed)
    fine = draw.barcode(text, "QRCode", 8).astype(np.float32)
    turned = cv2.getRotationMatrix2D((len(fine) / 2, len(fine) / 2), 3, 1.3 / 8)
    turned[:, 2] += np.array([90, 420]) - len(fine) / 2
    soft = cv2.warpAffine(cv2.GaussianBlur(fine, (0, 0), 3.2), turned, (500, 600), borderValue=(255,))
    page = np.where(soft > 134, 255, 0).astype(np.uint8)
    monkeypatch.setattr("nhirx_scanner.locate.find_blobs", lambda *_, **__: [])
    without, after = (Scanner(skip=skip, limit_ms=60_000).scan(page) for skip in (frozenset({"larger"}), frozenset()))

    assert (None, text) == (without.visit_id, after.visit_id)
