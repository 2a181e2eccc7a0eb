"""The ``;`` codes of a prescription sheet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from nhirx_rxqr import RxQr
from nhirx_rxqr.layout import is_header

from nhirx.plugin.manager import Plugins

VISIT_ID = "0USE4FA11RP4J370WR4K"  # of A123456789 (derived)
HEAD = "H3502060427;2;;王?明;A123456789;0501231;02;1151118;0007;;I21;E11.9#I10;;;AC12345100;1;QD;PO;28;BC22222100;+2;BID;AC;56"
MORE = "CC33333100;1;TID;PO;84;DC44444100;0.5;HS;PO;14.0"


def host() -> Plugins:
    plugins = Plugins(discover=False)
    plugins.register(RxQr(), "rxqr")
    return plugins


def scan(*texts: str | None, visit_id: str | None = VISIT_ID) -> Any:
    return SimpleNamespace(visit_id=visit_id, codes=tuple(SimpleNamespace(text=text) for text in texts))


def test_one_code():
    """Patient, institution, serial, diagnoses and lines; meals in the route belong to the usage."""
    found = host().parse_code(HEAD, "qrcode")

    assert ("A123456789", "1961-12-31") == (found.patient.national_id, found.patient.birth_date.isoformat())
    assert ("3502060427", "0007", None) == (found.sheet.institution, found.sheet.visit_serial, found.sheet.visit_id)
    assert ("E119", "I10") == found.diagnoses
    assert [("AC12345100", "QD", "PO", 28.0), ("BC22222100", "BIDAC", None, 56.0)] == [
        (order.code, order.usage, order.route, order.total) for order in found.orders
    ]


@pytest.mark.parametrize("order", [(HEAD, MORE), (MORE, HEAD)], ids=["head first", "head last"])
def test_several_codes_of_a_sheet(order):
    """The camera sees the codes in any order; the lines of the head come first."""
    found = host().find_prescription(scan(VISIT_ID, *order, None))

    assert ["AC12345100", "BC22222100", "CC33333100", "DC44444100"] == [line.code for line in found.orders]
    assert 14.0 == found.orders[3].total
    assert VISIT_ID == found.sheet.visit_id


@pytest.mark.parametrize(
    ("masked", "expected"),
    [("A12****789", "A123456789"), ("A1********", "A123456789"), ("A22****789", None), ("B12****789", None)],
)
def test_masked_number_is_completed_by_the_visit_id_where_both_agree(masked, expected):
    """Never against what is printed."""
    found = host().find_prescription(scan(HEAD.replace("A123456789", masked)))

    assert expected == (found.patient.national_id if found else None)


def test_masked_number_without_visit_id_stays_unknown():
    assert host().find_prescription(scan(HEAD.replace("A123456789", "A12****789"), visit_id=None)) is None


def test_number_with_a_wrong_check_digit_is_not_taken():
    """A misread ID number is somebody else's."""
    assert host().parse_code(HEAD.replace("A123456789", "A123456780"), "qrcode") is None


def test_serial_of_another_shape_is_left_out():
    assert host().parse_code(HEAD.replace(";0007;", ";7;"), "qrcode").sheet.visit_serial is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        ";" * 40,
        "https://example.test/?a=1;b=2",
        VISIT_ID,
        MORE,
        HEAD[:40],
        HEAD.replace("3502060427", "35?2060427"),
        "\x00;" * 20,
        "王" * 5000 + ";" * 20,
    ],
    ids=range(10),
)
def test_other_codes_are_not_mine(text):
    """Anything else on the sheet is left to others, without an error."""
    assert not is_header(text)
    assert host().parse_code(text, "qrcode") is None
    assert host().find_prescription(scan(text)) is None


def test_broken_lines_are_left_out():
    """A cut line at the end, and lines without a code."""
    found = host().parse_code(HEAD + ";;;;;;EC55555100;1;QD", "qrcode")

    assert 2 == len(found.orders)


def test_own_copy_is_asked_first():
    """The sheet is the last source: a plugin that was registered earlier is asked before it."""
    from nhirx import Prescription, hookimpl

    own = Prescription.model_validate(
        {"patient": {"national_id": "A123456789", "birth_date": "0501231"}, "sheet": {}, "reference": "own"}
    )
    plugins = Plugins(discover=False)
    plugins.register(type("Own", (), {"nhirx_find_prescription": hookimpl(lambda self: own)})(), "own")
    plugins.register(RxQr(), "rxqr")

    assert "own" == plugins.find_prescription(scan(HEAD)).reference
