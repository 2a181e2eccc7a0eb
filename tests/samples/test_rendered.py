"""The small set in the repository: what is promised of each page holds, and the generator makes it again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from nhirx_scanner import Scanner

from nhirx.identifiers import NationalId, VisitId
from nhirx.model import Prescription
from samples import corpus, ids, people

RENDERED = Path(corpus.__file__).parent / "rendered"
EXPECTED = json.loads((RENDERED / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_scanner_finds_on_each_page_what_is_on_it(name: str) -> None:
    """Text-only pages need the OCR extra and a person, so there only a wrong ID would be a fault."""
    for page, truth in zip(Scanner().scan_file(RENDERED / name), EXPECTED[name], strict=True):
        if truth["status"] == "text-only":
            assert page.visit_id in {None, *truth["visit_ids"]}
            continue
        assert truth["status"] == page.status
        assert sorted(truth["visit_ids"]) == sorted(page.visit_ids)


def test_the_set_is_small_and_complete() -> None:
    """It travels with every clone and, in part, with the wheel."""
    files = [path for path in RENDERED.iterdir() if path.is_file()]

    assert set(EXPECTED) | {"expected.json", "demo-prescription.json", "demo-prescription-2.json"} == {
        path.name for path in files
    }
    assert sum(path.stat().st_size for path in files) <= 800_000
    assert max(path.stat().st_size for path in files) <= 150_000


def test_the_demos_prescription_belongs_to_its_sheet() -> None:
    """The same visit ID, and the patient inside it."""
    prescription = Prescription.model_validate_json((RENDERED / "demo-prescription.json").read_text("utf-8"))
    visit_id = VisitId.parse(prescription.sheet.visit_id or "")

    assert [visit_id.value] == EXPECTED["demo-sheet.jpg"][0]["visit_ids"]
    assert prescription.patient.national_id == visit_id.holder_id
    assert prescription.sheet.visited_at == visit_id.issued_at


@pytest.mark.parametrize("kind", corpus.KINDS)
def test_a_seed_always_gives_the_same_page(kind: str) -> None:
    """A failing seed can be looked at again."""
    first, second = corpus.page(kind, 1010, 3), corpus.page(kind, 1010, 3)

    assert first.truth() == second.truth()
    assert np.array_equal(first.image, second.image)


def test_invented_people_and_ids_have_the_true_structure() -> None:
    """Else the scanner would be tested against something that does not exist."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        person, when = people.person(rng), ids.moment(rng)
        visit_id = VisitId.parse(ids.visit_id(person.national_id, when, ids.prefix(rng)))
        assert NationalId.is_valid(person.national_id)
        assert (person.national_id, when) == (visit_id.holder_id, visit_id.issued_at)
