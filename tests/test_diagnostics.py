"""The doctor always ends, whatever a probe does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from nhirx import diagnostics


def test_every_probe_gives_a_report_of_the_same_shape() -> None:
    """On any machine, healthy or not, each probe ends with a status and words in both languages."""
    reports = list(diagnostics.examine())

    assert list(diagnostics.PROBES) == [report["name"] for report in reports]
    for report in reports:
        assert {"name", "status", "zh", "en", "detail"} == set(report)
        assert report["status"] in {"ok", "warn", "fail"}
        assert report["zh"]
        assert report["en"]


def test_a_probe_that_hangs_costs_its_time_limit_and_no_more() -> None:
    """The limit is enforced from outside the probe's process."""
    [report] = diagnostics.examine(("clock",), limit=0.001)

    assert ("clock", "fail") == (report["name"], report["status"])


def _explode() -> diagnostics.Report:
    raise RuntimeError("A123456789")


def test_a_probe_that_raises_is_reported_without_the_text_of_its_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception's text may hold anything, so only its type is told."""
    probes: dict[str, Callable[[], diagnostics.Report]] = {"clock": _explode}
    monkeypatch.setattr(diagnostics, "PROBES", probes)

    report = diagnostics.probe("clock")

    assert "fail" == report["status"]
    assert {"problem": "RuntimeError"} == report["detail"]


def test_doctor_ends_with_json_lines_only() -> None:
    """``nhirx doctor --json`` prints one object a line and nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", "nhirx", "doctor", "--json", "--only", "clock", "--only", "decoders"],
        capture_output=True,
        text=True,
        check=False,
    )

    import json

    assert ["decoders", "clock"] == [json.loads(line)["name"] for line in done.stdout.splitlines()]
    assert done.returncode in {0, 1}
