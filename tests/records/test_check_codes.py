"""Every code the NHI is known to answer with has words in both languages."""

from __future__ import annotations

from collections import Counter

import pytest

from nhirx.tables.check_codes import check_codes, described
from nhirx.tables.fields import fields


def test_every_known_code_has_a_row() -> None:
    """The counts per family are those of the collected list; a code that gets lost shows here."""
    counts = Counter(family for family, _ in check_codes())

    assert counts == {"2.0": 218, "1.0": 71, "control5": 17, "webapi": 11, "control6": 9}


@pytest.mark.parametrize("key", sorted(check_codes()), ids=" ".join)
def test_words_in_both_languages(key: tuple[str, str]) -> None:
    """Each code says what is wrong, and what to do unless nothing is."""
    row = check_codes()[key]

    assert row.zh.strip()
    assert row.en.strip()
    assert row.en.isascii()
    assert (row.effect == "ok") == (not row.fix_zh) == (not row.fix_en)
    assert row.zh.count("{f}") == row.en.count("{f}")


def test_the_field_is_named() -> None:
    """A finding names its field as the format and as the glossary call it."""
    finding = described("M13", "AD14")

    assert finding.zh.startswith("M13 就醫序號：")
    assert finding.en.startswith("M13 visit number:")
    assert finding.severity == "error"


def test_a_code_that_is_no_visit_code() -> None:
    """The same letters mean different things in different families."""
    assert described("M13", "C001").zh != described("M13", "C001", family="1.0").fix_zh
    assert described("H00", "5003", family="webapi").en != described("H00", "5004", family="webapi").en


def test_unknown_code_is_shown_raw() -> None:
    """What no row knows is passed on, not guessed."""
    finding = described("M99", "IHKE9")

    assert (finding.field, finding.code, finding.severity) == ("M99", "IHKE9", "error")
    assert "IHKE9" in finding.zh
    assert "IHKE9" in finding.en


def test_fields_are_whole() -> None:
    """H00–H01, M01–M56, D01–D15, V01–V02, E01–E13, each with its own glossary name."""
    table = fields()
    expected = [
        f"{letter}{number:02d}"
        for letter, first, last in (("H", 0, 1), ("M", 1, 56), ("D", 1, 15), ("V", 1, 2), ("E", 1, 13))
        for number in range(first, last + 1)
    ]

    assert list(table) == expected
    assert len({spec.name for spec in table.values()}) == len(table)
    assert all(spec.shortest <= spec.longest for spec in table.values())
