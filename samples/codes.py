"""Codes as small arrays: one pixel per module, 0 is ink and 255 paper, quiet zones left to whoever places them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import zxingcpp

_FORMATS = {
    "code39": zxingcpp.BarcodeFormat.Code39,
    "code128": zxingcpp.BarcodeFormat.Code128,
    "code93": zxingcpp.BarcodeFormat.Code93,
    "ean13": zxingcpp.BarcodeFormat.EAN13,
    "qr": zxingcpp.BarcodeFormat.QRCode,
}
LINEAR = frozenset({"code39", "code128", "code93", "ean13"})
_FINE = 40  # samples per narrow bar, so that a ratio such as 2.4 : 1 keeps its width


@lru_cache(maxsize=4096)
def modules(text: str, symbology: str, level: str = "M") -> np.ndarray:
    """The modules of a code: shape (1, n) for 1-D codes with Code 39 at ratio 2, (n, n) for QR."""
    options = {"ec_level": level} if symbology == "qr" else {}
    code = zxingcpp.create_barcode(text, _FORMATS[symbology], **options)
    image = np.asarray(code.to_image(scale=1, add_quiet_zones=False))
    grid = image[:1] if symbology in LINEAR else image
    return np.where(grid < 128, 0, 255).astype(np.uint8)


@lru_cache(maxsize=4096)
def _widths(text: str, symbology: str, ratio: float) -> tuple[np.ndarray, float]:
    row = modules(text, symbology)[0]
    edges = np.flatnonzero(np.diff(row)) + 1
    runs = np.diff(np.concatenate(([0], edges, [len(row)]))).astype(float)
    if symbology == "code39":
        runs = np.where(runs > 1, ratio, 1.0)
    return runs, float(runs.sum())


def width_in_modules(text: str, symbology: str, ratio: float = 2.0, level: str = "M") -> float:
    """Width without quiet zones; ``ratio`` is wide : narrow and counts for Code 39 only."""
    return float(modules(text, symbology, level).shape[1]) if symbology == "qr" else _widths(text, symbology, ratio)[1]


def draw(text: str, symbology: str, size: tuple[float, float], *, ratio: float = 2.0, level: str = "M") -> np.ndarray:
    """The code without quiet zone as a grey picture of ``size`` (width, height) in pixels, bars averaged into pixels."""
    width, height = max(1, round(size[0])), max(1, round(size[1]))
    if symbology == "qr":
        grid = modules(text, symbology, level)
        factor = max(1, -(-width // grid.shape[1])) * 2
        big = cv2.resize(grid, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
        return cv2.resize(big, (width, width), interpolation=cv2.INTER_AREA)
    runs, _ = _widths(text, symbology, ratio)
    fine = np.repeat(np.where(np.arange(len(runs)) % 2, 255, 0).astype(np.uint8), np.round(runs * _FINE).astype(int))
    row = cv2.resize(fine[None, :], (width, 1), interpolation=cv2.INTER_AREA)
    return np.repeat(row, height, axis=0)
