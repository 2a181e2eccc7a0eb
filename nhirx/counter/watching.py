"""One camera's frames, looked at in turn: agreement over frames, and when a sheet is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nhirx.counter.advice import advice
from nhirx.identifiers import mask_visit_id

if TYPE_CHECKING:
    from nhirx_scanner import Code, Scan, Session

    from nhirx.counter.shelf import Kept

_FRAMES = {"agreed": 1, "checked": 2, "single": 3, "ocr": 4}
"""Frames in a row that must say the same ID before it is taken. Text recognition alone stays to be confirmed by a person."""
_GONE = 12
"""Frames without a sheet after which the same sheet may be taken again."""


class Watching:
    """Not for sharing: a camera has one. ``look`` takes about one frame time and is called from a thread."""

    def __init__(self, session: Session, keep: Callable[[Scan, bytes, int, int], Kept]) -> None:
        self._session = session
        self._keep = keep
        self._number = 0
        self.reset()

    def reset(self) -> None:
        """Forget the sheet that was dealt with; the next one may be the same."""
        self._session.reset()
        self._taken: str | None = None
        self._last: str | None = None
        self._row = 0
        self._without = 0

    def look(self, frame: Any, picture: Callable[[], bytes]) -> dict[str, Any]:
        """The answer to one frame (grey or BGR). ``picture`` gives its JPEG, asked for only when the sheet is taken."""
        self._number += 1
        seen = self._session.push(frame)
        height, width = int(frame.shape[0]), int(frame.shape[1])
        taken = self._agrees(seen)
        ref = None
        if taken:
            ref = self._keep(seen, picture(), width, height).ref
        return {
            "frame": self._number,
            "width": width,
            "height": height,
            "ms": round(seen.ms, 1),
            "scan": {
                "ref": ref,
                "status": seen.status,
                "visit_id": seen.visit_id,
                "confidence": seen.confidence,
                "codes": [_code(code) for code in seen.codes],
                "reasons": list(seen.reasons),
                "virtual_token": next((code.text for code in seen.codes if code.kind == "virtual-card"), None),
                **advice(seen),
            },
            "taken": taken,
        }

    def _agrees(self, seen: Scan) -> bool:
        if seen.status != "found" or seen.visit_id is None:
            self._row = 0
            self._without += seen.status == "none"
            if self._without >= _GONE:
                self._taken = None
            return False
        self._without = 0
        self._row = self._row + 1 if seen.visit_id == self._last else 1
        self._last = seen.visit_id
        if seen.visit_id == self._taken or self._row < _FRAMES[seen.confidence or "ocr"]:
            return False
        self._taken = seen.visit_id
        return True


def _code(code: Code) -> dict[str, Any]:
    shown = mask_visit_id(code.text) if code.kind == "visit-id" else (code.text if code.kind == "placeholder" else None)
    return {
        "kind": code.kind,
        "symbology": code.symbology,
        "text_masked": shown if shown is not None else f"（{len(code.text)}）",
        "polygon": [[round(x, 1), round(y, 1)] for x, y in code.polygon],
        "reads": code.reads,
    }
