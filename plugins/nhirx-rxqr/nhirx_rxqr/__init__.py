"""nhirx-rxqr: the prescription from the ``;`` QR codes that hospitals print on refillable prescriptions."""

from __future__ import annotations

from typing import Any

from nhirx import Prescription, hookimpl
from nhirx_rxqr.layout import is_header, prescription


class RxQr:
    @hookimpl
    def nhirx_parse_code(self, text: str) -> Prescription | None:
        """One code by itself, as a hand scanner types it."""
        return prescription([text], None) if is_header(text) else None

    @hookimpl(trylast=True)
    def nhirx_find_prescription(self, scan: Any) -> Prescription | None:
        """All codes of a sheet together. Asked last: the pharmacy system's own copy knows more than the sheet."""
        texts = [code.text for code in scan.codes if ";" in (code.text or "")]
        return prescription(texts, scan.visit_id) if any(map(is_header, texts)) else None
