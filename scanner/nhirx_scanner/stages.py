"""The order of the work on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nhirx_scanner import engines
from nhirx_scanner.kinds import classify
from nhirx_scanner.result import Scan
from nhirx_scanner.vote import decide

if TYPE_CHECKING:
    from nhirx_scanner.engines import Gray
    from nhirx_scanner.scanner import Scanner


def look(gray: Gray, scanner: Scanner) -> Scan:
    """Everything the scanner may do for ``gray``, cheapest first."""
    thorough = scanner.effort == "thorough"
    reads = engines.zxing(gray, "all" if thorough else "id")
    scan = decide(reads)
    if not thorough or scan.status in ("found", "several"):
        return scan
    second = engines.zbar(gray, "qr") + engines.zbar(gray, "linear") + engines.opencv(gray)
    return decide(reads + [read for read in second if classify(read.text, read.symbology) in ("visit-id", "placeholder")])
