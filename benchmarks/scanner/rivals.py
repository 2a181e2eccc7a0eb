"""What a user would pick instead: the libraries alone, and the cascade that everybody writes first. IDs by form only."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import zxingcpp
from nhirx_scanner.kinds import classify
from pyzbar import pyzbar

THREE = zxingcpp.barcode_formats_from_str("QRCode,Code39,Code128")
_SAME = zxingcpp.barcode_formats_from_str("QRCode,Code39,Code128,Code93")
SYMBOLS = [pyzbar.ZBarSymbol.QRCODE, pyzbar.ZBarSymbol.CODE39, pyzbar.ZBarSymbol.CODE93, pyzbar.ZBarSymbol.CODE128]


def _ids(texts: Iterable[str]) -> set[str]:
    return {text for text in texts if classify(text, "qr") == "visit-id"}


def zxing_three(gray: np.ndarray) -> set[str]:
    return _ids(code.text for code in zxingcpp.read_barcodes(gray, formats=THREE))


def zxing_same(gray: np.ndarray) -> set[str]:
    return _ids(code.text for code in zxingcpp.read_barcodes(gray, formats=_SAME))


def zxing_all(gray: np.ndarray) -> set[str]:
    return _ids(code.text for code in zxingcpp.read_barcodes(gray))


def zbar(gray: np.ndarray) -> set[str]:
    return _ids(code.data.decode("utf-8", "replace") for code in pyzbar.decode(gray, symbols=SYMBOLS))


def opencv(gray: np.ndarray) -> set[str]:
    try:
        _, texts, _, _ = cv2.QRCodeDetector().detectAndDecodeMulti(gray)
    except (cv2.error, UnicodeDecodeError):
        return set()
    return _ids(texts or ())


def cascade(gray: np.ndarray) -> set[str]:
    """The libraries on ever more versions of the picture until one of them reads an ID."""
    for picture in _versions(gray):
        for reader in (zxing_three, zbar, opencv):
            if found := reader(picture):
                return found
    return set()


def _versions(gray: np.ndarray) -> Iterable[np.ndarray]:
    yield gray
    yield cv2.createCLAHE(3, (8, 8)).apply(gray)
    yield cv2.resize(gray, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC)
    yield cv2.resize(gray, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    yield cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[1]
    yield cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 51, 10)
    for angle in (15, -15):
        matrix = cv2.getRotationMatrix2D((gray.shape[1] / 2, gray.shape[0] / 2), angle, 1)
        yield cv2.warpAffine(gray, matrix, (gray.shape[1], gray.shape[0]), borderValue=(255,))
