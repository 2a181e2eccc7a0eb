"""The facade: four kinds of hooks, and what the failure of one plugin does to the others."""

from __future__ import annotations

import logging
import threading
import time
from datetime import date

import pytest

from nhirx import Finding
from nhirx.errors import FileDamaged, PluginFailed, PluginNonsense
from tests.plugin.conftest import FAILURES, plugin, raising


def test_ask_first_answer_wins(make, values):
    """The first plugin that knows the prescription is believed; the others are not asked."""
    asked = []
    host = make(
        plugin(nhirx_find_prescription=lambda scan: asked.append("old") or values.prescription),
        plugin(nhirx_find_prescription=lambda scan: asked.append("young") or None),
    )

    assert values.prescription == host.find_prescription(values.scan)
    assert ["young", "old"] == asked


def test_ask_nobody_knows(make, values):
    """Without an answer there is None, and without a plugin too."""
    host = make(plugin(nhirx_find_prescription=lambda scan: None))

    assert host.find_prescription(values.scan) is None
    assert make().find_prescription(values.scan) is None


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_ask_failure_stops_the_step(make, values, error):
    """Whatever a plugin raises, the step stops with PluginFailed, which names the plugin and no person."""
    host = make(plugin(nhirx_find_prescription=raising(error)))

    with pytest.raises(PluginFailed) as caught:
        host.find_prescription(values.scan)

    assert ("first", "nhirx_find_prescription") == (caught.value.detail["plugin"], caught.value.detail["hook"])
    assert "王小明" not in caught.value.zh + caught.value.en
    assert "A123456789" not in str(caught.value)
    assert "conftest.py" in caught.value.en


def test_ask_tells_an_error_of_nhirx_in_full(make, values):
    """An error a plugin raises on purpose reaches the person with its words."""
    host = make(plugin(nhirx_find_prescription=raising(FileDamaged(path="a.csv", problem="第 3 行"))))

    with pytest.raises(PluginFailed, match=r"a\.csv is damaged"):
        host.find_prescription(values.scan)


@pytest.mark.parametrize("answer", [{"visit_id": "x"}, "R1", 7, True, [], b"bytes"], ids=repr)
def test_ask_nonsense_is_refused(make, values, answer):
    """An answer of another type stops the step, and its content is not repeated."""
    host = make(plugin(nhirx_find_prescription=lambda: answer))

    with pytest.raises(PluginNonsense) as caught:
        host.find_prescription(values.scan)

    assert caught.value.detail["problem"].startswith(type(answer).__name__)


def test_choice_has_to_be_a_candidate(make, values):
    """A plugin cannot bring in an abnormal code that the rules do not offer."""
    host = make(plugin(nhirx_choose_abnormal_reason=lambda candidates: "Z999"))

    with pytest.raises(PluginNonsense, match="one of the candidates"):
        host.choose_abnormal_reason(["A001", "A011"], None, values.facts)


def test_check_collects_every_answer(make, values):
    """One finding, a list, a generator: all are taken, and each says where it comes from."""
    one, two, three = (Finding(code=code, severity="warn", zh="甲", en="a") for code in ("one", "two", "three"))
    host = make(
        plugin(nhirx_check=lambda plan: one), plugin(nhirx_check=lambda: [two]), plugin(nhirx_check=lambda: iter([three]))
    )

    found = host.check(values.plan, values.prescription)

    assert [("three", "plugin third"), ("two", "plugin second"), ("one", "plugin first")] == [(f.code, f.source) for f in found]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_check_failure_blocks_and_names_the_plugin(make, values, error):
    """A check that fails blocks; the checks of the others still count."""
    fine = Finding(code="fine", severity="info", zh="甲", en="a")
    host = make(plugin(nhirx_check=lambda: fine), plugin(nhirx_check=raising(error)))

    failed, other = host.check(values.plan, None)

    assert ("plugin-failed", "block", "plugin second") == (failed.code, failed.severity, failed.source)
    assert "fine" == other.code
    assert "王小明" not in failed.zh + failed.en


def test_check_that_breaks_while_it_answers_blocks(make, values):
    """A generator that raises half way counts as failed, not as half an answer."""

    def half():
        yield Finding(code="fine", severity="info", zh="甲", en="a")
        raise RuntimeError

    host = make(plugin(nhirx_check=half))

    assert ["block"] == [finding.severity for finding in host.check(values.plan, None)]


@pytest.mark.parametrize("answer", ["stop", 1, [1], {"code": "x"}, [Finding, None]], ids=repr)
def test_check_nonsense_blocks(make, values, answer):
    """What is no finding cannot be weighed, so it blocks."""
    host = make(plugin(nhirx_check=lambda: answer))

    assert [("plugin-nonsense", "block")] == [(f.code, f.severity) for f in host.check(values.plan, None)]


def test_calendar_joins_the_days(make):
    """Days of all plugins, those outside the question left out, the reason of the first kept."""
    host = make(
        plugin(nhirx_calendar=lambda: {date(2026, 11, 22): "甲", date(2026, 11, 23): "甲"}),
        plugin(nhirx_calendar=lambda first: {first: "乙", date(2027, 1, 1): "乙", date(2026, 11, 22): "乙"}),
    )

    closed = host.calendar(date(2026, 11, 20), date(2026, 11, 30))

    assert {date(2026, 11, 20): "乙", date(2026, 11, 22): "乙", date(2026, 11, 23): "甲"} == closed.days
    assert () == closed.findings


