"""The Scanner from outside: what a page with these codes answers."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from nhirx_scanner import Scan, Scanner, engines, widths

from nhirx.errors import FileMissing, InvalidValue


@pytest.mark.parametrize(
    ("symbology", "name", "confidence"),
    [
        ("QRCode", "qr", "checked"),
        ("Code128", "code128", "checked"),
        ("Code93", "code93", "checked"),
        ("Code39", "code39", "single"),
    ],
)
@pytest.mark.parametrize("effort", ["fast", "thorough"])
def test_every_printed_form_alone_is_read(draw, symbology, name, confidence, effort):
    """One code of any of the symbologies a visit ID may be printed in gives the ID and says what it rests on."""
    expected = draw.visit_id(1)
    scan = Scanner(effort=effort).scan(draw.sheet((expected, symbology, 40, 60, 2)))

    assert ("found", expected, (name,)) == (scan.status, scan.visit_id, scan.evidence)
    assert scan.confidence in (confidence, "agreed")
    assert [(expected, name, "visit-id")] == [(code.text, code.symbology, code.kind) for code in scan.codes]
    assert 4 == len(scan.codes[0].polygon)


@pytest.mark.parametrize(("symbology", "status"), [("Code128", "found"), ("Code39", "unreadable")])
def test_zbar_alone_is_believed_where_a_code_checks_itself(monkeypatch, draw, symbology, status):
    """Nobody else reads the bars, and of a Code 39 one reading of that kind may be another text."""
    monkeypatch.setattr(engines, "zxing", lambda *_, **__: [])
    monkeypatch.setattr(widths, "read", lambda _: None)
    scanner = Scanner(skip=frozenset({"model1d", "refit1d", "ocr"}))

    assert status == scanner.scan(draw.sheet((draw.visit_id(5), symbology, 40, 60, 2))).status


def test_two_forms_that_say_the_same_agree(draw):
    """QR and Code 128 with one ID are agreement, in the contract's order of evidence."""
    text = draw.visit_id(2)
    scan = Scanner().scan(draw.sheet((text, "QRCode", 500, 300), (text, "Code128", 20, 40, 2)))

    assert ("found", text, "agreed", ("qr", "code128")) == (scan.status, scan.visit_id, scan.confidence, scan.evidence)


def test_the_right_code_is_picked_and_the_others_are_named(draw):
    """A sheet full of other codes: the ID is found, and every other code comes back with its kind."""
    text = draw.visit_id(3)
    scan = Scanner().scan(
        draw.sheet(
            (text, "Code128", 20, 20, 2),
            ("00123456", "Code39", 20, 140, 2),
            ("4711234567899", "EAN13", 20, 260, 2),
            ("5901234567;1;;Test;A12*******;0501231;01;1150301;0007", "QRCode", 20, 380),
            ("https://example.org/line", "QRCode", 300, 380),
            ("9" * 20, "QRCode", 560, 380),
            ("eyJhbGciOiJub25lIn0.Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA", "QRCode", 20, 640),
            size=(1100, 900),
        )
    )

    assert ("found", text) == (scan.status, scan.visit_id)
    kinds = {code.text[:12]: code.kind for code in scan.codes}
    assert {
        text[:12]: "visit-id",
        "00123456": "other",
        "471123456789": "other",
        "5901234567;1": "prescription-qr",
        "https://exam": "other",
        "9" * 12: "placeholder",
        "eyJhbGciOiJu": "virtual-card",
    } == kinds


def test_two_sheets_are_several(draw):
    """Two sheets in one picture: both IDs, from top to bottom, and no single one."""
    first, second = draw.visit_id(4), draw.visit_id(5)
    scan = Scanner().scan(
        draw.sheet(
            (first, "QRCode", 600, 60),
            (first, "Code128", 20, 60, 2),
            (second, "QRCode", 600, 640),
            (second, "Code128", 20, 640, 2),
        )
    )

    assert ("several", None, (first, second)) == (scan.status, scan.visit_id, scan.visit_ids)


@pytest.mark.parametrize("change", ["one character", "another ID"])
def test_forms_of_one_sheet_that_disagree_are_a_conflict(draw, change):
    """QR says one ID and the barcode another: nobody is told which is right, and both are among the codes."""
    one = draw.visit_id(6)
    other = ("7" if one[0] != "7" else "8") + one[1:] if change == "one character" else draw.visit_id(7)
    scan = Scanner().scan(draw.sheet((one, "QRCode", 560, 300), (other, "Code128", 20, 40, 2)))

    assert ("conflict", None, ()) == (scan.status, scan.visit_id, scan.visit_ids)
    assert {one, other} == {code.text for code in scan.codes}


@pytest.mark.parametrize(
    "text",
    [
        "0USE4FA11RP4J370WR4K0USE4FA11RP4J370WR4K",
        "０ＵＳＥ４ＦＡ１１ＲＰ４Ｊ３７０ＷＲ４Ｋ",
        "0USE4FA11RP4J370WR4K ",
        "0use4fa11rp4j370wr4k",
        "0USE4FA11RP4J370WR4O",
        "https://example.org/?id=0USE4FA11RP4J370WR4K",
        "'; DROP TABLE visits; --",
        "<script>alert(1)</script>",
        "A\0B",
        "就醫識別碼",
        "x" * 2000,
    ],
)
def test_only_twenty_plain_characters_are_an_id(draw, text):
    """Glued, widened, wrapped, lower-case and hostile payloads are returned as other codes and are no visit ID."""
    picture = draw.sheet((text, "QRCode", 10, 10, 3), size=(900, 900))
    scan = Scanner().scan(picture)

    assert ("none", None, ()) == (scan.status, scan.visit_id, scan.visit_ids)
    assert ["other"] == [code.kind for code in scan.codes]
    json.dumps(scan.as_json())


