"""The small recogniser: straight lines out of bent ones, what the network tells of them, and what travels in the wheel."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from nhirx_scanner import centreline, ctc, textline

from samples.fonts import font


def _drawn(text: str, role: str, size: int) -> np.ndarray:
    """The text on white, an em of margin around it."""
    from PIL import Image, ImageDraw

    face = font(role, size)
    page = Image.new("L", (round(face.getlength(text)) + 2 * size, 3 * size), 240)
    ImageDraw.Draw(page).text((size, size), text, 30, face)
    return np.asarray(page).copy()


def _box(picture: np.ndarray, size: int) -> np.ndarray:
    """A loose box, as a detector gives it."""
    left, right = 0.8 * size, picture.shape[1] - 0.8 * size
    return np.array([[left, 0.75 * size], [right, 0.75 * size], [right, 2.4 * size], [left, 2.4 * size]])


def _read(picture: np.ndarray, corners: np.ndarray) -> str | None:
    told = textline.looks(centreline.strip(picture, corners), 24.0)
    path = None if told is None else ctc.best_path(told, textline.CHARACTERS)
    return None if path is None else path.text


@pytest.mark.parametrize(("role", "size"), [("mono", 26), ("sans", 26), ("mono", 15), ("mono-bold", 15)])
def test_a_line_is_read(draw, role, size):
    """Large and small print, even and uneven widths, behind a label."""
    text = draw.visit_id(95)
    picture = _drawn("ID: " + text, role, size)

    assert text == _read(picture, _box(picture, size))


def test_a_line_on_a_bent_sheet_is_read(draw):
    """It wanders by more than the height of a letter: made straight first."""
    text, size = draw.visit_id(96), 26
    picture = cv2.copyMakeBorder(_drawn(text, "mono", size), 30, 30, 0, 0, cv2.BORDER_REPLICATE)
    wave = 11 * np.sin(np.arange(picture.shape[1], dtype=np.float32) / picture.shape[1] * 2 * np.pi)
    across = np.tile(np.arange(picture.shape[1], dtype=np.float32), (picture.shape[0], 1))
    down = np.arange(picture.shape[0], dtype=np.float32)[:, None] + wave[None]
    bent = cv2.remap(picture, across, down.astype(np.float32), cv2.INTER_LINEAR)
    corners = _box(picture, size) + np.array([[0, 21], [0, 21], [0, 39], [0, 39]])
    line = centreline.strip(bent, corners)

    assert text == _read(bent, corners)
    assert np.ptp(line.middle) * line.flat.half / line.half > 8


def test_no_text_is_no_id():
    """Paper, and noise."""
    corners = np.array([[10.0, 20], [600, 20], [600, 60], [10, 60]])
    noise = np.random.default_rng(5).integers(0, 255, (80, 640)).astype(np.uint8)
    for picture in (np.full((80, 640), 240, np.uint8), noise):
        told = textline.first_look(centreline.strip(picture, corners), 24.0)
        assert told is not None
        assert ctc.count_characters(told, textline.CHARACTERS) < 12


def test_a_rule_is_no_line():
    """Far longer than it is high: too much to look at."""
    corners = np.array([[0.0, 0], [4000, 0], [4000, 40], [0, 40]])

    assert textline.looks(centreline.strip(np.full((40, 4000), 200, np.uint8), corners), 24.0) is None


def test_its_weights_stay_small():
    """They travel in the wheel and in every clone."""
    assert Path(textline.__file__).with_name("textline.onnx").stat().st_size < 800_000
