"""The exceptions: one tree, words in both languages, nothing that JSON or a process border would lose."""

from __future__ import annotations

import inspect
import json
import pickle
import re
import string
from datetime import date
from pathlib import Path

import pytest

from nhirx import errors
from nhirx.errors import InvalidValue, NhirxError

CLASSES = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, NhirxError)]


def tree(kind: type[NhirxError], before: str = "", turn: str = "") -> list[str]:
    lines = [before + turn + kind.__name__]
    below = [other for other in CLASSES if other.__bases__[0] is kind]
    inner = before + {"": "", "├─ ": "│  ", "└─ ": "   "}[turn]
    for other in below:
        lines += tree(other, inner, "└─ " if other is below[-1] else "├─ ")
    return lines


def test_docstring_is_the_tree():
    """The tree that people read is the tree that there is, in the order of the file."""
    printed = [line[4:] for line in (inspect.getdoc(errors) or "").splitlines() if re.match(r"    [A-Z│├└ ]", line)]

    assert tree(NhirxError) == printed


def test_codes_are_unique_and_plain():
    """Programs match on the code."""
    codes = [kind.code for kind in CLASSES]

    assert sorted(set(codes)) == sorted(codes)
    assert [] == [code for code in codes if not re.fullmatch(r"[a-z][a-z0-9-]*", code)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_words_stand_in_both_languages(kind):
    """Chinese is Chinese, English is English, both speak of the same details, and both end as sentences."""
    names = [{field for _, field, _, _ in string.Formatter().parse(words) if field} for words in (kind.zh_words, kind.en_words)]
    zh, en = ({name.removesuffix("_zh").removesuffix("_en") for name in found} for found in names)

    assert re.search(r"[\u4e00-\u9fff]", kind.zh_words)
    assert not re.search(r"[\u4e00-\u9fff]", kind.en_words)
    assert zh == en
    assert kind.zh_words.endswith(("。", "}"))
    assert kind.en_words.endswith((".", "}"))
    assert kind.exit_code in (1, 2, 3)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_error_without_details_can_still_be_told(kind):
    """A forgotten detail is a question mark, never a second error."""
    error = kind()

    assert error.zh
    assert error.en
    assert "{" not in error.zh + error.en
    assert {"code", "zh", "en", "detail"} == set(error.as_json()["error"])


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_error_crosses_process_borders(kind):
    """Workers hand errors back pickled; kind, words and details arrive."""
    error = kind(zh="甲", en="a", problem="b", count=2)
    arrived = pickle.loads(pickle.dumps(error))

    assert (kind, "甲", "a", {"problem": "b", "count": 2}) == (type(arrived), arrived.zh, arrived.en, arrived.detail)
    assert str(error) == str(arrived)


def test_own_words_replace_those_of_the_kind():
    assert "{count}" == NhirxError(zh="{count}", en="x", count=1).zh


@pytest.mark.parametrize(
    "detail",
    [
        Path("a") / "b",
        date(2026, 11, 20),
        b"\xff",
        {1, 2},
        {"a": {3: Path("x")}},
        float("nan"),
        float("inf"),
        ValueError("x"),
        (1, None),
    ],
    ids=repr,
)
def test_any_detail_can_be_told_as_json(detail):
    """Strict JSON, so that every reader takes it."""
    json.loads(json.dumps(NhirxError(what=detail).as_json(), allow_nan=False))


def test_invalid_value_is_a_value_error():
    """pydantic turns ValueErrors of validators into findings of the member."""
    assert issubclass(InvalidValue, ValueError)
