"""What plugins offer reaches the counter: decoders, closed days, readers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_dotmatrix import DotMatrix
from nhirx_scanner import Scanner

from nhirx import Finding, hookimpl
from nhirx.card.base import HolderReader
from nhirx.errors import ComponentMissing, PluginNonsense
from nhirx.host import Host
from nhirx.model import Facts, Holder
from nhirx.plugin.manager import Plugins
from nhirx.plugin.second_look import second_look
from nhirx.settings import Settings

VISIT_ID = "0USE4FA11RP4J370WR4K"
OTHER = "0USE4FA11RP4J370WR4L"


def plugins(**hooks: Any) -> Plugins:
    made = Plugins(discover=False)
    made.register(type("P", (), {name: hookimpl(function) for name, function in hooks.items()})(), "p")
    return made


def decoding(*codes: Any) -> dict[str, Any]:
    return {"d": lambda grey: list(codes)}


def dots(symbology: zxingcpp.BarcodeFormat = zxingcpp.BarcodeFormat.Code128) -> np.ndarray:
    """A page with a code whose bars are dots far apart, which the engines of others cannot join."""
    bars = np.array(zxingcpp.create_barcode(VISIT_ID, symbology).to_image(scale=1))
    row = bars[bars.shape[0] // 2] < 128
    sheet = np.full((400, len(row) * 3 + 200), 255, np.uint8)
    for column in np.flatnonzero(row):
        for y in range(100, 220, 10):
            top = y + (column * 7) % 10
            sheet[top : top + 4, 100 + column * 3 : 103 + column * 3] = 0
    return sheet


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A white page with a little text-like noise, on which nothing can be read."""
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), np.full((300, 500), 255, np.uint8))
    return path


@pytest.fixture
def blank(page: Path) -> list[Any]:
    scans = Scanner(ocr=False).scan_file(page)
    assert ["none"] == [scan.status for scan in scans]
    return scans


def test_a_plugins_decoder_reads_what_the_engines_did_not(tmp_path):
    """From the picture file through the host: found, with the confidence of its symbology."""
    path = tmp_path / "dots.png"
    cv2.imwrite(str(path), dots())
    host = Plugins(discover=False)
    host.register(DotMatrix(), "dotmatrix")
    # Without the stages of our own that read such bars too: the plugin alone is the matter here.
    bare = Scanner(ocr=False, limit_ms=1)

    (scan,) = Host(Settings(), plugins=host, scanner=bare).scan(path)

    assert (VISIT_ID, str(path), 1) == (scan.visit_id, scan.path, scan.page)
    assert "found" == scan.status


@pytest.mark.parametrize(
    ("codes", "status", "confidence"),
    [
        ([(VISIT_ID, "code128", None)], "found", "checked"),
        ([(VISIT_ID, "code39", None)], "found", "single"),
        ([("Z" * 20, "code39", None)], "none", None),
        ([(VISIT_ID, "code128", None), (VISIT_ID, "qr", None)], "found", "agreed"),
        ([(VISIT_ID, "code128", None), (OTHER, "code128", None)], "conflict", None),
        ([("not an ID", "code128", None)], "none", None),
        ([], "none", None),
    ],
)
def test_readings_are_weighed_by_the_scanners_rules(page, blank, codes, status, confidence):
    """A plugin adds readings; it cannot make them surer than they are."""
    (scan,) = second_look(blank, page, plugins(nhirx_register_decoders=lambda self: decoding(*codes)).decoders)

    assert (status, confidence) == (scan.status, scan.confidence)


def test_what_the_engines_saw_counts_too(page):
    """A doubtful reading of our own at another place contradicts the plugin's: a person has to look."""
    from nhirx_scanner import Code, Scan

    corners = ((10.0, 10.0), (90.0, 10.0), (90.0, 30.0), (10.0, 30.0))
    doubtful = Code("Z" * 20, "code39", "visit-id", corners)
    unread = Scan("unreadable", codes=(doubtful,), path=str(page), reasons=("damaged",))
    far = [(300.0, 200.0), (400.0, 200.0), (400.0, 220.0), (300.0, 220.0)]

    (scan,) = second_look(
        [unread], page, plugins(nhirx_register_decoders=lambda self: decoding((VISIT_ID, "code128", far))).decoders
    )

    assert ("conflict", None) == (scan.status, scan.visit_id)


