"""Somebody who has never seen it, with the lines of the README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from nhirx.sim import Simulator


def test_a_printed_sample_sheet_held_before_the_camera_becomes_an_accepted_record(
    tmp_path: Path, windows: Any, sim: Simulator, tools: Any, camera: Path, repository: Path, shoot: Any
) -> None:
    """Nothing set up: the README's picture as it comes out of a printer, or the button; then the large button, and nothing else."""
    tools.film_of_desk(camera)
    own = tools.Counter(tmp_path / "counter", sim, demo=True)
    own.start()
    try:
        page: Page = windows(own.link, camera=True)
        expect(page.locator(".welcome .finding")).to_contain_text("練習模式")
        expect(page.locator(".said.warn")).to_be_visible()
        shoot(page, "practice")
        page.locator("#sample").click()
        expect(page.locator("#card-state.ok")).to_be_visible()
        expect(page.locator(".fills .now")).to_have_text("1")
        shoot(page, "practice-sheet")
        page.keyboard.press("Escape")
        page.locator('dialog[data-name="confirm"] .primary').click()
        expect(page.locator(".welcome")).to_be_visible()
        tools.film_of_picture(camera, repository / "samples" / "rendered" / "flatbed.png")
        page.keyboard.press("F3")
        page.keyboard.press("F3")
        expect(page.locator("#work-title")).to_be_visible()
        expect(page.locator("#card-state.ok")).to_be_visible()
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
        # What it needs stands there at once: the field, the cause and what to do.
        expect(page.locator("#why-rejected .finding").first).to_contain_text("M03")
        expect(page.locator("#why-rejected .finding").first).to_contain_text("怎麼改")
        shoot(page, "practice-2-rejected")
        page.locator("#see-why").click()
        expect(page.locator("#errors .finding").first).to_contain_text("怎麼改")
        expect(page.locator("#send-correction")).to_be_visible()
        shoot(page, "practice-2-why")
        page.locator("#fix-M04").fill("0770520")
        page.locator("#send-correction").click()
        expect(page.locator("#record-box .tag.ok").first).to_contain_text("已接受")
        shoot(page, "practice-2-accepted")
    finally:
        own.kill()
