"""The field that is always ready, and files: what a scanner types, what a hand types, what is dropped."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from samples import clip

_SHIFTED = str.maketrans("1234567890", "!@#$%^&*()")
# Which sound stands on which key of the Bopomofo keyboard.
_SOUNDS = dict(
    zip(
        "1qaz2wsxedcrfv5tgbyhnujm8ik9ol0p7634",
        "ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒㄓㄔㄕㄖㄗㄘㄙㄧㄨㄩㄚㄛㄜㄞㄟㄠㄢㄣ˙ˊˇˋ",
        strict=True,
    )
)
_GIVE = """([way, files]) => {
  const given = new DataTransfer();
  for (const [name, type, data] of files) given.items.add(new File([Uint8Array.from(atob(data), (one) => one.charCodeAt(0))], name, { type }));
  const more = { bubbles: true, cancelable: true };
  const target = document.querySelector(".right");
  if (way === "paste") target.dispatchEvent(new ClipboardEvent("paste", { ...more, clipboardData: given }));
  else for (const kind of ["dragover", "drop"]) target.dispatchEvent(new DragEvent(kind, { ...more, dataTransfer: given }));
}"""


def photo(tools: Any, sheet: Any) -> Image.Image:
    """The sheet as a camera sees it."""
    frame = clip.clip(4, before=0, entering=0, held=1, leaving=0, after=0, shown=tools.printed(sheet)).images[0]
    return Image.fromarray(frame[:, :, ::-1])


def as_file(picture: Image.Image, kind: str = "JPEG") -> list[str]:
    """Name, type and content for ``_GIVE``."""
    held = io.BytesIO()
    picture.save(held, kind)
    names = {"JPEG": ["photo.jpg", "image/jpeg"], "PDF": ["scan.pdf", "application/pdf"]}
    return [*names[kind], base64.b64encode(held.getvalue()).decode()]


def put_away(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.locator('dialog[data-name="confirm"]')).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#work-title")).to_have_count(0)


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


def test_what_is_wrong_with_the_scanner_is_said_though_its_text_was_taken(page: Page, sheet: Any, shoot: Any) -> None:
    """Put right and taken, and the remedy stays below the field until the next scan: capitals, layout, the missing Enter."""
    wrong = [
        (sheet.visit_id.lower(), True, "大寫鎖定"),
        (sheet.visit_id.translate(_SHIFTED), True, "鍵盤配置"),
        (sheet.visit_id, False, "沒有 Enter"),
    ]
    for typed, enter, words in wrong:
        page.keyboard.type(typed)
        if enter:
            page.keyboard.press("Enter")
        expect(page.locator(".id")).to_have_text(sheet.visit_id)
        expect(page.locator("#entry-said")).to_contain_text(words)
        put_away(page)
    shoot(page, "scanner-trouble")
    page.keyboard.type(sheet.visit_id)
    page.keyboard.press("Enter")
    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    expect(page.locator("#entry-said")).to_have_text("")


def test_a_closed_question_swallows_no_key_of_a_scanner(page: Page, sheet: Any, scan_by_typing: Any) -> None:
    """The sheet may be drawn anew behind a question, and what had the focus before is gone: the closed question must not keep it."""
    scan_by_typing(page, sheet)
    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    for dismissed in (True, False):
        page.evaluate("""() => {
          const held = Object.assign(document.createElement("p"), { id: "held", tabIndex: -1 });
          document.querySelector("main").append(held);
          held.focus();
        }""")
        page.keyboard.press("Escape")
        expect(page.locator('dialog[data-name="confirm"]')).to_be_visible()
        # All within one task of the browser: the event that ends the question comes after it, as under load.
        focused, target = page.evaluate(
            """(dismissed) => {
              document.getElementById("held").remove();
              const box = document.querySelector("dialog");
              if (dismissed) box.close(); else box.querySelector("[autofocus]").click();
              const target = document.activeElement;
              target.dispatchEvent(new KeyboardEvent("keydown", { key: "0", code: "Digit0", bubbles: true }));
              return [document.activeElement.id, target.localName];
            }""",
            dismissed,
        )
        assert focused == "entry"
        assert dismissed or target == "body"


def test_an_input_method_between_scanner_and_field_loses_nothing(page: Page, sheet: Any) -> None:
    """Bopomofo makes syllables of the keys and words of those, and eats the Enter: the keys themselves are taken, and the page says why."""
    keyboard = page.context.new_cdp_session(page)

    def key(code: str) -> None:
        press = {"type": "rawKeyDown", "key": "Process", "code": code, "windowsVirtualKeyCode": 229, "nativeVirtualKeyCode": 229}
        keyboard.send("Input.dispatchKeyEvent", press)

    # The first key comes while nothing has the focus, so no input method is there yet.
    page.keyboard.press(sheet.visit_id[0])
    syllable = ""
    for letter in sheet.visit_id[1:]:
        key(f"Digit{letter}" if letter.isdigit() else f"Key{letter}")
        syllable += _SOUNDS[letter.lower()]
        if len(syllable) == 3:
            keyboard.send("Input.insertText", {"text": "你"})
            syllable = ""
        else:
            keyboard.send(
                "Input.imeSetComposition", {"text": syllable, "selectionStart": len(syllable), "selectionEnd": len(syllable)}
            )
    key("Enter")
    keyboard.send("Input.insertText", {"text": syllable})

    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    expect(page.locator("#entry-said")).to_contain_text("輸入法")


def test_a_code_that_lost_its_chinese_stays_with_the_remedy(page: Page) -> None:
    """Question marks in place of a name: said before anything is done with it; sent a second time it is taken as it came."""
    code = "3502 0604-27;????;a123456789;1151122;AX90001100;7"
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    expect(page.locator("#entry-said")).to_contain_text("遺失了中文字")
    assert page.locator("#work-title").count() == 0
    with page.expect_request(lambda asked: asked.url.endswith("/prescriptions/find")) as asked:
        page.keyboard.press("Enter")

    assert {"text": code} == asked.value.post_data_json


def test_a_wrong_id_stays_in_the_field_with_its_reason(page: Page) -> None:
    """Nothing is taken that is no visit ID."""
    page.locator("#entry").fill("12345")
    page.keyboard.press("Enter")
    expect(page.locator("#entry-said .wrong").first).to_be_visible()

    assert page.locator("#work-title").count() == 0


def test_a_picture_or_a_pdf_is_read_and_shown(page: Page, sheet: Any, tools: Any) -> None:
    """Dropped anywhere, pasted or chosen: read, shown with its codes framed, its prescription found."""
    picture = photo(tools, sheet)
    for way, kind in [("drop", "JPEG"), ("paste", "JPEG"), ("drop", "PDF"), ("paste", "PDF"), ("choose", "JPEG")]:
        name, mime, data = as_file(picture, kind)
        if way == "choose":
            page.locator("#file").set_input_files({"name": name, "mimeType": mime, "buffer": base64.b64decode(data)})
        else:
            page.evaluate(_GIVE, [way, [[name, mime, data]]])
        expect(page.locator(".id")).to_have_text(sheet.visit_id)
        expect(page.locator(".code.taken").first).to_be_visible()
        put_away(page)


def test_of_several_files_a_person_chooses(page: Page, sheet: Any, tools: Any, counter: Any, sim: Any) -> None:
    """Two photographs dropped at once: neither is thrown away without a word."""
    other = tools.make_sheet(sim)
    counter.know(other)
    page.evaluate(_GIVE, ["drop", [as_file(photo(tools, sheet)), as_file(photo(tools, other))]])
    choices = page.locator('dialog[data-name="pages"] .item')
    expect(choices).to_have_count(2)
    choices.nth(1).click()

    expect(page.locator(".id")).to_have_text(other.visit_id)


def test_a_second_sheet_never_takes_the_place_of_the_one_at_hand_by_itself(
    page: Page, sheet: Any, tools: Any, scan_by_typing: Any
) -> None:
    """A picture dropped while a sheet is worked on: asked first, and after a no everything is as it was."""
    scan_by_typing(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()
    before = page.locator(".said").inner_text()
    page.evaluate(_GIVE, ["drop", [as_file(photo(tools, sheet))]])
    expect(page.locator('dialog[data-name="confirm"]')).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator('dialog[data-name="confirm"]')).to_have_count(0)

    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    assert (before, True) == (page.locator(".said").inner_text(), page.locator("canvas").is_hidden())


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


def test_what_is_scanned_while_the_program_starts_is_taken(windows: Any, counter: Any, signed_in: Any, sheet: Any) -> None:
    """The field stands there before the program has said who is at the page; what it is asked meanwhile waits, and is not lost."""
    page = windows("about:blank", signed_in)
    held: list[Any] = []
    page.route("**/api/v1/session", lambda route: held.append(route))
    page.goto(counter.url)
    expect(page.locator("#entry")).to_be_visible()
    page.keyboard.type(sheet.visit_id)
    page.keyboard.press("Enter")
    expect(page.locator("#entry")).not_to_have_value("")
    before = page.locator(".id").count()
    [route] = held
    route.continue_()

    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    assert 0 == before
