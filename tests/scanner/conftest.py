"""Sheets for the scanner's tests, drawn on the spot: synthetic IDs of the derived structure, codes by zxing-cpp's writer."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner.cores import one_core

one_core()  # the parts are tried one by one here, without the stages that see to it

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def visit_id(seed: int = 0) -> str:
    """A visit ID of the derived structure: six free places, a person, a ROC year, a second of it."""
    chance = random.Random(seed)

    def base34(value: int, width: int) -> str:
        text = ""
        for _ in range(width):
            value, digit = divmod(value, 34)
            text = ALPHABET[digit] + text
        return text

    return (
        "".join(chance.choice(ALPHABET) for _ in range(6))
        + chance.choice("ABCDEFGHJKLMNPQRSTUVXYWZ")
        + chance.choice("12")
        + base34(chance.randrange(10_000_000), 5)
        + base34(chance.randrange(113, 116), 2)
        + base34(chance.randrange(365 * 86400), 5)
    )


def barcode(text: str | bytes, symbology: str = "QRCode", scale: int = 3, height: int = 60) -> np.ndarray:
    """The code alone with its quiet zone, black on white."""
    picture = np.array(zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, symbology)).to_image(scale=scale))
    if symbology not in ("QRCode", "DataMatrix", "Aztec", "PDF417"):
        picture = np.repeat(picture[picture.shape[0] // 2][None], height, axis=0)
    return np.pad(picture, 12 * scale, constant_values=255)


def sheet(*codes: tuple[Any, ...], size: tuple[int, int] = (1000, 800)) -> np.ndarray:
    """A white page (height, width) with ``(text, symbology, x, y[, scale])`` on it."""
    page = np.full(size, 255, np.uint8)
    for text, symbology, x, y, *scale in codes:
        picture = barcode(text, symbology, *scale)
        height, width = picture.shape
        page[y : y + height, x : x + width] = picture[: size[0] - y, : size[1] - x]
    return page


@pytest.fixture(scope="session")
def draw() -> SimpleNamespace:
    """``visit_id(seed)``, ``barcode(text, symbology, scale)``, ``sheet((text, symbology, x, y), …)``, ``png(picture)``."""

    def png(picture: np.ndarray, suffix: str = ".png") -> bytes:
        return bytes(cv2.imencode(suffix, picture)[1])

    return SimpleNamespace(visit_id=visit_id, barcode=barcode, sheet=sheet, png=png)


@pytest.fixture
def save(tmp_path: Any) -> Callable[[str, bytes], str]:
    """``save(name, data)`` writes a file and gives its path."""

    def write(name: str, data: bytes) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    return write
