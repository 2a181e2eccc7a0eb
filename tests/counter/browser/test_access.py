"""For everybody: axe on every state in light and dark, large type, a small screen, English."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from nhirx.sim import Simulator

SERIOUS = {"serious", "critical"}


def problems(page: Page) -> list[str]:
    """What axe finds serious or worse: rule and first place."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in SERIOUS]


def open_sheet(page: Page, sheet: Any, scan: Callable[..., None]) -> None:
    scan(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    theme: Any,
    windows: Any,
    counter: Any,
    signed_in: Any,
    sim: Simulator,
    sheet: Any,
    tools: Any,
    scan_by_typing: Any,
    shoot: Any,
) -> None:
    """Every state of the page, one after the other."""
    page: Page = windows(counter.url, signed_in, color_scheme=theme, reduced_motion="reduce")
    expect(page.locator(".said.warn")).to_be_visible()
    found = {"welcome": problems(page)}
    shoot(page, f"welcome-{theme}")
    page.keyboard.press("F1")
    found["help"] = problems(page)
    page.keyboard.press("Escape")
    page.locator("#no-id").click()
    found["no-id"] = problems(page)
    page.keyboard.press("Escape")
    open_sheet(page, sheet, scan_by_typing)
    page.keyboard.press("F8")
    expect(page.locator("#record table").first).to_be_visible()
    found["sheet"] = problems(page)
    shoot(page, f"sheet-{theme}", whole=True)
    page.keyboard.press("F4")
    expect(page.locator("#rx-form")).to_be_visible()
    found["form"] = problems(page)
    page.locator("#use-rx").click()
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")
    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
    found["done"] = problems(page)
    shoot(page, f"done-{theme}")
    page.keyboard.press("F6")
    expect(page.locator("#records .item").first).to_be_visible()
    found["records"] = problems(page)
    page.locator("#records .item").first.click()
    expect(page.locator("#reveal")).to_be_visible()
    found["record"] = problems(page)
    shoot(page, f"record-{theme}")
    page.keyboard.press("Escape")
    page.keyboard.press("F7")
    expect(page.locator("#held")).to_be_visible()
    found["todo"] = problems(page)

    assert {state: [] for state in found} == found


def test_a_small_screen_and_twice_the_size_lose_nothing(
    windows: Any, counter: Any, signed_in: Any, sheet: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """1024×768 has the large button in sight; at 200 % nothing has to be scrolled sideways."""
    page: Page = windows(counter.url, signed_in, viewport={"width": 1024, "height": 768})
    expect(page.locator(".counter")).to_be_visible()
    open_sheet(page, sheet, scan_by_typing)
    expect(page.locator("#dispense")).to_be_in_viewport()
    shoot(page, "small-screen")
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(sideways) <= 0
    # 200 % of a 1024 pixel screen leaves 512 pixels for the page.
    page.set_viewport_size({"width": 512, "height": 384})
    shoot(page, "zoomed", whole=True)

    assert page.evaluate(sideways) <= 0
    page.locator("#dispense").scroll_into_view_if_needed()
    expect(page.locator("#dispense")).to_be_in_viewport()


def test_english_is_one_switch_away(page: Page, sheet: Any, scan_by_typing: Any, shoot: Any) -> None:
    """The switch changes every word of the page and keeps the sheet that is being worked on."""
    open_sheet(page, sheet, scan_by_typing)
    page.locator("#language").click()
    expect(page.locator("#dispense")).to_contain_text("Dispense and send")
    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    shoot(page, "english")
    page.locator("#language").click()
    expect(page.locator("#dispense")).to_contain_text("調劑並上傳")
