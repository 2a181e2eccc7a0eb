"""Every section of the two official documents, and every case of the field notes, has a rule or a reason."""

from __future__ import annotations

from nhirx.tables.coverage import coverage


def test_every_section_is_cited_or_explained(capsys):
    """Prints the coverage of each document, then fails for a section that neither a rule nor a reason mentions."""
    table = coverage()
    with capsys.disabled():
        for document, sections in table.items():
            ruled = sum(bool(section.rules) for section in sections)
            print(f"\n{document}: {len(sections)} sections, {ruled} with rules, {len(sections) - ruled} with a reason", end="")
    missing = [
        f"{document} {section.id}"
        for document, sections in table.items()
        for section in sections
        if not section.rules and not section.reason
    ]
    assert [] == missing


def test_both_official_documents_list_their_sections():
    """Figures 1 to 9, the tables, and the five cases of the slides are among them."""
    table = coverage()
    newer = {section.id for section in table["nhi-qa-2024-10"]}
    older = {section.id for section in table["nhi-slides-2024-04"]}
    assert set() == {f"圖{number}" for number in range(1, 10)} - newer
    assert set() == {f"情境 {number}" for number in range(1, 6)} - older


def test_all_thirty_two_cases_are_covered():
    """P1 to P32 of the notes."""
    cases = {section.id for section in coverage()["field-notes"] if section.id.startswith("§4.2")}
    assert {f"§4.2 P{number}" for number in range(1, 33)} == cases
