"""Each folder is one case of a figure or an answer: facts.json, expected.json, and a sentence in README.md.

``expected.json`` names what the document says: ``fields`` (a subset), ``action``, ``call``, ``from_card``, ``findings``
(codes that must be there), ``sources`` (which document a field's rule cites), or ``error``. ``on`` asks for the rules of another day.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nhirx import roc
from nhirx.errors import NhirxError
from nhirx.model import Facts
from nhirx.resolver import plan

FOLDERS = sorted(folder.parent for folder in Path(__file__).parent.glob("*/facts.json"))
MEMBERS = {"fields", "action", "call", "from_card", "findings", "error", "on", "sources"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_figure_holds(folder):
    """The facts of the figure give the fields of the figure."""
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    facts = Facts.from_json(json.loads((folder / "facts.json").read_text("utf-8")))
    assert set(expected) <= MEMBERS
    assert (folder / "README.md").read_text("utf-8").strip()
    on = roc.parse_date(expected["on"]) if "on" in expected else None
    if "error" in expected:
        with pytest.raises(NhirxError) as caught:
            plan(facts, on=on)
        assert expected["error"] == caught.value.code
        return
    answer = plan(facts, on=on).as_json()
    told = {finding["code"] for finding in answer["findings"]}
    assert expected["fields"] == {name: answer["fields"][name] for name in expected["fields"]}
    assert [] == [
        name for name in ("action", "call", "from_card") if name in expected and expected[name] != list_or(answer[name])
    ]
    assert set(expected.get("findings", [])) <= told
    assert expected.get("sources", {}) == {name: answer["why"][name]["source"] for name in expected.get("sources", {})}


def test_every_figure_for_a_pharmacy_has_a_scenario():
    """Figures 2 and 4 to 9 of the newer document; 1 is the application, 3 the hospital."""
    names = {folder.name for folder in FOLDERS}
    assert [] == [number for number in (2, 4, 5, 6, 7, 8, 9) if not any(name.startswith(f"figure-{number}-") for name in names)]


def list_or(value):
    return list(value) if isinstance(value, tuple) else value
