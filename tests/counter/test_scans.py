"""Files that are dropped or pasted, and the prescription that belongs to them."""

from __future__ import annotations

import io
import os
import stat
import time

import pytest
from PIL import Image

from nhirx.counter.scratch import scratch, sweep
from nhirx.counter.shelf import Shelf
from nhirx.errors import ScanGone

SHEET = "0USE4FA11RP4J3DLSH9J"


def scan(page, data, name="sheet.jpg"):
    return page.call("POST", f"/scans?name={name}", content=data, headers={"Content-Type": "application/octet-stream"})


def test_a_photographed_sheet_is_read_and_its_picture_shown(page, rendered):
    """Polygons are in the pixels of ``width`` × ``height``; the picture is a JPEG of the same shape."""
    status, answer = scan(page, (rendered / "demo-sheet.jpg").read_bytes())
    [found] = answer["scans"]
    picture = Image.open(io.BytesIO(page.get(found["preview"]).content))

    assert (200, "found", SHEET, None) == (status, found["status"], found["visit_id"], found["path"])
    assert abs(picture.width / picture.height - found["width"] / found["height"]) < 0.01
    assert all(0 <= x <= found["width"] and 0 <= y <= found["height"] for code in found["codes"] for x, y in code["polygon"])


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("scan.pdf", None),
        ("two-pages.tiff", ["found", "found"]),
        ("two-sheets.jpg", ["several"]),
        ("conflict.jpg", ["conflict"]),
        ("nothing.jpg", ["none"]),
    ],
)
def test_every_kind_of_file_has_its_answer_with_advice(page, rendered, name, statuses):
    """What was not read says why and what to do."""
    status, answer = scan(page, (rendered / name).read_bytes(), name)
    scans = answer["scans"]

    assert 200 == status
    assert statuses is None or statuses == [one["status"] for one in scans]
    assert all(one["ref"] for one in scans)
    assert all(one["status"] == "found" or (one["advice_zh"] and one["advice_en"] and one["reason"]) for one in scans)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", None),
        (b"\xff\xd8\xff\xe0 cut", "file-damaged"),
        (b"MZ\x90 a program", "file-kind-unknown"),
        (b"%PDF-1.7\n", "file-damaged"),
    ],
)
def test_a_broken_file_is_an_answer_not_an_accident(page, data, code):
    """Nothing of the temporary name of the file is told."""
    status, answer = scan(page, data, "x.jpg")
    if code is None:
        assert (422, "file-empty") == (status, answer["error"]["code"])
        return
    [found] = answer["scans"]

    assert (200, "error", code, None) == (status, found["status"], found["error"]["code"], found["preview"])
    assert "nhirx-" not in found["error"]["zh"] + found["error"]["en"]


def test_the_pharmacy_system_knows_the_prescription_of_a_sheet(shop, page):
    """By the text that was typed, O and I repaired; with the plugin it comes from."""
    known = shop.prescription()
    typed = known["sheet"]["visit_id"].replace("0", "O").lower() + "\r"
    answer = page.ok("POST", "/prescriptions/find", {"text": typed})
    nobody = page.ok("POST", "/prescriptions/find", {"text": SHEET[::-1]})

    assert (known, "known") == (answer["prescription"], answer["source"])
    assert {"prescription": None, "source": None} == nobody


def test_a_code_that_only_a_plugin_understands_is_handed_to_it(shop, page):
    """A prescription's own code, typed by a keyboard scanner."""
    code = "A123456789;0501231;1151118;AX90001100"
    shop.known.by_id[code] = shop.known.by_id[shop.prescription()["sheet"]["visit_id"]]

    assert page.ok("POST", "/prescriptions/find", {"text": code + "\r\n"})["prescription"]


def test_a_scan_is_found_by_its_reference_until_it_is_gone(page, rendered):
    _, answer = scan(page, (rendered / "demo-sheet.jpg").read_bytes())
    found = page.ok("POST", "/prescriptions/find", {"ref": answer["scans"][0]["ref"]})
    status, gone = page.call("POST", "/prescriptions/find", {"ref": "sGONE"})

    assert found["prescription"] is None
    assert (404, "scan-gone") == (status, gone["error"]["code"])
    assert (422, "request-invalid") == (
        page.call("POST", "/prescriptions/find", {})[0],
        page.call("POST", "/prescriptions/find", {})[1]["error"]["code"],
    )


def test_a_shelf_keeps_a_scan_for_its_life_and_no_more_than_it_may():
    """Memory stays flat however many sheets a day has."""
    now = [0.0]
    shelf = Shelf(60, 3, lambda: now[0])
    kept = [shelf.put(None, b"x", 1, 1).ref for _ in range(4)]
    with pytest.raises(ScanGone):
        shelf.get(kept[0])
    assert kept[3] == shelf.get(kept[3]).ref
    now[0] = 61
    with pytest.raises(ScanGone):
        shelf.get(kept[3])


def test_nothing_of_a_scan_is_left_on_disk(shop, page, rendered, monkeypatch, tmp_path):
    """The scanner opens a file; it is gone when the answer comes."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scan(page, (rendered / "demo-sheet.jpg").read_bytes())

    assert [] == list(tmp_path.iterdir())
    assert [] == list((shop.server.options.folder / "scanning").iterdir())


def test_the_picture_lies_where_only_its_owner_looks_and_a_killed_program_leaves_none_for_long(tmp_path):
    """Not among the temporary files of the system; what a kill left is removed with the next picture or the next start."""
    with scratch(tmp_path) as folder:
        (folder / "sheet.jpg").write_bytes(b"picture")

        assert (tmp_path / "scanning", 0o700) == (folder.parent, stat.S_IMODE(folder.stat().st_mode))
        with scratch(tmp_path) as other:
            assert folder.exists(), "another program may be at work in it"
    for number, age in enumerate((601, -86400)):
        left = tmp_path / "scanning" / f"sheet-left{number}"
        left.mkdir()
        (left / "sheet.jpg").write_bytes(b"picture")
        os.utime(left, (time.time() - age,) * 2)
    young = tmp_path / "scanning" / "sheet-young"
    young.mkdir()
    sweep(tmp_path)

    assert not other.exists()
    assert [young] == list((tmp_path / "scanning").iterdir())


def test_the_sample_sheet_is_for_the_demo_only(page):
    status, answer = page.call("GET", "/demo/sheet.jpg")

    assert (404, "not-found") == (status, answer["error"]["code"])
