"""Whether the print on a page says that two IDs belong to two sheets.

Two forms that say different IDs are a conflict of one sheet, or two sheets with one form each that could be read. White paper on a
white scanner shows no edge between them. But a sheet is one person's, and has its ID in print once: where one line says the first
ID or its person, and another line the second, there are two sheets. To ask a line whether it says something known needs far less of
it than to read it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nhirx.identifiers.visit_id import ALPHABET, LENGTH
from nhirx_scanner import ctc, ocr, textline
from nhirx_scanner.arbiter import PERSON
from nhirx_scanner.centreline import strip
from nhirx_scanner.engines import Gray
from nhirx_scanner.hints import hints
from nhirx_scanner.ocr import Array

_MOST_LINES = 60
_FLATTEST = 3  # height of a line with a person's number goes so often into its length
_LETTERS = 22.0  # of 32 rows
_UNLIKELY, _OTHERWISE = 0.02, 2  # what a place must give the text, and how many places may be read otherwise


def are_all_said(gray: Gray, texts: Sequence[str], may: Callable[[], bool]) -> bool:
    """Whether each of ``texts`` is said by a line, or its person is where no other one has the same. ``may`` is asked before every look."""
    missing = set(texts)
    one_each = len({text[PERSON] for text in texts}) == len(texts)
    for corners in ocr.find_boxes(gray)[:_MOST_LINES]:
        for way in (corners, np.roll(corners, 2, axis=0)):
            if not missing or not may():
                return not missing
            missing -= _said(gray, way, missing, one_each)
    return not missing


def _said(gray: Gray, corners: Array, texts: set[str], by_person: bool) -> set[str]:
    along, down = np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[3] - corners[0]))
    told = textline.first_look(strip(gray, corners), _LETTERS) if along > _FLATTEST * down else None
    if told is None:
        return set()
    holders = hints([ctc.plain(told, textline.CHARACTERS)]).holders if by_person else frozenset()
    found = {text for text in texts if text[PERSON] in holders}
    path = ctc.best_path(told, textline.CHARACTERS)
    return found | {text for text in texts if path is not None and _says(path.logs, text)}


def _says(logs: Array, text: str) -> bool:
    values = [ALPHABET.index(character) for character in text]
    likely = np.exp(logs)[np.arange(LENGTH), values]
    return bool((likely > _UNLIKELY).all()) and int((logs.argmax(axis=1) != values).sum()) <= _OTHERWISE
