"""From the sheet to the record: the form, the card, the ways out, each with the real program and the sandbox."""

from __future__ import annotations

import io
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from nhirx.roc import TAIPEI
from nhirx.sim import PEOPLE, Simulator


def test_the_keyboard_alone_goes_the_whole_way(
    windows: Any, counter: Any, signed_in: Any, sim: Simulator, tools: Any, shoot: Any
) -> None:
    """A sheet that no plugin knows, typed in with Tab and Enter, dispensed with F9: no pointer is ever used."""
    page: Page = windows(counter.url, signed_in)
    expect(page.locator(".counter")).to_be_visible()
    unknown = tools.make_sheet(sim)
    page.keyboard.press("F2")
    page.keyboard.type(unknown.visit_id)
    page.keyboard.press("Enter")
    expect(page.locator("#rx-form")).to_be_visible()
    # The day of the visit stands inside the visit ID and is proposed.
    expect(page.locator("#rx-visited_at")).not_to_have_value("")

    def fill(name: str, text: str) -> None:
        for _ in range(60):
            if page.evaluate("document.activeElement.id || document.activeElement.dataset.keep || ''") == name:
                break
            page.keyboard.press("Tab")
        else:
            raise AssertionError(f"Tab does not come to {name}")
        page.keyboard.type(text)

    fill("from-card", "")
    page.keyboard.press("Enter")
    expect(page.locator("#rx-national_id")).to_have_value("A123456789")
    fill("rx-institution", tools.PRESCRIBER)
    fill("rx-visit_serial", "0007")
    fill("rx-days", "7")
    for name, text in [("code", "AX90001100"), ("usage", "QD"), ("route", "PO"), ("days", "7"), ("total", "7")]:
        fill(f"line-0-{name}", text)
    fill("rx-diagnoses", "I10")
    fill("rx-fee", "360")
    shoot(page, "form", whole=True)
    fill("use-rx", "")
    page.keyboard.press("Enter")
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F8")
    fill("why-M16", "")
    expect(page.locator("#record .why").first).to_contain_text("M16")
    shoot(page, "record", whole=True)
    page.keyboard.press("F9")

    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()


def test_every_field_tells_its_rule_and_the_xml_is_there_on_demand(
    page: Page, sim: Simulator, sheet: Any, scan_by_typing: Any, windows: Any
) -> None:
    """By pointing and by Tab, of the visit and of the lines; the XML masked before, and in full only when somebody opens it."""
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F8")
    whole = page.locator("#record table").first
    why = page.locator("#record .why").first
    whole.locator("tr", has=page.locator("button", has_text="M17")).hover()
    expect(why).to_contain_text("M17")
    expect(why).to_contain_text("依據")
    page.locator("[data-keep=record-summary]").focus()
    page.keyboard.press("Tab")
    expect(why).to_contain_text("H00")
    expect(why).to_contain_text("依據")
    page.locator("[data-keep=record-lines-summary]").press("Enter")
    expect(page.locator("[data-keep=record-lines] tbody")).to_contain_text("AX90005100")
    page.locator("[data-keep=record-xml-summary]").press("Enter")
    expect(page.locator("#record .xml")).to_contain_text("<D06>AX90005100</D06>")
    # News of the card draws the sheet anew; what was unfolded stays so.
    sim.remove_card()
    expect(page.locator("#card-state")).to_contain_text("請插入")
    expect(page.locator("#record .xml")).to_be_visible()
    text = page.locator("#record .xml").text_content() or ""
    assert sheet.person.national_id not in text
    assert sheet.visit_id not in text
    assert not [address for address in windows.asked if address.endswith("/xml")]
    sim.insert_card(PEOPLE[0])
    page.keyboard.press("F9")
    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
    page.locator("#done details > summary").click()
    expect(page.locator("#done .xml")).to_contain_text(sheet.visit_id)

    assert 1 == len([address for address in windows.asked if address.endswith("/xml")])


def test_another_persons_card_stops(page: Page, sim: Simulator, sheet: Any, scan_by_typing: Any, shoot: Any) -> None:
    """The card in the reader belongs to somebody else: the page stops before anything is taken from it."""
    sim.insert_card(PEOPLE[1])
    issued = len(sim.ledger.issued())
    scan_by_typing(page, sheet)
    expect(page.locator("#card-state.block")).to_contain_text("別人")
    expect(page.locator("#findings")).to_have_count(0)  # nothing says that all is well
    expect(page.locator("#dispense")).to_be_disabled()
    shoot(page, "wrong-card")

    assert len(sim.ledger.issued()) == issued


