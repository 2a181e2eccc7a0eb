"""Whether two places of a picture lie on two sheets: between them the paper ends and something else shows."""

from __future__ import annotations

import math

import cv2
import numpy as np

from nhirx_scanner.engines import Gray

_LINES = 7
_SPREAD = 160.0  # pixels between the outermost of the parallel lines that are looked along
_GAP = 12  # pixels of something that is no paper
_NO_PAPER = 0.86  # of the brightness of the paper


def are_apart(gray: Gray, first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Whether every one of several lines from one place to the other crosses a gap in the paper at about the same height."""
    length = math.dist(first, second)
    if length < 4 * _GAP:
        return False
    ux, uy = (second[0] - first[0]) / length, (second[1] - first[1]) / length
    steps = np.arange(int(length), dtype=np.float32)
    sides = np.linspace(-_SPREAD / 2, _SPREAD / 2, _LINES, dtype=np.float32)[:, None]
    x = (first[0] + ux * steps[None] - uy * sides).astype(np.float32)
    y = (first[1] + uy * steps[None] + ux * sides).astype(np.float32)
    seen = cv2.remap(cv2.blur(gray, (3, 3)), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    paper = float(np.percentile(seen, 80))
    dark = (seen < _NO_PAPER * paper).astype(np.uint8)
    # Only runs as long as a gap are left: letters and table lines are thinner.
    runs = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, _GAP), np.uint8))
    # A gap may lie askew: the lines have to meet it within a quarter of their distance from each other.
    near = cv2.dilate(runs, np.ones((1, 2 * int(_SPREAD / 4) + 1), np.uint8))
    return bool((near.sum(axis=0) == _LINES).any())
