"""What a pharmacy decides for itself."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from nhirx_house_rules import HouseRules

from nhirx.errors import PluginRefused
from nhirx.model import Facts, Prescription, UploadPlan
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

PATIENT = {"national_id": "A123456789", "birth_date": "0501231"}
PLAN = UploadPlan(ok=True, action="upload", call="1.53", fields={}, from_card=(), why={})
FACTS = Facts.from_json(
    {"dispensed_at": "1151120090013", "pharmacy": {"institution": "5901234567", "pharmacist": "B200000002"}, "patient": PATIENT}
)


def host(**options: Any) -> Plugins:
    plugins = Plugins(PluginSettings(options={"house-rules": options}), discover=False)
    plugins.register(HouseRules(), "house-rules")
    return plugins


def prescription(days: int, *codes: str) -> Prescription:
    return Prescription.model_validate(
        {"patient": PATIENT, "sheet": {}, "days": days, "orders": tuple({"code": code} for code in codes)}
    )


@pytest.mark.parametrize(("days", "expected"), [(29, []), (30, []), (31, ["block"])])
def test_longest_supply(days, expected):
    """Before, at and after the limit."""
    assert expected == [finding.severity for finding in host(longest_days=30).check(PLAN, prescription(days))]


def test_drug_to_ask_about():
    (finding,) = host(ask_first={"AC12345100": "缺藥，請先詢問"}).check(PLAN, prescription(3, "AC12345100", "BC22222100"))

    assert ("warn", "AC12345100：缺藥，請先詢問", "plugin house-rules") == (finding.severity, finding.zh, finding.source)


def test_nothing_to_say_without_options_or_prescription():
    assert () == host().check(PLAN, prescription(400, "X1234"))
    assert () == host(longest_days=1).check(PLAN, None)
    assert {} == host().calendar(date(2026, 1, 1), date(2026, 12, 31)).days


def test_closed_days():
    """A weekday of every week, and single days by ROC or Western date; the single day's reason wins."""
    closed = host(closed_weekdays=["日"], closed={"1160101": "元旦", "2026-12-27": "盤點"}).calendar(
        date(2026, 12, 26), date(2027, 1, 3)
    )

    assert {date(2026, 12, 27): "盤點", date(2027, 1, 1): "元旦", date(2027, 1, 3): "星期日公休"} == closed.days


@pytest.mark.parametrize(
    ("candidates", "expected"), [(["A011", "A001"], "A001"), (["A011"], "A011"), (["D000"], None), ([], None)]
)
def test_usual_reason_only_where_allowed(candidates, expected):
    assert expected == host(usual_reasons=["A001", "A011"]).choose_abnormal_reason(candidates, None, FACTS)


@pytest.mark.parametrize(
    "options",
    [{"longest": 3}, {"longest_days": "30"}, {"longest_days": 0}, {"closed_weekdays": ["Sun"]}, {"closed": {"1160231": "x"}}],
    ids=str,
)
def test_wrong_options_are_refused(options):
    with pytest.raises(PluginRefused, match="nhirx_configure"):
        host(**options)


def test_takes_part_in_scans_of_others():
    """It has no answer to hooks that are not its own."""
    assert host().find_prescription(SimpleNamespace(visit_id=None, codes=())) is None
