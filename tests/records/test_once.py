"""A record that passed is not judged again, and anything that differs is."""

from datetime import date, timedelta
from typing import Any

import pytest

from nhirx.model import CheckError, UploadRecord
from nhirx.records import once
from nhirx.records.once import Passed

DAY = date(2026, 1, 12)
RECORD = UploadRecord(fields={"M15": "x", "M44": "600"}, orders=({"D03": "001"},))


class Judge:
    """In the place of the whole check: counts, and finds an error in a record whose M44 is 0."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, record: UploadRecord, today: date | None = None) -> tuple[CheckError, ...]:
        self.asked += 1
        warning = CheckError(field="M15", code="W", severity="warning")
        return (warning, CheckError(field="M44", code="E")) if record.fields["M44"] == "0" else (warning,)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    made = Judge()
    monkeypatch.setattr(once, "check_record", made)
    return made


def test_the_same_record_is_judged_once(judge: Judge) -> None:
    passed = Passed()

    assert [[], [], []] == [passed.errors(RECORD.model_copy(deep=True), DAY) for _ in range(3)]
    assert 1 == judge.asked


def test_what_was_judged_elsewhere_is_not_judged_again(judge: Judge) -> None:
    passed = Passed()
    passed.note(RECORD, DAY)

    assert [] == passed.errors(UploadRecord.model_validate_json(RECORD.model_dump_json()), DAY)
    assert 0 == judge.asked


@pytest.mark.parametrize(
    "other",
    [
        RECORD.model_copy(update={"fields": RECORD.fields | {"M44": "601"}}),
        RECORD.model_copy(update={"orders": ({"D03": "002"},)}),
        RECORD.model_copy(update={"orders": ()}),
    ],
    ids=["a field", "an order", "no order"],
)
def test_any_difference_is_judged(judge: Judge, other: UploadRecord) -> None:
    passed = Passed()
    passed.note(RECORD, DAY)
    passed.errors(other, DAY)

    assert 1 == judge.asked


def test_another_day_and_other_rules_mean_the_whole_check(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = Passed()
    passed.note(RECORD, DAY)
    passed.errors(RECORD, DAY + timedelta(days=1))
    passed.errors(RECORD, DAY + timedelta(days=1))
    assert 1 == judge.asked

    rules: Any = object()
    monkeypatch.setattr(once, "rule_book", lambda: rules)
    passed.errors(RECORD, DAY + timedelta(days=1))
    assert 2 == judge.asked


def test_errors_are_never_remembered(judge: Judge) -> None:
    passed, wrong = Passed(), RECORD.model_copy(update={"fields": {"M44": "0"}})

    assert [["E"], ["E"]] == [[each.code for each in passed.errors(wrong, DAY)] for _ in range(2)]
    assert 2 == judge.asked


def test_only_the_newest_are_kept(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "_MOST", 2)
    passed = Passed()
    for price in ("1", "2", "3", "3", "1"):
        passed.errors(RECORD.model_copy(update={"fields": {"M44": price}}), DAY)

    assert 4 == judge.asked