def test_an_id_of_another_person_goes_on_only_with_a_persons_word(
    page: Page, sim: Simulator, counter: Any, tools: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """Card and prescription agree, the person inside the visit ID does not: stopped until the papers were compared."""
    other = PEOPLE[1]
    mixed = tools.make_sheet(sim, PEOPLE[0])
    mixed.prescription["patient"] = {"national_id": other.national_id, "birth_date": other.birthday}
    counter.know(mixed)
    sim.insert_card(other)
    scan_by_typing(page, mixed)
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")
    expect(page.locator('.finding[data-code="wrong-card"]')).to_be_visible()
    shoot(page, "another-id")
    page.locator("#compared").click()

    expect(page.locator("#done")).to_be_visible()


def test_a_virtual_card_takes_the_place_of_the_card(
    page: Page, sim: Simulator, sheet: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """No card in the reader: the code on the patient's phone is scanned, used once, and shown nowhere."""
    sim.remove_card()
    token = sim.virtual_card_token()
    scan_by_typing(page, sheet)
    expect(page.locator("#virtual")).to_be_enabled()
    page.locator("#virtual").click()
    page.keyboard.type(token)
    page.keyboard.press("Enter")
    expect(page.locator("#card-state")).to_contain_text("虛擬健保卡")
    shoot(page, "virtual-card")
    page.keyboard.press("F9")
    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()

    assert token not in page.content()


def test_an_owed_card_is_held_and_made_up(
    page: Page, sim: Simulator, sheet: Any, tools: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """No card: dispensed and held, nothing sent. The card comes: made up from the list, sent and accepted."""
    sim.remove_card()
    scan_by_typing(page, sheet)
    page.locator("#hold").click()
    expect(page.locator("#dispense")).to_contain_text("欠卡")
    page.keyboard.press("F9")
    expect(page.locator(".outcome.warn")).to_contain_text("等病人補卡")
    shoot(page, "held")
    # The record of a make-up must be younger than what it makes up, and the format counts in seconds.
    held = int(time.time())
    tools.wait_for(lambda: time.time() >= held + 2, "another second")
    sim.insert_card(PEOPLE[0])
    page.keyboard.press("F7")
    item = page.locator("#held .item").filter(has_text=sheet.person.national_id[:3]).last
    expect(item).to_be_visible()
    shoot(page, "todo")
    item.locator('[data-act="make-up"]').click()
    expect(page.locator("#dispense")).to_contain_text("補卡")
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")

    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()


def test_a_card_that_fails_asks_for_the_reason_that_fits(
    page: Page, sim: Simulator, sheet: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """The card's chip fails: the page lists only fitting reasons, with the share of abnormal records beside them."""
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    page.locator("#abnormal").click()
    expect(page.locator('dialog[data-name="abnormal"] .choice').first).to_be_visible()
    # The card works after all, so nothing is proposed: a person has to choose.
    expect(page.locator("#choose-serial")).to_be_disabled()
    page.locator('.choice:has-text("A000")').click()
    shoot(page, "abnormal")
    page.locator("#choose-serial").click()
    expect(page.locator("#dispense")).to_contain_text("異常")
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")

    expect(page.locator("#done")).to_be_visible()


def test_a_failure_of_the_card_lists_what_fits_it_and_nothing_else(
    page: Page, sim: Simulator, sheet: Any, scan_by_typing: Any, shoot: Any
) -> None:
    """The control software refuses the number with a code: only the serials of that failure are offered, the share beside them."""
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    sim.fail("/api/v1/SequelNumber/Next", "status-code", code=4050)
    page.keyboard.press("F9")
    choices = page.locator('dialog[data-name="abnormal"] .choice')
    expect(choices.first).to_contain_text("最符合")
    offered = choices.all_inner_texts()
    shoot(page, "abnormal-fitting")
    # The first that fits is proposed; the arrow and Enter are all it takes.
    expect(page.locator("#choose-serial")).to_be_enabled()
    page.locator("#choose-serial").press("Enter")
    expect(page.locator("#dispense")).to_contain_text("異常")
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")
    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()

    assert 0 < len(offered) < 6, offered
    assert all("最符合" in one for one in offered)
    expect(page.locator(".lights")).to_contain_text("異常")


def test_the_picture_that_is_kept_is_the_one_that_could_not_be_read(page: Page, tools: Any) -> None:
    """A photograph that nobody can read was opened as a file: declared illegible, it is this picture that is handed over."""
    held = io.BytesIO()
    Image.new("RGB", (640, 480), (20, 60, 200)).save(held, "JPEG")
    page.evaluate("""() => { const real = window.fetch; window.handed = []; window.fetch = (address, what) => {
        if (String(address).includes("/scans")) window.handed.push(what.body);
        return real(address, what);
    }; }""")
    page.locator("#file").set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": held.getvalue()})
    expect(page.locator(".said.warn")).to_contain_text("條碼")
    page.locator("#no-id").click()
    page.keyboard.press("Enter")
    expect(page.locator("#rx-form")).to_be_visible()
    tools.wait_for(lambda: page.evaluate("window.handed.length") == 2, "the file, and the picture that is kept")
    middle = page.evaluate("""async () => {
        const picture = await createImageBitmap(window.handed[1]);
        const canvas = new OffscreenCanvas(picture.width, picture.height);
        const brush = canvas.getContext("2d");
        brush.drawImage(picture, 0, 0);
        return [picture.width, picture.height, ...brush.getImageData(picture.width / 2, picture.height / 2, 1, 1).data];
    }""")

    assert (640, 480) == tuple(middle[:2])
    assert all(abs(value - 64) < 12 for value in middle[2:5]), "this blue in the grey that the scanner sees"


def test_an_illegible_sheet_is_a_declared_act(
    windows: Any, counter: Any, signed_in: Any, camera: Any, tools: Any, repository: Path, shoot: Any
) -> None:
    """Nobody can read the ID: a person says so with the cause; the picture of that moment is kept with the dispensing."""
    tools.film_of_picture(camera, repository / "samples" / "rendered" / "two-sheets.jpg")
    page: Page = windows(counter.url, signed_in, camera=True)
    expect(page.locator(".said.warn")).to_be_visible()
    page.locator("#no-id").click()
    page.locator("#no-id-cause").select_option("damaged")
    shoot(page, "no-id")
    page.keyboard.press("Enter")
    expect(page.locator("#rx-form")).to_be_visible()
    expect(page.locator(".sheet-head")).to_contain_text("無法辨識")
    page.locator("#from-card").click()
    expect(page.locator("#rx-national_id")).to_have_value("A123456789")
    yesterday = datetime.now(TAIPEI) - timedelta(days=1)
    typed = {"institution": tools.PRESCRIBER, "visited_at": f"{yesterday:%Y-%m-%d} 09:30", "visit_serial": "0007", "days": "7"}
    for name, text in (typed | {"diagnoses": "J069", "fee": "360"}).items():
        page.locator(f"#rx-{name}").fill(text)
    for name, text in {"code": "AX90001100", "usage": "QD", "route": "PO", "days": "7", "total": "7"}.items():
        page.locator(f'[data-keep="line-0-{name}"]').fill(text)
    page.locator("#use-rx").click()
    expect(page.locator("#dispense")).to_be_enabled()
    with page.expect_response(lambda answer: answer.url.endswith("/dispensings")) as answered:
        page.keyboard.press("F9")
    expect(page.locator("#done")).to_be_visible()
    number = answered.value.json()["dispensing"]["id"]
    declared = page.request.get(f"{counter.url}/api/v1/dispensings/{number}").json()["dispensing"]["illegible"]

    assert ("damaged", True) == (declared["cause"], declared["picture"])
    # Whoever is asked for it later finds cause and picture with the record.
    page.keyboard.press("F6")
    page.locator("#records .item").first.click()
    expect(page.locator("#declared")).to_contain_text("破損")
    page.locator("#kept").click()
    expect(page.locator("#declared img")).to_be_visible()
    tools.wait_for(lambda: page.locator("#declared img").evaluate("one => one.naturalWidth > 100"), "the picture")
    shoot(page, "declared")
