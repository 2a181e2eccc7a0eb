"""Wall time of ``nhirx scan PAGE`` as a whole process, against a bare Python that decodes the same page with cv2 and zxingcpp.

    python -m benchmarks.startup [--runs 15]

The two take turns, so that whatever else the machine does hits both. The goal is a ratio of the medians of at most 1.5.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import zxingcpp

_BARE = "import sys, cv2, zxingcpp; print(len(zxingcpp.read_barcodes(cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE))))"


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.startup")
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "page.png"))
        cv2.imwrite(path, _page())
        ours = [sys.executable, "-m", "nhirx", "scan", path, "--json"]
        bare = [sys.executable, "-c", _BARE, path]
        times: dict[str, list[float]] = {"nhirx scan": [], "bare": []}
        for _ in range(runs):
            for name, command in (("nhirx scan", ours), ("bare", bare)):
                started = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                times[name].append((time.perf_counter() - started) * 1000)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratio = medians["nhirx scan"] / medians["bare"]
    for name, median in medians.items():
        print(f"{name:12} median {median:5.0f} ms, fastest {min(times[name]):5.0f} ms")
    print(f"ratio        {ratio:.2f} (goal: at most 1.5)")
    return 0 if ratio <= 1.5 else 1


def _page() -> np.ndarray:
    """A4 at 200 dpi: a QR, a Code 128, an EAN and a page of print."""
    page = np.full((2339, 1654), 255, np.uint8)
    text = "0USE4FA11RP4J370WR4K"  # the example of the public slides
    for content, form, x, y, scale in (
        (text, zxingcpp.BarcodeFormat.QRCode, 1300, 150, 4),
        (text, zxingcpp.BarcodeFormat.Code128, 200, 150, 2),
        ("4711234567899", zxingcpp.BarcodeFormat.EAN13, 200, 500, 2),
    ):
        code = np.array(zxingcpp.create_barcode(content, form).to_image(scale=scale))
        page[y : y + code.shape[0], x : x + code.shape[1]] = code
    for line in range(60):
        cv2.putText(page, "Amlodipine 5mg 1 QD PO 28 " * 2, (100, 700 + line * 26), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0,), 1)
    return page


if __name__ == "__main__":
    raise SystemExit(main())
