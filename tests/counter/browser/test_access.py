"""For everybody: axe on every state in light and dark, large type, a small screen, English."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from nhirx.sim import Simulator


def open_sheet(page: Page, sheet: Any, scan: Any) -> None:
    scan(page, sheet)
    expect(page.locator("#dispense")).to_be_enabled()


def test_axe_finds_nothing_serious(
    windows: Any,
    counter: Any,
    signed_in: Any,
    sim: Simulator,
    sheet: Any,
    tools: Any,
    scan_by_typing: Any,
    shoot: Any,
    look: Any,
) -> None:
    """State after state, dialogs open, in the dark and in the light; what other tests take a picture of is looked at there."""
    page: Page = windows(counter.url, signed_in, color_scheme="dark")
    expect(page.locator(".said.warn")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    shoot(page, "welcome-dark")
    found = {}

    def dialog(name: str) -> None:
        expect(page.locator(f'dialog[data-name="{name}"]')).to_be_visible()
        found[name] = look(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)

    page.keyboard.press("F1")
    dialog("keys")
    page.locator("#operator").click()
    dialog("person")
    page.locator("#no-id").click()
    dialog("no-id")
    open_sheet(page, sheet, scan_by_typing)
    page.keyboard.press("F8")
    expect(page.locator("#record table").first).to_be_visible()
    for one in page.locator("#record details > summary").all():
        one.click()
    shoot(page, "sheet-dark", whole=True)
    page.keyboard.press("Escape")
    dialog("confirm")
    page.locator("#virtual").click()
    dialog("virtual")
    page.keyboard.press("F4")
    expect(page.locator("#rx-form")).to_be_visible()
    found["form"] = look(page)
    page.locator("#use-rx").click()
    expect(page.locator("#dispense")).to_be_enabled()
    page.keyboard.press("F9")
    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
    shoot(page, "done-dark")
    page.keyboard.press("F6")
    expect(page.locator("#records .item").first).to_be_visible()
    found["records"] = look(page)
    page.locator("#records .item").first.click()
    expect(page.locator("#reveal")).to_be_visible()
    for one in page.locator("#record-box details > summary").all():
        one.click()
    expect(page.locator("#record-box .xml")).to_contain_text("RECS")
    shoot(page, "record-dark")
    page.locator("#reveal").click()
    page.locator("#ask-field").fill("test")
    page.keyboard.press("Enter")
    expect(page.locator('dialog[data-name="reveal"]')).to_be_visible()
    found["reveal"] = look(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("F7")
    expect(page.locator("#held")).to_be_visible()
    found["todo"] = look(page)

    assert {name: {} for name in found} == found


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


def test_nothing_is_told_by_colour_or_pitch_alone(page: Page, sheet: Any, scan_by_typing: Any, repository: Any) -> None:
    """Kinds of codes differ in their lines, findings in their shape, and what is taken sounds another melody than what is not."""
    shapes = page.evaluate("""async () => {
        const { icon } = await import("/static/js/core/dom.js");
        const { Overlay } = await import("/static/js/scan/overlay.js");
        const overlay = new Overlay();
        document.querySelector(".finder").append(overlay.svg);
        const polygon = [[0, 0], [200, 0], [200, 90], [0, 90]];
        const kinds = ["visit-id", "prescription-qr", "virtual-card", "placeholder", "other"];
        const line = (taken) => [...overlay.svg.querySelectorAll(".code")].map((one) => {
            const style = getComputedStyle(one);
            return [style.strokeDasharray, style.strokeWidth, taken].join();
        })[0];
        const lines = kinds.map((kind) => (overlay.show([{ kind, polygon }], 1280, 720, false), line(false)));
        overlay.show([{ kind: "visit-id", polygon }], 1280, 720, true);
        const ticks = overlay.svg.querySelectorAll(".tick").length;
        lines.push(line(true));
        overlay.svg.remove();
        return { lines, ticks, icons: ["ok", "info", "warn", "block"].map((name) => icon(name).innerHTML) };
    }""")
    page.evaluate("""() => {
        window.heard = [];
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (when) {
            window.heard.push([this.type, this.frequency.value]);
            return start.call(this, when);
        };
    }""")
    scan_by_typing(page, sheet)
    taken = page.evaluate("window.heard.splice(0)")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("#work-title")).to_have_count(0)
    page.locator("#file").set_input_files(str(repository / "samples" / "rendered" / "conflict.jpg"))
    expect(page.locator(".said.block")).to_be_visible()
    refused = page.evaluate("window.heard.splice(0)")

    assert len(set(shapes["lines"])) == 6, shapes["lines"]
    assert (1, 4) == (shapes["ticks"], len(set(shapes["icons"])))
    assert taken
    assert refused
    assert taken[0][1] < taken[-1][1], "upwards"
    assert refused[0][1] > refused[-1][1], "downwards"
    assert {kind for kind, _ in taken}.isdisjoint({kind for kind, _ in refused})
