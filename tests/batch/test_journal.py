"""What a batch remembers of itself: a bit for each entry, and the pages in order whatever order they were finished in."""

from __future__ import annotations

import json
import random

from nhirx.batch.journal import Journal, Numbers


def test_numbers_are_a_set():
    """Against a set of Python's own, with numbers far apart and added twice."""
    chance = random.Random(3)
    numbers, plain = Numbers(), set()
    for _ in range(500):
        number = chance.choice((chance.randrange(64), chance.randrange(100_000)))
        numbers.add(number)
        plain.add(number)
        assert len(plain) == len(numbers)

    assert [number in plain for number in range(1000)] == [number in numbers for number in range(1000)]
    assert 10**9 not in numbers


def test_pages_come_in_order_and_once(tmp_path):
    """Also when two workers told the same page: the first word counts."""
    journal = Journal(tmp_path)
    journal.folder.mkdir()
    told = [(7, 2, "a"), (0, 1, "b"), (7, 1, "c"), (7, 2, "d"), (70_000, 1, "e"), (0, 1, "f"), (1, 100_000, "g"), (1, 2, "h")]
    lines = [{"n": number, "page": page, "scan": word} for number, page, word in told]
    journal.pages.write_text(
        "".join(json.dumps(line) + "\n" for line in [lines[0], {"n": 7, "count": 2}, *lines[1:], {"n": 0, "end": 1}])
    )

    assert ["b", "h", "g", "c", "a", "e"] == [record["scan"] for record in journal.in_order()]


def test_nothing_was_read(tmp_path):
    journal = Journal(tmp_path)
    journal.folder.mkdir()
    journal.pages.write_bytes(b"")

    assert [] == list(journal.in_order())
