"""Visit IDs: alphabet, length, and what the places hold (derived, so it warns and never rejects)."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhirx.errors import InvalidValue
from nhirx.identifiers import PlaceholderId, VisitId, canonical_text, mask_visit_id, parse_printed
from nhirx.identifiers.national_id import check_digit
from nhirx.identifiers.visit_id import ALPHABET
from nhirx.roc import TAIPEI

SAMPLE = "0USE4FA11RP4J370WR4K"


def base34(number: int, places: int) -> str:
    text = ""
    for _ in range(places):
        number, rest = divmod(number, 34)
        text = ALPHABET[rest] + text
    return text


def made_of(prefix: str, moment: datetime, head: str = "0USE4F") -> str:
    """A visit ID of nine characters of an ID number and a time, by the derived structure."""
    local = moment.astimezone(TAIPEI)
    seconds = int((local - datetime(local.year, 1, 1, tzinfo=TAIPEI)).total_seconds())
    return head + prefix[:2] + base34(int(prefix[2:]), 5) + base34(local.year - 1911, 2) + base34(seconds, 5)


def test_the_published_sample():
    """The sample of the slides: its holder and its second can be read."""
    sample = VisitId.parse(SAMPLE)

    assert "A123456789" == sample.holder_id
    assert datetime(2020, 1, 14, 23, 36, 15, tzinfo=TAIPEI) == sample.issued_at
    assert sample.is_plausible
    assert sample.belongs_to("a123456789 ")
    assert not sample.belongs_to("B200000002")


@given(
    st.sampled_from("ABCDEFGHJKLMNPQRSTUVXYWZ"),
    st.sampled_from("1289ABCD"),
    st.integers(0, 9_999_999),
    st.datetimes(datetime(2012, 1, 1), datetime(2060, 12, 31), timezones=st.just(TAIPEI)),  # noqa: DTZ001
)
def test_holder_and_time_come_back(letter, second, number, moment):
    """What is put in by the structure is what is read, to the second, in any year of the era."""
    prefix = f"{letter}{second}{number:07d}"
    value = VisitId.parse(made_of(prefix, moment))

    assert moment.replace(microsecond=0) == value.issued_at
    assert prefix == value.holder_prefix
    assert value.holder_id == prefix + (check_digit(prefix) or "")
    assert value.belongs_to(prefix + "0")


@given(st.text(alphabet=ALPHABET, min_size=20, max_size=20))
def test_any_twenty_characters_are_a_visit_id_or_a_placeholder(text):
    """The structure is derived: nothing of the right shape is refused for what it holds, and reading it never fails."""
    if PlaceholderId.is_valid(text):
        with pytest.raises(InvalidValue):
            VisitId.parse(text)
        return
    value = VisitId.parse(text)

    assert text == value.value == str(value)
    assert value.is_plausible == (value.holder_prefix is not None and value.issued_at is not None)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text):
    """Whatever was typed or read is parsed or refused by name."""
    for parse in (VisitId.parse, parse_printed):
        try:
            parse(text)
        except InvalidValue as error:
            repeated = len(text) > 3 and text in error.zh + error.en
        else:
            repeated = False
        assert not repeated


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0use4fa11rp4j370wr4k", SAMPLE),
        ("0USE 4FA1 1RP4 J370 WR4K", SAMPLE),
        ("0USE-4FA1-1RP4-J370-WR4K\r\n", SAMPLE),
        ("０ＵＳＥ４ＦＡ１１ＲＰ４Ｊ３７０ＷＲ４Ｋ", SAMPLE),
        ("\ufeff0USE4FA11RP4J370WR4K\u200b", SAMPLE),
    ],
)
def test_spellings_of_one_id(text, expected):
    assert expected == canonical_text(text) == VisitId.parse(text).value


@pytest.mark.parametrize(("text", "expected"), [("OUSE4FAIIRP4J37OWR4K", True), (SAMPLE, False), ("０USE4FA11RP4J370WR4K", True)])
def test_o_and_i_are_repaired_only_as_a_proposal(text, expected):
    """Strict parsing refuses them; reading print repairs and says so."""
    value, repaired = parse_printed(text)

    assert (SAMPLE, expected) == (value.value, repaired)
    if "O" in text:
        with pytest.raises(InvalidValue):
            VisitId.parse(text)


@pytest.mark.parametrize("text", ["9" * 20, "F" * 20, "MISS" + "0" * 16, "SM00" + "0" * 16, "A010" + "O" * 16, "９" * 20])
def test_placeholders_are_another_type(text):
    """They fit alphabet and length, and are no visit ID."""
    assert not VisitId.is_valid(text.replace("O", "0"))
    assert isinstance(parse_printed(text)[0], PlaceholderId)


@pytest.mark.parametrize("text", ["", " ", SAMPLE[:-1], SAMPLE + "0", SAMPLE[:-1] + "!", "王" * 20, "0USE4FA11RP4J370WR4Ⅷ"])
def test_other_texts_are_refused(text):
    with pytest.raises(InvalidValue):
        VisitId.parse(text)


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ({6: "1"}, "a digit where the letter of the ID number stands"),
        ({7: "E"}, "an impossible second character"),
        ({8: "Z"}, "a number beyond seven digits"),
        ({13: "Z"}, "a year beyond the era"),
        ({13: "0", 14: "1"}, "a year before the cards"),
        ({15: "Z"}, "a second after the year's end"),
    ],
)
def test_implausible_is_read_as_nothing(places, problem):
    characters = list(SAMPLE)
    for place, character in places.items():
        characters[place] = character
    value = VisitId.parse("".join(characters))

    assert not value.is_plausible, problem


def test_last_second_of_a_leap_year():
    """2024 has a day more; the second after its end belongs to no time of that year."""
    end = datetime(2024, 12, 31, 23, 59, 59, tzinfo=TAIPEI)
    value = VisitId.parse(made_of("A12345678", end))
    after = value.value[:15] + base34(366 * 86400, 5)

    assert end == value.issued_at
    assert VisitId.parse(after).issued_at is None


def test_time_is_taiwans_wherever_the_machine_is():
    """The seconds count from Taiwan's new year."""
    moment = datetime(2025, 12, 31, 16, 0, 1, tzinfo=UTC)

    assert moment == VisitId.parse(made_of("A12345678", moment)).issued_at
    assert timedelta(hours=8) == VisitId.parse(SAMPLE).issued_at.utcoffset()


def test_repr_is_masked_and_values_travel():
    """The ID spells a person: it is not in what lands in logs by accident."""
    value = VisitId.parse(SAMPLE)

    assert SAMPLE not in repr(value)
    assert "A123456789" not in repr(value)
    assert "0USE**************4K" == mask_visit_id(SAMPLE)
    assert value == pickle.loads(pickle.dumps(value))
    assert "0USE 4FA1 1RP4 J370 WR4K" == value.format()
    assert {value} == {VisitId.parse(value.format())}


def test_person_without_a_published_check_digit_is_still_compared():
    """X and Y numbers exist and have no published rule: no tenth character is made up, the rest is compared."""
    value = VisitId.parse(made_of("AX1234567", datetime(2024, 5, 1, tzinfo=TAIPEI)))

    assert value.holder_id is None
    assert "AX1234567" == value.holder_prefix
    assert value.belongs_to("AX12345679")
