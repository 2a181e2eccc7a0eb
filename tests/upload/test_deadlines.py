"""What is late, or soon will be, is said in time."""

from datetime import date, datetime, timedelta

import pytest

from nhirx.errors import ServiceTimeout
from nhirx.model import CheckError, CheckResult, Receipt, UploadRecord
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.roc import TAIPEI
from nhirx.upload.deadlines import claims_day, correction_ends, deadlines, stopped

VISIT = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)


@pytest.fixture
def outbox(tmp_path):
    with Outbox(f"sqlite:///{tmp_path / 'outbox.sqlite'}", ring=KeyRing.new(), clock=lambda: VISIT) as opened:
        yield opened


def _put(outbox: Outbox, state: str) -> None:
    item = outbox.queue.put(UploadRecord(fields={"M11": "1151120090013", "M15": "0USE4FA11RP4J370WR4K"}))
    if state in ("stuck", "rejected"):
        outbox.queue.claim(1, timedelta(minutes=5))
    if state == "stuck":
        outbox.queue.block(item, ServiceTimeout(url="https://localhost", seconds=1))
    if state == "rejected":
        outbox.queue.sent([item], Receipt(opcode="OP1", received_at=VISIT))
        outbox.queue.rejected(item, CheckResult(accepted=False, errors=(CheckError(field="M13", code="AD"),)))


def _codes(outbox: Outbox, now: datetime) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for _, finding in deadlines(outbox, now)]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(0, []), (19, []), (20, [("upload-late", "info")]), (24, [("upload-late", "info")]), (25, [("upload-late", "warn")])],
)
def test_a_record_that_was_not_sent_in_time(outbox: Outbox, hours: float, expected: list) -> None:
    _put(outbox, "built")

    assert expected == _codes(outbox, VISIT + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-12-01", []),
        ("2026-12-14", [("claims-near", "info")]),
        ("2026-12-21", [("claims-near", "warn")]),
        ("2027-02-13", [("claims-near", "warn"), ("correction-near", "info")]),
        ("2027-02-20", [("claims-near", "warn"), ("correction-near", "warn")]),
    ],
)
def test_a_rejected_record_before_claim_and_end_of_correction(outbox: Outbox, now: str, expected: list) -> None:
    _put(outbox, "rejected")

    assert expected == _codes(outbox, datetime.fromisoformat(now).replace(tzinfo=TAIPEI))


def test_a_stuck_record_is_both(outbox: Outbox) -> None:
    _put(outbox, "stuck")

    assert ["upload-late", "claims-near"] == [code for code, _ in _codes(outbox, datetime(2026, 12, 20, tzinfo=TAIPEI))]


def test_accepted_records_are_in_nobodys_way(outbox: Outbox) -> None:
    _put(outbox, "sent")
    outbox.queue.withdraw(1, "double", by="p1")

    assert [] == _codes(outbox, VISIT + timedelta(days=400))


@pytest.mark.parametrize(
    ("visited", "on", "ends"),
    [
        ("2024-09-05", "2024-09-20", "2024-10-31"),
        ("2024-12-05", "2024-09-20", "2025-01-31"),
        ("2026-11-20", "2026-11-20", "2027-02-19"),
        ("2026-11-30", "2026-11-30", "2027-02-27"),
        ("2026-12-31", "2026-12-31", "2027-03-30"),
    ],
)
def test_the_end_of_correction_by_the_rule_of_the_day(visited: str, on: str, ends: str) -> None:
    found = correction_ends(date.fromisoformat(visited), date.fromisoformat(on))

    assert f"{ends} 23:59:59" == f"{found:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(("visited", "due"), [("2026-11-01", "2026-12-20"), ("2026-12-31", "2027-01-20")])
def test_the_day_of_the_claim(visited: str, due: str) -> None:
    assert due == f"{claims_day(date.fromisoformat(visited), date(2026, 11, 20)):%Y-%m-%d}"


@pytest.mark.parametrize(("hours", "severities"), [(0, []), (19, []), (21, ["info"]), (30, ["warn"])])
def test_a_dispensing_that_was_stopped_is_not_forgotten(tmp_path, hours: int, severities: list[str]) -> None:
    """It stands in no queue, so nothing else would say that its day is running out; a card that is owed has another rule."""
    opened = datetime(2026, 11, 20, 9, 0, tzinfo=TAIPEI)
    with Outbox(f"sqlite:///{tmp_path / 'outbox.sqlite'}", clock=lambda: opened, ring=KeyRing.new()) as outbox:
        left = outbox.journal.open({}, None, None)
        outbox.journal.hold(outbox.journal.open({}, None, None))
        found = stopped(outbox, opened + timedelta(hours=hours))

    assert severities == [finding.severity for _, finding in found]
    assert {left} >= {one.id for one, _ in found}
