"""Reed-Solomon: what it must mend, what it must refuse."""

from __future__ import annotations

import random

import pytest
from nhirx_scanner import galois


def _encode(data: list[int], checks: int) -> list[int]:
    """Check words by division with the generator polynomial, as the standard describes it."""
    generator = [1]
    for power in range(checks):
        root = 1
        for _ in range(power):
            root = galois.times(root, 2)
        longer = [*generator, 0]
        for k, value in enumerate(generator):
            longer[k + 1] ^= galois.times(value, root)
        generator = longer
    rest = [*data, *[0] * checks]
    for k in range(len(data)):
        factor = rest[k]
        for j, value in enumerate(generator):
            rest[k + j] ^= galois.times(factor, value)
    return [*data, *rest[len(data) :]]


@pytest.mark.parametrize(("count", "checks"), [(26, 10), (44, 16), (35, 18), (70, 15)])
def test_errors_and_doubtful_places_are_mended(count, checks):
    """Any mixture of 2·errors + doubtful ≤ checks comes back whole."""
    chance = random.Random(count)
    for _ in range(40):
        truth = _encode([chance.randrange(256) for _ in range(count - checks)], checks)
        doubtful = chance.randrange(checks + 1)
        places = chance.sample(range(count), doubtful + (checks - doubtful) // 2)
        seen = list(truth)
        for place in places:
            seen[place] ^= chance.randrange(1, 256)

        assert truth == galois.correct(seen, checks, places[:doubtful])


def test_too_many_errors_are_mostly_refused():
    """Beyond its power it answers None; a wrong word that happens to fit is rare."""
    chance = random.Random(5)
    wrong = 0
    for _ in range(200):
        truth = _encode([chance.randrange(256) for _ in range(16)], 10)
        seen = [value ^ chance.randrange(1, 256) if k in chance.sample(range(26), 12) else value for k, value in enumerate(truth)]
        wrong += galois.correct(seen, 10) not in (None, truth)

    assert wrong <= 10
