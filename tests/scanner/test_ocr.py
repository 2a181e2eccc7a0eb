"""Printed text: twenty places from a recogniser's frames, the structure as arbiter, and what a page answers."""

from __future__ import annotations

from datetime import date

import cv2
import numpy as np
import pytest
from nhirx_scanner import Scanner, ctc, ocr
from nhirx_scanner.arbiter import arbitrated
from nhirx_scanner.ctc import Path
from nhirx_scanner.hints import Hints
from nhirx_scanner.vote import LEAST_TRUST_IN_TEXT
from PIL import Image, ImageDraw

from nhirx.identifiers.visit_id import ALPHABET
from samples import corpus
from samples.fonts import font

_CHARACTERS = ("blank", *ALPHABET, "O", "I", "a", "：", " ")


def _frames(text: str, *, weak: dict[int, str] | None = None) -> np.ndarray:
    """Frames that say ``text``: two frames a character, a blank after each. ``weak`` names a rival that is nearly as likely."""
    rows = []
    for place, character in enumerate(text):
        row = np.full(len(_CHARACTERS), 1e-5)
        row[_CHARACTERS.index(character)] = 0.55 if weak and place in weak else 0.99
        if weak and place in weak:
            row[_CHARACTERS.index(weak[place])] = 0.44
        nothing = np.full(len(_CHARACTERS), 1e-5)
        nothing[0] = 0.99
        rows += [row, row, nothing]
    return np.array(rows) / np.array(rows).sum(axis=1, keepdims=True)


def _likely(text: str, rivals: dict[int, tuple[str, float]]) -> np.ndarray:
    """(20, 34): ``text`` almost surely, except for the places where a rival has this share."""
    likely = np.full((20, 34), 1e-4)
    for place, character in enumerate(text):
        rival, share = rivals.get(place, ("", 0.0))
        likely[place, ALPHABET.index(character)] = 1 - share
        if rival:
            likely[place, ALPHABET.index(rival)] = share
    return likely / likely.sum(axis=1, keepdims=True)


def test_a_line_is_read_behind_its_label(draw):
    """The label ends in a colon, the ID fills the line; groups of four are no other text."""
    text = draw.visit_id(80)
    grouped = " ".join(text[start : start + 4] for start in range(0, 20, 4))
    for line in (text, "：" + text, "a：" + text, "：" + grouped):
        path = ctc.best_path(_frames(line), _CHARACTERS)
        assert path is not None
        assert (text, True) == (path.text, path.score > -0.1)


def test_letters_that_do_not_exist_are_digits(draw):
    """O is 0 and I is 1: the alphabet has neither letter. A small letter is its capital."""
    text = "0" + draw.visit_id(81)[1:19] + "1"
    seen = ("O" + text[1:19] + "I").replace("A", "a")
    path = ctc.best_path(_frames(seen), _CHARACTERS)

    assert path is not None
    assert text == path.text


@pytest.mark.parametrize("length", [16, 19, 21, 24])
def test_another_length_costs_more_than_a_look_is_worth(draw, length):
    """Twenty can be forced out of any line, but it is seen."""
    text = (draw.visit_id(82) * 2)[:length]
    path = ctc.best_path(_frames(text), _CHARACTERS)

    assert path is None or path.score < -0.2


def test_looks_vote_place_by_place(draw):
    """Two looks that disagree at one place each are outvoted there."""
    text = draw.visit_id(83)
    paths = [ctc.best_path(_frames(text, weak=weak), _CHARACTERS) for weak in ({2: "5"}, {9: "7"}, {})]
    likely = ctc.together([path for path in paths if isinstance(path, Path)])

    assert text == "".join(ALPHABET[int(value)] for value in likely.argmax(axis=1))
    assert likely.max(axis=1).min() > 0.7


def test_person_and_time_decide_between_look_alikes(draw):
    """What cannot be a person or a year gives way to what can, and leaves a doubt."""
    text = draw.visit_id(84)
    wrong_person = text[:7] + "8"[: text[7] != "8"] + text[8:] if text[7] == "8" else text[:7] + "B" + text[8:]
    assert text[7] in "12"
    rivals = {7: (text[7], 0.45)}
    seen = text[:7] + "E" + text[8:]
    settled, trust = arbitrated(_likely(seen, rivals))

    assert text == settled
    assert 0.3 < trust < 0.97
    assert wrong_person != text


def test_a_text_without_person_or_time_is_not_proposed():
    """Twenty likely characters in which nothing makes sense."""
    assert (None, 0.0) == arbitrated(_likely("ZZZZZZZZZZZZZZZZZZZZ", {}))


def test_a_doubt_in_the_free_places_is_a_doubt(draw):
    """Nothing decides there, so the trust is that of the letter."""
    text = draw.visit_id(85)
    _, trust = arbitrated(_likely(text, {1: ("Z" if text[1] != "Z" else "Y", 0.4)}))

    assert trust == pytest.approx(0.6, abs=0.02)


