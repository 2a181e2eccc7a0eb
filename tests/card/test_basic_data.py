"""The 57 bytes of the card, place by place."""

from __future__ import annotations

from datetime import date

import pytest

from nhirx.card import basic_data
from nhirx.errors import CardUnreadable
from nhirx.sim.vpcd_card import basic


def test_each_place_becomes_its_member():
    """Card number, name, ID, birth, sex and issue come from their places."""
    holder = basic_data.parse(basic())

    assert {
        "card_number": "000012345678",
        "name": "王小明",
        "name_raw": "王小明".encode("cp950").ljust(20, b"\0").hex(),
        "national_id": "A123456789",
        "birth_date": date(1986, 2, 3),
        "sex": "M",
        "issued_on": date(2023, 1, 1),
        "card_id": None,
    } == holder.model_dump()


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("王小明".encode("cp950") + b"\0" * 14, "王小明"),
        ("王小明".encode("cp950") + b" " * 14, "王小明"),
        ("王小明　　".encode("cp950") + b" \0 \0", "王小明"),
        (b"ANNA MARIA  \0\0\0\0\0\0\0\0", "ANNA MARIA"),
        (b"\0" * 20, ""),
        ("王堃".encode("big5hkscs"), "王堃"),
        ("喆瑠煊峯".encode("big5hkscs"), "喆瑠煊峯"),
        (b"A" + "測試用名字共有十個字".encode("cp950")[:19], "A測試用名字共有十個\ufffd"),
        (b"\xa4\xfd\xff\xfe\xa9\xfa", "王\ufffd明"),
        (b"\xa4\xfd\xfe\xff\xa9\xfa", "王\ufffd明"),
    ],
)
def test_names(raw, name):
    """Padding goes, rare characters stay, and an unknown pair never turns its neighbours into wrong characters."""
    assert name == basic_data.decode_name(raw)


@pytest.mark.parametrize("length", [0, 1, 56])
def test_a_short_answer_is_refused(length):
    """A cut answer is no holder, not half of one."""
    with pytest.raises(CardUnreadable, match=f"{length}/57"):
        basic_data.parse(basic()[:length])


def test_a_longer_answer_starts_with_the_same_places():
    """Control software 5 gives fifteen bytes more."""
    assert basic_data.parse(basic()) == basic_data.parse(basic() + b"1" + b"0912345678".ljust(14))


@pytest.mark.parametrize("changes", [{"national_id": "1234567890"}, {"national_id": ""}, {"card_number": ""}])
def test_without_a_person_there_is_no_holder(changes):
    """An ID or card number that is none makes the whole answer useless, and the error does not repeat it."""
    with pytest.raises(CardUnreadable) as caught:
        basic_data.parse(basic(**changes))

    assert "1234567890" not in str(caught.value)


@pytest.mark.parametrize(("birth", "expected"), [("0050203", date(1916, 2, 3)), ("1100229", None), ("", None), ("1120230", None)])
def test_dates(birth, expected):
    """A day that does not exist is no date; the rest of the card is still good for a comparison by eye."""
    assert expected == basic_data.parse(basic(birth=birth)).birth_date
