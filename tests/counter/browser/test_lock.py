"""Who is at the page: it locks when nobody touches it, and what is done stands under the name of who did it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect


class Wall:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def sign_in(page: Page, name: str, pin: str) -> None:
    expect(page.locator("#sign-in")).to_be_visible()
    page.locator("#sign-in label", has_text=name).click()
    page.locator("#pin").fill(pin)
    page.keyboard.press("Enter")
    expect(page.locator("#operator")).to_contain_text(name)


def test_a_page_left_alone_locks_and_another_person_goes_on_under_their_own_name(
    own: Any, windows: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """Ten minutes without a hand: locked without a word of the sheet. A colleague signs in, finds it as it was, and dispenses it."""
    wall = Wall()
    with own(now=wall, idle=600) as shop:
        with shop.page() as office:
            office.ok("POST", "/operators", {"name": "林藥師", "pin": "246810"})
            office.ok("POST", "/session/unlock", {"operator": "林藥師", "pin": "246810"})
            office.ok("POST", "/operators", {"name": "陳藥師", "pin": "135790"})
        page: Page = windows(shop.server.link())
        sign_in(page, "林藥師", "246810")
        known = shop.prescription()
        page.keyboard.type(known["sheet"]["visit_id"])
        page.keyboard.press("Enter")
        expect(page.locator("#dispense")).to_be_enabled()
        wall.now += 601
        expect(page.locator("#sign-in")).to_be_visible()
        expect(page.locator("#pin")).to_have_value("")  # not the PIN that opened it before
        expect(page.locator("#sign-in")).to_contain_text("處方箋還在")
        shoot(page, "locked-by-itself")
        assert known["sheet"]["visit_id"] not in page.locator("body").inner_text()
        sign_in(page, "陳藥師", "135790")
        expect(page.locator(".id")).to_have_text(known["sheet"]["visit_id"])
        expect(page.locator("#dispense")).to_be_enabled()
        page.keyboard.press("F9")
        expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
        expect(page.locator("#work-title")).to_be_focused()
        trail = shop.trail()

    assert {("林藥師", "sign-in"), ("陳藥師", "sign-in"), ("陳藥師", "dispense")} <= set(trail)
    assert ("林藥師", "dispense") not in trail
