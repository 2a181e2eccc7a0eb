"""What comes out: tables, numbers, a report that asks no network, the pages for a person, and what is there twice."""

from __future__ import annotations

import csv
import io
import json
import re

import cv2
import numpy as np
import pytest

from nhirx.batch.plots import rate
from nhirx.batch.report import html
from nhirx.batch.results import _safe, why_a_person
from nhirx.batch.source import Entry
from nhirx.batch.summary import Summary
from nhirx.identifiers import mask_visit_id


@pytest.fixture
def mixed(tmp_path, draw, batch):
    """A page, a copy of it, another page with its ID, one with nothing, a broken one; the first is named after its ID."""
    folder = tmp_path / "處方"
    folder.mkdir()
    text = draw.visit_id(7)
    first = draw.page(text)
    other = first.copy()
    other[-20:, :20] = 0
    (folder / f"a {text}.png").write_bytes(draw.png(first))
    (folder / "b.png").write_bytes(draw.png(first))
    (folder / "c.bmp").write_bytes(cv2.imencode(".bmp", other)[1].tobytes())
    (folder / "d.bmp").write_bytes(cv2.imencode(".bmp", draw.page(None))[1].tobytes())
    (folder / "e.png").write_bytes(draw.png(draw.page(None)))
    (folder / "f.jpg").write_bytes(b"")
    done = batch(folder)
    done.text = text
    return done


def test_duplicates_are_named(mixed):
    """The copy is the same picture; the other page holds the same visit ID."""
    first = {"path": mixed.lines[0]["path"], "page": 1}

    assert [None, first, None, None, None, None] == [line["same_picture_as"] for line in mixed.lines]
    assert [None, first, first, None, None, None] == [line["same_visit_id_as"] for line in mixed.lines]
    duplicates = mixed.summary["duplicates"]
    assert (2, 1) == (duplicates["visit_id"]["pages"], duplicates["picture"]["pages"])
    assert [{"path": mixed.lines[1]["path"], "page": 1, "as": first}] == duplicates["picture"]["named"]


def test_table_opens_in_excel(mixed):
    """UTF-8 with its mark, a line a page, Chinese words, the ID whole: it is the product."""
    data = (mixed.out / "results.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))

    assert data.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in data
    assert ["讀到", "讀到", "讀到", "沒有就醫識別碼", "沒有就醫識別碼", "檔案或頁面有問題"] == [row["結果"] for row in rows]
    assert mixed.text == rows[0]["就醫識別碼"]
    assert rows[1]["同一影像於"].endswith(".png #1")
    assert rows[5]["錯誤"].startswith("[file-empty] ")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@scan.png", "'@scan.png"),
        ("12345678901234E56789", '="12345678901234E56789"'),
        ("a=1.png", "a=1.png"),
        ("0USE4FA11RP4J370WR4K", "0USE4FA11RP4J370WR4K"),
    ],
)
def test_table_holds_text_only(cell, written):
    """No file name becomes a formula and no ID a number."""
    assert written == _safe(cell)


def test_summary_is_what_the_command_answers(mixed):
    assert mixed.summary == json.loads((mixed.out / "summary.json").read_text("utf-8"))


def test_numbers_are_those_of_the_lines(mixed):
    assert {"error": 1, "found": 3, "none": 2} == mixed.summary["by_status"]
    assert {"file-empty": 1} == mixed.summary["errors"]
    assert {"error": 1, "none": 2} == mixed.summary["review"]
    assert sum(line["review"] is not None for line in mixed.lines) == sum(mixed.summary["review"].values())


def test_pages_for_a_person_are_in_the_folder(mixed):
    """A PNG as it is, another format as a PNG; their names hold the number of the line and the reason, nothing of the file."""
    folder = mixed.out / "review"

    assert ["0000004-none.png", "0000005-none.png"] == sorted(path.name for path in folder.iterdir())
    assert (folder / "0000005-none.png").read_bytes() == open(mixed.lines[4]["path"], "rb").read()  # noqa: PTH123, SIM115
    assert (300, 400) == cv2.imdecode(np.fromfile(folder / "0000004-none.png", np.uint8), cv2.IMREAD_GRAYSCALE).shape


@pytest.mark.parametrize(
    ("status", "confidence", "why"),
    [
        ("found", "agreed", None),
        ("found", "checked", None),
        ("found", "single", "single"),
        ("found", "ocr", "ocr"),
        ("several", "agreed", None),
        ("conflict", None, "conflict"),
        ("unreadable", None, "unreadable"),
        ("none", None, "none"),
        ("error", None, "error"),
    ],
)
def test_who_has_to_look(status, confidence, why):
    """What was not read with certainty goes to a person, and nothing else."""
    assert why == why_a_person({"status": status, "confidence": confidence})


