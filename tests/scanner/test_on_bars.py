"""What is done with strips of bars: whom to believe when a library has read one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from nhirx_scanner import Scanner, engines, on_bars, read1d, rectify
from nhirx_scanner.engines import Read
from nhirx_scanner.forms import Known
from nhirx_scanner.locate import Bars
from nhirx_scanner.page import Work
from nhirx_scanner.rectify import Cut


def _cut(picture: np.ndarray) -> Cut:
    framed = np.pad(picture, ((0, 0), (40, 40)), constant_values=255)
    return Cut(framed, np.float64([[1 / 3, 0, 0], [0, 1 / 3, 0]]))


def test_the_model_doubts_what_it_sees_otherwise(draw):
    """A Code 39 in which the library has read one place as another character, either way round; of bars that are no code the model says
    nothing."""
    text = draw.visit_id(95)
    other = text[:4] + ("S" if text[4] != "S" else "5") + text[5:]
    code = draw.barcode(text, "Code39", 3, 60)
    noise = np.random.default_rng(1).integers(0, 255, code.shape, dtype=np.uint8)
    doubted = [
        on_bars._is_doubted(said, _cut(np.ascontiguousarray(picture[:, ::step])), Known("code39", step < 0))
        for step in (1, -1)
        for said, picture in ((text, code), (other, code), (text, noise))
    ]

    assert [False, True, False] * 2 == doubted


def test_the_answer_follows_what_is_read_and_taken_back(draw):
    """It is kept between two questions, and made anew when a reading came or went."""
    work = Work(np.zeros((10, 10), np.uint8), Scanner(), 0.0)
    square = ((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0))
    said = [work.answer.visit_ids]
    for text in (draw.visit_id(1), draw.visit_id(2)):
        work.take([Read(text, "qr", square, "zxing")])
        said.append(work.answer.visit_ids)
        assert work.answer is work.answer
        work.reads.clear()
    said.append(work.answer.visit_ids)

    assert [(), (draw.visit_id(1),), (draw.visit_id(2),), ()] == said


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


def test_two_words_with_a_place_in_the_balance_are_none(draw, monkeypatch):
    """The model says the same of a strip's mean and of its bands: that counts as a second voice only where no place is in the balance."""
    text = draw.visit_id(96)
    cut = _cut(draw.barcode(text, "Code39", 3, 60))
    bars = Bars(0.0, 0.0, 400.0, 0.0, 20.0, 1.0)
    said = []
    for weakest in ((0.05, 0.05), (0.003, 0.05), (0.05, 0.003)):
        work = Work(np.zeros((10, 10), np.uint8), Scanner(), 0.0)
        known = read1d.read_profile(rectify.weighed(cut.picture), enlarged=cut.enlarged)[0]
        words = iter([replace(known, weakest=each, cost=0.1, margin=0.0) for each in weakest])
        monkeypatch.setattr(read1d, "read_profile", lambda *_a, words=words, **_k: [next(words)])
        assert on_bars._modelled(work, bars, cut) is None
        monkeypatch.undo()
        said.append(work.twice.get(bars))

    assert [text, None, None] == said
