"""Quiet hours and the daily time follow from the clock alone."""

from datetime import datetime

import pytest

from nhirx.errors import SettingInvalid
from nhirx.outbox.store import now
from nhirx.roc import TAIPEI
from nhirx.settings import UploadSettings
from nhirx.upload.hours import Hours


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-20T{text}").replace(tzinfo=TAIPEI)


@pytest.mark.parametrize(
    ("window", "at", "quiet"),
    [
        ("22:00-06:00", "21:59:59", False),
        ("22:00-06:00", "22:00:00", True),
        ("22:00-06:00", "03:00:00", True),
        ("22:00-06:00", "06:00:00", False),
        ("12:00-13:30", "12:30:00", True),
        ("12:00-13:30", "13:30:00", False),
        ("08:00-08:00", "08:00:00", False),
    ],
)
def test_quiet_hours(window: str, at: str, quiet: bool) -> None:
    assert quiet == Hours.of(UploadSettings(quiet=window)).is_quiet(_at(at))


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert not Hours.of(UploadSettings()).is_quiet(_at("03:00:00"))


@pytest.mark.parametrize(("at", "before"), [("20:59:59", "2026-11-19T21:00"), ("21:00:00", "2026-11-20T21:00")])
def test_once_a_day_what_was_built_before_goes_out(at: str, before: str) -> None:
    expected = datetime.fromisoformat(before).replace(tzinfo=TAIPEI)

    assert expected == Hours.of(UploadSettings(send="21:00")).built_before(_at(at))


@pytest.mark.parametrize("wrong", [{"send": "soon"}, {"quiet": "22:00"}, {"quiet": "22:00-25:00"}, {"quiet": ""}])
def test_what_is_no_time_is_refused(wrong: dict) -> None:
    with pytest.raises(SettingInvalid):
        Hours.of(UploadSettings(**wrong))


def test_in_quiet_hours_nothing_is_sent_unless_a_person_says_so(make_pharmacy) -> None:
    pharmacy = make_pharmacy(quiet=f"{now():%H:%M}-{now().replace(hour=(now().hour + 2) % 24):%H:%M}")
    pharmacy.put()

    assert (0, 1) == (pharmacy.worker.step().sent, pharmacy.worker.step(at_once=True).sent)


def test_with_a_daily_time_todays_records_wait(make_pharmacy) -> None:
    pharmacy = make_pharmacy(send="00:00")
    pharmacy.put()

    assert 0 == pharmacy.worker.step().sent

    with pharmacy.outbox.database.writing() as connection:
        connection.exec_driver_sql("UPDATE queue SET built_at = built_at - 86400000000")

    assert 1 == pharmacy.worker.step().sent


@pytest.mark.parametrize("opcode", [True, False], ids=["time in the Opcode", "date of the answer"])
@pytest.mark.parametrize(("hours", "warned"), [(0, False), (2, True), (-2, True)])
def test_a_clock_that_is_off_is_told(make_pharmacy, caplog, monkeypatch, hours: int, warned: bool, opcode: bool) -> None:
    from datetime import timedelta

    # Shortly after midnight a clock that is behind is still in yesterday, and a record of today would not be sent at all.
    monkeypatch.setattr("nhirx.upload.worker.passed.errors", lambda record, today: [])
    if not opcode:
        monkeypatch.setattr("nhirx.upload.worker.server_time", lambda receipt: None)
    pharmacy = make_pharmacy(lambda: now() + timedelta(hours=hours))
    pharmacy.put()
    pharmacy.worker.step()

    assert hours * 3600 == pytest.approx(pharmacy.worker.skew.total_seconds(), abs=60)
    assert warned == ("clock of this machine" in caplog.text)
