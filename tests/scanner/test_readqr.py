"""How much must speak for a text of a QR code before it is reported."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from nhirx_scanner.kinds import is_plausible
from nhirx_scanner.on_blobs import is_believed_qr
from nhirx_scanner.readqr import Reading

_CORNERS = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))
_WITHOUT_STRUCTURE = "UZMQA7L3QP1MNTW5J4G6"


@pytest.mark.parametrize(
    ("agreement", "lead", "structured", "other"),
    [
        (0.90, 0.036, True, False),  # a wrong text led by 0.035: then the structure of an ID must speak for it too
        (0.90, 0.051, True, True),
        (0.91, 0.016, True, False),
        (0.91, 0.014, False, False),
        (0.89, 0.029, False, False),
        (0.87, 1.000, False, False),
    ],
)
def test_a_text_without_the_structure_of_an_id_must_lead_by_more(
    draw: SimpleNamespace, agreement: float, lead: float, structured: bool, other: bool
) -> None:
    """A text that spells a person and a time is believed sooner; any other only beyond every wrong lead that was measured."""
    usual = draw.visit_id(1)
    assert (is_plausible(usual), is_plausible(_WITHOUT_STRUCTURE)) == (True, False)
    believed = tuple(is_believed_qr(Reading(text, _CORNERS, 0.75, agreement, lead)) for text in (usual, _WITHOUT_STRUCTURE))
    assert (structured, other) == believed
