"""``check``, ``report``, ``compare`` and ``convert`` as another program calls them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nhirx.cli.app import run
from nhirx.model import UploadRecord
from nhirx.records import xml

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(capsysbinary: pytest.CaptureFixture[bytes]) -> Call:
    """``call("check", path)``: exit code and the JSON that went to stdout."""

    def called(*words: object) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            run([str(word) for word in words] + ["--json"])
        out = capsysbinary.readouterr().out
        return int(str(ended.value.code or 0)), json.loads(out)

    return called


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """``file("a.xml", record, …)`` or ``file("a.txt", b"…")``: a file with that content."""

    def made(name: str, *content: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(content[0] if content and isinstance(content[0], bytes) else xml.write(content))
        return path

    return made


def test_check(call: Call, file: Any, records: dict[str, UploadRecord], change: Any) -> None:
    """A right file ends with 0, a wrong one with 1 and the finding of the contract."""
    good, bad = records["normal"], change(records["normal"], None, M13="A000")
    right = call("check", file("right.xml", good), "--today", "1151122")
    code, found = call("check", file("wrong.xml", good, bad), "--today", "2026-11-22")
    (error,) = [item for item in found["records"][1]["findings"] if item["code"] == "AD14"]

    assert right[0] == 0
    assert code == 1
    assert set(found) == {"file_findings", "records"}
    assert [(record["index"], record["visit_id"]) for record in found["records"]] == [(1, good.visit_id), (2, good.visit_id)]
    assert list(error) == ["field", "order", "code", "severity", "zh", "en", "fix_zh", "fix_en"]
    assert (error["field"], error["order"], error["severity"]) == ("M13", None, "error")


def test_check_without_a_day_only_warns_about_lateness(
    call: Call, file: Any, records: dict[str, UploadRecord], change: Any
) -> None:
    """A file that is looked at years later is not wrong for that."""
    record = change(records["normal"], None, M11="1130305090013", M19="1130303093000", M15="9HJKLMA1234567890000")
    old = UploadRecord(fields=record.fields, orders=tuple(order | {"D01": "1130305090013"} for order in record.orders))
    path = file("old.xml", old)
    code, found = call("check", path)

    assert code == 0
    assert [item["severity"] for item in found["records"][0]["findings"] if item["code"] == "BH"] == ["warning"]
    assert call("check", path, "--today", "1151122")[0] == 1


@pytest.mark.parametrize(
    ("content", "exit_code", "error"),
    [(None, 2, "file-missing"), (b"", 2, "file-empty"), (b"\x00\x01", 1, None), (b"<RECS>", 1, None), (b"<a/>", 1, None)],
)
def test_check_of_bad_files(content: bytes | None, exit_code: int, error: str | None, call: Call, tmp_path: Path) -> None:
    """No content is an error of the call, broken content is a finding."""
    path = tmp_path / "bad.xml"
    if content is not None:
        path.write_bytes(content)
    code, found = call("check", path)

    assert code == exit_code
    assert found.get("error", {}).get("code") == error
    assert error or [item for item in found["file_findings"] if item["severity"] == "error"]


def test_check_day_that_is_none(call: Call, file: Any, records: dict[str, UploadRecord]) -> None:
    """A day that cannot be read is an error of the call."""
    assert call("check", file("a.xml", records["normal"]), "--today", "tomorrow")[0] == 2


def test_check_in_words(file: Any, records: dict[str, UploadRecord], change: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """People read the fault, the fix, and no visit ID in clear."""
    path = file("a.xml", change(records["normal"], None, M13="A000"))
    with pytest.raises(SystemExit):
        run(["check", str(path), "--lang", "zh", "--today", "1151122"])
    shown = capsys.readouterr().out

    assert "AD14" in shown
    assert "→" in shown
    assert records["normal"].visit_id not in shown


def test_check_from_stdin(call: Call, records: dict[str, UploadRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash reads standard input."""

    class Piped:
        buffer = io.BytesIO(xml.write([records["normal"]]))

    monkeypatch.setattr("sys.stdin", Piped())

    assert call("check", "-", "--today", "1151122")[0] == 0


REPORT = "第[1]筆\r\nH00=[ 1 ]  M13=[ A000 ]  M15=[ NULL ]\r\n錯誤原因:M13:AD14;\r\n"