@pytest.mark.parametrize("answer", [[date(2026, 11, 22)], {"1151122": "甲"}, {date(2026, 11, 22): 1}, "x"], ids=repr)
def test_calendar_nonsense_blocks(make, answer):
    """A calendar that cannot be read is a finding that blocks: wrong days would count a prescription's days wrongly."""
    closed = make(plugin(nhirx_calendar=lambda: answer)).calendar(date(2026, 11, 20), date(2026, 11, 30))

    assert {} == closed.days
    assert ["block"] == [finding.severity for finding in closed.findings]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_tell_reaches_the_others(make, values, caplog, error):
    """One plugin's failure is logged without personal data; all others are told."""
    told = []
    host = make(
        plugin(nhirx_dispensed=lambda reference: told.append(reference)),
        plugin(nhirx_dispensed=raising(error)),
        plugin(nhirx_dispensed=lambda reference: told.append(reference)),
    )

    with caplog.at_level(logging.ERROR, logger="nhirx.plugin"):
        host.dispensed(values.record, values.prescription, "R1")

    assert ["R1", "R1"] == told
    assert 1 == len(caplog.records)
    assert "second" in caplog.text
    assert "王小明" not in caplog.text
    assert "A123456789" not in caplog.text


def test_keyboard_interrupt_of_the_person_passes(make, values, monkeypatch):
    """Ctrl-C while a plugin works stops the program as always."""
    import concurrent.futures

    host = make(plugin(nhirx_dispensed=lambda: None))

    def interrupted(self, timeout=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(concurrent.futures.Future, "result", interrupted)

    with pytest.raises(KeyboardInterrupt):
        host.dispensed(values.record, values.prescription)


def test_hanging_plugin_is_left_behind(make, values):
    """A plugin that does not answer fails in its time limit; until it is free it fails at once, and others go on."""
    free = threading.Event()
    told = []
    host = make(
        plugin(nhirx_dispensed=lambda: told.append(1)),
        plugin(nhirx_dispensed=lambda: free.wait(30), nhirx_check=lambda: None),
        time_limit=0.5,
    )

    host.dispensed(values.record, values.prescription)
    (blocked,) = host.check(values.plan, None)
    free.set()

    assert [1] == told
    assert "busy" in blocked.en
    assert "block" == blocked.severity


def test_plugin_recovers_after_a_late_answer(make, values):
    """When the late call has come to its end the plugin is asked again."""
    free, ended = threading.Event(), threading.Event()

    def slow():
        free.wait(30)
        ended.set()

    host = make(plugin(nhirx_dispensed=slow, nhirx_check=lambda: None), time_limit=0.5)
    host.dispensed(values.record, values.prescription)
    free.set()
    assert ended.wait(5)
    end = time.monotonic() + 5
    while (found := host.check(values.plan, None)) and time.monotonic() < end:
        time.sleep(0.01)

    assert () == found


def test_plan_cannot_be_changed(make, values):
    """Writing a field of the plan is the plugin's error; the host's plan stays as it was."""

    def meddle(plan):
        plan.fields["M07"] = "XX"

    host = make(plugin(nhirx_check=meddle))

    (finding,) = host.check(values.plan, None)

    assert "block" == finding.severity
    assert {"M07": "AF", "M15": None} == values.plan.fields


def test_plan_behind_the_freeze_is_a_copy(make, values):
    """Even a plugin that goes round the freeze changes only its own copy."""

    def meddle(plan, prescription):
        object.__setattr__(plan, "ok", False)
        plan.__dict__["fields"] = {}
        prescription.__dict__["orders"] = ()

    host = make(plugin(nhirx_check=meddle))
    host.check(values.plan, values.prescription)

    assert values.plan.ok
    assert "AF" == values.plan.fields["M07"]
    assert 1 == len(values.prescription.orders)


def test_all_hooks_of_a_plugin_run_on_one_thread(make, values):
    """So that a database connection may be kept between calls."""
    threads = set()
    host = make(
        plugin(nhirx_configure=lambda: threads.add(threading.get_ident()), nhirx_check=lambda: threads.add(threading.get_ident()))
    )
    workers = [threading.Thread(target=host.check, args=(values.plan, None)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert 1 == len(threads)
    assert threading.get_ident() not in threads


def test_a_plugin_may_call_the_host_back(make, values):
    """A hook that asks the host, which asks the same plugin, does not wait for itself."""
    holder = {}
    host = make(
        plugin(
            nhirx_check=lambda: [
                Finding(
                    code="closed",
                    severity="info",
                    zh="甲",
                    en=str(len(holder["host"].calendar(date(2026, 1, 1), date(2026, 1, 2)).days)),
                )
            ],
            nhirx_calendar=lambda first: {first: "甲"},
        )
    )
    holder["host"] = host

    assert ["1"] == [finding.en for finding in host.check(values.plan, None)]
