"""The network that judges QR modules: right on clean codes, reads what nothing else reads, and makes no ID of anything else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import Scanner, engines, modulenet, netqr, readqr
from nhirx_scanner.on_blobs import is_believed_judged
from nhirx_scanner.readqr import Fitted


def _code(text: str, level: str = "M", scale: int = 4) -> tuple[np.ndarray, np.ndarray, Fitted]:
    """The picture of a code, its modules (1 is dark), and its grid."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    dark = (np.asarray(code.to_image(scale=1, add_quiet_zones=False)) < 128).astype(np.uint8)
    picture = cv2.resize(
        np.where(np.pad(dark, 5) > 0, 60, 210).astype(np.uint8), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
    )
    low, high = 5.0 * scale, (5.0 + len(dark)) * scale
    corners = np.array([[low, low], [high, low], [high, high], [low, high]], np.float32)
    return picture, dark, Fitted(0.8, (len(dark) - 17) // 4, corners)


def _smeared(picture: np.ndarray, length: int, noise: float, seed: int) -> np.ndarray:
    """Moved while it was photographed, in poor light."""
    kernel = np.eye(length, dtype=np.float32) / length
    grains = np.random.default_rng(seed).normal(0, noise, picture.shape)
    return (cv2.filter2D(picture, cv2.CV_32F, kernel) + grains).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(("version", "level", "small"), [(1, "M", False), (2, "H", False), (3, "H", True)])
def test_every_module_of_a_clean_code(draw, version, level, small):
    """All modules right, in codes of three versions, and the same from any thread."""
    text = draw.visit_id(1)
    picture, dark, grid = _code(text.lower() if small else text, level)
    with ThreadPoolExecutor(2) as pool:
        looks = list(pool.map(lambda _: modulenet.log_odds(picture, grid.version, grid.corners), range(4)))

    assert version == grid.version
    assert (dark == (looks[0] > 0)).all()
    assert all((looks[0] == other).all() for other in looks)


@pytest.mark.parametrize("seed", [3, 5])
def test_a_code_that_nothing_else_reads(draw, seed):
    """Out of focus, in noise, and then made black and white: no library and no other decoder reads it, the network does."""
    text = draw.visit_id(seed)
    clean, _, grid = _code(text)
    grains = np.random.default_rng(seed).normal(0, 20, clean.shape)
    picture = np.where(cv2.GaussianBlur(clean, (0, 0), 2.4) + grains > 160, 255, 0).astype(np.uint8)
    others = [readqr.decode(seen, grid, 30) for seen in readqr.looks(picture, grid)]
    believed = [judged.text for judged in netqr.looks(picture, grid) if is_believed_judged(judged)]

    assert [] == engines.zxing(picture, "qr") + engines.opencv(picture)
    assert not any(reading is not None and (reading.is_sure or reading.is_fair) for reading in others)
    assert text == believed[0]


@pytest.mark.parametrize("printed", ["https://www.example.tw/s?h=1", "BB0100TWENTYCHARS+-*/", "3501200000;1;;;A1"])
def test_what_says_something_else_is_no_id(printed):
    """A link, other text of the same length, a prescription: however clear they are, no ID is made of them."""
    clean, _, grid = _code(printed)
    for noise in (5.0, 60.0):
        for judged in netqr.looks(_smeared(clean, 3, noise, 4), grid):
            assert not is_believed_judged(judged)


def test_nothing_is_made_of_noise(draw):
    """A grid over noise, over a smear of everything, over paper."""
    clean, _, grid = _code(draw.visit_id(5))
    noise = np.random.default_rng(6).integers(0, 256, clean.shape).astype(np.uint8)
    for picture in (noise, cv2.GaussianBlur(clean, (0, 0), 14), np.full_like(clean, 200)):
        assert not any(is_believed_judged(judged) for judged in netqr.looks(picture, grid))


def test_the_code_of_a_second_sheet_is_read_after_the_first_has_agreed(draw):
    """Bars and QR of one sheet say the same; another sheet's rubbed code, which no library reads, still makes two."""
    first, second = draw.visit_id(7), draw.visit_id(8)
    page = draw.sheet((first, "QRCode", 60, 40, 5), (first, "Code128", 330, 60, 2), size=(1000, 900))
    rubbed = _code(second, scale=5)[0]
    flecks = cv2.GaussianBlur(np.random.default_rng(9).normal(0, 1, rubbed.shape), (0, 0), 2.0)
    rubbed[flecks > np.quantile(flecks, 0.78)] = 210
    page[600 : 600 + rubbed.shape[0], 500 : 500 + rubbed.shape[1]] = rubbed
    scan, alone = Scanner(ocr=False).scan(page), Scanner(ocr=False, skip=frozenset({"second"})).scan(page)

    assert ("found", "agreed") == (alone.status, alone.confidence)
    assert ("several", {first, second}) == (scan.status, set(scan.visit_ids))


def test_the_weights_are_small():
    assert Path(modulenet.__file__).with_name("modulenet.onnx").stat().st_size < 400_000
