"""What is known of the card's own language: identification only, nothing that needs a security module.

All known cards speak T=1. A card is recognised by its answer to SELECT, never by its ATR: the list of ATRs is collected by
users, and some of them belong to chips that carry other applications as well. Only the professional card's ATR is used, and
only to give the operator a better word after SELECT has failed.

Source: field-notes (public programs), card §1.1–1.4.
"""

from __future__ import annotations

AID = bytes.fromhex("D1580000010000000000000000001100")
"""The application of the NHI card; its last byte is part of the name, not a length."""

SELECT_FORMS = (
    bytes.fromhex("00A4040010") + AID,
    # One public program names fifteen bytes and asks for an answer of any length; some cards may know only this.
    bytes.fromhex("00A404000F") + AID[:15] + b"\x00",
)
READ_FORMS = (bytes.fromhex("00CA1100020000"), bytes.fromhex("00CA110002000000"))
"""Basic data, without and with an expected length."""

READ_CARD_ID = bytes.fromhex("00CA000002000000")
READ_MARK = bytes.fromhex("00CA240002000000")
CHALLENGE = bytes.fromhex("0084000008")

DONE = 0x9000

NHI_ATRS = tuple(
    bytes.fromhex(text)
    for text in (
        "3BEE00008131FE4580318066409093060F17830F9000F3",
        "3BFA1800008131FE4550564A434F503453494493",
        "3BFA1800008131FE45534C4A35324778787979FC",
        "3BFC1800008131FE458073C8211366020403550002D2",
        "3BFD1300008131FE454A434F50323176323331474454E1",
        "3BFD1800008131FE45534C4A35324778787979797A52AA",
        "3BFF1800FF8131FE455448434331305445434F4744484E3224",
        "3BFF1800FF8131FE455448434331305445434F4744494E3126",
    )
)
HPC_ATR = bytes.fromhex("3BF91800008131FE4550565F4A3244303831B6")
"""A health professional card."""
