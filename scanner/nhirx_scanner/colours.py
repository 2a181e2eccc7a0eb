"""A page without its coloured ink: what is red, blue or brown turns to paper, what is black stays.

In Taiwan every prescription is stamped, in vermilion, and a pharmacist ticks in blue or red. Turned to grey all of that is dark, and over a
code it is one with the bars. In the brightest of the three channels of each pixel it is nearly gone. But a code printed in colour is gone
there as well: so this is a second look at what the grey picture did not give, never the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from nhirx_scanner.engines import Gray

_SEEN_IN_GREY, _BRIGHT = 0.78, 0.7  # ink that is so much darker in grey, where its brightest channel has so much of the paper's
_BLACK, _AROUND, _PRINTED = 0.8, 15, 0.12  # and such ink matters where so much around it is black: over a code or a line of text
_LEAST = 0.0002  # of the page: a quarter of the ring of a small stamp
_SEEN = 0.5e6  # pixels are enough to tell
_PAPER = 31  # pixels of those, a few letters


def without(bgr: Any) -> Gray | None:
    """(height, width, 3) uint8, blue first → the grey picture (height, width) without coloured ink; None where there is none."""
    step = max(1, round((bgr.shape[0] * bgr.shape[1] / _SEEN) ** 0.5))
    few = np.ascontiguousarray(bgr[::step, ::step])
    bright = few.max(axis=2)
    paper = cv2.blur(cv2.dilate(bright, np.ones((_PAPER, _PAPER), np.uint8)), (_PAPER, _PAPER)).astype(np.float32)
    inked = (cv2.cvtColor(few, cv2.COLOR_BGR2GRAY) < _SEEN_IN_GREY * bright) & (bright > _BRIGHT * paper)
    black = cv2.blur((bright < _BLACK * paper).astype(np.float32), (_AROUND, _AROUND))
    if float((inked & (black > _PRINTED)).mean()) < _LEAST:
        return None
    blue, green, red = cv2.split(bgr)
    plain: Gray = cv2.max(cv2.max(blue, green), red)
    return plain
