"""The trace names kinds and sizes, never persons."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from nhirx import hookimpl
from nhirx.errors import CardAbsent
from nhirx.plugin.trace import describe


class Plugin:
    @hookimpl
    def nhirx_find_prescription(self, scan):
        return None

    @hookimpl
    def nhirx_check(self, plan):
        raise RuntimeError

    @hookimpl
    def nhirx_parse_code(self, text, symbology):
        return None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        (True, "True"),
        ("code128", "'code128'"),
        ("a123456789", "<10 characters>"),
        ("A123456789", "<10 characters>"),
        ("王小明", "<3 characters>"),
        (date(2026, 11, 20), "2026-11-20"),
        (datetime(2026, 11, 20, tzinfo=UTC), "<datetime>"),
        (("A001", "A011"), "<tuple of 2>"),
        ({"a": 1}, "<dict of 1>"),
        (CardAbsent(), "CardAbsent[card-absent]"),
        (1961, "<int>"),
    ],
)
def test_description(value, expected):
    assert expected == describe(value)


def test_no_line_without_the_switch(make, values, capfd, monkeypatch):
    monkeypatch.delenv("NHIRX_TRACE_PLUGINS", raising=False)
    make(Plugin()).find_prescription(values.scan)

    assert "" == capfd.readouterr().err


def test_every_call_is_one_line(make, values, capfd, monkeypatch):
    """Plugin, hook, kinds of arguments, outcome and time; nothing of the patient."""
    monkeypatch.setenv("NHIRX_TRACE_PLUGINS", "1")
    host = make(Plugin())
    host.find_prescription(values.scan)
    host.check(values.plan, values.prescription)
    host.parse_code("1;2;A123456789", "qrcode")

    written = capfd.readouterr().err
    lines = written.splitlines()

    assert 3 == len(lines)
    assert lines[0].startswith("nhirx-trace first: nhirx_find_prescription(scan=<SimpleNamespace>) -> None [")
    assert "prescription=Prescription(orders, patient, reference, sheet)" in lines[1]
    assert "-> RuntimeError [" in lines[1]
    assert "text=<14 characters>, symbology='qrcode'" in lines[2]
    assert "A123456789" not in written
    assert values.scan.visit_id not in written
