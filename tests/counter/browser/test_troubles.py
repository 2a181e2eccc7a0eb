"""What goes wrong around the page: the VPN, the program, the reader, the person who left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from nhirx.sim import PEOPLE, Simulator


@pytest.fixture
def own(made: Path, tmp_path: Path, sim: Simulator, tools: Any) -> Iterator[Any]:
    """A counter of this test alone, to be killed and started again."""
    running = tools.Counter(tmp_path / "counter", sim)
    running.start()
    yield running
    running.kill()


def test_the_vpn_is_down_and_work_goes_on(page: Page, sim: Simulator, sheet: Any, scan_by_typing: Any, shoot: Any) -> None:
    """The NHI cannot be reached for uploads: dispensing works, the page says where the record is, and it goes out by itself."""
    sim.fail("/V2000/*", "refuse", times=1000)
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_have_attribute("data-state", re.compile("built|sending"))
    expect(page.locator("#banner-vpn")).to_be_visible()
    shoot(page, "vpn-down")
    sim.faults.clear()
    page.keyboard.press("F6")
    page.locator("#send-now").click()
    page.keyboard.press("Escape")

    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
    expect(page.locator("#banner-vpn")).to_have_count(0)


def test_the_program_is_killed_in_the_middle_and_the_page_goes_on(
    own: Any, windows: Any, sim: Simulator, tools: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """Power cut before a scan and while a sheet is on the page: it says so, keeps everything, and goes on once the program is back."""
    sheet = tools.make_sheet(sim)
    own.know(sheet)
    page: Page = windows(own.link)
    expect(page.locator("#operator")).to_be_visible()
    own.kill()
    expect(page.locator("#banner-lost")).to_be_visible()
    page.keyboard.type(sheet.visit_id)
    page.keyboard.press("Enter")
    expect(page.locator("#entry-said .wrong")).to_contain_text("都還在")
    own.start()
    # Nobody scans it a second time.
    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    expect(page.locator("#dispense")).to_be_enabled()
    own.kill()
    page.keyboard.press("F9")
    expect(page.locator("#banner-lost")).to_be_visible()
    shoot(page, "program-lost")
    own.start()
    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()

    assert page.locator("#banner-lost").count() == 0
    assert sum(1 for record in sim.ledger.records().values() if record) >= 1


def test_the_program_is_killed_while_the_card_is_asked(
    own: Any, windows: Any, sim: Simulator, tools: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """Killed between the number and the record: the number is not lost, and no second one is taken."""
    sheet = tools.make_sheet(sim)
    own.know(sheet)
    page: Page = windows(own.link)
    expect(page.locator(".counter")).to_be_visible()
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    before = len(sim.ledger.issued())
    sim.fail("/api/v1/Prescription/Write", "hang", seconds=30)
    page.keyboard.press("F9")
    tools.wait_for(lambda: len(sim.ledger.issued()) > before, "the visit number")
    tools.wait_for(lambda: not sim.faults.waiting(), "the writing of the orders")
    own.kill()
    expect(page.locator("#banner-lost")).to_be_visible()
    own.start()
    page.locator("#to-todo").click()
    expect(page.locator('#stopped [data-act="resume"]')).to_be_visible()
    shoot(page, "interrupted")
    page.locator('#stopped [data-act="resume"]').click()
    page.locator("#again-yes").click()
    expect(page.locator('#stopped [data-act="resume"]')).to_have_count(0)
    page.keyboard.press("F6")
    expect(page.locator('#records .item[data-state="accepted"]')).to_have_count(1)

    assert len(sim.ledger.issued()) == before + 1


def test_the_page_is_locked_and_opened_by_pin(
    own: Any, windows: Any, sim: Simulator, tools: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """A person signs in, leaves, and comes back to the same sheet; a wrong PIN stays outside."""
    sheet = tools.make_sheet(sim)
    own.know(sheet)
    page: Page = windows(own.link)
    page.locator("#operator").click()
    page.locator("#new-name").fill("林藥師")
    page.locator("#new-pin").fill("246810")
    page.locator("#new-pin-2").fill("246810")
    page.keyboard.press("Enter")
    expect(page.locator("#operator")).to_contain_text("林藥師")
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F10")
    expect(page.locator("#sign-in")).to_be_visible()
    shoot(page, "locked")
    assert sheet.visit_id not in page.locator("body").inner_text()
    page.locator("#pin").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in .wrong")).not_to_be_empty()
    tools.wait_for(lambda: page.locator("#pin").input_value() == "", "an empty field")
    page.locator("#pin").fill("246810")
    page.keyboard.press("Enter")

    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    expect(page.locator("#dispense")).to_be_enabled()


def test_a_link_opens_one_window(windows: Any, own: Any, shoot: Any) -> None:
    """The one-time link leaves the address, and does nothing for a second browser."""
    first: Page = windows(own.link)
    expect(first.locator("#tab-today")).to_be_visible()  # the link is used up with the session, which comes after the field
    assert "token" not in first.url
    second: Page = windows(own.link)
    expect(second.locator(".gate")).to_contain_text("請重新開啟")
    shoot(second, "no-session")


def test_a_card_that_is_pulled_is_seen_at_once(
    made: Path, tmp_path: Path, windows: Any, sim: Simulator, tools: Any, smart_cards: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """A real smart card service with a virtual reader: the page follows the card in and out without being asked."""
    service, slot = smart_cards
    own = tools.Counter(tmp_path / "counter", sim, PCSCLITE_CSOCK_NAME=str(service.socket_name))
    own.start()
    try:
        sheet = tools.make_sheet(sim)
        own.know(sheet)
        slot.insert("nul-padded")
        page: Page = windows(own.link)
        expect(page.locator(".lights")).to_contain_text("卡片已插入")
        scan_by_typing(page, sheet)
        expect(page.locator("#card-state.ok")).to_be_visible()
        slot.pull()
        sim.remove_card()
        expect(page.locator("#card-state")).to_contain_text("請插入健保卡")
        shoot(page, "card-pulled")
        page.keyboard.press("F9")
        expect(page.locator('.finding[data-code="card-absent"]')).to_be_visible()
        slot.insert("nul-padded")
        sim.insert_card(PEOPLE[0])
        expect(page.locator("#card-state.ok")).to_be_visible()
        page.keyboard.press("F9")
        expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
    finally:
        own.kill()