def test_report_is_one_file(mixed):
    """Nothing in it leads outside; its pictures are inside."""
    page = (mixed.out / "report.html").read_text("utf-8")

    assert [] == re.findall(r"(?:src|href|url|@import)\s*[=(:]?\s*['\"]?(?!data:)(?:https?:)?//", page)
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert 2 == page.count("data:image/jpeg;base64,")
    assert page.index("批次掃描報告") < page.index("Batch report")
    assert len(page) < 60_000


def test_report_shows_no_person(mixed):
    """The ID of the file name and of the page is masked."""
    page = (mixed.out / "report.html").read_text("utf-8")

    assert mixed.text not in page
    assert mask_visit_id(mixed.text) in page


def test_report_escapes_what_it_shows():
    """A file name is text, whatever it looks like."""
    error = {"code": "file-damaged", "zh": "<b>", "en": ""}
    scan = {
        "path": "<script>x</script>.png", "page": 1, "status": "error", "visit_ids": [], "confidence": None, "reasons": [],
        "error": error, "review": {"why": "error", "name": "0000001-error"},
    }  # fmt: skip
    twice = {"visit_id": {"pages": 0, "named": []}, "picture": {"pages": 0, "named": []}}
    counts = {key: {} for key in ("by_confidence", "reasons", "errors", "skipped_why")}
    summary = counts | {
        "sources": ["<i>"],
        "pages": 1,
        "found": 0,
        "by_status": {"error": 1},
        "review": {"error": 1},
        "duplicates": twice,
    }
    page = html(summary, [scan], {})

    assert "<script" not in page
    assert "<i>" not in page
    assert "&lt;script&gt;" in page


def test_small_picture_is_small(mixed):
    """It shows which sheet it is, and not what is written there."""
    import base64

    page = (mixed.out / "report.html").read_text("utf-8")
    (first, *_rest) = re.findall(r"base64,([^']+)'", page)
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(first), np.uint8), cv2.IMREAD_GRAYSCALE)

    assert max(picture.shape) <= 260


def test_report_shows_whole_ids_only_when_asked(tmp_path, draw, batch):
    """A page read from one unchecked form is shown with its ID, masked or not."""
    scan = {
        "path": "in/a.png", "page": 1, "status": "found", "visit_ids": [draw.visit_id(3)], "confidence": "single", "reasons": [],
        "codes": [], "review": {"why": "single", "name": "0000001-single"},
    }  # fmt: skip
    summary = counted([scan])

    assert draw.visit_id(3) not in html(summary, [scan], {})
    assert draw.visit_id(3) in html(summary, [scan], {}, whole_ids=True)


def test_report_says_what_was_tried_and_where_codes_were_read():
    """The frame of each code that was read lies over the picture, in the page's own pixels."""
    code = {
        "text": "x",
        "symbology": "qr",
        "kind": "other",
        "polygon": [[1.0, 2.0], [9.0, 2.0], [9.0, 8.5], [1.0, 8.5]],
        "reads": 1,
    }
    scan = {
        "path": "in/a.png", "page": 1, "status": "unreadable", "visit_ids": [], "confidence": None, "reasons": ["blur"],
        "codes": [code], "review": {"why": "unreadable", "name": "0000001-unreadable"},
    }  # fmt: skip
    page = html(counted([scan]), [scan], {"0000001-unreadable": {"jpeg": "QUJD", "width": 40, "height": 30}})

    assert "viewBox='0 0 40 30'" in page
    assert "points='1,2 9,2 9,8.5 1,8.5'" in page
    assert "讀不出的頁面已依序試過" in page
    assert "QR（其他）" in page


def counted(scans):
    """A summary of ``scans``, all below the source ``in``."""
    summary = Summary()
    for number, scan in enumerate(scans):
        summary.take(Entry(number, scan["path"], scan["path"]), scan | {"same_visit_id_as": None, "same_picture_as": None})
    return summary.told(("in",))


@pytest.mark.parametrize(
    ("part", "whole", "said"), [(1, 3, "33.3%"), (9999, 10_000, "99.9%"), (1, 10_000, "0.1%"), (0, 5, "0.0%"), (5, 5, "100.0%")]
)
def test_rate_is_whole_only_when_nothing_is_missing(part, whole, said):
    assert said == rate(part, whole)
