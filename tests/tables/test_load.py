"""Every mistake in a table is told with the file and the row."""

from __future__ import annotations

import pytest

from nhirx.errors import TableInvalid
from nhirx.tables.coverage import CODE_LISTS
from nhirx.tables.load import code_rows, read_codes, read_rule_book, rule_book

# file · what is replaced · by what · words the error must have
MISTAKES = {
    "no TOML": ("decisions/coat.toml", "[table]", "[table", ("coat.toml",)),
    "unknown key": (
        "decisions/coat.toml",
        'en = "wear it"',
        'en = "wear it"\ncolour = "red"',
        ("coat.toml", "coat.wet", "colour"),
    ),
    "missing key": ("decisions/coat.toml", 'zh = "穿"\n', "", ("coat.toml", "coat.wet", "zh")),
    "bad date": ("decisions/coat.toml", "from = 2024-01-01\nwhen", 'from = "spring"\nwhen', ("coat.toml", "coat.wet", "from")),
    "span upside down": ("decisions/coat.toml", "until = 2024-06-30", "until = 2023-06-30", ("coat.toml", "coat.dry", "until")),
    "no from": ("decisions/coat.toml", "from = 2024-01-01\nuntil", "until", ("coat.toml", "coat.dry", "from")),
    "duplicate row": ("decisions/coat.toml", 'id = "coat.dry"', 'id = "coat.wet"', ("coat.toml", "coat.wet", "twice")),
    "unknown fact": ("decisions/coat.toml", 'when = { weather = "wet" }', 'when = { wind = "wet" }', ("coat.wet", "wind")),
    "unknown fact of the table": ("decisions/coat.toml", 'facts = ["weather"]', 'facts = ["wind"]', ("coat.toml", "wind")),
    "unknown value of a fact": ("decisions/coat.toml", 'weather = "wet"', 'weather = "snow"', ("coat.wet", "snow")),
    "unknown value in a gap": (
        "decisions/coat.toml",
        'from = 2024-07-01\nwhen = { weather = "dry" }',
        'from = 2024-07-01\nwhen = { weather = "snow" }',
        ("uncovered 1", "snow"),
    ),
    "unknown source": (
        "decisions/coat.toml",
        'source = "almanac p1"\nconfidence = "confirmed"',
        'source = "novel p1"\nconfidence = "confirmed"',
        ("coat.wet", "novel"),
    ),
    "unknown section": (
        "decisions/coat.toml",
        'source = "almanac p1"\nconfidence = "inferred"',
        'source = "almanac p9"\nconfidence = "inferred"',
        ("coat.dry", "p9"),
    ),
    "unknown confidence": ("decisions/coat.toml", 'confidence = "inferred"', 'confidence = "sure"', ("coat.dry", "confidence")),
    "unknown outcome": ("decisions/coat.toml", 'then = { M01 = "" }', 'then = { M01 = "", M02 = "" }', ("coat.dry", "M02")),
    "missing outcome": ("decisions/coat.toml", 'then = { M01 = "" }', "then = {}", ("coat.dry", "M01")),
    "unknown reference": ("decisions/coat.toml", 'M01 = "@card"', 'M01 = "@bus"', ("coat.wet", "@bus")),
    "unknown finding": ("decisions/coat.toml", 'findings = ["umbrella"]', 'findings = ["boots"]', ("coat.wet", "boots")),
    "duplicate fact": (
        "facts.toml",
        "[[reference]]",
        '[[fact]]\nid = "weather"\nzh = "x"\nen = "x"\nvalue = [{ id = "a", zh = "x", en = "x" }, { id = "b", zh = "x", en = "x" }]\n\n[[reference]]',
        ("facts.toml", "weather", "twice"),
    ),
    "duplicate section": (
        "sources.toml",
        '[{ id = "p1", zh = "第一頁" }]',
        '[{ id = "p1", zh = "一" }, { id = "p1", zh = "二" }]',
        ("sources.toml", "p1", "twice"),
    ),
    "limit of unknown source": ("limits.toml", "almanac", "novel", ("limits.toml", "days", "novel")),
    "limit of unknown unit": ("limits.toml", 'unit = "days"', 'unit = "moons"', ("limits.toml", "days", "unit")),
    "finding of unknown severity": ("findings.toml", '"info"', '"loud"', ("findings.toml", "umbrella", "severity")),
    "erratum of unknown rule": ("errata.toml", "coat.wet", "coat.snow", ("errata.toml", "slip", "coat.snow")),
    "relaxation upside down": ("relaxations.toml", "2024-02-05", "2023-02-05", ("relaxations.toml", "holidays", "supply_until")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_file_and_row(folder, mistake):
    """One broken fixture per mistake; the words say where to look."""
    file, right, wrong, words = MISTAKES[mistake]
    text = (folder / file).read_text("utf-8")
    assert right in text
    (folder / file).write_text(text.replace(right, wrong, 1), "utf-8")
    with pytest.raises(TableInvalid) as caught:
        read_rule_book(folder)
    assert [] == [word for word in words if word not in caught.value.en]
    assert "table-invalid" == caught.value.code


def test_the_small_book_is_right(folder):
    """The fixture itself loads, so each test above fails for its own reason only."""
    book = read_rule_book(folder)
    assert ["coat"] == list(book.decisions)
    assert 3 == book.limits[0].value


def test_a_second_table_of_the_same_name_is_refused(folder):
    """Two files may not decide the same thing."""
    (folder / "decisions" / "other.toml").write_text((folder / "decisions" / "coat.toml").read_text("utf-8"), "utf-8")
    with pytest.raises(TableInvalid, match="twice"):
        read_rule_book(folder)


def test_a_missing_file_is_told(folder):
    """A rule book without findings is no rule book."""
    (folder / "findings.toml").unlink()
    with pytest.raises(TableInvalid, match="missing"):
        read_rule_book(folder)


def test_a_code_list_refuses_a_code_twice(tmp_path):
    """Codes are keys."""
    row = '[[row]]\nid = "A"\nzh = "甲"\nen = "a"\nsource = "almanac p1"\nconfidence = "single"\n'
    file = tmp_path / "letters.toml"
    file.write_text('[table]\nid = "letters"\n' + row + row, "utf-8")
    with pytest.raises(TableInvalid, match=r"letters\.toml.*row A exists twice"):
        read_codes(file)


@pytest.mark.parametrize("name", CODE_LISTS)
def test_shipped_code_lists_cite_known_sections(name):
    """Every code's source exists in sources.toml."""
    known = {f"{source.id} {section.id}" for source in rule_book().sources.values() for section in source.section}
    assert [] == [row.id for row in code_rows(name).values() for citation in (row.source, *row.also) if citation not in known]


def test_classes_of_abnormal_serials_are_values_of_the_facts():
    """A misspelt class would make a code fall out of every rule."""
    values = {fact.id: set(fact.values) for fact in rule_book().vocabulary.fact}
    rows = code_rows("abnormal_serials").values()
    assert [] == [row.id for row in rows if row.attribute("own") not in values["own"]]
    assert [] == [row.id for row in rows if row.attribute("origin") not in values["origin"]]


LISTED = {
    "H00": "data_types",
    "H01": "upload_kinds",
    "M07": "visit_categories",
    "M12": "make_up_marks",
    "M23": "dispensing_modes",
    "D02": "order_types",
    "D04": "prescription_kinds",
    "D05": "order_modes",
}


@pytest.mark.parametrize("field", LISTED)
def test_rules_only_choose_codes_that_are_listed(field):
    """A rule cannot send a code that no list knows."""
    chosen = {
        row.then[field]
        for table in rule_book().decisions.values()
        for row in table.row
        if row.then.get(field) and not row.then[field].startswith("@")
    }
    assert chosen
    assert set() == chosen - set(code_rows(LISTED[field]))


def test_the_card_takes_the_classes_and_marks_of_the_tables():
    """Tables 1 and 2 of the newer document: what a rule writes on the card belongs to its D02 and D05."""
    for row in rule_book().decisions["orders"].row:
        assert row.then["card_class"] in ["", *code_rows("order_types")[row.then["D02"]].attribute("card").split()]
        if row.then["D05"]:
            assert row.then["card_mark"] in code_rows("order_modes")[row.then["D05"]].attribute("card").split()
        if row.then["D04"]:
            assert row.then["count_field"] == code_rows("prescription_kinds")[row.then["D04"]].attribute("count")
