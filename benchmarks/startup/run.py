"""What ``nhirx scan`` of one page costs as a whole process, beside the least that could read it.

The rival is a bare Python that imports OpenCV and zxing-cpp and decodes the same page. Both are run in turn, so that a busy
machine slows both. The figure is the ratio of the medians; the promise is at most 1.5.

    python benchmarks/startup/run.py [--runs 15]
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

sys.path.insert(0, str(Path(__file__).parents[2]))

from samples import corpus

PROMISE = 1.5
_BARE = """
import sys, cv2, zxingcpp
print([code.text for code in zxingcpp.read_barcodes(cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE))])
"""


def _cost(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    nhirx = str(Path(sys.executable).with_name("nhirx"))
    with tempfile.TemporaryDirectory() as folder:
        worst = 0.0
        print(f"{'page at 200 dpi':<18}{'bare ms':>9}{'nhirx ms':>10}{'ratio':>8}   (medians of {runs})")
        for kind, seed in (("flatbed", 1001), ("flatbed", 1002), ("flatbed", 1003)):
            page = Path(folder) / f"{seed}.png"
            cv2.imwrite(str(page), corpus.page(kind, seed, 2).image)
            bare, ours = [sys.executable, "-c", _BARE, str(page)], [nhirx, "scan", "--json", str(page)]
            _cost(bare), _cost(ours)  # the first run fills the caches
            pairs = [(_cost(bare), _cost(ours)) for _ in range(runs)]
            low, high = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
            worst = max(worst, high / low)
            print(f"{kind + ' ' + str(seed):<18}{low:>9.0f}{high:>10.0f}{high / low:>8.2f}")
        print(f"worst {worst:.2f}, promised {PROMISE}: {'kept' if worst <= PROMISE else 'BROKEN'}")
    return int(worst > PROMISE)


if __name__ == "__main__":
    sys.exit(main())
