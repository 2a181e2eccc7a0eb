"""Which code is which: by its exact text, and only in the symbologies that a visit ID may be printed in."""

from __future__ import annotations

import pytest
from nhirx_scanner.kinds import classify, is_plausible


@pytest.mark.parametrize("symbology", ["qr", "code39", "code128", "code93", "text"])
def test_twenty_characters_are_an_id_in_the_printed_forms(draw, symbology):
    """QR, the three 1-D symbologies, and text."""
    assert "visit-id" == classify(draw.visit_id(60), symbology)


@pytest.mark.parametrize("symbology", ["datamatrix", "aztec", "pdf417", "itf", "codabar", "microqr", "rmqr", "ean13"])
def test_in_any_other_symbology_they_are_none(draw, symbology):
    """Nobody prints a visit ID so; twenty digits of an ITF are a parcel number."""
    assert "visit-id" != classify(draw.visit_id(60), symbology)
    assert "other" == classify("98765432109876543210", symbology)
    assert "other" == classify("9" * 20, symbology)


@pytest.mark.parametrize("text", ["9" * 20, "F" * 20, "G000" + "0" * 16])
def test_placeholders_are_told_apart(text):
    """They fit the alphabet and mean that there is no ID."""
    assert "placeholder" == classify(text, "code39")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("5901234567;1;;Test;A12*******;0501231", "prescription-qr"),
        ("eyJhbGciOiJub25lIn0.Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA", "virtual-card"),
        ("https://example.org/a/very/long/address/with/1/figure", "other"),
        ("a;b;c", "other"),
        ("", "other"),
    ],
)
def test_the_codes_of_others_by_what_they_hold(text, kind):
    """Semicolons, a long token, or nothing in particular."""
    assert kind == classify(text, "qr")


def test_a_person_and_a_time_make_an_id_plausible(draw):
    """Evidence only: a text without them stays an ID."""
    assert is_plausible(draw.visit_id(61))
    assert not is_plausible("A" * 20)
