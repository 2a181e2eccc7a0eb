"""Identifiers of the NHI, one small file each, with the same verbs: ``parse`` · ``format`` · ``is_valid``.

Standard library only: the scanner imports this package and must start fast.
"""

from nhirx.identifiers.institution import InstitutionCode
from nhirx.identifiers.national_id import NationalId, mask_id
from nhirx.identifiers.placeholder import PlaceholderId
from nhirx.identifiers.visit_id import VisitId, canonical_text, mask_visit_id, parse_printed
from nhirx.identifiers.visit_serial import VisitSerial

__all__ = [
    "InstitutionCode",
    "NationalId",
    "PlaceholderId",
    "VisitId",
    "VisitSerial",
    "canonical_text",
    "mask_id",
    "mask_visit_id",
    "parse_printed",
]
