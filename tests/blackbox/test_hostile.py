"""Codes and pictures made to hurt: the scanner returns or refuses in time, reports no ID, and never crashes."""

from __future__ import annotations

import json
import time

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import Scanner
from PIL import Image

from samples import ids, people

_LIMIT = 20.0  # seconds; generous for a busy machine, far below what a loop without end would take


def _id(seed: int) -> str:
    rng = np.random.default_rng([9000, seed])
    return ids.visit_id(people.person(rng).national_id, ids.moment(rng), ids.prefix(rng))


FIRST, SECOND = _id(1), _id(2)
_FULL_WIDTH = "".join(chr(ord(character) + 0xFEE0) for character in FIRST)
_CYRILLIC = (
    FIRST[:6] + FIRST[6:].replace("A", "А").replace("B", "В").replace("C", "С").replace("E", "Е").replace("H", "Н") + "\u200b"
)
_PAYLOADS: dict[str, str | bytes] = {
    "sql": "'; DROP TABLE journal; --",
    "script": "<script>alert(document.cookie)</script>",
    "url with an id in it": f"https://example.tw/?m16={FIRST}",
    "formula": f'=HYPERLINK("http://x","{FIRST}")',
    "nul inside": FIRST[:10].encode() + b"\x00" + FIRST[10:].encode(),
    "nul at the end": FIRST.encode() + b"\x00",
    "newline and a second line": FIRST + "\n" + SECOND,
    "terminal escape": "\x1b]0;x\x07\x1b[2J" + FIRST,
    "right to left": "\u202e" + FIRST[::-1],
    "2900 bytes": "A" * 2900,
    "full width": _FULL_WIDTH,
    "look-alike letters": _CYRILLIC,
    "two glued": FIRST + SECOND,
    "glued with a comma": f"{FIRST},{SECOND}",
    "one too few": FIRST[:-1],
    "one too many": FIRST + "0",
    "small letters": FIRST.lower(),
    "letters O and I": "O" + FIRST[1:19] + "I",
    "bytes of no text": bytes(range(128, 228)),
}


def _page(payload: str | bytes) -> np.ndarray:
    code = zxingcpp.create_barcode(payload, zxingcpp.BarcodeFormat.QRCode)
    picture = np.asarray(code.to_image(scale=4))
    return cv2.copyMakeBorder(picture, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)


@pytest.mark.parametrize("name", _PAYLOADS)
def test_a_payload_that_is_no_visit_id_is_never_one(name: str) -> None:
    """Nothing is cut out of a longer text, nothing is repaired in silence, and the answer can be written as JSON."""
    scan = Scanner().scan(_page(_PAYLOADS[name]))

    assert (None, ()) == (scan.visit_id, tuple(scan.visit_ids))
    json.dumps([code.text for code in scan.codes]).encode()


@pytest.mark.parametrize("symbology", ["Code39", "Code128", "Code93"])
def test_two_ids_glued_in_bars_are_none(symbology: str) -> None:
    """Forty characters in one code are one code of forty characters."""
    code = zxingcpp.create_barcode(FIRST + SECOND, getattr(zxingcpp.BarcodeFormat, symbology))
    bars = np.repeat(np.asarray(code.to_image(scale=2))[:1], 120, axis=0)

    scan = Scanner().scan(cv2.copyMakeBorder(bars, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=255))

    assert () == tuple(scan.visit_ids)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 2), (7, 3), (3, 3, 3), (1, 1, 4), (60_000, 8)])
def test_strange_shapes_return_at_once(shape: tuple[int, ...]) -> None:
    """A sliver or a dot is a picture with nothing on it."""
    started = time.monotonic()

    scan = Scanner().scan(np.full(shape, 200, np.uint8))

    assert () == tuple(scan.visit_ids)
    assert time.monotonic() - started < _LIMIT


def test_a_sheet_of_hundred_megapixels_is_answered_in_time() -> None:
    """What a poster scanner or a wrong setting makes."""
    huge = np.full((10_000, 10_000), 255, np.uint8)
    page = _page(FIRST)
    huge[4000 : 4000 + page.shape[0], 4000 : 4000 + page.shape[1]] = page
    started = time.monotonic()

    scan = Scanner().scan(huge)

    assert {*scan.visit_ids} <= {FIRST}
    assert time.monotonic() - started < _LIMIT


def test_more_than_two_hundred_megapixels_are_refused() -> None:
    """An array of zeros costs no memory to make; looking at it would."""
    scan = Scanner().scan(np.broadcast_to(np.uint8(255), (15_000, 15_000)))

    assert ("error", ()) == (scan.status, tuple(scan.visit_ids))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "CMYK", "I;16", "P"])
def test_every_kind_of_pixel_gives_the_same_id(mode: str, tmp_path: object) -> None:
    """16-bit, CMYK, alpha, palette: what scanners and phones write."""
    from pathlib import Path

    path = Path(str(tmp_path)) / "page.tiff"
    page = _page(FIRST)
    picture = (
        Image.fromarray(page.astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(page).convert("RGB" if mode == "CMYK" else "L").convert(mode)
    )
    picture.save(path)

    assert FIRST == Scanner().scan(path).visit_id


def test_forty_codes_on_one_page_end_in_time() -> None:
    """A wall of codes is no reason to think without end, and forty IDs are not one."""
    cells = [cv2.resize(_page(_id(number)), (220, 220), interpolation=cv2.INTER_AREA) for number in range(40)]
    wall = np.vstack([np.hstack(cells[row * 8 : row * 8 + 8]) for row in range(5)])
    started = time.monotonic()

    scan = Scanner().scan(wall)

    assert scan.visit_id is None
    assert {*scan.visit_ids} <= {_id(number) for number in range(40)}
    assert time.monotonic() - started < _LIMIT
