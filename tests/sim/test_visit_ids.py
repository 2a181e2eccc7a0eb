"""Visit IDs of the sandbox: true outside, and readable by their maker alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhirx.identifiers import VisitId
from nhirx.identifiers.national_id import check_digit
from nhirx.roc import TAIPEI
from nhirx.sim.signatures import Signer
from nhirx.sim.visit_ids import SERVICES, Made, VisitIds

_NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=TAIPEI)
_IDS = st.builds(
    lambda first, second, rest: f"{first}{second}{rest:07d}{check_digit(f'{first}{second}{rest:07d}')}",
    st.sampled_from("ABCDEFGHJKLMNPQRSTUVXYWZ"),
    st.sampled_from("1289"),
    st.integers(0, 9_999_999),
)
_TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2039, 12, 31)).map(lambda moment: moment.replace(tzinfo=TAIPEI))  # noqa: DTZ001


def _maker(key: bytes = b"k" * 32) -> VisitIds:
    return VisitIds(Signer(key, lambda: _NOON), [], lambda code: None)


@given(service=st.sampled_from(SERVICES), person=_IDS, moment=_TIMES)
def test_everything_that_goes_in_comes_out(service: str, person: str, moment: datetime) -> None:
    """Person and second for everybody, service and institution for the maker."""
    maker = _maker()
    text, second = maker.make(service, "5901234567", person, moment)
    seen = VisitId.parse(text)
    assert (seen.holder_id, seen.issued_at) == (person, moment.replace(microsecond=0))
    assert maker.read(text) == Made(service, "5901234567", person[:9], second)


def test_many_in_one_second() -> None:
    """All different; when a second is full, the next one is taken."""
    maker = _maker()
    made = [maker.make("card", "5901234567", "A123456789", _NOON) for _ in range(1000)]
    assert len({text for text, _ in made}) == 1000
    assert {second for _, second in made} == {_NOON + timedelta(seconds=step) for step in range(3)}


def test_a_clock_set_back_makes_no_id_twice() -> None:
    """The same second may come again; the IDs of it do not."""
    maker = _maker()
    first = [maker.make("card", "5901234567", "A123456789", _NOON)[0] for _ in range(3)]
    maker.make("card", "5901234567", "A123456789", _NOON + timedelta(seconds=1))
    again = [maker.make("card", "5901234567", "A123456789", _NOON)[0] for _ in range(3)]
    assert set(first) & set(again) == set()


def test_an_id_of_another_sandbox_is_not_known() -> None:
    """Its check is made with another key."""
    text, _ = _maker().make("card", "5901234567", "A123456789", _NOON)
    assert _maker(b"x" * 32).read(text) is None


@pytest.mark.parametrize("place", range(20))
def test_one_changed_character_is_not_known(place: int) -> None:
    """The check covers every place (by two characters, so this is sure only for the IDs tried here)."""
    maker = _maker()
    text, _ = maker.make("card", "5901234567", "A123456789", _NOON)
    changed = text[:place] + ("2" if text[place] != "2" else "3") + text[place + 1 :]
    assert maker.read(changed) is None


@pytest.mark.parametrize("text", ["", "9" * 20, "0USE4FA11RP4J370WR4K", "中" * 20, "F" * 20])
def test_what_is_no_id_of_the_sandbox(text: str) -> None:
    """Foreign IDs, placeholders and nonsense are read as nothing."""
    assert _maker().read(text) is None
