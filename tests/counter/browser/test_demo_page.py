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
