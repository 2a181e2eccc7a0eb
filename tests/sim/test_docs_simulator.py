"""The how-to of the simulator is what the simulator does."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from nhirx.sim.faults import KINDS

_HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto" / "simulator.md"
_CALLS = re.findall(r"^curl --cacert sandbox/ca.pem (.*)$", _HOWTO.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("call", _CALLS)
def test_every_call_works(ready: Any, call: str) -> None:
    """Each curl line, sent as it stands; none of them is refused."""
    words = shlex.split(call)
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    path = next(word for word in words if word.startswith("$SIM")).removeprefix("$SIM")
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
    answer = ready.http.request(method, path, body)
    assert "error" not in answer
    # The fixture has started the control software already.
    assert answer.get("statusCode", 0) in (0, 1001)


def test_calls_were_found() -> None:
    """The pattern still fits the page."""
    assert len(_CALLS) > 20


def test_the_table_of_failures_is_complete() -> None:
    """One row per kind, with the right word for carried out."""
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (是|否) \|", _HOWTO.read_text("utf-8"), re.MULTILINE)
    assert dict(rows) == {kind: "是" if done else "否" for kind, (done, _) in KINDS.items()}


def test_every_own_endpoint_is_on_the_page(sim: Any) -> None:
    """No endpoint below /sim/ without a word about it."""
    text = _HOWTO.read_text("utf-8")
    from nhirx.sim.admin import Admin

    paths = {path for _, path in Admin(sim.world, sim.faults).routes}
    assert {path for path in paths if path not in text} == set()
