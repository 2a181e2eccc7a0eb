"""Persons and days on a sheet, and what they do for a line that was half read."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from nhirx_scanner.arbiter import arbitrated, costs
from nhirx_scanner.hints import Hints, hints, in_base34

from nhirx.identifiers.national_id import check_digit
from nhirx.identifiers.visit_id import ALPHABET, VisitId


def _likely(text: str, rivals: dict[int, tuple[str, float]]) -> np.ndarray:
    likely = np.full((20, 34), 1e-4)
    for place, character in enumerate(text):
        rival, share = rivals.get(place, ("", 0.0))
        likely[place, ALPHABET.index(character)] = 1 - share
        if rival:
            likely[place, ALPHABET.index(rival)] = share
    return likely / likely.sum(axis=1, keepdims=True)


def _sheet(text: str) -> tuple[str, Hints]:
    """The holder's ID number, and what the sheet of this visit says."""
    moment = VisitId(text).issued_at
    number = VisitId(text).holder_id
    assert moment is not None
    assert number is not None
    return number, Hints(frozenset({text[6:13]}), frozenset({moment.date()}))


def test_a_number_is_taken_where_its_check_digit_holds(draw):
    """In a field of its own, with digits that were taken for letters; not with a wrong check digit, nor out of a longer word."""
    text = draw.visit_id(90)
    number, known = _sheet(text)
    wrong = number[:9] + str((int(number[9]) + 1) % 10)
    blurred = number[:2] + number[2:].replace("8", "B").replace("5", "S").replace("0", "D")

    assert [known.holders, known.holders, frozenset(), frozenset()] == [
        hints([line]).holders for line in ("???" + number + "?1", blurred, wrong, number + "77A")
    ]


@pytest.mark.parametrize("line", ["??115?11?1809?30", "115?11?18?", "1151118", "?20261118", "2026?11?18"])
def test_a_day_in_the_ways_it_is_printed(line):
    """ROC or western years, with signs between or without; the hour may follow."""
    assert frozenset({date(2026, 11, 18)}) == hints([line]).days


@pytest.mark.parametrize(
    "line",
    [
        "?115711?1809?30",
        "?115411?180930",
        "?11511180930",
        "?115111?180930",
        "?115J11J18",
        "?115?711?1809?30",
        "?115?11V18?09?30?",
    ],
)
def test_a_day_whose_strokes_read_as_something_else(line):
    """Small print: strokes are slender letters or nothing. With the hour behind it a date is one all the same."""
    assert frozenset({date(2026, 11, 18)}) == hints([line]).days


def test_digits_that_fall_apart_in_two_ways_are_both_days():
    """115/06/01 14:18 and 115/10/10 14:18 with a slender 6 and a slender 1: neither is thrown away, and the ID tells."""
    assert frozenset({date(2026, 6, 1), date(2026, 10, 10)}) == hints(["?1151061011418"]).days


@pytest.mark.parametrize(
    "line", ["115711718093", "11571181", "?11571184180930", "?115511?1809?30", "1151118093055", "?11571171809?75"]
)
def test_digits_that_make_no_date_with_an_hour(line):
    """A digit too many or too few, a character that no stroke looks like, an hour with 75 minutes: no day is made of it."""
    assert frozenset() == hints([line]).days


def test_no_day_and_no_person():
    """A day that does not exist, a chart number, a drug."""
    assert Hints() == hints(["114?02?30", "10039921", "AX90001100", ""])
    assert not hints([])


def test_base_34_without_i_and_o():
    assert ("00010", "0000Z", "ZZZZZ") == (in_base34(34, 5), in_base34(33, 5), in_base34(34**5 - 1, 5))


def test_the_person_on_the_sheet_settles_a_doubt(draw):
    """Two digits of the number that might as well be others: the field decides, and the line is sure of them."""
    text = draw.visit_id(91)
    _, known = _sheet(text)
    rivals = {11: ("7" if text[11] != "7" else "K", 0.7), 12: ("4" if text[12] != "4" else "H", 0.6)}
    alone, doubt = arbitrated(_likely(text, rivals))
    settled, trust = arbitrated(_likely(text, rivals), known)

    assert [False, True] == [alone == text, settled == text]
    assert trust > 0.97 > doubt


def test_another_person_on_the_sheet_changes_nothing(draw):
    """A line that is clear says what it says: the field is that of somebody else."""
    text = draw.visit_id(92)
    other = "B2" + in_base34(1234567, 5)
    settled, trust = arbitrated(_likely(text, {}), Hints(frozenset({other}), frozenset({date(2025, 1, 1)})))

    assert text == settled
    assert trust > 0.97


def test_no_doubt_in_the_first_six_places_is_settled_by_fields(draw):
    """Nothing on the sheet repeats them."""
    text = draw.visit_id(93)
    _, known = _sheet(text)

    assert arbitrated(_likely(text, {2: ("Z" if text[2] != "Z" else "Y", 0.4)}), known)[1] < 0.7


def test_what_the_path_expects(draw):
    """A table for every holder, free in places 1–6 and 18–20; the day leaves some choice in place 17."""
    text = draw.visit_id(94)
    _, known = _sheet(text)
    tables = costs(Hints(known.holders | {"A1" + in_base34(1, 5)}, known.days))
    own = [table for table in tables if all(table[place, ALPHABET.index(text[place])] == 0 for place in range(20))]

    assert (2, 1) == (len(tables), len(own))
    assert [6, 11] == [int((own[0] != 0).any(axis=1).argmax()), int((own[0] != 0).any(axis=1).sum())]
    assert check_digit("A10000001") is not None
