"""Whether foreign ink runs through a line of print: a pen, a stamp's edge, a rule that touches its letters.

An S with a stroke down its back is a clear 9, and every recogniser reads it so: none of them has a doubt that could be measured. But the
stroke goes on beyond the letters, and capitals and digits end where the line ends.
"""

from __future__ import annotations

import cv2
import numpy as np

from nhirx_scanner.centreline import Strip, straight

_ROWS, _CAPITAL = 64, 24.0
_TOP, _BOTTOM = int((_ROWS - _CAPITAL) / 2), int((_ROWS + _CAPITAL) / 2)
_BEYOND = 9  # rows, over a third of a capital: no tail of a Q or J hangs so low, no Chinese label is so much taller
_INK = 0.45  # of how dark the letters are
_TOUCHES = 12  # pixels within the line
_PAPER = 25  # rows and columns: wider than any stroke of a letter


def is_crossed(line: Strip) -> bool:
    """Whether ink that touches the letters of a straight line goes on above or below it by more than a third of a capital."""
    picture = straight(line, _CAPITAL, _ROWS)
    darker = cv2.subtract(cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((_PAPER, _PAPER), np.uint8)), picture)
    letters = float(np.percentile(darker[_TOP:_BOTTOM], 92))
    count, labels, stats, _ = cv2.connectedComponentsWithStats((darker > _INK * letters).astype(np.uint8), connectivity=8)
    for number in range(1, count):
        top, bottom = int(stats[number, cv2.CC_STAT_TOP]), int(stats[number, cv2.CC_STAT_TOP] + stats[number, cv2.CC_STAT_HEIGHT])
        goes_on = top <= _TOP - _BEYOND or bottom >= _BOTTOM + _BEYOND
        if goes_on and int((labels[_TOP + 2 : _BOTTOM - 2] == number).sum()) > _TOUCHES:
            return True
    return False
