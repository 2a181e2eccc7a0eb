"""Blur learned from the known parts of a QR code, and the wider search among doubtful modules."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import engines, readqr, softqr
from nhirx_scanner.equalise import equalised
from nhirx_scanner.finders import Quad
from nhirx_scanner.qrform import layout, mask


def _dark(text: str, level: str) -> np.ndarray:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    return np.array(code.to_image(scale=1, add_quiet_zones=False)) < 128


def _drawn(dark: np.ndarray, module: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Dark on light with a margin of six modules, and the corners of the code."""
    picture = np.where(np.pad(dark, 6), 60, 200).astype(np.uint8)
    low, high = 6 * module, (6 + dark.shape[0]) * module
    corners = np.array([[low, low], [high, low], [high, high], [low, high]], np.float32)
    return cv2.resize(picture, None, fx=module, fy=module, interpolation=cv2.INTER_NEAREST), corners


def _smeared(picture: np.ndarray, length: int, degrees: float) -> np.ndarray:
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), degrees, 1)
    kernel = cv2.warpAffine(kernel, turn, (length, length))
    return cv2.filter2D(picture, -1, kernel / kernel.sum())


def _share_right(levels: np.ndarray, dark: np.ndarray) -> float:
    data = layout((dark.shape[0] - 17) // 4).known < 0
    return float(((levels > 0) == dark)[data].mean())


@pytest.mark.parametrize("degrees", [30, 60])
def test_motion_of_any_direction_is_learned_and_undone(draw, degrees):
    """Smeared over more than two modules: some modules look wrong, after learning fewer, and the text is read."""
    text = draw.visit_id(11)
    dark = _dark(text, "M")
    picture, corners = _drawn(dark)
    picture = _smeared(picture, 9, degrees)
    version = (dark.shape[0] - 17) // 4
    before = _share_right(readqr.levels(picture, version, corners), dark)
    after = [_share_right(one, dark) for one in equalised(picture, version, corners)]
    _, reading = readqr.read(picture, [Quad(corners, version)])

    assert before < 0.99
    assert min(after) > before
    assert reading is not None
    assert (text, True) == (reading.text, reading.is_sure)


def test_what_no_library_reads(draw):
    """Smeared, out of focus and in noise: zxing-cpp and OpenCV see nothing, the learned filter does."""
    text, chance = draw.visit_id(12), np.random.default_rng(12)
    dark = _dark(text, "M")
    picture, corners = _drawn(dark)
    picture = cv2.GaussianBlur(_smeared(picture, 9, 40), (0, 0), 1.5).astype(np.float32)
    picture = (picture + chance.normal(0, 4, picture.shape)).clip(0, 255).astype(np.uint8)
    _, reading = readqr.read(picture, [Quad(corners, (dark.shape[0] - 17) // 4)])

    assert [] == engines.zxing(picture, "qr") + engines.opencv(picture)
    assert reading is not None
    assert (text, True) == (reading.text, reading.is_sure)


def test_nothing_known_is_learned_from_noise():
    """A grid over noise: whatever is learned there, no text of it may be believed."""
    chance = np.random.default_rng(13)
    corners = np.array([[20, 20], [104, 20], [104, 104], [20, 104]], np.float32)
    for _ in range(4):
        picture = cv2.GaussianBlur(chance.integers(0, 256, (124, 124)).astype(np.uint8), (0, 0), chance.uniform(0.8, 2.5))
        for levels in equalised(picture, 1, corners):
            reading = readqr.decode(levels, readqr.Fitted(0.9, 1, corners), 40)

            assert reading is None or not (reading.is_sure or reading.is_fair)


def test_a_third_doubtful_bit_is_changed(draw):
    """In noise that leaves three of the chosen bits wrong now and then, the wider search finds more texts and never fewer."""
    text, chance = draw.visit_id(14), np.random.default_rng(14)
    dark = _dark(text, "L")
    version = (dark.shape[0] - 17) // 4
    form = layout(version)

    def bits(seen: np.ndarray, number: int) -> np.ndarray:
        return np.where(mask(number, form.size), -seen, seen)[form.order[:, 0], form.order[:, 1]]

    clean = np.where(dark, 1.0, -1.0)
    number = next(n for n in range(8) if (one := softqr.decode(bits(clean, n), version, "L")) and one.text == text)
    found = {0: 0, 40: 0}
    for _ in range(12):
        seen = bits(clean + chance.normal(0, 0.95, dark.shape), number)
        for thirds in found:
            likely = softqr.decode(seen, version, "L", thirds)
            found[thirds] += likely is not None and likely.text == text

    assert found[40] > found[0]
