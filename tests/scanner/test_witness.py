"""Two IDs in two forms: two sheets where each is in print with its own ID or person, else one sheet that contradicts itself."""

from __future__ import annotations

import numpy as np
import pytest
from nhirx_scanner import Scanner
from PIL import Image, ImageDraw

from samples import codes, ids, people
from samples.fonts import font


def _page(*parts: tuple[str, str, list[str]], size: tuple[int, int] = (1200, 1000)) -> np.ndarray:
    """White, without an edge between the parts: each a code, and lines of print below it."""
    page = np.full(size, 255, np.uint8)
    for number, (text, symbology, _) in enumerate(parts):
        wide = codes.width_in_modules(text, symbology, 2.0) * 3
        picture = codes.draw(text, symbology, (wide, wide if symbology == "qr" else 70))
        top = 80 + 600 * number
        page[top : top + picture.shape[0], 90 : 90 + picture.shape[1]] = picture
    image = Image.fromarray(page)
    for number, (_, _, lines) in enumerate(parts):
        for row, line in enumerate(lines):
            ImageDraw.Draw(image).text((90, 260 + 600 * number + 60 * row), line, 0, font("mono", 30))
    return np.array(image)


@pytest.fixture
def two():
    """Two persons, each with the visit ID of one visit."""
    rng = np.random.default_rng(5)
    persons = [people.person(rng) for _ in range(2)]
    return [(person.national_id, ids.visit_id(person.national_id, ids.moment(rng), ids.prefix(rng))) for person in persons]


def test_each_with_its_own_print_are_two_sheets(two):
    """One sheet prints its ID, the other one its person: nobody else could have printed both."""
    (_, first), (person, second) = two
    scan = Scanner().scan(_page((first, "qr", [first]), (second, "code128", ["DATE 115/08/24", person])))

    assert ("several", {first, second}) == (scan.status, set(scan.visit_ids))


@pytest.mark.parametrize("lines", [[], ["first"], ["first", "first"]])
def test_one_print_for_both_is_a_conflict(two, lines):
    """No text, or the text of one of them: nothing says that there are two sheets."""
    (_, first), (_, second) = two
    scan = Scanner().scan(_page((first, "qr", [first for _ in lines]), (second, "code128", [])))

    assert ("conflict", ()) == (scan.status, scan.visit_ids)


def test_two_visits_of_one_person_need_both_ids_in_print(two):
    """The person alone stands on either sheet, and on one that contradicts itself."""
    rng = np.random.default_rng(6)
    person = two[0][0]
    first, second = (ids.visit_id(person, ids.moment(rng), ids.prefix(rng)) for _ in range(2))
    by_person = Scanner().scan(_page((first, "qr", [person]), (second, "code128", [person])))
    by_id = Scanner().scan(_page((first, "qr", [first]), (second, "code128", [second])))

    assert ("conflict", "several") == (by_person.status, by_id.status)
