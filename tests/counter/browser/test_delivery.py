"""What is delivered: the page in the wheel, and nothing fetched from anywhere else."""

from __future__ import annotations

import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect


def test_the_wheel_carries_the_page(wheel: Path, repository: Path) -> None:
    """Every file of the page is in the wheel."""
    folder = repository / "nhirx" / "counter" / "static"
    here = {f"nhirx/counter/static/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as packed:
        there = {name for name in packed.namelist() if name.startswith("nhirx/counter/static/")}

    assert here == there


def test_the_page_asks_nobody_else(page: Page, windows: Any, counter: Any, sheet: Any, scan_by_typing: Any) -> None:
    """Every request of a dispensing goes to the program itself, and nothing about a person stays in the browser."""
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, document.title])")

    assert {address.split("/")[2] for address in windows.asked if not address.startswith(("blob:", "data:"))} == {
        counter.url.split("/")[2]
    }
    for personal in (sheet.visit_id, sheet.person.national_id, sheet.person.name):
        assert personal not in stored
        assert personal not in " ".join(windows.said)


def test_no_file_of_the_page_names_another_place(repository: Path) -> None:
    """No address, no inline script, no inline style in what is served."""
    folder = repository / "nhirx" / "counter" / "static"
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            found += [
                f"{path.name}: {hit}"
                for hit in re.findall(r"https?://[^\s\"'`$]+|<style|style=|javascript:|innerHTML|eval\(", text)
            ]

    assert found == []


def test_every_word_stands_in_both_languages(repository: Path) -> None:
    """Each key that the page asks for is there, in Chinese and in English."""
    scripts = repository / "nhirx" / "counter" / "static" / "js"
    words: dict[str, tuple[str, str]] = {}
    for path in sorted((scripts / "words").glob("*.js")):
        for key, zh, en in re.findall(r'^  "?([\w.\-]+)"?: \["(.*?)", "(.*?)"\],$', path.read_text("utf-8"), re.MULTILINE):
            words[key] = (zh, en)
    asked = {
        key
        for path in scripts.rglob("*.js")
        if path.parent.name != "words"
        for key in re.findall(r'\bt\("([^"$]+)"', path.read_text("utf-8"))
    }

    assert [] == sorted(asked - set(words))
    assert [] == [key for key, (zh, en) in words.items() if not zh or not en]


def test_every_source_of_the_rules_has_a_name(repository: Path) -> None:
    """The page names the documents of the rules; a new one in the table needs its name here."""
    table = tomllib.loads((repository / "nhirx" / "tables" / "sources.toml").read_text("utf-8"))
    script = (repository / "nhirx" / "counter" / "static" / "js" / "words" / "sources.js").read_text("utf-8")

    assert {row["id"] for row in table["source"]} == set(re.findall(r'^  "([\w-]+)": \[', script, re.MULTILINE))
