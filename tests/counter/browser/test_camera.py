"""The eye: a camera that works, one that does not, what it says of the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, expect

from nhirx.sim import Simulator


def test_a_sheet_held_before_the_camera_becomes_an_accepted_record(
    windows: Any, counter: Any, signed_in: Any, sheet: Any, camera: Any, tools: Any, sim: Simulator, shoot: Any
) -> None:
    """Scan, decide, send: one key from the picture to the NHI's word, and the page shows each step."""
    tools.film(camera, sheet)
    page: Page = windows(counter.url, signed_in, camera=True)

    expect(page.locator("#work-title")).to_be_visible()
    expect(page.locator(".id")).to_have_text(sheet.visit_id)
    expect(page.locator(".said.ok .pip.on")).to_have_count(3)
    expect(page.locator('.code.taken[data-kind="visit-id"]').first).to_be_visible()
    expect(page.locator("#card-state.ok")).to_be_visible()
    expect(page.locator("#dispense")).to_be_enabled()
    shoot(page, "decide")
    page.keyboard.press("F9")
    expect(page.locator('#done[data-state="accepted"]')).to_be_visible()
    shoot(page, "accepted")

    assert {"accepted"} == {event["state"] for event in sim.ledger.records().values() if sheet.visit_id in str(event)}
    # The same sheet is still before the camera: it is not taken a second time.
    expect(page.locator(".said")).to_contain_text("剛才處理過")
    expect(page.locator('.code.taken[data-kind="visit-id"]').first).to_be_visible()
    shoot(page, "scan")


def test_the_eye_shows_what_it_sees_before_it_takes_anything(
    windows: Any, counter: Any, signed_in: Any, camera: Any, tools: Any, repository: Any, shoot: Any
) -> None:
    """Two sheets at once: every code has a frame, nothing is taken, and the page says what to do."""
    tools.film_of_picture(camera, repository / "samples" / "rendered" / "two-sheets.jpg")
    page: Page = windows(counter.url, signed_in, camera=True)

    expect(page.locator(".said")).to_contain_text("兩張處方箋")
    expect(page.locator('.code.visit-id[data-taken="false"]').first).to_be_visible()
    shoot(page, "two-sheets")

    assert page.locator("#work-title").count() == 0


def test_advice_comes_when_nothing_reads(windows: Any, counter: Any, signed_in: Any, camera: Any, tools: Any, shoot: Any) -> None:
    """An empty desk: after two seconds the page says what helps instead of waiting."""
    tools.film_of_desk(camera)
    page: Page = windows(counter.url, signed_in, camera=True)

    expect(page.locator(".said.warn")).to_be_visible()
    shoot(page, "nothing-reads")

    assert "輸入" in page.locator(".said").inner_text() or page.locator(".said .small").inner_text() != ""


def test_a_camera_that_is_refused_leaves_every_other_way_open(page: Page, shoot: Any) -> None:
    """The browser forbids the camera: the page says where to allow it and what works without."""
    expect(page.locator(".said")).to_contain_text("不允許使用相機")
    shoot(page, "camera-refused")

    expect(page.locator("#entry")).to_be_enabled()


def test_without_a_camera_in_the_browser_the_programs_camera_reads(
    playwright: Playwright, windows: Any, tmp_path: Path, sim: Simulator, tools: Any, shoot: Any
) -> None:
    """A browser that has no camera at all names the other ways, and one of them is a camera that the program opens."""
    sheet = tools.make_sheet(sim)
    film = tmp_path / "film.mjpeg"
    tools.film(film, sheet)
    own = tools.Counter(tmp_path / "counter", sim, camera=film)
    own.know(sheet)
    own.start()
    bare: Browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
    try:
        page = windows(own.link, browser=bare)
        expect(page.locator(".said")).to_contain_text("找不到相機")
        shoot(page, "no-camera")
        page.locator("#note-server").click()
        expect(page.locator(".id")).to_have_text(sheet.visit_id)
        expect(page.locator('.code.taken[data-kind="visit-id"]').first).to_be_visible()
        shoot(page, "server-camera")
    finally:
        windows.contexts.pop().close()
        bare.close()
        own.kill()


def test_the_light_goes_out_on_glare(windows: Any, counter: Any, signed_in: Any, camera: Any, tools: Any) -> None:
    """A camera with a light: glare turns it off, and the page says so. The device's abilities are stood in for."""
    tools.film_of_desk(camera)
    page: Page = windows(f"{counter.url}/openapi.json", signed_in, camera=True)
    page.add_init_script(
        """
        MediaStreamTrack.prototype.getCapabilities = () => ({ torch: true, zoom: { min: 1, max: 4, step: 0.5 } });
        window.asked = [];
        MediaStreamTrack.prototype.applyConstraints = async (wish) => { window.asked.push(wish.advanced[0]); };
        const real = WebSocket.prototype.__lookupSetter__("onmessage");
        Object.defineProperty(WebSocket.prototype, "onmessage", { set(act) {
          real.call(this, (message) => {
            if (!window.glare || typeof message.data !== "string") return act(message);
            const answer = JSON.parse(message.data);
            if (!answer.scan) return act(message);
            answer.scan = { ...answer.scan, status: "unreadable", reasons: ["glare"], reason: "glare" };
            return act({ data: JSON.stringify(answer) });
          });
        } });
        """
    )
    page.goto(counter.url)
    page.locator("#tool-torch").click()
    expect(page.locator("#tool-torch")).to_have_attribute("aria-pressed", "true")
    page.evaluate("window.glare = true")
    expect(page.locator("#tool-torch")).to_have_attribute("aria-pressed", "false")
    page.locator(".tools input[type=range]").fill("2")

    assert [{"torch": True}, {"torch": False}, {"zoom": 2}] == page.evaluate("window.asked")
