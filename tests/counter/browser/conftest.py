"""One counter, one sandbox and one browser for all tests of a worker; each test gets a window, a sheet and a film of its own."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from nhirx.sim import PEOPLE, Behaviour, Simulator


def _load(path: Path) -> ModuleType:
    """A module of the tests, which are no package."""
    known = f"counter_browser_{path.parent.name}_{path.stem}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[known] = module
        spec.loader.exec_module(module)
    return sys.modules[known]


shop = _load(Path(__file__).with_name("shop.py"))

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
README = {"scan": "counter-scan", "decide": "counter-decide", "rejected": "counter-rejected"}
"""Screenshots that stand in the README, and what they are called in ``docs/pictures``."""

expect.set_options(timeout=shop.PATIENCE * 1000)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("counter")


@pytest.fixture(scope="session")
def sim(made: Path) -> Iterator[Simulator]:
    with Simulator(made / "sim", behaviour=Behaviour(result_polls=0, auto_start=True)) as running:
        yield running


@pytest.fixture(scope="session")
def counter(made: Path, sim: Simulator) -> Iterator[Any]:
    running = shop.Counter(made / "counter", sim)
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="session")
def camera(made: Path) -> Path:
    """The film that the browser takes for its camera; a test writes its own before it opens the page. Without one it has no camera."""
    film = made / "camera.mjpeg"
    shop.film_of_desk(film)
    return film


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    assert Path(CHROMIUM).exists(), "chromium is missing: apt-get install -y --no-install-recommends chromium"
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright, camera: Path) -> Iterator[Browser]:
    film = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    running = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *film])
    yield running
    running.close()


@pytest.fixture(scope="session")
def signed_in(counter: Any, browser: Browser) -> Any:
    """The cookie that the one-time link gave; every window of the session starts with it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(counter.link)
    expect(page.locator("#operator")).to_be_visible()  # which a page without a session does not have
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(autouse=True)
def fresh_sandbox(sim: Simulator) -> Iterator[None]:
    """王小明's card is in the reader, and nothing fails by command."""
    sim.faults.clear()
    sim.insert_card(PEOPLE[0])
    yield
    sim.faults.clear()


@pytest.fixture
def sheet(sim: Simulator, counter: Any) -> Any:
    """A prescription that the pharmacy's plugin knows."""
    shown = shop.make_sheet(sim)
    counter.know(shown)
    return shown


@pytest.fixture
def smart_cards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """A smart card service of one's own and the first slot of its virtual reader, as the tests of the reader have them."""
    real = _load(Path(__file__).parents[2] / "real" / "conftest.py")
    service = real.Service(tmp_path_factory.mktemp("pcsc"))
    slot = real.Slot(service, 0)
    yield service, slot
    slot.pull()
    service.stop()


SERIOUS = {"serious", "critical"}
_IN_THEME = (
    "theme => { const root = document.documentElement; const was = root.dataset.theme; root.dataset.theme = theme; return was; }"
)


def barriers(page: Page) -> dict[str, list[str]]:
    """What axe finds serious or worse, by theme: rule and first place. In the theme that is not on, colours only: the rest is the same."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    page.emulate_media(reduced_motion="reduce")  # a colour on its way to another is neither
    was = page.evaluate(_IN_THEME, "dark")
    found = {}
    for theme, options in (("dark", {"runOnly": ["color-contrast"]}), ("light", {})):
        page.evaluate(_IN_THEME, theme)
        told = page.evaluate("options => axe.run(document, { resultTypes: ['violations'], ...options })", options)["violations"]
        bad = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in told if one["impact"] in SERIOUS]
        found |= {theme: bad} if bad else {}
    page.evaluate(_IN_THEME, was)
    return found


class Windows:
    """Opens windows and watches them: what they ask for, what they say on the console."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.contexts: list[BrowserContext] = []
        self.asked: list[str] = []
        self.said: list[str] = []

    def __call__(
        self, url: str, state: Any = None, *, browser: Browser | None = None, camera: bool = False, **options: Any
    ) -> Page:
        size = options.pop("viewport", {"width": 1280, "height": 800})
        context = (browser or self._browser).new_context(
            storage_state=state, viewport=size, locale="zh-TW", timezone_id="Asia/Taipei", **options
        )
        if camera:
            context.grant_permissions(["camera"], origin=url.split("#", maxsplit=1)[0].rstrip("/"))
        context.set_default_timeout(shop.PATIENCE * 1000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(f"pageerror {error}"))
        page.goto(url)
        return page


@pytest.fixture
def windows(browser: Browser) -> Iterator[Windows]:
    opened = Windows(browser)
    yield opened
    for context in opened.contexts:
        context.close()
    defects = [
        words for words in opened.said if "pageerror" in words or "Content Security Policy" in words or "Uncaught" in words
    ]
    assert defects == []


@pytest.fixture
def page(windows: Windows, counter: Any, signed_in: Any) -> Page:
    """The counter page, signed in, without a camera."""
    opened = windows(counter.url, signed_in)
    expect(opened.locator("#operator")).to_be_visible()
    return opened


@pytest.fixture
def shoot(made: Path) -> Callable[[Page, str], None]:
    """``shoot(page, "name")`` keeps a picture: below the tests' folder, or in the folder that NHIRX_SCREENSHOTS names.

    What is worth a picture is a state of the page, so axe looks at it too, in light and in dark, with whatever dialog is open.
    With NHIRX_PICTURES the README's three are written there too, with few colours so that they stay small.
    """
    folder = Path(os.environ.get("NHIRX_SCREENSHOTS") or made / "screenshots")

    def take(page: Page, name: str, *, whole: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", full_page=whole, animations="disabled")
        pictures = os.environ.get("NHIRX_PICTURES")
        if pictures and name in README:
            Path(pictures).mkdir(parents=True, exist_ok=True)
            few = Image.open(folder / f"{name}.png").convert("RGB").quantize(128, dither=Image.Dither.NONE)
            few.save(Path(pictures) / f"{README[name]}.png", optimize=True)
        assert {} == barriers(page)

    return take


@pytest.fixture(scope="session")
def look() -> Callable[[Page], dict[str, list[str]]]:
    """``look(page)`` is what axe finds in the state the page is in, see ``barriers``."""
    return barriers


@pytest.fixture
def scan_by_typing() -> Callable[[Page, Any], None]:
    """What a keyboard-wedge scanner does: the characters and Enter, wherever the focus is."""

    def scan(page: Page, shown: Any) -> None:
        page.keyboard.type(shown.visit_id)
        page.keyboard.press("Enter")
        expect(page.locator("#work-title")).to_be_visible()

    return scan


@pytest.fixture(scope="session")
def tools() -> Any:
    """The module ``shop``: sheets, films, a counter of one's own."""
    return shop
