"""nhirx-dotmatrix: bar codes of dot-matrix printers, whose bars fall apart into dots.

The dots of a column are joined by closing the picture along the bars, in both directions the sheet may lie, before it is
decoded once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nhirx import hookimpl

_LENGTHS = (5, 9, 15)  # pixels: gaps between the needles at 150 to 300 dpi


class DotMatrix:
    @hookimpl
    def nhirx_register_decoders(self) -> dict[str, Callable[[Any], Iterator[tuple[str, str, list[tuple[float, float]]]]]]:
        return {"dotmatrix": decode}


def decode(grey: Any) -> Iterator[tuple[str, str, list[tuple[float, float]]]]:
    """Text, symbology and corners of each linear code in ``grey`` (rows × columns, uint8, 0 black)."""
    import cv2
    import zxingcpp

    formats: Any = (zxingcpp.BarcodeFormat.Code128, zxingcpp.BarcodeFormat.Code39, zxingcpp.BarcodeFormat.Code93)
    seen: set[str] = set()
    for length in _LENGTHS:
        for size in ((1, length), (length, 1)):
            # Black on white: joining dark dots is a morphological opening of the light background.
            joined = cv2.morphologyEx(grey, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, size))
            for code in zxingcpp.read_barcodes(joined, formats=formats):
                if code.text not in seen:
                    seen.add(code.text)
                    corners = (
                        code.position.top_left,
                        code.position.top_right,
                        code.position.bottom_right,
                        code.position.bottom_left,
                    )
                    yield code.text, _name(code.format), [(float(point.x), float(point.y)) for point in corners]


def _name(symbology: Any) -> str:
    return str(symbology).rsplit(".", 1)[-1].replace(" ", "").replace("-", "").lower()
