"""Check results: the text report of the VPN page and the JSON of the Web API."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest

from nhirx.errors import FileEmpty, FileMissing, FileTooLarge, FileUnreadable, NhirxError, RecordMalformed
from nhirx.records.repair import repaired
from nhirx.records.report import Summary, read_report

LINE = "=" * 75
HEAD = (
    "健保卡上傳 檢核結果\r\n安全模組[SAM000000001] 院所[5901234567] 作業[A1]\r\n上傳[1151120210000] 大小[5120] 接收[3]\r\n"
    "接收時間[1151120210103] 處理[3] 醫令[6]\r\n有效[1] 有效醫令[2] 無效[2]\r\n"
)
SECOND = (
    "第[2]筆\r\nH00=[ 1 ]          H01=[ B ]          M03=[ A123456789 ]\r\nM13=[ A000 ]  M15=[ NULL ]  M16=[ 99999999999999999999 ]\r\n"
    "M50=[  ]\r\n錯誤原因:M15:AA;D05[1]:AF;\r\n"
)
THIRD = "第[3]筆\r\nH00=[ 1 ]  M15=[ NULL ]\r\n錯誤原因:M15:AA;\r\n警告原因:D11[2]:16;M33:IHKE07;\r\n"
REPORT = f"{HEAD}{LINE}\r\n{SECOND}{LINE}\r\n{THIRD}"


def told(report: Any) -> list[tuple[Any, ...]]:
    return [
        (record.n, error.field, error.order, error.code, error.severity) for record in report.records for error in record.errors
    ]


EXPECTED = [
    (2, "M15", None, "AA", "error"),
    (2, "D05", 1, "AF", "error"),
    (3, "M15", None, "AA", "error"),
    (3, "D11", 2, "16", "warning"),
    (3, "M33", None, "IHKE07", "warning"),
]


@pytest.mark.parametrize("codec", ["cp950", "utf-8", "utf-8-sig"])
def test_text_report(codec: str) -> None:
    """Summary by place, fields with null for absent ones, errors with their order."""
    report = read_report(REPORT.encode(codec))

    assert report.summary == Summary("2026-11-20T21:00:00+08:00", 3, 1, 2, 2)
    assert told(report) == EXPECTED
    assert report.records[0].fields == {
        "H00": "1", "H01": "B", "M03": "A123456789", "M13": "A000", "M15": None, "M16": "9" * 20, "M50": "",
    }  # fmt: skip


def test_json_of_the_contract() -> None:
    """Summary, records and errors as the contract spells them."""
    value = read_report(REPORT.encode("cp950")).as_json()

    assert set(value["summary"]) == {"uploaded_at", "received", "valid_details", "valid_orders", "invalid_details"}
    assert set(value["records"][0]) == {"n", "fields", "errors"}
    assert set(value["records"][0]["errors"][0]) >= {"field", "order", "code", "zh", "en", "fix_zh", "fix_en"}


def test_unknown_codes_are_shown_raw() -> None:
    """A code that no list knows is passed on."""
    error = read_report(REPORT.encode("cp950")).records[1].errors[2]

    assert error.code == "IHKE07"
    assert "IHKE07" in error.zh


def test_zip() -> None:
    """The archive of the Web API and the VPN page is opened."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.txt", REPORT.encode("cp950"))

    assert told(read_report(packed.getvalue())) == EXPECTED


def test_another_number_of_brackets_is_not_guessed() -> None:
    """Counts whose place is not known are left out; the records are still read."""
    report = read_report(REPORT.replace("處理[3]", "").encode("cp950"))

    assert report.summary == Summary()
    assert told(report) == EXPECTED


def test_records_without_separating_lines() -> None:
    """A report that lost its lines is still told apart by record."""
    assert told(read_report(REPORT.replace(LINE, "").encode("cp950"))) == EXPECTED


def test_refusal_of_the_whole_file() -> None:
    """A reason outside every record belongs to the file."""
    report = read_report(f"{HEAD}{LINE}\r\n錯誤原因:RECS:Y015;\r\n".encode("cp950"))

    assert told(report) == [(None, "RECS", None, "Y015", "error")]
    assert told(read_report(f"{HEAD}{LINE}\r\n錯誤原因:Y014;\r\n".encode("cp950"))) == [(None, "XML", None, "Y014", "error")]


def test_nothing_wrong() -> None:
    """A report without records is good news."""
    report = read_report(HEAD.encode("cp950"))

    assert report.records == ()
    assert report.summary.received == 3


def test_grouped_by_cause() -> None:
    """The most frequent error comes first, warnings last."""
    causes = [(error.code, numbers) for error, numbers in read_report(REPORT.encode("cp950")).by_cause()]

    assert causes == [("AA", [2, 3]), ("AF", [2]), ("16", [3]), ("IHKE07", [3])]


RESULT = {
    "upload_dt": "20261120210000000",
    "recs": [
        {"rec_no": 2, "err_level": 1, "M15": "NULL", "M13": "A000", "errors": [{"field": "M15", "code": "AA"}, {"field": "D05", "order": 1, "code": "AF"}]},
        {"rec_no": 3, "err_level": 0, "err_msg": "D11[2]:16;M33:D024;", "D15": "M15:AA"},
    ],
}  # fmt: skip
TOLD = [
    (2, "M15", None, "AA", "error"),
    (2, "D05", 1, "AF", "error"),
    (3, "D11", 2, "16", "warning"),
    (3, "M33", None, "D024", "warning"),
]


def packed(value: Any) -> str:
    return base64.encodebytes(json.dumps(value, ensure_ascii=False).encode()).decode()


