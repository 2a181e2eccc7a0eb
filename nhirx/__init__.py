"""nhirx: from a printed NHI prescription to an accepted upload.

Names are loaded when they are first used, so that ``import nhirx_scanner`` (which uses the identifiers of this package)
stays small and quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nhirx.errors import NhirxError
    from nhirx.host import Host
    from nhirx.identifiers import InstitutionCode, NationalId, PlaceholderId, VisitId, VisitSerial
    from nhirx.model import Facts, Finding, Order, Prescription, UploadPlan
    from nhirx.plugin import hookimpl

__version__ = "0.1.0"

__all__ = [
    "Facts",
    "Finding",
    "Host",
    "InstitutionCode",
    "NationalId",
    "NhirxError",
    "Order",
    "PlaceholderId",
    "Prescription",
    "UploadPlan",
    "VisitId",
    "VisitSerial",
    "hookimpl",
]

_HOME = {
    "Facts": "nhirx.model",
    "Finding": "nhirx.model",
    "Host": "nhirx.host",
    "InstitutionCode": "nhirx.identifiers",
    "NationalId": "nhirx.identifiers",
    "NhirxError": "nhirx.errors",
    "Order": "nhirx.model",
    "PlaceholderId": "nhirx.identifiers",
    "Prescription": "nhirx.model",
    "UploadPlan": "nhirx.model",
    "VisitId": "nhirx.identifiers",
    "VisitSerial": "nhirx.identifiers",
    "hookimpl": "nhirx.plugin",
}


def __getattr__(name: str) -> Any:
    if home := _HOME.get(name):
        import importlib

        value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
