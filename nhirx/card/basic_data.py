"""The 57 bytes a card gives without any authentication, as a ``Holder``. Pure: bytes in, value out.

=======  ======================================  ==========================
places   content                                 form
=======  ======================================  ==========================
1–12     card number                             ASCII
13–32    name                                    Big5, padded
33–42    ID number                               ASCII
43–49    birth date                              seven ROC digits
50       sex                                     ``M``, ``F``
51–57    date of issue                           seven ROC digits, may be blank
=======  ======================================  ==========================

Source: field-notes, card §1.3.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date

from nhirx import roc
from nhirx.errors import CardUnreadable
from nhirx.identifiers import NationalId
from nhirx.model import Holder

LENGTH = 57
"""Bytes of the answer; a longer one (72 from control software 5) starts with the same places."""


def parse(data: bytes) -> Holder:
    """Raises ``CardUnreadable`` when the answer is short, or when the ID or card number is not one.

    The name never makes a read fail: a character nobody can decode becomes U+FFFD and ``name_raw`` keeps the bytes. Dates
    that are blank or impossible become None, for a person has to compare the rest anyway.
    """
    if len(data) < LENGTH:
        raise CardUnreadable(problem=f"{len(data)}/{LENGTH} bytes")
    name_raw = data[12:32]
    return Holder(
        card_number=_card_number(data[0:12]),
        name=decode_name(name_raw),
        name_raw=name_raw.hex(),
        national_id=_national_id(data[32:42]),
        birth_date=_day(data[42:49]),
        sex=_ascii(data[49:50]),
        issued_on=_day(data[50:57]),
    )


def decode_name(raw: bytes) -> str:
    """A Big5 name without its padding, character by character: code page 950, else the Hong Kong supplement, else U+FFFD.

    Short names are padded with NUL on some cards and with blanks on others, and a blank may be the full-width one. The
    pairs are walked by hand because a codec that meets an unknown pair goes on one byte later and then reads a wrong, but
    believable, character out of two halves.
    """
    bare = raw.rstrip(b"\x00 ")
    characters = []
    place = 0
    while place < len(bare):
        width = 2 if bare[place] >= 0x80 else 1
        characters.append(_character(bare[place : place + width]))
        place += width
    return "".join(characters).replace("\x00", "").strip(" \u3000")


def _character(pair: bytes) -> str:
    for codec in ("cp950", "big5hkscs"):
        with suppress(UnicodeDecodeError):
            return pair.decode(codec)
    return "\N{REPLACEMENT CHARACTER}"


def _card_number(raw: bytes) -> str:
    number = _ascii(raw)
    if not number or not number.isalnum():
        raise CardUnreadable(problem="卡號 / card number")
    return number


def _national_id(raw: bytes) -> str:
    number = _ascii(raw)
    # Only the shape is asked for: old residence permits carry two letters, and some numbers have no published check digit.
    try:
        return NationalId.parse(number).value
    except ValueError:
        raise CardUnreadable(problem="身分證號 / ID number") from None


def _ascii(raw: bytes) -> str:
    try:
        return raw.decode("ascii").replace("\x00", "").strip()
    except UnicodeDecodeError:
        return ""


def _day(raw: bytes) -> date | None:
    text = _ascii(raw)
    return roc.parse_date(text) if roc.is_date(text) else None
