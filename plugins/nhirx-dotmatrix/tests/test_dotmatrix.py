"""Bars that fall apart into dots, made here: what zxing-cpp alone does not read, the plugin does."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from nhirx_dotmatrix import DotMatrix

from nhirx.plugin.manager import Plugins

TEXT = "0USE4FA11RP4J370WR4K"


def page(symbology: zxingcpp.BarcodeFormat, pitch: int, dot: int, width: int, *, turned: bool = False) -> np.ndarray:
    """A page with one code whose columns are dots, ``dot`` pixels every ``pitch``, shifted from column to column as needles do."""
    bars = np.array(zxingcpp.create_barcode(TEXT, symbology).to_image(scale=1))
    row = bars[bars.shape[0] // 2] < 128
    sheet = np.full((400, len(row) * width + 200), 255, np.uint8)
    for column in np.flatnonzero(row):
        for y in range(100, 220, pitch):
            top = y + (column * 7) % pitch
            sheet[top : top + dot, 100 + column * width : 100 + (column + 1) * width] = 0
    return np.ascontiguousarray(np.rot90(sheet)) if turned else sheet


def decode(grey: np.ndarray) -> list:
    plugins = Plugins(discover=False)
    plugins.register(DotMatrix(), "dotmatrix")
    return plugins.decoders["dotmatrix"](grey)


@pytest.mark.parametrize("symbology", ["Code128", "Code39"])
@pytest.mark.parametrize(("pitch", "dot", "width"), [(8, 4, 3), (10, 5, 3), (8, 3, 3), (6, 3, 2), (12, 5, 4)])
def test_joins_the_dots(symbology, pitch, dot, width):
    grey = page(getattr(zxingcpp.BarcodeFormat, symbology), pitch, dot, width)

    assert [] == [code.text for code in zxingcpp.read_barcodes(grey)]
    assert [(TEXT, symbology.lower())] == [(text, name) for text, name, _ in decode(grey)]


def test_turned_page():
    assert [TEXT] == [text for text, _, _ in decode(page(zxingcpp.BarcodeFormat.Code128, 8, 4, 3, turned=True))]


def test_corners_lie_on_the_code():
    ((_, _, corners),) = decode(page(zxingcpp.BarcodeFormat.Code128, 8, 4, 3))

    assert 4 == len(corners)
    assert all(90 <= x <= 1000 and 90 <= y <= 240 for x, y in corners)


@pytest.mark.parametrize(
    "grey",
    [np.full((300, 300), 255, np.uint8), np.zeros((300, 300), np.uint8), np.full((1, 1), 128, np.uint8)],
    ids=["white", "black", "dot"],
)
def test_nothing_there(grey):
    assert [] == decode(grey)


def test_noise_reads_nothing():
    """A false read is worse than none."""
    noise = np.random.default_rng(7).integers(0, 256, (400, 1000), dtype=np.uint8)

    assert [] == decode(noise)
