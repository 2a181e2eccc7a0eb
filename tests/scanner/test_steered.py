"""Bars without a texture of their own: found by the mean along the directions of the page."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from nhirx_scanner import locate, steered


def _page(draw, turn: float) -> tuple[np.ndarray, tuple[float, float]]:
    """A page in grain with a third of the ink of its bars gone, turned by ``turn`` degrees; and the middle of the bars."""
    chance = np.random.default_rng(5)
    bars = draw.barcode(draw.visit_id(2), "Code128", 2, 50).astype(np.float32)
    holes = cv2.GaussianBlur(chance.normal(0, 1, bars.shape).astype(np.float32), (0, 0), 1.0)
    bars[holes > np.quantile(holes, 0.62)] = 250
    page = np.full((760, 1000), 250, np.float32)
    page[300 : 300 + bars.shape[0], 200 : 200 + bars.shape[1]] = bars
    page[100:102, 50:950] = page[650:652, 50:950] = 60
    matrix = cv2.getRotationMatrix2D((500, 380), turn, 1.0)
    page = cv2.warpAffine(page, matrix, (1000, 760), borderValue=(250.0,))
    page = cv2.GaussianBlur(page, (0, 0), 0.8) + chance.normal(0, 22, page.shape)
    middle = matrix @ np.array([200 + bars.shape[1] / 2, 300 + bars.shape[0] / 2, 1.0])
    return page.clip(0, 255).astype(np.uint8), (float(middle[0]), float(middle[1]))


@pytest.mark.parametrize("turn", [0, 12, -24, 90])
def test_broken_bars_in_grain_are_found_whole(draw, turn):
    """The strip lies over the bars and is as long as they are."""
    page, middle = _page(draw, turn)
    found = locate.texture(page)
    assert found is not None
    best = steered.find_bars(page, found)[0]

    assert math.dist(middle, best.center) < 25
    assert 0.85 < best.length / 512 < 1.25


def test_an_empty_page_has_no_direction():
    """Nothing is found where there is nothing, and grain alone gives no strip."""
    blank = np.full((400, 500), 240, np.uint8)
    grain = np.random.default_rng(1).integers(180, 256, (600, 800)).astype(np.uint8)

    assert [] == [bars for page in (blank, grain) for bars in steered.find_bars(page, locate.texture(page))]
