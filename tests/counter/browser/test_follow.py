"""After the card: lists, search, print, and a rejected record that is put right."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from playwright.sync_api import Page, expect

from nhirx.sim import PEOPLE, Simulator


def test_a_rejected_record_is_corrected_and_accepted(
    page: Page, sim: Simulator, counter: Any, tools: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """The NHI refuses a record: the page names field, cause and remedy; the corrected record is accepted."""
    # The card held an old birth date, which the NHI has corrected since: only there can it be seen.
    page.keyboard.press("F6")
    page.locator("#pause").click()
    expect(page.locator("#banner-paused")).to_be_visible()
    old = sim.insert_card(PEOPLE[0], birth_date=date(1961, 12, 30))
    shown = tools.make_sheet(sim, old)
    counter.know(shown)
    page.keyboard.press("Escape")
    scan_by_typing(page, shown)
    expect(page.locator("#card-state.ok")).to_be_visible()
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_have_attribute("data-state", "built")
    sim.insert_card(PEOPLE[0])
    page.keyboard.press("F6")
    page.locator("#pause").click()
    page.keyboard.press("Escape")
    expect(page.locator('#done[data-state="rejected"]')).to_be_visible()
    expect(page.locator("#why-rejected .finding").first).to_contain_text("怎麼改")
    shoot(page, "rejected-done")
    page.locator("#see-why").click()
    expect(page.locator("#errors .finding").first).to_contain_text("怎麼改")
    expect(page.locator("#send-correction")).to_be_visible()
    page.locator("#fix-M04").fill("0501231")
    shoot(page, "rejected")
    # Any other field can be set, too.
    page.locator("#fix-other").select_option(label="M05 醫事機構代號")
    expect(page.locator("#fix-M05")).to_be_focused()
    page.locator("#send-correction").click()
    expect(page.locator("#record-box .tag.ok").first).to_contain_text("已接受")
    page.keyboard.press("Escape")
    expect(page.locator("#done")).to_have_attribute("data-state", "accepted")


def test_the_days_list_is_searched_without_a_whole_id(
    page: Page, sheet: Any, scan_by_typing: Any, shoot: Any, windows: Any
) -> None:
    """The last four characters find a record; a whole ID that somebody types never leaves the page."""
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")
    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
    page.keyboard.press("F6")
    expect(page.locator("#records .item").first).to_be_visible()
    page.locator("#q").fill(sheet.person.national_id)
    expect(page.locator("#records .item").first).to_contain_text(sheet.person.national_id[:3] + "***")
    shoot(page, "records")
    page.locator("#q").fill("ZZZZ")
    expect(page.locator("#records .empty")).to_be_visible()

    assert not [address for address in windows.asked if sheet.person.national_id in address or sheet.visit_id in address]


def test_the_day_is_printed_masked(page: Page, sheet: Any, scan_by_typing: Any, counter: Any) -> None:
    """The printable list of the day that is shown opens in a page of its own and shows no whole ID."""
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    page.keyboard.press("F6")
    page.context.add_init_script("window.print = () => document.body.dataset.printed = 'yes'")
    with page.context.expect_page() as opened:
        page.locator("#print").click()
    expect(opened.value.locator("body[data-printed=yes]")).to_be_attached()
    text = opened.value.locator("body").inner_text()

    assert sheet.person.national_id not in text
    assert sheet.person.national_id[:3] + "*" in text
    page.locator("#day").fill("2026-11-01")
    expect(page.locator("#print")).to_have_attribute("href", re.compile("day=2026-11-01"))
    assert "2026-11-01" in page.request.get(f"{counter.url}{page.locator('#print').get_attribute('href')}").text()
