"""`nhirx batch review`: a clerk works through the pages with the keyboard alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from nhirx.sim import PEOPLE, Simulator

NAMES = ["0000001-unreadable", "0000002-ocr", "0000003-none", "0000004-conflict"]
PICTURES = ["flatbed.png", "text-only.jpg", "nothing.jpg", "conflict.jpg"]


@pytest.fixture
def batch(tmp_path: Path, repository: Path, sim: Simulator) -> tuple[Path, list[str]]:
    """Four pages as a batch leaves them, and three IDs: keyed in, read from the text, in conflict with it."""
    ids = [sim.world.visit_ids.make("card", "3502060427", one.national_id, sim.world.clock())[0] for one in PEOPLE[:3]]
    out = tmp_path / "out"
    (out / "review").mkdir(parents=True)
    for name, picture in zip(NAMES, PICTURES, strict=True):
        source = repository / "samples" / "rendered" / picture
        (out / "review" / f"{name}{source.suffix}").write_bytes(source.read_bytes())
    plain = {"page": 1, "codes": [], "evidence": [], "visit_id": None, "visit_ids": [], "confidence": None, "reasons": []}
    plain |= {"same_visit_id_as": None, "same_picture_as": None}
    codes = [
        {"text": text, "symbology": kind, "kind": "visit-id", "polygon": []}
        for text, kind in zip(ids[1:], ("qr", "code128"), strict=True)
    ]
    lines = [
        plain | {"status": "unreadable", "reasons": ["blur", "damaged"]},
        plain | {"status": "found", "confidence": "ocr", "visit_id": ids[1], "visit_ids": [ids[1]]},
        plain | {"status": "none"},
        plain | {"status": "conflict", "codes": codes},
    ]
    told = [
        line | {"path": f"/掃描/第1箱/{at:04d}.jpg", "review": {"why": name.split("-")[1], "name": name}}
        for at, (line, name) in enumerate(zip(lines, NAMES, strict=True), 1)
    ]
    (out / "results.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told), "utf-8")
    return out, ids


@pytest.fixture
def link(batch: tuple[Path, list[str]], tmp_path: Path, tools: Any) -> Iterator[str]:
    words = [sys.executable, "-m", "nhirx", "batch", "review", str(batch[0]), "--json", "--no-open"]
    environment = {**os.environ, "NHIRX_DATA": str(tmp_path / "data"), "NHIRX_BLOCK_PLUGINS": ""}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())["token_url"]
    process.kill()  # whatever was answered is on the disk
    process.wait(tools.PATIENCE)
    process.stdout.close()


def test_pages_are_keyed_in_from_the_keyboard_alone(windows: Any, link: str, batch: Any, shoot: Any) -> None:
    """An ID typed with O for 0, one confirmed, one page declared; zoom and moving leave the field alone; nothing else is pressed."""
    out, (typed, read, _) = batch
    page: Page = windows(link)
    expect(page.locator("#review-name")).to_contain_text("0001.jpg")
    expect(page.locator(".review-canvas img")).to_have_js_property("complete", True)
    page.wait_for_function("document.querySelector('.review-canvas img').clientWidth > 100")
    expect(page.locator("#entry")).to_be_focused()
    shoot(page, "review-open")
    wide = page.evaluate("document.querySelector('.review-canvas').clientWidth")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.keyboard.press("ArrowDown")
    page.locator("#entry").press_sequentially(typed.lower().replace("0", "o"), delay=45)
    expect(page.locator("#entry-said")).to_contain_text("按 Enter")
    assert page.evaluate("document.querySelector('.review-canvas').clientWidth") > 1.9 * wide
    assert page.evaluate("document.querySelector('.review-frame').scrollTop") > 0
    shoot(page, "review-typed")
    page.keyboard.press("Enter")
    expect(page.locator("#review-name")).to_contain_text("0002.jpg")
    expect(page.locator("#use-read")).to_be_visible()
    shoot(page, "review-proposal")
    page.keyboard.press("F9")
    expect(page.locator("#review-name")).to_contain_text("0003.jpg")
    page.keyboard.press("F6")
    expect(page.locator("#review-cause")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#review-name")).to_contain_text("0004.jpg")
    expect(page.locator(".review-side .finding.warn").first).to_be_visible()
    # The same ID again is kept and named, and a person goes on.
    page.locator("#entry").press_sequentially(read, delay=45)
    page.keyboard.press("Enter")
    expect(page.locator(".same")).to_contain_text("0002.jpg")
    expect(page.locator("#review-done")).to_be_visible()
    shoot(page, "review-done")
    page.keyboard.press("PageUp")
    expect(page.locator("#review-decision")).to_contain_text("無法辨識")
    page.locator("#language").click()
    expect(page.locator("#review-decision")).to_contain_text("illegible")
    shoot(page, "review-english")

    told = [json.loads(line) for line in (out / "decisions.jsonl").read_text("utf-8").splitlines()]
    assert [NAMES[0], NAMES[1], NAMES[2], NAMES[3]] == [one["name"] for one in told]
    assert [[typed], [read], [], [read]] == [one["visit_ids"] for one in told]
    assert ["visit-id", "visit-id", "illegible", "visit-id"] == [one["decision"] for one in told]
