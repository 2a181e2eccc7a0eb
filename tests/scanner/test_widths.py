"""Code 39 by widths: prints rounded to a printer's dots are read, and what strokes and scratches make of a code is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from nhirx_scanner import Scanner, widths

from samples import codes

_DOT = 4  # pixels


def _rounded(text: str, module: float, ratio: float = 2.0, *, height: int = 60, shift: float = 0.0) -> np.ndarray:
    """A Code 39 whose edges lie on a printer's dots; ``module`` in dots."""
    fine = codes.draw(text, "code39", (codes.width_in_modules(text, "code39", ratio) * 40, 1), ratio=ratio)[0]
    edges = np.flatnonzero(np.diff(np.concatenate(([255], fine, [255])).astype(int))) / 40 * module
    at = (np.floor(edges + 0.5 + shift) * _DOT).astype(int) + 80
    line = np.full(at[-1] + 80, 255, np.uint8)
    for start, end in zip(at[::2], at[1::2], strict=True):
        line[start:end] = 0
    return np.repeat(line[None], height, axis=0)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.4, 0.6, 0.8])
@pytest.mark.parametrize("backwards", [False, True])
def test_bars_rounded_to_dots_are_read(draw, shift, backwards):
    """A narrow bar is one dot or two, a wide one three: nothing about it is in doubt, from the left or from the right."""
    text = draw.visit_id(61)
    line = _rounded(text, 1.5, shift=shift).mean(axis=0)
    found = widths.read(line[::-1] if backwards else line)

    assert found is not None
    assert (text, True) == (found.text, found.is_clear)


def test_a_page_with_such_a_print_is_read(draw):
    """Blurred a little, turned a little, on a page: the ID is reported."""
    text = draw.visit_id(62)
    bars = _rounded(text, 1.5, height=90)
    page = np.full((700, bars.shape[1] + 200), 245, np.uint8)
    page[200:290, 100:-100] = np.minimum(bars, 245)
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, 350), 1.2, 1.0)
    page = cv2.GaussianBlur(cv2.warpAffine(page, turn, page.shape[::-1], borderValue=(245,)), (0, 0), 0.8)

    assert text == Scanner(ocr=False).scan(page).visit_id


def test_a_stroke_that_makes_another_character_is_not_believed(draw):
    """A wide bar made narrow and a narrow one wide by scratch and stroke stand out from a print that is even elsewhere."""
    said = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        text = draw.visit_id(100 + seed)
        line = _rounded(text, 3.0, height=1)[0].astype(np.float32)
        for value in (250.0, 30.0) * 2:
            place, wide = int(rng.integers(80, len(line) - 80)), int(rng.integers(4, 14))
            line[place : place + wide] = value
        found = widths.read(line)
        said += found is not None
        assert found is None or not found.is_clear or found.text == text
    assert said > 3


def test_other_lengths_are_refused(draw):
    """Nineteen or twenty-one characters, a part, and plain paper are no code of twenty."""
    text = draw.visit_id(63)
    whole = _rounded(text, 2.0)[0]
    others = [_rounded(text[:-1], 2.0)[0], _rounded(text + "7", 2.0)[0], np.full(900, 200, np.uint8), whole[:40]]

    assert [None] * len(others) == [widths.read(line) for line in others]