@pytest.mark.parametrize(
    "answer",
    [
        RESULT,
        RESULT["recs"],
        {"RtnCode": "0000", "Tx_result_json": packed(RESULT)},
        {"rtncode": "0000", "tx_result_json": json.dumps(RESULT), "Tx_result_txt": "ignored"},
        {"RtnCode": "0000", "Tx_result_json": packed({"body": {"Recs": RESULT["recs"]}})},
    ],
)
def test_json_answers(answer: Any) -> None:
    """The result is found decoded or packed, however it is wrapped."""
    report = read_report(json.dumps(answer, ensure_ascii=False).encode())

    assert told(report) == TOLD
    assert report.records[0].fields["M15"] is None
    assert report.records[0].fields["M13"] == "A000"
    assert report.records[0].raw == RESULT["recs"][0]  # type: ignore[index]
    assert [record.accepted for record in report.records] == [False, True]


def test_an_empty_result_is_good_news() -> None:
    """No record in the list of records means that none was refused."""
    report = read_report(json.dumps({"RtnCode": "0000", "Tx_result_json": packed({"recs": []})}).encode())

    assert (report.records, report.answers) == ((), ())


def test_text_inside_the_answer() -> None:
    """Where the JSON result is empty the packed text report is read."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", REPORT.encode("cp950"))
    answer = {"RtnCode": "0000", "Tx_result_json": "", "Tx_result_txt": base64.encodebytes(archive.getvalue()).decode()}

    assert told(read_report(json.dumps(answer).encode())) == EXPECTED


def test_result_not_ready() -> None:
    """An answer that is only a code is told in words."""
    report = read_report(b'{"RtnCode": "5002"}')

    assert [(answer.code, answer.severity) for answer in report.answers] == [("5002", "pending")]


def test_the_simulator_is_understood() -> None:
    """Both forms that the simulated service gives are read alike."""
    from nhirx.sim import results

    error = {"field": "M15", "order": None, "code": "AA", "effect": "reject"}
    upload = {
        "sam_id": "SAM000000001", "institution": "5901234567", "mode": "A1", "opcode": "20261120210000", "at": "2026-11-20T21:00:00+08:00",
        "size": 10, "received": 2, "received_orders": 2, "valid_details": 1, "valid_orders": 1, "invalid_details": 1, "file_errors": [],
        "records": [{"n": 2, "fields": {"H00": "1", "M13": "A000"}, "errors": [error]}],
    }  # fmt: skip
    text = results.report_text(upload)
    assert text is not None
    of_text, of_json = (
        read_report(text.encode("cp950")),
        read_report(base64.b64decode(results.as_json(upload, list_accepted=False))),
    )

    assert told(of_text) == told(of_json) == [(2, "M15", None, "AA", "error")]
    assert of_text.summary == of_json.summary == Summary("2026-11-20T21:00:00+08:00", 2, 1, 1, 1)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FileEmpty),
        (b"  \r\n", FileEmpty),
        (b"hello", RecordMalformed),
        (b"<RECS/>", RecordMalformed),
        (b"{", RecordMalformed),
        (b"{}", RecordMalformed),
        (b'{"RtnCode": "0000", "Tx_result_json": "e30K"}', RecordMalformed),
        (b"[" * 100_000, RecordMalformed),
        (b"PK\x03\x04broken", FileUnreadable),
    ],
)
def test_what_is_no_report(data: bytes, error: type[NhirxError]) -> None:
    """Each gets one clear error."""
    with pytest.raises(error):
        read_report(data)


def test_encrypted_archive() -> None:
    """The words say how to give the password."""
    from zipfile import ZipFile, ZipInfo

    packed_file = io.BytesIO()
    with ZipFile(packed_file, "w") as archive:
        archive.writestr(ZipInfo("a.txt"), REPORT.encode("cp950"))
    data = bytearray(packed_file.getvalue())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(mark) + offset] |= 1  # the flag "encrypted"
    with pytest.raises(FileUnreadable) as caught:
        read_report(bytes(data))

    assert "--password" in caught.value.en


def test_archive_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that grows without end is cut off."""
    monkeypatch.setattr("nhirx.records.report.LIMIT", 10_000)
    packed_file = io.BytesIO()
    with zipfile.ZipFile(packed_file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"0" * 100_000)
    with pytest.raises(FileTooLarge):
        read_report(packed_file.getvalue())


def test_missing_file(tmp_path: Any) -> None:
    """A path that is not there says so."""
    with pytest.raises(FileMissing):
        read_report(tmp_path / "absent.txt")


def reported(*errors: str) -> Any:
    return read_report(f"第[1]筆\r\nH00=[ 1 ]\r\n錯誤原因:{''.join(error + ';' for error in errors)}".encode("cp950")).records[0]


def test_repair_where_only_one_content_is_right(records: Any, change: Any) -> None:
    """Fields that must be empty are emptied, an order's time follows the visit; the result passes our own checks."""
    wrong = change(change(records["normal"], None, M13="A000", M46="0"), 1, D01="1151120090014")

    assert repaired(wrong, reported("M13:AD14", "M46:AF", "D01[1]:BE")) == records["normal"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"M06": None}, "M06:AA"), ({"M35": "460"}, "M35:15"), ({"M49": "1151119090000"}, "M49:AF"), ({}, "M15:D002")],
)
def test_what_a_person_has_to_decide(fault: Any, error: str, records: Any, change: Any) -> None:
    """Nothing is invented: a missing value, a choice between two corrections, a matter of the NHI's."""
    assert repaired(change(records["normal"], None, **fault), reported(error)) is None
