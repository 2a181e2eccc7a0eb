"""The reader of check results takes any sensible spelling, and accepts nothing that it did not understand."""

import base64
import json

import pytest

from nhirx.errors import AnswerMalformed
from nhirx.upload import result

URL = "https://localhost"
A, B, C = "0USE4FA11RP4J370WR4K", "0USE4FA11RP4J370WR4L", "0USE4FA11RP4J370WR4M"


def _match(recs: object, total: int = 3) -> dict[int, tuple[bool, list[str]]]:
    visits = dict(enumerate((A, B, C)[:total], start=1))
    found = result.match(result.read(recs if isinstance(recs, dict) else {"recs": recs}, URL), visits, total, URL)
    return {
        place: (one.accepted, [f"{error.field}{error.order or ''}:{error.code}:{error.severity[0]}" for error in one.errors])
        for place, one in found.items()
    }


GOOD = (True, [])


@pytest.mark.parametrize(
    "entry",
    [
        {"M15": B, "err_level": 1, "errors": [{"field": "M15", "code": "AA"}]},
        {"m15": B, "ERR_LEVEL": "1", "ERRORS": [{"FIELD": "M15", "CODE": "AA"}]},
        {"fields": {"M15": B}, "errors": [{"err_level": 1, "field": "M15", "err_code": "AA"}]},
        {"M15": B, "err_level": 1, "errors": "M15:AA;"},
        {"M15": f" {B.lower()} ", "error": ["M15:AA"]},
        {"M15": B, "errs": [{"col": "M15", "errcode": "AA", "level": 1}]},
    ],
)
def test_spellings_of_one_error(entry: dict) -> None:
    assert {1: GOOD, 2: (False, ["M15:AA:e"]), 3: GOOD} == _match([entry])


def test_warnings_alone_are_an_acceptance() -> None:
    warned = {"M15": A, "err_level": 0, "errors": [{"field": "D11", "order": 2, "code": "16"}]}

    assert (True, ["D112:16:w"]) == _match([warned])[1]


def test_errors_and_warnings_of_one_record_come_together() -> None:
    recs = [{"M15": A, "err_level": 1, "errors": "M15:AA;"}, {"M15": A, "err_level": 0, "errors": "D11[1]:16;"}]

    assert (False, ["M15:AA:e", "D111:16:w"]) == _match(recs)[1]


def test_an_error_without_a_level_is_an_error() -> None:
    assert not _match([{"M15": A, "errors": "D11:16;"}])[1][0]


def test_a_level_without_readable_errors_is_an_error() -> None:
    assert not _match([{"M15": A, "err_level": 1, "what": "?"}])[1][0]


def test_nothing_to_remark_is_an_acceptance_of_all() -> None:
    assert {1: GOOD, 2: GOOD, 3: GOOD} == _match([])


def test_an_error_of_the_whole_file_rejects_all() -> None:
    for tree in (
        {"recs": [], "errors": [{"field": "", "code": "Y014"}]},
        {"recs": [{"rec_no": 0, "err_level": 1, "errors": [{"code": "Y014"}]}]},
    ):
        assert [False, False, False] == [accepted for accepted, _ in _match(tree).values()]


@pytest.mark.parametrize(
    ("places", "wrong"),
    [([3], [3]), ([1, 3], [1, 3]), ([0, 2], [1, 3]), ([1, 2, 3], [1, 2, 3]), ([0, 1, 2], [1, 2, 3])],
)
def test_places_without_ids_count_from_what_leaves_no_doubt(places: list[int], wrong: list[int]) -> None:
    found = _match([{"n": place, "err_level": 1, "errors": "M13:AD;"} for place in places])

    assert wrong == [place for place, (accepted, _) in found.items() if not accepted]


@pytest.mark.parametrize("places", [[1], [2], [1, 2], [4], [0, 3], [None], [None, 3]])
def test_places_in_doubt_accept_nothing(places: list[int | None]) -> None:
    with pytest.raises(AnswerMalformed):
        _match([{"n": place, "err_level": 1, "errors": "M13:AD;"} for place in places])


def test_as_many_entries_as_records_are_in_their_order() -> None:
    found = _match([{"err_level": 0, "errors": "M13:AD;"}, {}, {"err_level": 1, "errors": "M13:AD;"}])

    assert [True, True, False] == [accepted for accepted, _ in found.values()]


def test_one_record_needs_no_name() -> None:
    assert {1: (False, ["M13:AD:e"])} == _match([{"err_level": 1, "errors": "M13:AD;"}], total=1)


def test_an_id_that_was_not_sent_accepts_nothing() -> None:
    with pytest.raises(AnswerMalformed):
        _match([{"M15": "0USE4FA11RP4J370WR4P", "err_level": 1, "errors": "M13:AD;"}])


def test_an_entry_of_a_record_that_went_on_is_left_out() -> None:
    read = result.read({"recs": [{"M15": A, "err_level": 1, "errors": "M13:AD;"}]}, URL)

    assert {2: True} == {place: one.accepted for place, one in result.match(read, {2: B}, 2, URL).items()}


@pytest.mark.parametrize("tree", [{}, [1], "x", 3, None, {"recs": "x"}, {"recs": [1]}, {"records": []}, {"recs": None}])
def test_without_a_list_of_records_nothing_is_accepted(tree: object) -> None:
    with pytest.raises(AnswerMalformed):
        result.read(tree, URL)


@pytest.mark.parametrize("said", ["A123456789", "王小明 病人身分不符", "0USE4FA11RP4J370WR4K", "M04 0501231 is wrong"])
def test_text_in_place_of_field_and_code_reaches_no_list(said: str) -> None:
    """A service that explains in words may name the patient: an error it stays, and the words stay in the sealed result."""
    read = result.read({"recs": [{"M15": A, "errors": [{"field": said, "code": said}]}]}, URL)
    (error,) = read.records[0].errors

    assert ("?", "?", "error") == (error.field, error.code, error.severity)
    assert said not in error.model_dump_json()
    assert said in read.records[0].raw


@pytest.mark.parametrize("errors", [[3], "what is this", [{"field": "M15"}], 7, [["M15", "AA"]]])
def test_an_error_that_cannot_be_understood_accepts_nothing(errors: object) -> None:
    with pytest.raises(AnswerMalformed):
        result.read({"recs": [{"M15": A, "errors": errors}]}, URL)


def test_the_text_of_the_answer_may_be_wrapped_padded_or_plain() -> None:
    tree = {"recs": [{"說明": "藥" * 100}]}
    text = json.dumps(tree, ensure_ascii=False)
    wrapped = base64.encodebytes(text.encode()).decode()

    assert [tree] * 5 == [
        result.decode(one, URL)
        for one in (wrapped, wrapped.replace("\n", "\r\n"), wrapped.replace("\n", "").rstrip("="), text, tree)
    ]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "  ",
        "no base64!",
        base64.b64encode(b"\xa4\xa4").decode(),
        base64.b64encode(b'{"recs": [').decode(),
        3,
        "[" * 5000,
    ],
)
def test_half_or_foreign_text_accepts_nothing(text: object) -> None:
    with pytest.raises(AnswerMalformed):
        result.decode(text, URL)


def test_errors_come_with_words() -> None:
    read = result.read({"recs": [{"M15": A, "errors": "M07:AD23;"}]}, URL)
    (error,) = read.records[0].errors

    assert ("M07", "AD23", True, True) == (error.field, error.code, bool(error.zh), bool(error.fix_en))
