"""Video: frames in, one answer per frame, agreement built over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nhirx_scanner.result import Scan

if TYPE_CHECKING:
    from nhirx_scanner.scanner import Scanner


class Session:
    """One look at a stream of frames of the same camera. Not for sharing between threads: a camera has one reader."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner

    def push(self, frame: Any) -> Scan:
        """Look at the next frame: (height, width) grey or (height, width, 3) BGR."""
        return self._scanner.scan(frame)
