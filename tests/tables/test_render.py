"""The manual in docs/rules is what the tables say, today."""

from __future__ import annotations

from nhirx.tables.load import rule_book
from nhirx.tables.render import main, pages, stale


def test_the_committed_manual_is_up_to_date(repository, capsys):
    """``python -m nhirx.tables.render --check`` on the checkout."""
    assert 0 == main(["--check", str(repository / "docs" / "rules")]), capsys.readouterr().out


def test_check_names_what_is_out_of_date(tmp_path, capsys):
    """A changed, a missing and a foreign page are each told, and a plain run mends all three."""
    folder = tmp_path / "rules"
    assert 0 == main([str(folder)])
    (folder / "refill.md").write_text("changed", "utf-8")
    (folder / "codes.md").unlink()
    (folder / "old.md").write_text("old", "utf-8")
    assert 1 == main(["--check", str(folder)])
    told = capsys.readouterr().out
    assert [] == [name for name in ("refill.md", "codes.md", "old.md") if name not in told]
    assert 0 == main([str(folder)])
    assert [] == stale(folder, pages())


def test_every_rule_is_in_the_manual_with_its_source():
    """A pharmacist finds each rule by its name, with the words, the days and the document."""
    manual = pages()
    for name, table in rule_book().decisions.items():
        page = manual[f"{name}.md"]
        for row in table.row:
            assert f"## {row.id}\n\n{row.zh}\n" in page
            assert row.source in page
            assert row.since.isoformat() in page
        for gap in table.uncovered:
            assert gap.zh in page
