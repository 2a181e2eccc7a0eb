"""The field that is always ready, and files: what a scanner types, what a hand types, what is dropped."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect


def test_a_scanner_needs_no_click(page: Page, sheet: Any, scan_by_typing: Any) -> None:
    """Characters that come while nothing has the focus go to the field, and Enter takes them."""
    scan_by_typing(page, sheet)

    expect(page.locator(".id")).to_have_text(sheet.visit_id)


def test_a_scanner_without_enter_is_understood(page: Page, sheet: Any) -> None:
    """Twenty characters in a burst and no Enter: taken all the same."""
    page.keyboard.type(sheet.visit_id)

    expect(page.locator(".id")).to_have_text(sheet.visit_id)


def test_letters_that_no_id_has_are_repaired_before_the_eyes(page: Page, sheet: Any, shoot: Any) -> None:
    """O becomes 0 in its place, marked, and the person takes it with Enter."""
    page.locator("#entry").press_sequentially(sheet.visit_id.replace("0", "o"), delay=45)
    expect(page.locator(".cell.repaired").first).to_have_text("0")
    expect(page.locator("#entry-said")).to_contain_text("O")
    shoot(page, "typing")
    page.keyboard.press("Enter")

    expect(page.locator(".id")).to_have_text(sheet.visit_id)


def test_what_is_pasted_is_cleaned(page: Page, sheet: Any) -> None:
    """Groups, hyphens and full-width characters of a pasted ID do not matter."""
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in sheet.visit_id[:4]) + "-" + sheet.visit_id[4:].lower()
    page.locator("#entry").focus()
    page.evaluate("text => document.execCommand('insertText', false, text)", wide)
    page.keyboard.press("Enter")

    expect(page.locator(".id")).to_have_text(sheet.visit_id)


def test_a_wrong_id_stays_in_the_field_with_its_reason(page: Page) -> None:
    """Nothing is taken that is no visit ID."""
    page.locator("#entry").fill("12345")
    page.keyboard.press("Enter")
    expect(page.locator("#entry-said .wrong").first).to_be_visible()

    assert page.locator("#work-title").count() == 0


def test_a_picture_is_read_and_shown(page: Page, counter: Any, sheet: Any, camera: Any, tools: Any, made: Any) -> None:
    """A photograph chosen as a file: read, shown with its codes framed, its prescription found."""
    import cv2

    from samples import clip

    picture = made / "photo.jpg"
    cv2.imwrite(
        str(picture), clip.clip(4, before=0, entering=0, held=1, leaving=0, after=0, shown=tools.printed(sheet)).images[0]
    )
    page.locator("#file").set_input_files(str(picture))
    expect(page.locator(".id")).to_have_text(sheet.visit_id)

    expect(page.locator(".code.taken").first).to_be_visible()


def test_of_two_sheets_in_one_picture_a_person_chooses(page: Page, repository: Any, shoot: Any) -> None:
    """The page never guesses which of two sheets is meant."""
    page.locator("#file").set_input_files(str(repository / "samples" / "rendered" / "two-sheets.jpg"))
    choices = page.locator('dialog[data-name="several"] .item')
    expect(choices).to_have_count(2)
    shoot(page, "choose-sheet")
    choices.nth(1).click()

    expect(page.locator("#work-title")).to_be_visible()


def test_of_several_pages_a_person_chooses(page: Page, repository: Any) -> None:
    """A TIFF of two pages asks which one is meant."""
    page.locator("#file").set_input_files(str(repository / "samples" / "rendered" / "two-pages.tiff"))
    expect(page.locator('dialog[data-name="pages"] .item')).to_have_count(2)
    page.keyboard.press("Escape")

    assert page.locator("#work-title").count() == 0


def test_printed_forms_that_disagree_are_never_taken(page: Page, repository: Any, shoot: Any) -> None:
    """A conflict stops, and says why."""
    page.locator("#file").set_input_files(str(repository / "samples" / "rendered" / "conflict.jpg"))
    expect(page.locator(".said.block")).to_contain_text("不一致")
    shoot(page, "conflict")

    assert page.locator("#work-title").count() == 0
