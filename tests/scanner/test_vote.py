"""The decision: what counts as agreement, as two sheets, as a conflict, and when nothing may be said."""

from __future__ import annotations

import pytest
from nhirx_scanner.engines import Read
from nhirx_scanner.vote import decide


def at(x: float, y: float, size: float = 60.0) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + size, y), (x + size, y + size), (x, y + size))


def test_an_implausible_code_39_needs_a_second_witness():
    """Twenty characters in which no person can be: one engine is not enough, two are."""
    text = "AAAAAAAAAAAAAAAAAAAB"
    one = Read(text, "code39", at(0, 0), "zxing")
    two = Read(text, "code39", at(2, 1), "zbar")

    assert ("unreadable", None) == (decide([one]).status, decide([one]).visit_id)
    assert ("found", "agreed", 2) == (decide([one, two]).status, decide([one, two]).confidence, decide([one, two]).codes[0].reads)


@pytest.mark.parametrize(("trust", "status"), [(1.0, "found"), (0.9, "unreadable")])
def test_text_is_a_proposal(draw, trust, status):
    """Printed text alone is called ocr; below the trust it is only listed."""
    scan = decide([Read(draw.visit_id(1), "text", at(0, 0), "ocr", trust)])

    assert status == scan.status
    assert ("ocr" if status == "found" else None) == scan.confidence
    assert ["visit-id"] == [code.kind for code in scan.codes]


def test_text_in_which_no_person_can_be_is_only_listed():
    """However clearly it is printed: without person and time a line of twenty characters may be anything."""
    assert ("unreadable", None) == (decide([Read("A" * 19 + "B", "text", at(0, 0), "ocr")]).status, None)


def test_the_same_bars_read_in_two_ways_are_a_conflict(draw):
    """Two texts at one place: one of them is wrong, and nobody knows which."""
    scan = decide([Read(draw.visit_id(1), "code128", at(0, 0), "zxing"), Read(draw.visit_id(2), "code128", at(3, 3), "model")])

    assert ("conflict", ()) == (scan.status, scan.visit_ids)


def test_a_code39_read_in_two_ways_is_not_believed_by_its_structure(draw):
    """One library reads the same bars twice and otherwise; that only one of the texts makes sense does not make it right."""
    text = draw.visit_id(1)
    other = text[:6] + "11" + text[8:]
    reads = [Read(other, "code39", at(0, 0), "zxing"), Read(text, "code39", at(2, 4), "zxing")]
    elsewhere = [Read("00123456", "code39", at(0, 0), "zxing"), reads[1]]

    assert ("unreadable", None) == (decide(reads).status, decide(reads).visit_id)
    assert ("found", "found") == (decide([*reads, Read(text, "code39", at(0, 2), "model")]).status, decide(elsewhere).status)


def test_one_form_each_is_two_sheets_only_with_a_gap_between(draw):
    """QR of one ID, bars of another: two sheets when the paper ends in between, else a sheet that contradicts itself."""
    reads = [Read(draw.visit_id(1), "qr", at(0, 0), "zxing"), Read(draw.visit_id(2), "code128", at(0, 900), "zxing")]

    assert "several" == decide(reads, apart=lambda a, b: True).status
    assert "conflict" == decide(reads, apart=lambda a, b: False).status


def test_bars_are_one_form_whichever_their_kind(draw):
    """No sheet has its ID in a Code 39 and in a Code 128: such two are two sheets, but for a misprint of the one ID."""
    text = draw.visit_id(1)
    misprint = text[:-1] + ("A" if text[-1] != "A" else "B")
    several, conflict = (
        decide([Read(text, "code39", at(0, 0), "zxing"), Read(other, "code128", at(0, 900), "zxing")], apart=lambda a, b: False)
        for other in (draw.visit_id(2), misprint)
    )

    assert ("several", (text, draw.visit_id(2))) == (several.status, several.visit_ids)
    assert "conflict" == conflict.status


def test_a_long_strip_reaches_along_itself_only(draw):
    """Bars 650 pixels long and a square code 300 below their middle are two places; two readings along the same bars are one."""
    bars = ((0.0, 660.0), (650.0, 672.0), (648.0, 744.0), (-2.0, 732.0))
    other = ((60.0, 968.0), (121.0, 969.0), (121.0, 1030.0), (60.0, 1029.0))
    half = ((0.0, 690.0), (325.0, 696.0), (325.0, 700.0), (0.0, 694.0))
    strip = Read(draw.visit_id(1), "code39", bars, "zxing")

    apart = decide([strip, Read(draw.visit_id(2), "qr", other, "model")], apart=lambda a, b: True)
    same = decide([strip, Read(draw.visit_id(2), "code39", half, "zbar")], apart=lambda a, b: True)
    assert ("several", "conflict") == (apart.status, same.status)


def test_a_seen_code_is_unreadable_and_nothing_is_none():
    """Reasons make a page unreadable; without them and without codes it has none."""
    assert ("unreadable", ("blur",)) == (decide([], seen=("blur",)).status, decide([], seen=("blur",)).reasons)
    assert "none" == decide([]).status
