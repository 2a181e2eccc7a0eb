"""The upload signature of control software 5.x, which comes from a component of its own (CsHisX, COM) and not from CSHIS.

Source: field-notes, card §5.5 (one public program).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from nhirx.errors import ComponentMissing, SecurityModuleError
from nhirx.model import UploadSignature

_COMPONENT = "CsHisX.nhicshisx.1"
_SAM, _UPLOAD = "3", "30"


class UploadSigner(ABC):
    """Signs one request to the Web API."""

    @abstractmethod
    def sign(self) -> UploadSignature:
        """A fresh signature; raises ``SecurityModuleError`` where the component gives none."""


class ComUploadSigner(UploadSigner):
    """CsHisX through COM. ``dispatch`` makes the object from its name; by default that of pywin32, in this process.

    The component is 32-bit like the library: on a 64-bit Python pywin32 reaches it only where it is registered as a local
    server. Where that cannot be had an upload goes through control software 6.0.
    """

    def __init__(self, dispatch: Callable[[str], Any] | None = None) -> None:
        self._dispatch = dispatch or _pywin32
        self._object: Any = None

    def sign(self) -> UploadSignature:
        if self._object is None:
            self._object = self._dispatch(_COMPONENT)
        random = str(self._object.VPNGetRandomX() or "")
        signature = str(self._object.VPNH_SignX(random, _SAM, _UPLOAD) or "") if random else ""
        sam_id, institution = _sam(str(self._object.GetSAMCardInfoInCS() or ""))
        if not (random and signature and sam_id and institution):
            missing = "random" if not random else "signature" if not signature else "SAM"
            raise SecurityModuleError(
                zh="控制軟體 5.x 的上傳元件沒有給出簽章。請確認安全模組已認證，再試一次。",
                en="The upload component of control software 5.x gave no signature. Check that the security module is verified.",
                missing=missing,
            )
        return UploadSignature(sam_id=sam_id, institution=institution, client_random=random, signature=signature)


def _sam(text: str) -> tuple[str, str]:
    """Number and institution of the first security module, or two blanks."""
    try:
        first = json.loads(text)["SAMCardInfoInCS"]["SAM"][0]
        return str(first["CARD_ID"]).strip(), str(first["HOSP"]).strip()
    except (ValueError, KeyError, IndexError, TypeError):
        return "", ""


def _pywin32(name: str) -> Any:
    try:
        from win32com.client import Dispatch  # type: ignore[import-untyped]
    except ImportError:
        raise ComponentMissing(component="pywin32", how="pip install pywin32") from None
    try:
        return Dispatch(name)
    except Exception:
        raise ComponentMissing(
            component="CsHisX", how="請安裝控制軟體 5.x 的上傳元件 / install the upload component of control software 5.x"
        ) from None
