"""What a scan answers: values, frozen, and equal to the contract's JSON object member by member."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from nhirx.errors import NhirxError
from nhirx.identifiers import mask_visit_id

Status = Literal["found", "several", "conflict", "none", "unreadable", "error"]
Kind = Literal["visit-id", "prescription-qr", "virtual-card", "placeholder", "other"]
Confidence = Literal["agreed", "checked", "single", "ocr"]
Reason = Literal["blur", "low-contrast", "glare", "too-small", "cropped", "damaged"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, repr=False)
class Code:
    """One code on the page. ``polygon`` is its four corners in pixels; ``reads`` counts the independent readings of it."""

    text: str
    symbology: str
    kind: Kind
    polygon: tuple[Point, ...]
    reads: int = 1

    def as_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "symbology": self.symbology,
            "kind": self.kind,
            "polygon": [[round(x, 1), round(y, 1)] for x, y in self.polygon],
            "reads": self.reads,
        }

    def __repr__(self) -> str:
        # A visit ID spells a person, a prescription QR holds a whole one: neither belongs into a log.
        return f"Code({self.symbology}, {self.kind}, {len(self.text)} characters, reads={self.reads})"


@dataclass(frozen=True, slots=True, repr=False)
class Scan:
    """One page. ``status`` and the rest as ``docs/howto/commands.md`` says; ``error`` is set exactly when status is ``error``.

    ``confidence`` is None unless an ID is reported; ``ocr`` means that a person has to confirm it. ``ms`` is the time spent.
    """

    status: Status
    visit_id: str | None = None
    visit_ids: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    evidence: tuple[str, ...] = ()
    confidence: Confidence | None = None
    reasons: tuple[Reason, ...] = ()
    ms: float = 0.0
    path: str | None = None
    page: int = 1
    error: NhirxError | None = None
    lines: tuple[tuple[Point, ...], ...] = field(default=(), compare=False)
    """Where lines of text stand on a page that said nothing: a second look at it need not seek them again."""

    def at(self, path: str | None, page: int) -> Scan:
        """The same scan, said of this page."""
        return replace(self, path=path, page=page)

    def as_json(self) -> dict[str, Any]:
        """The object of the contract. A broken file adds ``error``: code and words in both languages."""
        answer: dict[str, Any] = {
            "path": self.path,
            "page": self.page,
            "status": self.status,
            "visit_id": self.visit_id,
            "visit_ids": list(self.visit_ids),
            "codes": [code.as_json() for code in self.codes],
            "evidence": list(self.evidence),
            "confidence": self.confidence,
            "reasons": list(self.reasons),
            "ms": round(self.ms, 1),
        }
        if self.error is not None:
            answer["error"] = {"code": self.error.code, "zh": self.error.zh, "en": self.error.en}
        return answer

    def __repr__(self) -> str:
        shown = [mask_visit_id(value) for value in self.visit_ids]
        return f"Scan({self.status}, visit_ids={shown}, confidence={self.confidence}, codes={len(self.codes)}, ms={self.ms:.1f})"


def failed(error: NhirxError, *, path: str | None = None, page: int = 1) -> Scan:
    """The scan of a page that could not be opened."""
    return Scan("error", error=error, path=path, page=page)
