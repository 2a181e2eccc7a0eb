"""The vendor's program, played by a small script in a process of its own."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from nhirx_bridge import Bridge

from nhirx.card.base import CardOrder, ControlSoftware, HolderReader
from nhirx.errors import CardAbsent, CardUnreadable, ControlSoftwareDown, ControlSoftwareError, PluginRefused
from nhirx.model import CardReading, Holder
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

VISIT_ID = "0USE4FA11RP4J370WR4K"
HOLDER = {"card_number": "000012345678", "name": "王小明", "national_id": "A123456789", "birth_date": "1961-12-31", "sex": "M"}
READING = {"made_by": "card", "visited_at": "2026-11-20T09:00:13+08:00", "institution": "5901234567", "visit_id": VISIT_ID}

VENDOR = """
import json, sys, time
sys.stdin.reconfigure(encoding="utf-8"); sys.stdout.reconfigure(encoding="utf-8")
holder, reading = json.loads(sys.argv[1]), json.loads(sys.argv[2])
fault = sys.argv[3]
for line in sys.stdin:
    ask = json.loads(line)
    call, answer = ask["call"], {"id": ask["id"]}
    if fault == "dies":
        sys.exit(1)
    if fault == "sleeps":
        time.sleep(600)
    if fault == "babbles":
        print("no json", flush=True); continue
    if fault == "late":
        print(json.dumps({"id": 0, "result": {"name": "somebody else"}}))
    if fault.startswith("{"):
        answer["error"] = json.loads(fault)
    elif fault == "short":
        answer["result"] = {"name": "x"}
    else:
        answer["result"] = {
            "read_holder": holder, "visit_number": reading, "no_card_id": reading | {"made_by": "no-card"},
            "write_orders": ["S" * 40 for _ in ask["arguments"].get("orders", ())], "status": {"initialised": True},
            "upload_signature": {"sam_id": "S", "institution": "5901234567", "client_random": "r", "signature": "s"},
            "roll_back": True,
        }[call]
    print(json.dumps(answer, ensure_ascii=False), flush=True)
"""


@pytest.fixture
def bridge(tmp_path: Path) -> Any:
    """``bridge(fault)``: reader and control software of a host whose vendor program has that fault."""
    import json

    script = tmp_path / "vendor.py"
    script.write_text(VENDOR, "utf-8")
    made: list[Any] = []

    def build(fault: str = "", seconds: float = 10.0) -> tuple[HolderReader, ControlSoftware]:
        command = [sys.executable, str(script), json.dumps(HOLDER), json.dumps(READING), fault]
        plugins = Plugins(PluginSettings(options={"bridge": {"command": command, "seconds": seconds}}), discover=False)
        plugins.register(Bridge(), "bridge")
        parts = plugins.card_readers["bridge"](), plugins.control_software["bridge"]()
        made.extend(parts)
        return parts

    yield build
    for part in made:
        part.close()


def test_all_calls(bridge):
    """Every method of both interfaces, with the JSON forms of nhirx's own values."""
    reader, control = bridge()
    reading = control.visit_number(visit_category="AF")

    assert ("王小明", date(1961, 12, 31)) == (reader.read_holder().name, control.read_holder().birth_date)
    assert (VISIT_ID, datetime(2026, 11, 20, 1, 0, 13, tzinfo=UTC)) == (reading.visit_id, reading.visited_at)
    assert "no-card" == control.no_card_id("A123456789").made_by
    assert ("S" * 40,) * 2 == control.write_orders(reading, reader.read_holder(), [CardOrder("1", "A"), CardOrder("1", "B")])
    assert "s" == control.upload_signature().signature
    assert control.roll_back(reading)
    assert (True, True) == (control.status().reachable, control.status().initialised)
    assert isinstance(reader, HolderReader)
    assert isinstance(control, ControlSoftware)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ('{"code": "card-absent"}', CardAbsent),
        ('{"code": "control-software", "number": 5003, "words": "x"}', ControlSoftwareError),
        ('{"code": "never heard of"}', ControlSoftwareError),
        ("dies", ControlSoftwareDown),
        ("babbles", CardUnreadable),
        ("short", CardUnreadable),
    ],
)
def test_every_failure_has_its_error(bridge, fault, expected):
    reader, _ = bridge(fault)

    with pytest.raises(expected) as caught:
        reader.read_holder()
    assert expected is type(caught.value)


def test_number_of_the_control_software_is_kept(bridge):
    _, control = bridge('{"code": "control-software", "number": 5003, "words": "卡片效期"}')

    with pytest.raises(ControlSoftwareError, match="5003") as caught:
        control.visit_number(visit_category="AF")
    assert 5003 == caught.value.detail["number"]


def test_sleeping_program_is_left_and_started_anew(bridge):
    """No answer within the limit: the program is ended, and the next call finds a new one."""
    reader, control = bridge("sleeps", seconds=0.5)

    with pytest.raises(ControlSoftwareDown):
        reader.read_holder()
    assert not control.status().reachable


def test_answer_to_an_earlier_question_is_not_taken(bridge):
    """An answer with another number belongs to a call that was given up: never another person's card."""
    reader, _ = bridge("late")

    assert "王小明" == reader.read_holder().name


def test_calls_of_several_threads_do_not_mix(bridge):
    reader, control = bridge()
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(reader.read_holder().name)) for _ in range(4)]
    threads += [threading.Thread(target=lambda: seen.append(control.upload_signature().signature)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["s"] * 4 + ["王小明"] * 4 == sorted(seen)


def test_too_few_signatures_are_refused(bridge, monkeypatch):
    """One signature for each order, or none is used."""
    _, control = bridge()
    reading, holder = CardReading.model_validate(READING), Holder.model_validate(HOLDER)
    monkeypatch.setattr(control._peer, "call", lambda *_, **__: ["S" * 40])

    with pytest.raises(CardUnreadable):
        control.write_orders(reading, holder, [CardOrder("1", "A"), CardOrder("1", "B")])


def test_missing_program_is_down(tmp_path):
    plugins = Plugins(PluginSettings(options={"bridge": {"command": [str(tmp_path / "none")]}}), discover=False)
    plugins.register(Bridge(), "bridge")

    with pytest.raises(ControlSoftwareDown):
        plugins.card_readers["bridge"]().read_holder()


@pytest.mark.parametrize(
    "options", [{"command": "one string"}, {"command": []}, {"comand": ["x"]}, {"command": ["x"], "seconds": "soon"}], ids=str
)
def test_wrong_options_are_refused(options):
    plugins = Plugins(PluginSettings(options={"bridge": options}), discover=False)

    with pytest.raises(PluginRefused):
        plugins.register(Bridge(), "bridge")


def test_offers_nothing_without_a_command():
    plugins = Plugins(discover=False)
    plugins.register(Bridge(), "bridge")

    assert {} == plugins.card_readers | plugins.control_software
