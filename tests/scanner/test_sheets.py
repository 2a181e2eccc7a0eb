"""Two places on one sheet, or on two: between two sheets the paper ends."""

from __future__ import annotations

import cv2
import numpy as np
from nhirx_scanner.sheets import are_apart

_ABOVE, _BELOW = (400.0, 200.0), (420.0, 900.0)


def _table(gap: tuple[int, int] | None, desk: int = 90) -> np.ndarray:
    """White paper on a darker desk, cut in two between the rows of ``gap``."""
    page = np.full((1100, 800), desk, np.uint8)
    page[40:1060, 40:760] = 240
    if gap is not None:
        page[gap[0] : gap[1]] = desk
    return page


def test_one_sheet_is_not_apart():
    """White paper all the way."""
    assert not are_apart(_table(None), _ABOVE, _BELOW)


def test_a_gap_between_two_sheets_is_seen():
    """Thirty rows of desk."""
    assert are_apart(_table((540, 570)), _ABOVE, _BELOW)


def test_a_gap_that_lies_askew_is_seen():
    """Sheets are not laid down with a ruler."""
    page = _table(None)
    cv2.line(page, (0, 520), (799, 590), 90, 26)

    assert are_apart(page, _ABOVE, _BELOW)


def test_print_on_one_sheet_is_no_gap():
    """A table of thin lines, a row of bars, a block of text: none of them crosses everything."""
    page = _table(None)
    for row in range(300, 800, 40):
        cv2.line(page, (60, row), (740, row), 30, 3)
    page[600:680, 100:380] = np.where(np.random.default_rng(1).random((1, 280)) < 0.5, 20, 240).astype(np.uint8)
    cv2.rectangle(page, (450, 600), (740, 640), 20, -1)

    assert not are_apart(page, _ABOVE, _BELOW)


def test_places_that_touch_are_never_apart():
    """Too near for a gap to fit between."""
    assert not are_apart(_table((205, 215)), (400.0, 200.0), (410.0, 220.0))
