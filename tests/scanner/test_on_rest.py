"""Codes that are no visit IDs are told for what they are, as a library with all its symbologies would tell them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import Scanner


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
