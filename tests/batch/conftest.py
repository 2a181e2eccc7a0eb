"""Pages for the batch: drawn once, small, with synthetic IDs; and the scanners that crash, hang and count."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp

from nhirx.batch.run import Options, run
from nhirx.batch.worker import Reading

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def _base34(value: int, width: int) -> str:
    text = ""
    for _ in range(width):
        value, digit = divmod(value, 34)
        text = _ALPHABET[digit] + text
    return text


def visit_id(seed: int) -> str:
    """A visit ID of the derived structure: six free places, a person, a ROC year, a second of it."""
    chance = random.Random(seed)
    person = chance.choice("ABCDEFGHJKLMNPQRSTUVXYWZ") + chance.choice("12") + _base34(chance.randrange(10_000_000), 5)
    free = "".join(chance.choice(_ALPHABET) for _ in range(6))
    return free + person + _base34(chance.randrange(113, 116), 2) + _base34(chance.randrange(365 * 86400), 5)


def page(text: str | None) -> np.ndarray:
    """A small page with a QR of ``text``, or with nothing."""
    picture = np.full((300, 400), 255, np.uint8)
    if text is not None:
        code = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_image(scale=4))
        picture[60 : 60 + code.shape[0], 80 : 80 + code.shape[1]] = code
    return picture


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


@pytest.fixture(scope="session")
def draw() -> SimpleNamespace:
    """``visit_id(seed)``, ``page(text)``, ``png(picture)``."""
    return SimpleNamespace(visit_id=visit_id, page=page, png=png)


@pytest.fixture
def pile(tmp_path: Path) -> Callable[..., Path]:
    """A folder with so many pages, in two levels."""

    def make(count: int, name: str = "pile") -> Path:
        folder = tmp_path / name
        for number in range(count):
            path = folder / f"第{number % 3}箱" / f"scan {number:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(page(visit_id(number))))
        return folder

    return make


@pytest.fixture
def batch(tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """Run one in this process: ``summary``, ``lines`` (of results.jsonl), ``out``. ``scanner`` names one of ``odd_scanners``."""

    def call(*sources: Path | str, out: str = "out", scanner: str | None = None, **options: Any) -> SimpleNamespace:
        if scanner is not None:
            options["reading"] = Reading(f"odd_scanners.{scanner}", low_priority=False)
        options.setdefault("workers", 1)
        folder = tmp_path / out
        summary = run(Options(tuple(map(str, sources)), folder, **options))
        text = (folder / "results.jsonl").read_text("utf-8")
        return SimpleNamespace(summary=summary, lines=[json.loads(line) for line in text.splitlines()], out=folder)

    return call


@pytest.fixture
def odd_scanners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the module of that name importable, here and in the processes that are started."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])))


@pytest.fixture
def command() -> Callable[..., subprocess.Popen[bytes]]:
    """``nhirx batch …`` as a process of its own."""

    def start(*words: str | Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "nhirx", "batch", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    return start


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """An archive of ``{name: bytes}``; ``encoding`` writes the names without the flag that says UTF-8."""

    def make(name: str, files: dict[str, bytes], encoding: str | None = None) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for inner, data in files.items():
                archive.writestr(_OldName(inner, encoding) if encoding else zipfile.ZipInfo(inner), data, zipfile.ZIP_DEFLATED)
        return path

    return make


class _OldName(zipfile.ZipInfo):
    """A member as old Windows programs write it."""

    def __init__(self, name: str, encoding: str) -> None:
        super().__init__(name)
        self._encoding = encoding

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - the name that zipfile calls
        return self.filename.encode(self._encoding), self.flag_bits
