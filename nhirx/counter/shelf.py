"""Scans of the last half hour, in memory: what the page refers to by ``ref``. Nothing of it is written to disk."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nhirx.errors import ScanGone

if TYPE_CHECKING:
    from nhirx_scanner import Scan

_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """``picture`` is a JPEG of ``width`` × ``height`` pixels, the ones in which the scan's polygons are given."""

    ref: str
    scan: Scan
    picture: bytes = field(repr=False)
    width: int
    height: int
    until: float


class Shelf:
    def __init__(self, life: float, most: int, now: Callable[[], float]) -> None:
        self._life, self._most, self._now = life, most, now
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def put(self, scan: Scan, picture: bytes, width: int, height: int) -> Kept:
        kept = Kept(f"s{secrets.token_urlsafe(9)}", scan, picture, width, height, self._now() + self._life)
        with self._lock:
            self._kept[kept.ref] = kept
            self._clear()
        return kept

    def get(self, ref: str) -> Kept:
        """Raises ``ScanGone``."""
        with self._lock:
            self._clear()
            if (kept := self._kept.get(ref)) is None:
                raise ScanGone
        return kept

    def _clear(self) -> None:
        now = self._now()
        size = sum(len(kept.picture) for kept in self._kept.values())
        while self._kept:
            oldest = next(iter(self._kept.values()))
            if oldest.until > now and len(self._kept) <= self._most and size <= _MOST_BYTES:
                break
            size -= len(oldest.picture)
            del self._kept[oldest.ref]
