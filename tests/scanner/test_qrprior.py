"""What a visit ID may be, said to the bits of a QR code."""

from __future__ import annotations

import numpy as np
import pytest
from nhirx_scanner import softqr
from nhirx_scanner.qrform import ALPHANUMERIC, BLOCKS
from nhirx_scanner.qrprior import weighed


def _symbol(text: str, version: int, level: str) -> np.ndarray:
    """Every bit of the code (±1), in the order of the symbol."""
    code = softqr._code(version, level)
    pairs = [45 * ALPHANUMERIC.index(a) + ALPHANUMERIC.index(b) for a, b in zip(text[::2], text[1::2], strict=True)]
    payload = np.array([int(bit) for pair in pairs for bit in f"{pair:011b}"])
    return (payload @ code.rows % 2 ^ code.rest) * 2.0 - 1


@pytest.mark.parametrize("form", sorted(BLOCKS))
def test_bits_come_out_surer_and_more_of_them_right(draw, form):
    """In strong noise, for every version and level: fewer bits of the text are wrong once its possible values were weighed."""
    text, chance = draw.visit_id(21), np.random.default_rng(21)
    clean = _symbol(text, *form)
    before = after = 0
    for _ in range(10):
        seen = clean + chance.normal(0, 1, clean.shape)
        odds = weighed(seen, *form)
        before += int(((seen > 0) != (clean > 0)).sum())
        after += int(((odds > 0) != (clean > 0)).sum())

    assert after < before


def test_what_is_not_expected_is_not_forbidden():
    """An ID of the alphabet that spells no person and no time is read all the same when it is clearly seen."""
    text = "ZZZZZZ00ZZZZZZZZZZZZ"
    read = softqr.decode(_symbol(text, 1, "M"), 1, "M")

    assert read is not None
    assert (text, 1.0) == (read.text, round(read.agreement, 6))


def test_what_noise_says_is_not_believed(draw):
    """At the end of what can be read, wrong texts are found; none leads far enough and agrees well enough to be believed."""
    chance = np.random.default_rng(22)
    wrong, right = [], 0
    for seed in range(40):
        text = draw.visit_id(seed)
        seen = (_symbol(text, 1, "M") + chance.normal(0, 0.9, 208)).clip(-1, 1)
        read = softqr.decode(seen, 1, "M", 30)
        if read is not None and read.text != text:
            wrong.append(read)
        right += read is not None and read.text == text

    assert right > 10
    assert not [read for read in wrong if read.lead > 0.015 and read.agreement > 0.9]