def test_a_second_witness_may_doubt_two_letters_and_no_more(draw):
    """Bars that say nearly what the line says are believed; bars that say something else are not."""
    text = draw.visit_id(86)
    line = ocr.Line(text, (), 0.9, _likely(text, {1: ("Z", 0.3), 4: ("Y", 0.3)}))
    near = text[0] + "Z" + text[2:4] + "Y" + text[5:]
    far = text[:19] + ("A" if text[19] != "A" else "B")

    assert [True, True, False, False] == [line.agrees(each) for each in (text, near, far, "short")]


def test_a_second_recogniser_says_the_same_or_something_else(draw):
    """A letter that it sees otherwise is not the same, however weakly it saw the rest of it; a doubt is a doubt of the whole."""
    text = draw.visit_id(88)
    rival = "Z" if text[2] != "Z" else "Y"
    line = ocr.Line(text, (), 0.995, _likely(text, {}))
    sure, doubtful, against = (ocr._says(_likely(text, {2: (rival, share)}), line, Hints()) for share in (0.0, 0.4, 0.6))

    assert min(sure) > 0.98
    assert doubtful.index(min(doubtful)) == 2
    assert min(doubtful) == pytest.approx(0.6, abs=0.02)
    assert against == ()


def test_what_the_fields_say_need_not_be_seen_by_both(draw):
    """The other recogniser errs inside the holder's number: with that holder on the sheet it is the same, without it is not."""
    text = draw.visit_id(88)
    assert text[7] in "12"
    line = ocr.Line(text, (), 0.995, _likely(text, {}))
    other = _likely(text, {8: ("3" if text[8] != "3" else "4", 0.7)})

    assert min(ocr._says(other, line, Hints(frozenset({text[6:13]})))) > 0.9
    assert ocr._says(other, line, Hints()) == ()


@pytest.mark.parametrize(
    ("own", "other", "is_enough"),
    [
        (0.9999, 0.9999, True),
        (0.9999, 0.8, True),
        (0.991, 0.999, True),
        (0.9999, 0.6, False),
        (0.99, 0.97, False),
        (0.98, 0.999999, False),
        (0.9999, 0.0, False),
    ],
)
def test_one_recogniser_makes_up_for_a_little_doubt_of_the_other(own, other, is_enough):
    """Where ours is nearly sure the other has to be sure; and neither is ever sure enough alone."""
    assert is_enough == (ocr._jointly((own,), (other,)) >= LEAST_TRUST_IN_TEXT)


def test_doubts_about_different_parts_are_not_added():
    """Each recogniser is sure where the other is not quite; about one part the same doubts are too many. And reading otherwise is a no."""
    assert ocr._jointly((0.992, 0.9999), (0.999, 0.8)) >= LEAST_TRUST_IN_TEXT
    assert ocr._jointly((0.992, 0.9999), (0.8, 0.999)) < LEAST_TRUST_IN_TEXT
    assert ocr._jointly((0.9999, 0.9999), ()) == 0.0


def test_a_line_that_the_other_recogniser_reads_otherwise_is_not_proposed(draw, monkeypatch):
    """A clean line, and a witness that sees another letter: what is printed cannot be told from what a worn ribbon made of it."""
    text = draw.visit_id(91)
    page = Image.new("L", (900, 420), 250)
    ImageDraw.Draw(page).text((80, 200), text, 0, font("mono", 26))
    may = bool(1).__bool__
    ocr.prepare()
    alone = ocr.read(np.asarray(page), may)
    path = ctc.best_path(_frames(text[:4] + ("S" if text[4] != "S" else "5") + text[5:]), _CHARACTERS)
    monkeypatch.setattr(ocr, "_general", lambda sight, capital: path)
    against = ocr.read(np.asarray(page), may)

    assert alone is not None
    assert against is not None
    assert (text, text) == (alone.text, against.text)
    assert against.trust < LEAST_TRUST_IN_TEXT <= alone.trust


def test_sheets_with_text_alone_are_proposed_and_never_more():
    """Clean sheets: the printed ID, called ``ocr``; upside down as well."""
    read = []
    for page in corpus.pages("text", range(1000, 1003), severity=0):
        for picture in (page.image, np.ascontiguousarray(page.image[::-1, ::-1])):
            scan = Scanner(limit_ms=60_000).scan(picture)
            assert {*scan.visit_ids} <= {*page.visit_ids}
            assert scan.confidence in (None, "ocr")
            read.append(scan.status == "found")

    assert sum(read) >= 5


def test_what_is_expected_leads_the_path_and_is_not_told(draw):
    """Ink over places 8 to 10: with the holder expected there the path says twenty places again, with nothing seen at those three."""
    text = draw.visit_id(87)
    frames = _frames(text)
    frames[7 * 3 : 10 * 3] = 1 / len(_CHARACTERS)
    costs = np.zeros((20, 34))
    costs[6:13] = -4.0
    costs[range(6, 13), [ALPHABET.index(character) for character in text[6:13]]] = 0.0
    path = ctc.best_path(frames, _CHARACTERS, costs)

    assert path is not None
    assert text == "".join(ALPHABET[int(value)] for value in (path.logs + costs).argmax(axis=1))
    assert np.exp(path.logs[7:10]).max() < 0.1


