"""QR codes sought as a whole, where single finder patterns do not show."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import finders, readqr, wholeqr


def _turned(text: str, level: str, degrees: float, scale: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A code on grey paper, turned about the middle of the picture, and its corners."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    dark = np.array(code.to_image(scale=1, add_quiet_zones=False)) < 128
    margin = 8
    picture = np.where(np.pad(dark, margin), 120, 200).astype(np.uint8)
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    low, high = margin * scale, (margin + len(dark)) * scale
    matrix = cv2.getRotationMatrix2D((len(picture) / 2, len(picture) / 2), degrees, 1)
    corners = np.array([[low, low], [high, low], [high, high], [low, high]]) @ matrix[:, :2].T + matrix[:, 2]
    return cv2.warpAffine(picture, matrix, picture.shape[::-1], borderValue=(200,)), corners


def _off(quad: finders.Quad, corners: np.ndarray) -> float:
    return float(np.abs(quad.corners - corners).max())


@pytest.mark.parametrize("level", ["M", "Q"])
@pytest.mark.parametrize("degrees", [0, 15, 130, 250])
def test_a_code_without_two_of_its_finder_patterns(draw, level, degrees):
    """Light has washed out two finder patterns: the whole is found, and the text is read from it."""
    text = draw.visit_id(31)
    picture, corners = _turned(text, level, degrees)
    module = math.dist(corners[0], corners[1]) / (21 if level == "M" else 25)
    for corner, inward in ((1, 3), (3, 1)):
        at = corners[corner] + (corners[inward] - corners[corner]) * 3.5 * module / math.dist(corners[0], corners[1])
        cv2.circle(picture, (round(at[0]), round(at[1])), round(2.2 * module), (200,), -1)
    quads = wholeqr.from_whole(picture)
    _, reading = readqr.read(picture, quads)

    assert min(_off(quad, corners) for quad in quads) < 3 * module
    assert reading is not None
    assert text == reading.text


def test_the_direction_of_edges(draw):
    """Within a degree, whichever way the code is turned."""
    for degrees in (-40, -20, 0, 7, 33):
        picture, _ = _turned(draw.visit_id(32), "M", degrees)
        found = math.degrees(wholeqr.edge_direction(picture))

        assert abs((found + degrees + 45) % 90 - 45) < 1.5


@pytest.mark.parametrize(("degrees", "length"), [(0, 13), (4, 17), (-10, 17)])
def test_a_smear_tells_another_direction_than_the_code(draw, degrees, length):
    """Motion across the modules draws lines of its own; the outline still tells how the code is turned."""
    picture, corners = _turned(draw.visit_id(31), "M", degrees)
    module = math.dist(corners[0], corners[1]) / 21
    kernel = np.zeros((length, length), np.float32)
    for step in np.linspace(-0.5, 0.5, 60):
        middle = (length - 1) / 2
        kernel[round(middle + step * (length - 1) * 0.52), round(middle + step * (length - 1) * 0.85)] = 1
    smeared = cv2.filter2D(picture, -1, kernel / kernel.sum())
    found = [quad for _, quads in wholeqr.other_views(smeared) for quad in quads]

    assert min(_off(quad, corners) for quad in wholeqr.from_whole(smeared)) > 3 * module
    assert min(_off(quad, corners) for quad in found) < 1.5 * module


def test_a_spot_of_light_beside_a_turned_code(draw):
    """The light outshines the contrast of a third of the code: brought to one contrast everywhere it shows again."""
    picture, corners = _turned(draw.visit_id(31), "M", 15)
    module = math.dist(corners[0], corners[1]) / 21
    down, across = np.mgrid[0 : len(picture), 0 : len(picture)] / len(picture)
    light = 200 * np.exp(-((across - 0.5) ** 2 + (down - 0.75) ** 2) / 0.35**2)
    lit = (picture * 0.7 + light).clip(0, 255).astype(np.uint8)
    found = [quad for _, quads in wholeqr.other_views(lit) for quad in quads]

    assert min(_off(quad, corners) for quad in wholeqr.from_whole(lit)) > 3 * module
    assert min(_off(quad, corners) for quad in found) < module


@pytest.mark.parametrize("turn", [1, 2])
def test_a_quadrangle_found_the_wrong_way_round(draw, turn):
    """What looks best for a start may be turned by a quarter: the fit tries the other ways too."""
    picture, corners = _turned(draw.visit_id(33), "M", 20)
    grids = readqr.fit_all(picture, [finders.Quad(np.roll(corners, turn, 0).astype(np.float32), 1)])

    assert float(np.abs(grids[0].corners - corners).max()) < math.dist(corners[0], corners[1]) / 21
