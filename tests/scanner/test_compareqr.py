"""Whether a QR code too poor to be read says the ID that was read elsewhere."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import compareqr, engines
from nhirx_scanner.finders import Quad


def _poor(text: str, seed: int, noise: float = 95.0) -> tuple[np.ndarray, Quad]:
    """A code out of focus and in noise that no library reads."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    dark = np.array(code.to_image(scale=1, add_quiet_zones=False)) < 128
    picture = np.where(np.pad(dark, 6), 60, 200).astype(np.uint8)
    picture = cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    low, high = 18, 18 + 3 * len(dark)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.0) + np.random.default_rng(seed).normal(0, noise, picture.shape)
    corners = np.array([[low, low], [high, low], [high, high], [low, high]], np.float32)
    return picture.clip(0, 255).astype(np.uint8), Quad(corners, (len(dark) - 17) // 4)


def _changed(text: str, *places: int) -> str:
    for place in places:
        text = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
    return text


@pytest.mark.parametrize("seed", [41, 42])
def test_the_same_and_another(draw, seed):
    """In noise in which nothing is read: the code's own ID is confirmed, and one that differs in a character is contradicted."""
    text = draw.visit_id(seed)
    picture, quad = _poor(text, seed)
    same = compareqr.compare(picture, [quad], text)
    other = compareqr.compare(picture, [quad], _changed(text, 17))

    assert [] == engines.zxing(picture, "qr") + engines.opencv(picture)
    assert same is not None
    assert other is not None
    assert ("same", text, "other", text) == (same.says, same.text, other.says, other.text)


@pytest.mark.parametrize("printed", ["https://www.example.tw/s?h=1", "3501200000;1;;;A1", "BB0100TWENTYCHARS+-*/", ""])
def test_what_says_something_else_gives_no_answer(draw, printed):
    """Another ID altogether, a link, a prescription, other text of the same length: neither the same nor a contradiction."""
    picture, quad = _poor(printed or draw.visit_id(43), 43, noise=20.0)

    assert compareqr.compare(picture, [quad], draw.visit_id(44)) is None


def test_noise_gives_no_answer(draw):
    """A grid over nothing confirms nothing and contradicts nothing."""
    corners = np.array([[20, 20], [104, 20], [104, 104], [20, 104]], np.float32)
    for seed in range(4):
        picture = np.random.default_rng(seed).integers(0, 256, (124, 124)).astype(np.uint8)

        assert compareqr.compare(cv2.GaussianBlur(picture, (0, 0), 1.0), [Quad(corners, 1)], draw.visit_id(45)) is None
