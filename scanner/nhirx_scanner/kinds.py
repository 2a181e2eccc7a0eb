"""Which of the codes on a sheet is which. Only the exact text of a code counts: nothing is trimmed, widened or repaired.

Sources: the visit ID's alphabet and length as in ``nhirx.identifiers``; the prescription QR separates its fields by ``;``
(field-notes, workflow §2.3). The virtual card's token has no published form; a long opaque token in a 2-D code is taken for it,
because nothing else on a counter looks like that, and nothing but the display depends on the guess.
"""

from __future__ import annotations

import re

from nhirx.identifiers import PlaceholderId
from nhirx.identifiers.visit_id import ALPHABET, LENGTH, VisitId
from nhirx_scanner.result import Kind

_ALPHABET = frozenset(ALPHABET)
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.~-]{32,}", re.ASCII)
_FORMS = frozenset({"qr", "code39", "code128", "code93", "text"})  # what a visit ID may be printed as
_MATRIX = frozenset({"qr", "microqr", "rmqr", "datamatrix", "aztec", "pdf417"})


def is_id_text(text: str) -> bool:
    """Exactly twenty characters of the alphabet. Some placeholders pass too."""
    return len(text) == LENGTH and _ALPHABET.issuperset(text)


def classify(text: str, symbology: str) -> Kind:
    """The kind of a code by its content."""
    printed = symbology in _FORMS
    if printed and len(text) == LENGTH and text.isascii() and text == text.upper() and PlaceholderId.is_valid(text):
        return "placeholder"
    if printed and is_id_text(text):
        return "visit-id"
    if text.count(";") >= 3:
        return "prescription-qr"
    if symbology in _MATRIX and _is_token(text):
        return "virtual-card"
    return "other"


def is_plausible(text: str) -> bool:
    """Whether a person and a time can be read from the ID: evidence, never a condition (derived structure)."""
    return VisitId(text).is_plausible


def _is_token(text: str) -> bool:
    if not _TOKEN.fullmatch(text) or not (re.search("[A-Za-z]", text) and re.search("[0-9]", text)):
        return False
    glued = len(text) % LENGTH == 0 and _ALPHABET.issuperset(text)
    return not glued and not text.lower().startswith(("http", "www."))
