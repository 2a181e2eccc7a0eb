"""Words for what went wrong: the place, never the person."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nhirx.errors import FileDamaged
from nhirx.model import Patient
from nhirx.plugin.lane import NoAnswer
from nhirx.plugin.problems import in_words, missing_option


def caught(function):
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def test_foreign_error_tells_kind_and_place():
    """The text of a foreign exception may hold a patient."""
    words = in_words(caught(lambda: int("王小明")))

    assert all("ValueError" in word and "test_problems.py:" in word and "王小明" not in word for word in words)


def test_validation_error_tells_the_member_not_the_value():
    error = caught(lambda: Patient(national_id="Z99", birth_date="0501231"))
    zh, en = in_words(error)

    assert isinstance(error, ValidationError)
    assert "national_id" in en
    assert "Z99" not in zh + en


def test_error_of_nhirx_keeps_its_words_masked():
    zh, en = in_words(FileDamaged(path="A123456789.csv", problem="甲"))

    assert "已損壞" in zh
    assert "A123456789" not in zh + en
    assert not zh.endswith("。")


def test_exit_is_named():
    zh, en = in_words(SystemExit(1))

    assert "試圖結束程式" in zh
    assert "end the program" in en


def test_missing_answer_is_named():
    assert "逾時" in in_words(NoAnswer("no answer within 1 s"))[0]
    assert "先前" in in_words(NoAnswer("still busy with an earlier call"))[0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyError("database"), "database"),
        (KeyError("王小明"), None),
        (KeyError("A123456789"), None),
        (KeyError("there"), None),
        (KeyError(7), None),
        (ValueError("database"), None),
    ],
)
def test_option_that_was_asked_for_in_vain_is_named(error, expected):
    """Only what looks like the name of an option, and is none of those that were given."""
    assert expected == missing_option(error, {"there": 1})
