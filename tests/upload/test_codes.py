"""The RtnCodes: every published one is there, with words and what follows."""

import pytest

from nhirx.upload.codes import rtn_code, rtn_codes


def test_the_published_codes() -> None:
    known = {"0000", "5002", "5003", "5004", "8201", "8202", "8203", "8205", "9002", "9005", "9999"}

    assert known == set(rtn_codes())


@pytest.mark.parametrize("number", sorted(rtn_codes()))
def test_every_code_has_words_and_a_consequence(number: str) -> None:
    code = rtn_code(number)

    assert (True, True) == (bool(code.zh), bool(code.en))
    assert code.then in {"done", "wait", "sign", "later", "person"}


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert ("7777", "later") == (rtn_code(7777).number, rtn_code(7777).then)
    assert "7777" in rtn_code("7777").refusal().zh