def test_failing_decoder_leaves_the_page_and_the_others(page, blank, caplog):
    host = plugins(nhirx_register_decoders=lambda self: {"a": lambda grey: 1 / 0} | decoding((VISIT_ID, "qr", None)))

    (scan,) = second_look(blank, page, host.decoders)

    assert VISIT_ID == scan.visit_id
    assert "plugin-failed" in caplog.text


def test_pages_that_were_read_are_not_shown(tmp_path):
    """A decoder is asked about the unread page of a file and no other."""
    from PIL import Image

    code = Image.fromarray(
        np.pad(zxingcpp.create_barcode(VISIT_ID, zxingcpp.BarcodeFormat.QRCode).to_image(scale=6), 60, constant_values=255)
    )
    path = tmp_path / "two.tiff"
    code.save(path, save_all=True, append_images=[Image.new("L", (400, 300), 255)])
    asked = []
    host = plugins(nhirx_register_decoders=lambda self: {"d": lambda grey: asked.append(grey.shape) or []})
    scans = second_look(Scanner(ocr=False).scan_file(path), path, host.decoders)

    assert ["found", "none"] == [scan.status for scan in scans]
    assert [(300, 400)] == asked


FACTS = Facts.from_json(
    {
        "dispensed_at": "1151120090013",
        "pharmacy": {"institution": "5901234567", "pharmacist": "B200000002"},
        "patient": {"national_id": "A123456789", "birth_date": "0501231"},
        "prescription": {"visit_id": VISIT_ID, "visited_at": "1151118093000"},
    }
)


def test_closed_days_are_asked_around_the_dispensing():
    asked = []
    host = Host(Settings(), plugins=plugins(nhirx_calendar=lambda self, first, last: asked.append((first, last))))
    host.plan(FACTS)

    ((first, last),) = asked
    assert first < date(2026, 11, 18) < date(2026, 12, 31) < last


def test_a_calendar_that_fails_blocks_the_plan():
    host = Host(Settings(), plugins=plugins(nhirx_calendar=lambda self: 1 / 0))

    assert "plugin-failed" in {finding.code for finding in host.plan(FACTS).blocking}


def test_findings_of_plugins_stand_in_the_plan():
    finding = Finding(code="house", severity="warn", zh="甲", en="a")
    plan = Host(Settings(), plugins=plugins(nhirx_check=lambda self: finding)).plan(FACTS)

    assert "plugin p" in {found.source for found in plan.findings if found.code == "house"}


class Reader(HolderReader):
    def read_holder(self) -> Holder:
        return Holder(card_number="1", name="王小明", national_id="A123456789", birth_date=date(1961, 12, 31), sex="M")


def settings(reader: str) -> Settings:
    return Settings.model_validate({"control": {"reader": reader}})


def test_reader_of_a_plugin_is_chosen_by_name():
    told = []
    host = Host(
        settings("mine"),
        plugins=plugins(
            nhirx_register_card_readers=lambda self: {"mine": Reader},
            nhirx_card_read=lambda self, reference: told.append(reference),
        ),
    )

    assert "王小明" == host.identify(FACTS, reference="R1").name
    assert ["R1"] == told
    host.close()


def test_reader_that_nobody_offers_is_named():
    with pytest.raises(ComponentMissing, match="other"):
        Host(settings("other"), plugins=plugins(nhirx_register_card_readers=lambda self: {"mine": Reader})).identify(FACTS)


def test_reader_that_is_none_is_refused():
    with pytest.raises(PluginNonsense):
        Host(settings("mine"), plugins=plugins(nhirx_register_card_readers=lambda self: {"mine": object})).identify(FACTS)


def test_time_is_the_dispensings(monkeypatch):
    """The days asked for follow the dispensing, not the clock of the machine."""
    asked = []
    host = Host(
        Settings(),
        plugins=plugins(nhirx_calendar=lambda self, first: asked.append(first)),
        clock=lambda: datetime(2030, 1, 1, tzinfo=UTC),
    )
    host.plan(FACTS)

    assert 2026 == asked[0].year