def test_report(call: Call, file: Any) -> None:
    """The contract's object, and 1 when a record was refused."""
    code, found = call("report", file("r.txt", REPORT.encode("cp950")))
    (record,) = found["records"]

    assert code == 1
    assert set(found) >= {"summary", "records"}
    assert (record["n"], record["fields"]) == (1, {"H00": "1", "M13": "A000", "M15": None})
    assert list(record["errors"][0])[:3] == ["field", "order", "code"]
    assert call("report", file("ok.json", b'{"recs": []}'))[0] == 0
    assert call("report", file("no.txt", b"hello"))[1]["error"]["code"] == "record-malformed"


def test_report_makes_a_corrected_file(
    call: Call, file: Any, tmp_path: Path, records: dict[str, UploadRecord], change: Any
) -> None:
    """With the file that was sent, what has one right content can be sent again."""
    sent = file("sent.xml", change(records["normal"], None, M13="A000"), records["refill"])
    code, found = call("report", file("r.txt", REPORT.encode("cp950")), "--sent", sent, "--out", tmp_path / "again.xml")

    assert (code, found["corrected"]) == (1, [1])
    assert [item.record for item in xml.read(tmp_path / "again.xml")] == [records["normal"]]


def test_report_in_words(file: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Grouped by cause, with the field to change."""
    with pytest.raises(SystemExit):
        run(["report", str(file("r.txt", (REPORT + REPORT.replace("[1]筆", "[7]筆")).encode("cp950"))), "--lang", "en"])

    shown = capsys.readouterr().out

    assert "M13 AD14 ×2" in shown
    assert "1, 7" in shown


def old(time: str) -> UploadRecord:
    fields = {"A00": "1", "A01": "1", "A02": "1.0", "A12": "A123456789", "A13": "0501231", "A17": time, "A23": "AF"}
    return UploadRecord(fields=fields, orders=({"A71": time, "A72": "1", "A73": "AC12345100", "A78": "02"},))


def test_compare(call: Call, file: Any, records: dict[str, UploadRecord], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """The contract's object; 1 while a record is missing."""
    v1, v2 = file("v1.xml", old("1151120090013"), old("1151120090014")), file("v2.xml", records["normal"])
    code, found = call("compare", "--v1", v1, "--v2", v2)

    assert code == 1
    assert found["total"] == {"v1": 2, "matched": 1, "percent": 50}
    assert set(found) >= {"total", "by_date", "by_visit_type", "missing"}
    assert call("compare", "--v1", file("one.xml", old("1151120090013")), "--v2", v2)[0] == 0
    with pytest.raises(SystemExit):
        run(["compare", "--v1", str(v1), "--v2", str(v2)])
    shown = capsysbinary.readouterr().out

    assert b"A12******9" in shown
    assert b"A123456789" not in shown


def test_convert(call: Call, file: Any, tmp_path: Path) -> None:
    """The new file is there, and what is missing is named."""
    code, found = call("convert", file("v1.xml", old("1151120090013")), "--out", tmp_path / "v2.xml", "--set", "M23=0")
    (written,) = xml.read(tmp_path / "v2.xml")

    assert code == 1
    assert (found["written"], found["skipped"]) == (1, 0)
    assert "M15" in {remark["field"] for remark in found["remarks"]}
    assert (written.fields["M11"], written.fields["M23"], written.orders[0]["D05"]) == ("1151120090013", "0", "A")


def test_convert_leaves_no_half_file(call: Call, file: Any, tmp_path: Path) -> None:
    """A broken old file makes no new one, and an old result stays."""
    target = tmp_path / "v2.xml"
    target.write_bytes(b"kept")
    code, found = call("convert", file("v1.xml", xml.write([old("1151120090013")] * 3)[:-20]), "--out", target)

    assert (code, found["error"]["code"]) == (2, "record-malformed")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v1.xml", "v2.xml"]
    assert target.read_bytes() == b"kept"


def test_convert_refuses_a_field_that_is_none(call: Call, file: Any, tmp_path: Path) -> None:
    """Only a field of the visit can be given."""
    assert call("convert", file("v1.xml", old("1151120090013")), "--out", tmp_path / "b.xml", "--set", "X=1")[0] == 2


def test_a_report_that_tells_nothing_is_no_success(call: Call, file: Any) -> None:
    """A heading without counts and records proves nothing; invalid details without reasons are no success either."""
    empty = "檢核結果 [x]\n".encode("big5")
    counted = "檢核結果 " + "".join(
        f"[{value}]" for value in ("a", "b", "c", "1151120210000", "9", "2", "g", "h", "i", "1", "5", "1")
    )

    assert call("report", file("a.txt", empty))[0] == 1
    assert call("report", file("b.txt", counted.encode("big5")))[0] == 1
