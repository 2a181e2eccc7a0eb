"""ID numbers of nationals and residents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhirx.errors import InvalidValue
from nhirx.identifiers import NationalId, mask_id
from nhirx.identifiers.national_id import check_digit


@pytest.mark.parametrize(
    "number",
    [
        "A123456789",  # a man, Taipei
        "B200000004",  # a woman, Taichung
        "A800000014",  # a resident, form since 2021
        "AB12345677",  # a resident, old form
    ],
)
def test_valid_numbers(number):
    assert NationalId.is_valid(number)
    assert NationalId.parse(f" {number.lower()} ").check_digit_holds
    assert number == str(NationalId.parse(number)) == NationalId.parse(number).format()


@pytest.mark.parametrize("position", [2, 6, 8, 9])
def test_one_wrong_digit_is_noticed(position):
    """Where the weight shares no factor with ten, every single wrong digit is caught."""
    number = "A123456789"
    changed = [number[:position] + digit + number[position + 1 :] for digit in "0123456789" if digit != number[position]]

    assert [] == [other for other in changed if NationalId.is_valid(other)]


@given(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), st.sampled_from("1289ABCD"), st.integers(0, 9_999_999))
def test_exactly_one_check_digit_fits(letter, second, number):
    prefix = f"{letter}{second}{number:07d}"
    fitting = [digit for digit in "0123456789" if NationalId.is_valid(prefix + digit)]

    assert [check_digit(prefix)] == fitting


@pytest.mark.parametrize("number", ["AX12345678", "AY12345678", "A323456789"])
def test_unpublished_kinds_are_accepted_unchecked(number):
    """There are numbers without a published rule: refusing them would stop real patients."""
    assert NationalId.parse(number).check_digit_holds is None
    assert NationalId.is_valid(number)


@pytest.mark.parametrize(
    "text", ["", "B98765432", "A1234567890", "1123456789", "A12345678X", "Ａ123456789", "A1234 56789", "A٣23456789"]
)
def test_impossible_shapes_are_refused_without_being_repeated(text):
    with pytest.raises(InvalidValue) as caught:
        NationalId.parse(text)
    assert not text or text not in caught.value.zh + caught.value.en
    assert not NationalId.is_valid(text)


@pytest.mark.parametrize(("text", "expected"), [("A123456789", "A12******9"), ("A1234", "A12*4"), ("A123", "A123"), ("", "")])
def test_mask(text, expected):
    assert expected == mask_id(text)


def test_repr_is_masked():
    assert "NationalId('A12******9')" == repr(NationalId.parse("A123456789"))


@pytest.mark.parametrize("first_nine", ["", "A", "A1234567", "A1234567X", "1A2345678", "AX1234567", "A12345678901"])
def test_no_check_digit_without_a_rule(first_nine):
    assert check_digit(first_nine) is None
