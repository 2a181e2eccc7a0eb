"""The fixtures for plugin authors, used as a plugin's own tests would."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import pytest

from nhirx import Finding, hookimpl
from nhirx.errors import PlanBlocked
from nhirx.testing import Counter


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[str | None] = []

    @hookimpl
    def nhirx_record_accepted(self, receipt: Any, reference: str | None) -> None:
        self.heard.append(reference)


class Refuser:
    """Blocks everything."""

    @hookimpl
    def nhirx_check(self, plan: Any) -> Finding:
        return Finding(code="no", severity="block", zh="不行", en="no")


def test_from_prescription_to_acceptance(nhirx_counter: Callable[..., Counter], nhirx_prescription: Callable[..., Any]) -> None:
    """The plugin hears of its own prescription when the sandbox has accepted the record."""
    listener = Listener()
    counter = nhirx_counter(listener)
    counter.dispense(nhirx_prescription(reference="rx-77"))
    assert counter.send() == ["accepted"]
    deadline = time.monotonic() + 5
    while not listener.heard and time.monotonic() < deadline:
        time.sleep(0.01)
    assert listener.heard == ["rx-77"]


def test_a_plugin_that_blocks(
    nhirx_counter: Callable[..., Counter], nhirx_prescription: Callable[..., Any], nhirx_sim: Any
) -> None:
    """Nothing is taken from the card."""
    with pytest.raises(PlanBlocked):
        nhirx_counter(Refuser()).dispense(nhirx_prescription())
    assert nhirx_sim.ledger.issued() == {}


def test_other_people_and_failures(
    nhirx_counter: Callable[..., Counter], nhirx_prescription: Callable[..., Any], nhirx_people: Any, nhirx_sim: Any
) -> None:
    """Each patient's card is put in, and an upload that fails is sent again."""
    counter = nhirx_counter()
    for person in nhirx_people[:3]:
        counter.dispense(nhirx_prescription(person))
    nhirx_sim.fail("/V2000/VNHI_Upload", "http500", times=2)
    assert counter.send() == ["accepted"] * 3


def test_time_can_pass(nhirx_counter: Callable[..., Counter], nhirx_prescription: Callable[..., Any], nhirx_sim: Any) -> None:
    """Counter and sandbox share one clock."""
    counter = nhirx_counter()
    nhirx_sim.world.clock.advance(86_400)
    counter.dispense(nhirx_prescription())
    assert counter.send() == ["accepted"]


def test_pytest_finds_it() -> None:
    """Registered with pytest under the name of the project."""
    assert [entry.value for entry in entry_points(group="pytest11", name="nhirx")] == ["nhirx.testing"]


def test_loading_it_is_light() -> None:
    """pytest loads it in every project, so it brings in nothing of nhirx and no big package."""
    heavy = ("nhirx.sim", "nhirx.model", "pydantic", "httpx", "cryptography", "sqlalchemy", "lxml", "cv2")
    program = f"import sys, nhirx.testing; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_sheets_on_demand_are_read(nhirx_counter: Callable[..., Counter], nhirx_prescription: Any, nhirx_sheet: Any) -> None:
    """Printed for a prescription, scanned by the real scanner, and the plugin finds the prescription by it."""
    made = nhirx_prescription(reference="rx-9")

    class Knows:
        @hookimpl
        def nhirx_find_prescription(self, scan: Any) -> Any:
            return made if scan.visit_id == made.sheet.visit_id else None

    counter = nhirx_counter(Knows())
    (scan,) = counter.host.scan(nhirx_sheet(made))

    assert ("found", made.sheet.visit_id) == (scan.status, scan.visit_id)
    assert "rx-9" == counter.host.find_prescription(scan).reference  # type: ignore[union-attr]


def test_installed_plugins_are_loaded_by_their_options(nhirx_counter: Callable[..., Counter], tmp_path: Any) -> None:
    """Those that the options name, and no other."""
    counter = nhirx_counter(options={"csv": {"folder": str(tmp_path)}})

    assert ["csv"] == [status.name for status in counter.host.plugins.statuses if status.status == "loaded"]
