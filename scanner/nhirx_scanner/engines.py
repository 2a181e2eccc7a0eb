"""The decoders of others behind one shape: a grey picture in, readings out. Each loads when it is first used.

zxing-cpp is the main engine. pyzbar is optional (its shared library is missing on many machines) and only ever asked for the
symbologies that can hold a visit ID: with its defaults it reads EAN and Interleaved 2 of 5 out of Code 39 bars. OpenCV's QR
detector comes last.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gray = NDArray[Any]
else:
    Gray = object

Formats = Literal["id", "linear", "qr", "all1d", "rest1d", "matrix", "others"]
Polygon = tuple[tuple[float, float], ...]

SYMBOLOGY = {
    "QRCode": "qr",
    "QRCodeModel1": "qr",
    "QRCodeModel2": "qr",
    "MicroQRCode": "microqr",
    "RMQRCode": "rmqr",
    "Code39": "code39",
    "Code39Std": "code39",
    "Code39Ext": "code39",
    "Code93": "code93",
    "Code128": "code128",
    "EAN13": "ean13",
    "EAN8": "ean8",
    "UPCA": "upca",
    "UPCE": "upce",
    "ITF": "itf",
    "ITF14": "itf",
    "Codabar": "codabar",
    "DataMatrix": "datamatrix",
    "PDF417": "pdf417",
    "Aztec": "aztec",
}
_ZBAR = {"QRCODE": "qr", "CODE39": "code39", "CODE93": "code93", "CODE128": "code128"}
CHECKED = frozenset({"qr", "code128", "code93"})
"""Symbologies that carry a check of their own. Code 39 has none."""


@dataclass(frozen=True, slots=True)
class Read:
    """One reading: by which engine, what, where. ``trust`` is 0…1 for the model decoders and OCR, 1 for libraries."""

    text: str
    symbology: str
    polygon: Polygon
    engine: str
    trust: float = 1.0

    def moved(self, polygon: Polygon) -> Read:
        """The same reading, placed in the whole picture."""
        return Read(self.text, self.symbology, polygon, self.engine, self.trust)


def zxing(gray: Gray, formats: Formats = "id", *, rotate: bool = True, downscale: bool = True, invert: bool = True) -> list[Read]:
    """All codes zxing-cpp sees. ``gray`` is (height, width) uint8."""
    import zxingcpp

    found = zxingcpp.read_barcodes(
        gray, formats=_formats(formats), try_rotate=rotate, try_downscale=downscale, try_invert=invert, text_mode=_plain()
    )
    return [Read(code.text, _name(code.format), _corners(code.position), "zxing") for code in found]


def zbar(gray: Gray, formats: Literal["linear", "qr"]) -> list[Read]:
    """What zbar sees, or nothing where its library is not installed."""
    module = _zbar_module()
    if module is None:
        return []
    wanted = ("QRCODE",) if formats == "qr" else ("CODE39", "CODE93", "CODE128")
    found = module.decode(gray, symbols=[module.ZBarSymbol[name] for name in wanted])
    return [
        Read(
            code.data.decode("utf-8", "replace"),
            _ZBAR[code.type],
            _box((float(p.x), float(p.y)) for p in code.polygon),
            "zbar",
        )
        for code in found
        if code.type in _ZBAR
    ]


def opencv(gray: Gray) -> list[Read]:
    """What OpenCV's QR detector sees."""
    import cv2

    try:
        answer: Any = cv2.QRCodeDetector().detectAndDecodeMulti(gray)
    except (cv2.error, UnicodeDecodeError):
        # It asserts on degenerate quadrangles and on payloads that are no text; both mean: nothing read.
        return []
    _, texts, quads, _ = answer
    if quads is None:
        return []
    return [
        Read(text, "qr", tuple((float(x), float(y)) for x, y in quad), "opencv")
        for text, quad in zip(texts, quads, strict=False)
        if text
    ]


@functools.cache
def _formats(name: Formats) -> Any:
    import zxingcpp

    # The library's "Code39" means pharmacists' numbers of other countries as well: it makes them of every tenth chart number of six digits.
    linear, matrix = "Code39Std,Code39Ext,Code128,Code93", "DataMatrix,PDF417,Aztec,MicroQRCode,RMQRCode"
    trade = "EAN13,EAN8,UPCA,ITF,Codabar"
    words = {
        "id": f"QRCodeModel2,{linear}",
        "linear": linear,
        "qr": "QRCodeModel2",
        "all1d": f"{linear},EAN13,EAN8",
        "rest1d": f"{linear},{trade}",
        "matrix": matrix,
        "others": f"{trade},UPCE,ITF14,{matrix},QRCodeModel1",
    }
    return zxingcpp.barcode_formats_from_str(words[name])


@functools.cache
def _plain() -> Any:
    import zxingcpp

    return zxingcpp.TextMode.Plain


@functools.cache
def _zbar_module() -> Any:
    try:
        from pyzbar import pyzbar
    except (ImportError, OSError):
        return None
    return pyzbar


def _name(form: Any) -> str:
    name: str = form.name
    return SYMBOLOGY.get(name, name.lower())


def _corners(position: Any) -> Polygon:
    return tuple(
        (float(p.x), float(p.y)) for p in (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    )


def _box(points: Iterable[tuple[float, float]]) -> Polygon:
    """zbar gives any number of points (for 1-D codes sometimes two): their upright box."""
    listed = list(points) or [(0.0, 0.0)]
    xs, ys = [p[0] for p in listed], [p[1] for p in listed]
    return ((min(xs), min(ys)), (max(xs), min(ys)), (max(xs), max(ys)), (min(xs), max(ys)))