def test_the_plain_reading_of_another_line():
    """Repeats of a frame are one character, with a blank between them two."""
    assert "A1100" == ctc.plain(_frames("A1100"), _CHARACTERS)


@pytest.mark.parametrize("place", [0, 9, 20])
def test_twenty_one_characters_are_no_id(draw, place):
    """A character too many, first, inside or last, in soft small print: twenty of them make sense, and are not proposed."""
    text = draw.visit_id(89)
    line = text[:place] + "M" + text[place:]
    page = Image.new("L", (900, 420), 240)
    ImageDraw.Draw(page).text((80, 200), "ID: " + line, 30, font("mono", 20))
    ocr.prepare()
    found = ocr.read(cv2.GaussianBlur(np.asarray(page), (0, 0), 1.2), bool(1).__bool__)

    assert found is None or found.trust < LEAST_TRUST_IN_TEXT


def test_an_id_in_groups_that_were_found_apart_is_one_line(draw):
    """Three boxes in a line and others around them: the ID is sought in those that go on where the one before ends."""

    def box(left, top, width, height):
        return np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]], float)

    groups = [box(100, 50, 120, 24), box(250, 52, 115, 22), box(390, 49, 130, 25)]
    others = [box(100, 90, 120, 24), box(600, 50, 120, 24), box(250, 20, 90, 60)]
    joined = [corners for corners in ocr._wide([*groups, *others]) if corners[1][0] - corners[0][0] == 420]

    assert [[100.0, 520.0]] == [[float(corners[0][0]), float(corners[1][0])] for corners in joined]


def test_no_box_no_line():
    """Paper, and a picture too small for any text."""
    may = bool(1).__bool__
    ocr.prepare()

    assert [None, None] == [ocr.read(np.full(size, 250, np.uint8), may) for size in ((400, 600), (20, 900))]


def test_a_sheet_that_lies_upside_down_is_turned(draw):
    """Several lines as long as the ID stand above it: none of them is taken for it, and it is sought the other way round."""
    text = draw.visit_id(91)
    page = Image.new("L", (1000, 700), 255)
    pen = ImageDraw.Draw(page)
    for row, words in enumerate(("2024 PHARMACY HSINCHU 0355", "TAKE THREE TIMES A DAY 28", "NO SUBSTITUTE FOR THIS 99")):
        pen.text((150, 60 + 60 * row), words, fill=0, font=font("mono", 32))
    pen.text((150, 330), text, fill=0, font=font("mono", 32))
    turned = np.ascontiguousarray(np.rot90(np.array(page), 2))

    assert (text, "ocr") == (Scanner().scan(turned).visit_id, Scanner().scan(turned).confidence)


def test_text_can_be_left_out():
    """``ocr=False`` looks at codes only."""
    page = next(corpus.pages("text", range(1000, 1001), severity=0))

    assert () == Scanner(ocr=False).scan(page.image).visit_ids


@pytest.mark.parametrize("turn", [-178, -95, -88, -30, 0, 3, 60, 87, 93, 150, 180])
@pytest.mark.parametrize("mixed", [(0, 1, 2, 3), (0, 2, 1, 3), (2, 1, 3, 0)])
def test_corners_follow_each_other_along_the_line(turn, mixed):
    """In whatever order four corners come, they are told clockwise, along the line from left to right or upwards."""
    flat = np.array([[-100.0, -8], [100, -8], [100, 8], [-100, 8]])
    angle = np.deg2rad(turn)
    there = flat @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + 300
    told = ocr._in_order(there[list(mixed)])
    along, down = told[1] - told[0], told[3] - told[0]

    assert (200, 16) == (pytest.approx(np.hypot(*along)), pytest.approx(np.hypot(*down)))
    assert along[0] * down[1] - along[1] * down[0] > 0
    assert along[0] > 0 if abs(along[0]) >= abs(along[1]) else along[1] < 0


def test_a_day_nobody_saw_is_no_doubt(draw):
    """A date elsewhere on the sheet makes a reading likelier that was seen there, and no clear one doubtful."""
    text = draw.visit_id(90)
    likely = np.full((20, 34), 1e-5)
    likely[np.arange(20), [ALPHABET.index(character) for character in text]] = 1.0
    likely /= likely.sum(axis=1, keepdims=True)
    alone = arbitrated(likely)
    days = frozenset(date(year, month, 11) for year in (2024, 2025, 2026) for month in range(1, 13))

    assert (text, text) == (alone[0], arbitrated(likely, Hints(frozenset(), days))[0])
    assert alone[1] == pytest.approx(arbitrated(likely, Hints(frozenset(), days))[1], abs=1e-3)
