"""Codes read in the pictures of a folder, by the scanner and by the libraries: for real photographs that lie somewhere.

    python -m benchmarks.scanner.photographs FOLDER [--turns 4] [--json]

Every picture is looked at in ``--turns`` quarter turns. Where NAME.txt lies beside NAME.png it holds what the picture says, and
anything else that is read counts as wrong; without it a picture counts as read when something was read. Any payload counts: the
scanner reports visit IDs only, but it names every code that it sees, and those are compared. One row for each subfolder.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zxingcpp
from nhirx_scanner import Scanner
from pyzbar import pyzbar

from benchmarks.scanner.rivals import SYMBOLS, THREE

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
Reader = Callable[[np.ndarray], set[str]]


def readers() -> dict[str, Reader]:
    """Everything a picture says, by reader."""
    thorough, fast = Scanner(ocr=False), Scanner(effort="fast", ocr=False)
    detector = cv2.QRCodeDetector()

    def opencv(gray: np.ndarray) -> set[str]:
        try:
            return {text for text in detector.detectAndDecodeMulti(gray)[1] or () if text}
        except (cv2.error, UnicodeDecodeError):
            return set()

    return {
        "nhirx thorough": lambda gray: {code.text for code in thorough.scan(gray).codes},
        "nhirx fast": lambda gray: {code.text for code in fast.scan(gray).codes},
        "zxing-cpp, 3 formats": lambda gray: {code.text for code in zxingcpp.read_barcodes(gray, formats=THREE)},
        "zxing-cpp, all formats": lambda gray: {code.text for code in zxingcpp.read_barcodes(gray)},
        "pyzbar": lambda gray: {code.data.decode("utf-8", "replace") for code in pyzbar.decode(gray, symbols=SYMBOLS)},
        "OpenCV": opencv,
    }


def compare(folder: Path, turns: int) -> dict[str, dict[str, Any]]:
    """Per subfolder: how many pictures, and of each reader how many were read, how many wrongly, and the mean milliseconds."""
    rows: dict[str, dict[str, Any]] = {}
    engines = readers()
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES):
        gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if gray is None:
            continue
        truth = _truth(path)
        row = rows.setdefault(
            path.parent.relative_to(folder).as_posix(), {"pictures": 0, **{name: defaultdict(float) for name in engines}}
        )
        for turn in range(turns):
            row["pictures"] += 1
            turned = np.ascontiguousarray(np.rot90(gray, turn))
            for name, reader in engines.items():
                started = time.perf_counter()
                said = {text.strip() for text in reader(turned)}
                row[name]["ms"] += (time.perf_counter() - started) * 1000
                row[name]["read"] += bool(said) if truth is None else truth in said
                row[name]["wrong"] += truth is not None and bool(said - {truth})
    return rows


def _truth(path: Path) -> str | None:
    beside = path.with_suffix(".txt")
    return beside.read_text("utf-8", "replace").strip() if beside.is_file() else None


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="benchmarks.scanner.photographs", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, choices=(1, 2, 4), default=4)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = compare(asked.folder, asked.turns)
    if asked.json:
        sys.stdout.write(json.dumps(rows) + "\n")
        return 0
    for folder, row in rows.items():
        print(f"{folder}: {row['pictures']} pictures")
        for name in (key for key in row if key != "pictures"):
            one = row[name]
            print(f"  {name:24} read {one['read']:5.0f}  wrong {one['wrong']:3.0f}  {one['ms'] / row['pictures']:6.0f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
