"""The bill of materials and the licences, held against what is installed."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from nhirx import materials
from nhirx.cli import main
from nhirx.roc import TAIPEI

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=;~! ]", each)[0].lower().replace("_", "-").replace(".", "-") for each in requirements}


def test_licences_page_is_exact():
    """The page in docs/ is what the packages say today: run ``python -m nhirx.materials`` after a change."""
    assert materials.page() == (ROOT / "docs" / "licences.md").read_text("utf-8")


def test_every_licence_is_known():
    """No package without a licence, none that would ask for the source of a pharmacy system."""
    licences = {each.name: each.licence for each in materials.components().values()}

    assert {} == {name: licence for name, licence in licences.items() if licence == "?"}
    assert {} == {name: licence for name, licence in licences.items() if re.search(r"(?<!L)GPL|SSPL|proprietary", licence, re.I)}


def test_every_dependency_of_the_project_is_in_the_bill():
    """What pyproject names and is installed, by base and extra, with the version that is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = _names(project["dependencies"]) | {
        name for extra, each in extras.items() if extra not in {"all", "docs"} for name in _names(each)
    }
    found = materials.components()

    assert set() == named - set(found)
    assert {name: version(name) for name in named} == {name: found[name].version for name in named}
    assert {"base": True, "extra": False} == {
        "base": "" in found["httpx"].asked_by,
        "extra": "" in found["fhir-resources"].asked_by,
    }


def test_every_dependency_is_justified():
    """Each package that pyproject names has a row in the decision on dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    every = [
        *project["dependencies"],
        *(each for extra, group in project["optional-dependencies"].items() if extra != "all" for each in group),
    ]
    decision = (ROOT / "docs" / "adr" / "0003-dependencies.md").read_text("utf-8").lower()

    assert [] == sorted(name for name in _names(every) if name not in decision.replace(".", "-"))


def test_bill_is_valid_cyclonedx(tmp_path):
    """Against the published schema, in its strict form; as the command writes it."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--sbom", str(tmp_path / "sbom.json")])
    text = (tmp_path / "sbom.json").read_text("utf-8")

    assert 0 == ended.value.code
    assert None is JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    bill = json.loads(text)
    references = {each["bom-ref"] for each in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert set() == {name for each in bill["dependencies"] for name in (each["ref"], *each["dependsOn"])} - references


def test_same_packages_give_the_same_bill():
    assert materials.bill(NOW) == materials.bill(NOW)
