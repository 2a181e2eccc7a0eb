"""Documentation under test: the how-to is the tutorial plugin, the glossary's fields exist, links lead somewhere."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest

import nhirx.plugin
from nhirx.plugin.manager import Plugins

ROOT = Path(__file__).parents[2]
HOWTO = (ROOT / "docs" / "howto" / "write-a-plugin.md").read_text("utf-8")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
TUTORIAL = ROOT / "plugins" / "nhirx-tutorial"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in GLOSSARY.splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| 中文"))
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", HOWTO, flags=re.S | re.M)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_howto_is_the_tutorial_plugin():
    """The pieces of the how-to, put together, are the plugin line by line."""
    assert lines((TUTORIAL / "nhirx_tutorial" / "__init__.py").read_text("utf-8")) == lines("".join(blocks("python")))


def test_howto_has_the_tutorial_project():
    assert lines((TUTORIAL / "pyproject.toml").read_text("utf-8")) == lines(blocks("toml")[0])


def test_howto_has_the_tutorial_test():
    """The test in the how-to is the one that runs."""
    tested = (TUTORIAL / "tests" / "test_tutorial.py").read_text("utf-8")

    _imports, written = blocks("python test")[0].split("\n\n\n", 1)

    assert written.strip() in tested


def test_tutorial_is_forty_lines():
    assert len((TUTORIAL / "nhirx_tutorial" / "__init__.py").read_text("utf-8").splitlines()) <= 40


def test_options_of_the_howto_are_valid_toml():
    assert {"plugins": {"options": {"tutorial": {"database": "C:\\pharmacy\\pharmacy.db"}}}} == tomllib.loads(blocks("toml")[1])


def test_example_of_the_plugin_package_is_a_plugin():
    """The first example of ``help(nhirx.plugin)`` registers as it stands."""
    text = inspect.getdoc(nhirx.plugin) or ""
    code = inspect.cleandoc(text.split("::\n\n", 1)[1].split("\nand announces", 1)[0])
    namespace: dict[str, object] = {}
    exec(code, namespace)
    host = Plugins(discover=False)
    host.register(type("Example", (), {"nhirx_check": staticmethod(namespace["nhirx_check"])})(), "example")
    host.close()

    assert ("nhirx_check",) == host.statuses[0].hooks


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_glossary_row_is_whole(row):
    """Chinese term, name in the code, field, meaning: one row per term, nothing empty but the field."""
    term, name, _field, meaning = row

    assert term
    assert re.fullmatch(r"`[A-Za-z_]+`", name)
    assert meaning


def test_glossary_names_nothing_twice():
    for column in (0, 1):
        names = [row[column] for row in ROWS]

        assert sorted(set(names)) == sorted(names)


def test_glossary_has_rows():
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_glossary_fields_exist(row):
    """Every field ID named is a field of the upload format; where a term is one field, both have the same names."""
    known = {
        field["id"]: field for field in tomllib.loads((ROOT / "nhirx" / "tables" / "fields.toml").read_text("utf-8"))["field"]
    }
    named = row[2].split(", ") if row[2] else []

    assert set(named) <= set(known)
    if len(named) == 1:
        assert (row[0], row[1]) == (known[named[0]]["zh"], f"`{known[named[0]]['name']}`")


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page):
    """A relative link of a page names a file that is there."""
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


def test_directory_of_plugins_is_whole():
    """Every project in plugins/ is in the directory, and each has a README of its own."""
    projects = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml"))
    listed = re.findall(r"^\| \[([a-z-]+)\]", (ROOT / "plugins" / "README.md").read_text("utf-8"), flags=re.M)

    assert projects == sorted(listed)
    assert all((ROOT / "plugins" / name / "README.md").is_file() for name in projects)


@pytest.mark.parametrize("readme", sorted((ROOT / "plugins").glob("*/README.md")), ids=lambda path: path.parent.name)
def test_options_in_the_readme_are_those_the_plugin_takes(readme):
    """The first TOML block of a README that sets options is read by the plugin without a word of complaint about their names."""
    name = readme.parent.name.removeprefix("nhirx-")
    found = [
        block for block in re.findall(r"```toml\n(.*?)```", readme.read_text("utf-8"), flags=re.S) if "plugins.options" in block
    ]
    source = "".join(path.read_text("utf-8") for path in readme.parent.glob("nhirx_*/*.py"))

    for block in found:
        for option in tomllib.loads(block)["plugins"]["options"][name]:
            assert f'"{option}"' in source
