"""Five thousand pictures without a visit ID: text, other codes, textures, noise. Not one may yield an ID."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
import zxingcpp
from nhirx_scanner import Scanner

_SIZE = (150, 220)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
Rng = np.random.Generator


def _noise(rng: Rng) -> np.ndarray:
    return rng.integers(0, 256, _SIZE, dtype=np.uint8)


def _stripes(rng: Rng) -> np.ndarray:
    """Bars that are no code: what a radiator, a blind or a striped shirt looks like."""
    row = np.repeat(rng.integers(0, 2, _SIZE[1]), int(rng.integers(1, 5)))[: _SIZE[1]] * 255
    return np.repeat(row[None, :].astype(np.uint8), _SIZE[0], axis=0)


def _checks(rng: Rng) -> np.ndarray:
    module = int(rng.integers(2, 9))
    grid = rng.integers(0, 2, (-(-_SIZE[0] // module), -(-_SIZE[1] // module)), dtype=np.uint8) * 255
    return np.kron(grid, np.ones((module, module), np.uint8))[: _SIZE[0], : _SIZE[1]]


def _texture(rng: Rng) -> np.ndarray:
    small = rng.integers(0, 256, (_SIZE[0] // 8, _SIZE[1] // 8), dtype=np.uint8)
    return cv2.resize(small, _SIZE[::-1], interpolation=cv2.INTER_CUBIC)


def _words(rng: Rng) -> np.ndarray:
    """Lines of letters and digits in the alphabet of a visit ID, but of other lengths."""
    image = np.full(_SIZE, 240, np.uint8)
    for line in range(5):
        length = int(rng.choice([5, 8, 12, 18, 19, 21, 24]))
        text = "".join(_ALPHABET[int(index)] for index in rng.integers(0, 34, length))
        cv2.putText(image, text, (4, 22 + 27 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 20, 1, cv2.LINE_AA)
    return image


_OTHERS = (
    zxingcpp.BarcodeFormat.Code39,
    zxingcpp.BarcodeFormat.Code128,
    zxingcpp.BarcodeFormat.Code93,
    zxingcpp.BarcodeFormat.QRCode,
)


def _other_code(rng: Rng) -> np.ndarray:
    """A code that a sheet may carry: any length but twenty, or twenty characters that no visit ID has."""
    kind = _OTHERS[int(rng.integers(4))]
    length = int(rng.choice([4, 7, 10, 12, 19, 21]))
    text = "".join(_ALPHABET[int(index)] for index in rng.integers(0, 34, length))
    if rng.random() < 0.2:
        text = "I" + "".join(_ALPHABET[int(index)] for index in rng.integers(0, 34, 18)) + "O"
    image = np.asarray(zxingcpp.create_barcode(text, kind).to_image(scale=1 + int(rng.integers(2))))
    canvas = np.full((max(_SIZE[0], image.shape[0] + 16), max(_SIZE[1], image.shape[1] + 16)), 255, np.uint8)
    canvas[8 : 8 + image.shape[0], 8 : 8 + image.shape[1]] = image
    return canvas


_KINDS: list[tuple[Callable[[Rng], np.ndarray], int]] = [
    (_noise, 150),
    (_stripes, 2700),
    (_checks, 160),
    (_texture, 100),
    (_words, 60),  # the only ones that text recognition looks at long
    (_other_code, 1900),
]


def _pictures(made: Callable[[Rng], np.ndarray], seeds: range) -> Iterator[tuple[int, np.ndarray]]:
    for seed in seeds:
        yield seed, made(np.random.default_rng([9000, seed]))


def test_there_are_at_least_five_thousand() -> None:
    """The number is part of the promise."""
    assert sum(count for _, count in _KINDS) >= 5000


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize(("made", "count"), _KINDS, ids=[made.__name__.strip("_") for made, _ in _KINDS])
def test_no_picture_without_a_visit_id_yields_one(made: Callable[[Rng], np.ndarray], count: int, part: int) -> None:
    scanner = Scanner()
    quarter = range(part * count // 4, (part + 1) * count // 4)

    assert [] == [seed for seed, picture in _pictures(made, quarter) if scanner.scan(picture).visit_ids]
