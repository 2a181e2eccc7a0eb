"""Placeholders, visit serials and institution codes: the same verbs, only the shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhirx.errors import InvalidValue
from nhirx.identifiers import InstitutionCode, PlaceholderId, VisitSerial


@pytest.mark.parametrize(
    ("text", "form", "code"),
    [
        ("9" * 20, "nines", None),
        ("f" * 20, "effs", None),
        ("MISS" + "0" * 16, "code", "MISS"),
        ("sm00 0000 0000 0000 0000", "code", "SM00"),
        ("A010" + "0" * 16, "code", "A010"),
    ],
)
def test_forms_of_placeholders(text, form, code):
    found = PlaceholderId.parse(text)

    assert (form, code) == (found.form, found.code)
    assert 20 == len(str(found)) == len(found.format())
    assert PlaceholderId.is_valid(text)


def test_placeholder_of_a_code():
    assert "A010" + "0" * 16 == PlaceholderId.of_code("A010").value
    with pytest.raises(InvalidValue):
        PlaceholderId.of_code("A01")


@pytest.mark.parametrize(
    "text", ["", "9" * 19, "9" * 21, "F" * 19 + "9", "0USE4FA11RP4J370WR4K", "A010" + "0" * 15 + "1", "?010" + "0" * 16]
)
def test_no_placeholder(text):
    assert not PlaceholderId.is_valid(text)
    with pytest.raises(InvalidValue):
        PlaceholderId.parse(text)


@pytest.mark.parametrize(("text", "running"), [("0007", True), (" 1500 ", True), ("ic07", False), ("A010", False)])
def test_visit_serials(text, running):
    found = VisitSerial.parse(text)

    assert text.strip().upper() == str(found) == found.format()
    assert running == found.is_running_number
    assert VisitSerial.is_valid(text)


@pytest.mark.parametrize("text", ["", "7", "00007", "A-10", "０００７", "A 10"])
def test_no_visit_serial(text):
    assert not VisitSerial.is_valid(text)
    with pytest.raises(InvalidValue):
        VisitSerial.parse(text)


@pytest.mark.parametrize("text", ["5901234567", " 350206042g "])
def test_institution_codes(text):
    assert text.strip().upper() == str(InstitutionCode.parse(text)) == InstitutionCode.parse(text).format()
    assert InstitutionCode.is_valid(text)


@pytest.mark.parametrize("text", ["", "590123456", "59012345678", "59012-4567", "５９０１２３４５６７"])
def test_no_institution_code(text):
    assert not InstitutionCode.is_valid(text)
    with pytest.raises(InvalidValue):
        InstitutionCode.parse(text)


@pytest.mark.parametrize("kind", [PlaceholderId, VisitSerial, InstitutionCode])
@given(text=st.text(max_size=30))
def test_parse_and_is_valid_agree(kind, text):
    """Over any text: what is valid parses, and parses to itself."""
    try:
        parsed = kind.parse(text)
    except InvalidValue:
        assert not kind.is_valid(text)
    else:
        assert kind.is_valid(text)
        assert parsed == kind.parse(str(parsed))
