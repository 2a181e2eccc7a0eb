"""What is done with strips of bars: whom to believe when a library has read one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from nhirx_scanner import Scanner, engines, on_bars
from nhirx_scanner.engines import Read
from nhirx_scanner.rectify import Cut


def _cut(picture: np.ndarray) -> Cut:
    framed = np.pad(picture, ((0, 0), (40, 40)), constant_values=255)
    return Cut(framed, np.float64([[1 / 3, 0, 0], [0, 1 / 3, 0]]))


def test_the_model_doubts_what_it_sees_otherwise(draw):
    """A Code 39 in which the library has read one place as another character; of bars that are no code the model says nothing."""
    text = draw.visit_id(95)
    other = text[:4] + ("S" if text[4] != "S" else "5") + text[5:]
    code = draw.barcode(text, "Code39", 3, 60)
    noise = np.random.default_rng(1).integers(0, 255, code.shape, dtype=np.uint8)
    doubted = [
        on_bars._is_doubted(Read(said, "code39", (), "zxing"), _cut(picture))
        for said, picture in ((text, code), (other, code), (text, noise))
    ]

    assert [False, True, False] == doubted


def test_a_code39_that_the_library_misread_is_taken_back(monkeypatch, draw):
    """Nothing checks a Code 39: where the model sees the code well and reads another one, no reading of the library's is believed."""
    text, real = draw.visit_id(71), engines.zxing
    other = text[:-1] + ("7" if text[-1] != "7" else "8")

    def misreading(gray, formats="id", **how):
        return [replace(read, text=other) if read.text == text else read for read in real(gray, formats, **how)]

    sheet = draw.sheet((text, "Code39", 40, 60, 2), size=(400, 1200))
    monkeypatch.setattr(engines, "zxing", misreading)

    assert other == Scanner(effort="fast").scan(sheet).visit_id
    assert text == Scanner(ocr=False).scan(sheet).visit_id