@pytest.mark.parametrize("text", ["9" * 20, "F" * 20, "MISS" + "0" * 16, "SM00" + "0" * 16])
def test_a_placeholder_is_not_an_id(draw, text):
    """Twenty 9s and the like fit the alphabet and are still no visit ID."""
    scan = Scanner().scan(draw.sheet((text, "QRCode", 40, 40)))

    assert ("none", None, "placeholder") == (scan.status, scan.visit_id, scan.codes[0].kind)


def test_an_empty_page_has_nothing():
    """White paper: none, no codes, no reasons."""
    scan = Scanner().scan(np.full((600, 400), 255, np.uint8))

    assert ("none", (), ()) == (scan.status, scan.codes, scan.reasons)


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("symbology", ["QRCode", "Code128", "Code39"])
def test_sheets_may_lie_any_way_round(draw, turns, symbology):
    """A sheet on its side or upside down is read as well."""
    text = draw.visit_id(8)
    page = np.rot90(draw.sheet((text, symbology, 40, 60, 2)), turns)

    assert text == Scanner().scan(np.ascontiguousarray(page)).visit_id


def test_arrays_of_many_kinds_are_the_same_picture(draw):
    """Grey, BGR, BGRA, 16 bit, float, bool and views that are not contiguous: same answer."""
    text = draw.visit_id(9)
    gray = draw.sheet((text, "QRCode", 40, 60))
    alpha = np.dstack([np.zeros((*gray.shape, 3), np.uint8), 255 - gray])
    variants = [
        cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR),
        alpha,
        gray.astype(np.uint16) * 16,
        gray.astype(np.float64) / 255,
        gray > 128,
        gray[:, :, None],
        np.asfortranarray(gray),
        np.repeat(np.repeat(gray, 2, 0), 2, 1)[::2, ::2],
    ]

    assert [text] * len(variants) == [Scanner().scan(variant).visit_id for variant in variants]


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((0, 0), np.uint8),
        np.zeros((3, 3, 3, 3), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.array(["x"]),
        None,
        7,
        np.zeros(9),
    ],
)
def test_what_is_no_picture_is_an_error_and_not_a_crash(picture):
    """An array of a wrong shape or type answers with status error, a code and words."""
    scan = Scanner().scan(picture)

    assert ("error", "invalid-value") == (scan.status, scan.as_json()["error"]["code"])


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (2, 2), (7, 7), (16, 16), (33, 40)])
@pytest.mark.parametrize("effort", ["fast", "thorough"])
def test_tiny_pictures_hold_nothing(shape, effort):
    """Pictures too small for any code are looked at without harm."""
    noise = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)

    assert None is Scanner(effort=effort).scan(noise).visit_id


def test_a_missing_file_is_said_plainly(tmp_path):
    """scan() of a path that does not exist raises; scan_file() gives an error page, so a batch goes on."""
    with pytest.raises(FileMissing):
        Scanner().scan(tmp_path / "none.png")

    assert ["file-missing"] == [scan.error.code for scan in Scanner().scan_file(tmp_path / "none.png")]


def test_an_unknown_effort_is_refused():
    """A misspelt effort is an error at once, not a slow surprise."""
    with pytest.raises(InvalidValue):
        Scanner(effort="hard")


def test_a_scanner_travels_and_is_shared(draw):
    """Pickled, and used by four threads at once, it answers the same; so does its answer when pickled."""
    pictures = [draw.sheet((draw.visit_id(seed), "Code128", 20, 40, 2)) for seed in range(8)]
    scanner = pickle.loads(pickle.dumps(Scanner(effort="fast")))
    with ThreadPoolExecutor(4) as pool:
        scans: list[Scan] = list(pool.map(scanner.scan, pictures))

    assert [draw.visit_id(seed) for seed in range(8)] == [scan.visit_id for scan in scans]
    assert scans[0] == pickle.loads(pickle.dumps(scans[0]))


def test_nothing_personal_in_a_repr(draw):
    """Logs print reprs: neither a scan nor a code shows the visit ID."""
    text = draw.visit_id(10)
    scan = Scanner().scan(draw.sheet((text, "QRCode", 40, 60)))

    assert text not in repr(scan)
    assert text not in repr(scan.codes)


def test_the_json_object_is_the_contracts(draw):
    """Exactly the members of the contract, in its order; error only for broken files."""
    answer = Scanner().scan(draw.sheet((draw.visit_id(11), "QRCode", 40, 60))).as_json()

    members = ["path", "page", "status", "visit_id", "visit_ids", "codes", "evidence", "confidence", "reasons", "ms"]
    assert members == list(answer)
    assert ["text", "symbology", "kind", "polygon", "reads"] == list(answer["codes"][0])


def test_importing_the_package_is_light():
    """``import nhirx_scanner`` brings neither the decoders nor anything of the network, the plugins or the models."""
    code = (
        "import sys, nhirx_scanner; from nhirx_scanner import Scanner; Scanner();"
        "print(sorted({'cv2', 'numpy', 'zxingcpp', 'httpx', 'pluggy', 'pydantic', 'PIL', 'typer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()
