"""One page is read by one core: see ADR 0017."""

from __future__ import annotations

import subprocess
import sys

_LOOK = """
import cv2, numpy  # loaded before the scanner, as most programs do
from nhirx_scanner import Scanner
from threadpoolctl import threadpool_info
Scanner(ocr=False).scan(numpy.full((60, 60), 255, numpy.uint8))
print(cv2.getNumThreads(), sorted({pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}))
"""


def test_a_scan_switches_the_threads_of_the_libraries_off():
    """Also where both libraries were there before."""
    done = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)

    assert "1 [1]" == done.stdout.strip()
