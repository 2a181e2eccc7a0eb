"""Somebody who has never seen it, with the lines of the README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from nhirx.sim import Simulator


def test_two_presses_in_the_practice_mode_show_an_accepted_record(
    tmp_path: Path, windows: Any, sim: Simulator, tools: Any, shoot: Any
) -> None:
    """No camera, no printer, nothing set up: the sample sheet, then the large button."""
    own = tools.Counter(tmp_path / "counter", sim, demo=True)
    own.start()
    try:
        page: Page = windows(own.link)
        expect(page.locator(".welcome .finding")).to_contain_text("練習模式")
        shoot(page, "practice")
        page.locator("#sample").click()
        expect(page.locator("#card-state.ok")).to_be_visible()
        expect(page.locator(".fills .now")).to_have_text("1")
        shoot(page, "practice-sheet")
        page.locator("#dispense").click()
        expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
    finally:
        own.kill()


def test_a_sheet_that_comes_back_says_what_it_needs(tmp_path: Path, windows: Any, sim: Simulator, tools: Any, shoot: Any) -> None:
    """The second sample sheet is refused: the page names the field, the cause and the remedy, and what the sheet says is accepted."""
    own = tools.Counter(tmp_path / "counter", sim, demo=True)
    own.start()
    try:
        page: Page = windows(own.link)
        page.locator("#sample-2").click()
        expect(page.locator("#card-state.ok")).to_be_visible()
        shoot(page, "practice-2-sheet")
        page.locator("#dispense").click()
        expect(page.locator('#done[data-state="rejected"]')).to_be_visible()
        shoot(page, "practice-2-rejected")
        page.locator("#see-why").click()
        expect(page.locator("#errors .finding").first).to_contain_text("怎麼改")
        expect(page.locator("#send-correction")).to_be_visible()
        shoot(page, "practice-2-why")
        page.locator("#fix-other").select_option(label="M04 出生日期")
        page.locator("#fix-M04").fill("0770520")
        page.locator("#send-correction").click()
        expect(page.locator("#record-box .tag.ok").first).to_contain_text("已接受")
        shoot(page, "practice-2-accepted")
    finally:
        own.kill()
