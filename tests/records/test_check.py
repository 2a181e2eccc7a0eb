"""The NHI's checks offline: right records pass, every single fault is found where it stands."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from importlib import resources
from typing import Any, get_args

import pytest

from nhirx.errors import FileEmpty, FileMissing, TableInvalid
from nhirx.model import UploadRecord
from nhirx.records import xml
from nhirx.records.check import check_file, check_record
from nhirx.records.rules import compile_book, rule_book
from nhirx.records.source import Trouble
from nhirx.tables.check_codes import check_codes
from nhirx.tables.load import code_rows

ONE_FAULT: list[tuple[str, int | None, dict[str, str | None], str, str, str]] = [
    # record, order, change, field, code, severity
    ("normal", None, {"H00": "9"}, "H00", "01", "error"),
    ("normal", None, {"H00": None}, "H00", "AA", "error"),
    ("normal", None, {"H01": "Q"}, "H01", "02", "error"),
    ("normal", None, {"H01": "Q"}, "H01", "Y008", "error"),
    ("normal", None, {"H01": "C"}, "H01", "D053", "error"),
    ("normal", None, {"H01": "E"}, "H01", "D053", "error"),
    ("normal", None, {"M01": None}, "M01", "AA", "error"),
    ("normal", None, {"M02": None}, "M02", "AA", "error"),
    ("normal", None, {"M14": None}, "M14", "AA", "error"),
    ("normal", None, {"M14": "AB12" * 60}, "M14", "AC", "error"),
    ("normal", None, {"M06": None}, "M06", "AA", "error"),
    ("normal", None, {"M03": "A12345678"}, "M03", "AC", "error"),
    ("normal", None, {"M03": "A123456788"}, "M03", "05", "warning"),
    ("normal", None, {"M03": "A223456781"}, "M15", "D003", "warning"),
    ("normal", None, {"M04": "0501331"}, "M04", "AD", "error"),
    ("normal", None, {"M04": "050123"}, "M04", "AC", "error"),
    ("normal", None, {"M04": "05O1231"}, "M04", "AB", "error"),
    ("normal", None, {"M04": "0990229"}, "M04", "AD", "error"),
    ("normal", None, {"M05": "590123456G"}, "M05", "none", "error"),
    ("normal", None, {"M05": "590123Z567"}, "M05", "D058", "pending"),
    ("normal", None, {"M07": "01"}, "M07", "AD23", "error"),
    ("normal", None, {"M07": "AE"}, "M07", "AD23", "error"),
    ("normal", None, {"M07": "Q9"}, "M07", "AD", "error"),
    ("normal", None, {"M07": "Q9"}, "M07", "Y008", "error"),
    ("normal", None, {"M11": "1151120096013"}, "M11", "AD", "error"),
    ("normal", None, {"M11": "11511200900"}, "M11", "AC", "error"),
    ("normal", None, {"M11": None}, "M11", "AA", "error"),
    ("normal", None, {"M11": "1151120090014"}, "M15", "D005", "warning"),
    ("normal", None, {"M12": "5"}, "M12", "AD", "error"),
    ("normal", None, {"M12": None}, "M12", "AA", "error"),
    ("normal", None, {"M13": "0007"}, "M13", "AD14", "error"),
    ("normal", None, {"M13": "A000"}, "M13", "AD14", "error"),
    ("normal", None, {"M13": "A000"}, "M13", "AE01", "error"),
    ("normal", None, {"M15": None}, "M15", "AA", "error"),
    ("normal", None, {"M15": "7KQXW3A1234567890OI1"}, "M15", "D002", "error"),
    ("normal", None, {"M15": "7KQXW3A1234567890"}, "M15", "AC", "error"),
    ("normal", None, {"M15": "9" * 20}, "M15", "D002", "error"),
    ("normal", None, {"M15": "F" * 20}, "M13", "D042", "error"),
    ("normal", None, {"M15": "SM00" + "0" * 16}, "M15", "D068", "pending"),
    ("normal", None, {"M16": None}, "M16", "AA", "error"),
    ("normal", None, {"M16": "MISS" + "0" * 16}, "M16", "D002", "error"),
    ("normal", None, {"M16": "C001" + "0" * 16, "M18": "C001"}, "M16", "D002", "warning"),
    ("normal", None, {"M16": "C000" + "0" * 16}, "M18", "D032", "warning"),
    ("normal", None, {"M17": None}, "M17", "AA", "error"),
    ("normal", None, {"M18": "IC02"}, "M18", "D032", "error"),
    ("normal", None, {"M18": "9999"}, "M18", "D032", "warning"),
    ("normal", None, {"M18": "ICND"}, "M16", "D067", "error"),
    ("normal", None, {"M18": "ICND"}, "M17", "D067", "error"),
    ("normal", None, {"M18": "ICND"}, "M19", "D067", "error"),
    ("normal", None, {"M19": None}, "M19", "AA", "error"),
    ("normal", None, {"M19": "1151120090013"}, "M19", "D007", "error"),
    ("normal", None, {"M19": "0491231093000"}, "M19", "BG", "error"),
    ("normal", None, {"M04": "1160101"}, "M11", "BG", "error"),
    ("normal", None, {"M20": None}, "M20", "AA", "error"),
    ("normal", None, {"M20": "x"}, "M20", "AB", "error"),
    ("normal", None, {"M20": "2"}, "D09", "D041", "error"),
    ("normal", None, {"M23": "7"}, "M23", "AD", "error"),
    ("normal", None, {"M23": "7"}, "M23", "Y008", "error"),
    ("normal", None, {"M23": "2"}, "M20", "D036", "error"),
    ("normal", None, {"M23": "2"}, "M23", "D011", "error"),
    ("normal", None, {"M23": "2"}, "D02", "D045", "error"),
    ("normal", None, {"M23": "1"}, "D02", "D027", "error"),
    ("normal", None, {"M23": "1"}, "D02", "D044", "error"),
    ("normal", None, {"M23": "D"}, "M23", "D056", "error"),
    ("normal", None, {"M24": None}, "M24", "D064", "error"),
    ("normal", None, {"M25": "1"}, "M25", "D062", "error"),
    ("normal", None, {"M26": "2"}, "M26", "D015", "error"),
    ("normal", None, {"M29": "2"}, "M29", "D018", "error"),
    ("normal", None, {"M33": "1"}, "M33", "D019", "error"),
    ("normal", None, {"M35": None}, "M35", "AA", "error"),
    ("normal", None, {"M35": "感冒"}, "M35", "AB", "error"),
    ("normal", None, {"M35": "460"}, "M35", "15", "error"),
    ("normal", None, {"M35": "J06.9"}, "M35", "15", "warning"),
    ("normal", None, {"M36": "U071"}, "M36", "AD41", "error"),
    ("normal", None, {"M44": None}, "M44", "AA", "error"),
    ("normal", None, {"M44": "12.5"}, "M44", "AB", "error"),
    ("normal", None, {"M46": "1"}, "M46", "AF", "error"),
    ("normal", None, {"M49": "1151119090000"}, "M49", "AF", "error"),
    ("normal", None, {"M52": "MISS" + "0" * 16}, "M52", "AF", "error"),
    ("normal", None, {"M51": "Q"}, "M51", "AD42", "error"),
    ("normal", None, {"M51": None}, "M51", "AA", "warning"),
    ("normal", None, {"M56": None}, "M56", "AA", "warning"),
    ("normal", None, {"M99": "1"}, "M99", "AE", "error"),
    ("normal", 1, {"D01": "1151120090014"}, "D01", "BE", "error"),
    ("normal", 1, {"D01": None}, "D01", "AA", "error"),
    ("normal", 1, {"D02": "7"}, "D02", "AD", "error"),
    ("normal", 1, {"D02": "7"}, "D06", "D000", "error"),
    ("normal", 1, {"D02": None}, "D02", "AA", "error"),
    ("normal", 1, {"D02": "M"}, "D02", "D027", "error"),
    ("normal", 2, {"D03": "001"}, "D03", "D028", "error"),
    ("normal", 2, {"D03": None}, "D03", "AA", "error"),
    ("normal", 1, {"D03": "0001"}, "D03", "AC", "error"),
    ("normal", 1, {"D03": "000"}, "D03", "AD", "error"),
    ("normal", 1, {"D04": None}, "D04", "D029", "warning"),
    ("normal", None, {"M35": "U071"}, "M35", "AD41", "error"),
    ("normal", 1, {"D04": "Z"}, "D04", "AD", "error"),
    ("normal", 1, {"D04": "C"}, "M26", "D064", "error"),
    ("normal", 1, {"D04": "C"}, "M24", "D062", "error"),
    ("normal", 1, {"D05": "1"}, "D05", "D047", "error"),
    ("normal", 1, {"D05": None}, "D05", "D047", "error"),
    ("normal", 1, {"D05": "0"}, "D05", "D047", "warning"),
    ("normal", 1, {"D05": "9"}, "D05", "AD", "error"),
    ("normal", 2, {"D05": "2"}, "D05", "D047", "warning"),
    ("normal", 1, {"D06": None}, "D06", "AA", "error"),
    ("normal", 1, {"D06": "R001"}, "D02", "19", "error"),
    ("normal", 2, {"D02": "G", "D06": "Z123", "D10": "0"}, "D06", "23", "warning"),
    ("normal", 2, {"D02": "G", "D06": "R001"}, "D10", "AD", "warning"),
    ("normal", 2, {"D02": "G", "D06": "R001", "D05": "A"}, "D05", "D047", "error"),
    ("normal", 1, {"D08": None}, "D08", "D029", "error"),
    ("normal", 1, {"D08": "THRICE"}, "D08", "AD", "error"),
    ("normal", 1, {"D08": "tid"}, "D08", "AD", "error"),
    ("normal", 1, {"D08": "一天三次"}, "D08", "AB", "error"),
    ("normal", 1, {"D09": None}, "D09", "D029", "error"),
    ("normal", 1, {"D09": "0"}, "D09", "D040", "error"),
    ("normal", 1, {"D09": "91"}, "D09", "D040", "error"),
    ("normal", 1, {"D10": None}, "D10", "AA04", "error"),
    ("normal", 1, {"D10": "00000.0"}, "D10", "AA04", "error"),
    ("normal", 1, {"D10": "nine"}, "D10", "AB", "error"),
    ("normal", 1, {"D10": "000009.0"}, "D10", "AC", "error"),
    ("normal", 1, {"D10": "9.25"}, "D10", "AB", "error"),
    ("normal", 1, {"D11": None}, "D11", "AA", "warning"),
    ("normal", 1, {"D11": "AB"}, "D11", "AC", "warning"),
    ("normal", 1, {"D12": "3502060427"}, "D12", "AF", "error"),
    ("normal", 1, {"D14": "MOUTH"}, "D14", "AD", "error"),
    ("normal", 1, {"D14": None}, "D14", "D029", "warning"),
    ("normal", 1, {"D15": "N"}, "D15", "D065", "warning"),
    ("normal", 1, {"E01": "N"}, "E01", "AF", "error"),
    ("normal", 1, {"V01": "X"}, "V01", "AF", "error"),
    ("normal", 1, {"D06": "XCOVID0001"}, "D08", "AD56", "error"),
    ("normal", 1, {"D06": "XCOVID0001", "D08": "BID"}, "D09", "AD57", "error"),
    ("normal", 1, {"D06": "XCOVID0002"}, "D06", "AD63", "error"),
    ("normal", 1, {"D06": "XCOVID0001", "D05": "0"}, "D05", "AD54", "error"),
    ("normal", 2, {"D06": "XCOVID0001"}, "D02", "AD51", "error"),
    ("normal", 2, {"D06": "XCOVID0001"}, "D02", "AD62", "error"),
    ("normal", 2, {"D06": "PCRP-COVID19"}, "H00", "D057", "error"),
    ("abnormal", None, {"M01": "SAM000000001"}, "M01", "AF", "error"),
    ("abnormal", None, {"M02": "000012345678"}, "M02", "AF", "error"),
    ("abnormal", None, {"M14": "AB" * 128}, "M14", "AF", "error"),
    ("abnormal", 1, {"D11": "AB" * 20}, "D11", "AF", "error"),
    ("abnormal", None, {"M13": None}, "M13", "AA", "error"),
    ("abnormal", None, {"M13": None}, "M13", "AD02", "error"),
    ("abnormal", None, {"M13": "0007"}, "M13", "AD02", "error"),
    ("abnormal", None, {"M13": "G000", "M12": "2"}, "M12", "D020", "error"),
    ("abnormal", None, {"M13": "G000"}, "M15", "D075", "pending"),
    ("abnormal", None, {"M13": "IC09"}, "M13", "AD44", "warning"),
    ("abnormal", None, {"M13": "IC98", "M16": None}, "M16", "AA", "warning"),
    ("abnormal", None, {"M13": "HVIT"}, "M13", "AD64", "pending"),
    ("abnormal", None, {"M13": "MSPT"}, "M13", "AD67", "error"),
    ("abnormal", None, {"M13": "ICC4"}, "M13", "AD71", "error"),
    ("normal", None, {"M50": "HB"}, "M50", "AD66", "error"),
    ("normal", None, {"M17": "5901234567"}, "M16", "D051", "pending"),
    ("normal", None, {"M17": "5901234567"}, "M16", "D052", "pending"),
    ("normal", 2, {"D06": "E5012C", "D10": "6.0"}, "D10", "AD68", "error"),
    ("normal", 2, {"D06": "CHEX11209PIN"}, "M51", "AD72", "error"),
    ("refill", None, {"M21": "85"}, "M21", "D008", "error"),
    ("refill", None, {"M26": None}, "M26", "D014", "error"),
    ("refill", None, {"M26": "5"}, "M26", "D014", "error"),
    ("refill", None, {"M26": "1"}, "M26", "D014", "error"),
    ("refill", None, {"M21": None}, "M26", "D015", "error"),
    ("refill", None, {"M21": "7", "M20": "7"}, "M21", "D009", "error"),
    ("refill", None, {"M33": None}, "M33", "AA", "error"),
    ("refill", None, {"M33": "4"}, "M33", "D019", "error"),
    ("refill", None, {"M33": "0"}, "M33", "D022", "error"),
    ("refill", None, {"M21": "364", "M26": "13"}, "M26", "D014", "warning"),
    ("refill", None, {"M23": "1"}, "M33", "D043", "error"),
    ("refill", 1, {"D09": "29"}, "D09", "D041", "error"),
    ("refill", 1, {"D04": "A"}, "M26", "D062", "error"),
    ("make_up", None, {"M49": None}, "M49", "AA", "error"),
    ("make_up", None, {"M52": None}, "M52", "AA", "error"),
    ("make_up", None, {"M52": "MISS" + "0" * 16}, "M52", "D002", "error"),
    ("make_up", None, {"M12": "4"}, "M52", "D054", "error"),
    ("make_up", None, {"M12": "3"}, "M49", "D055", "error"),
    ("make_up", None, {"M49": "1151120090013"}, "M49", "D060", "error"),
    ("make_up", None, {"M19": "1151119101500"}, "M19", "D007", "error"),
    ("make_up", None, {"M49": "1151118101500"}, "M52", "D005", "warning"),
    ("newborn", None, {"M09": None}, "M09", "BB", "error"),
    ("newborn", None, {"M08": None}, "M08", "BC", "error"),
    ("newborn", None, {"M08": None}, "M08", "BB", "error"),
    ("newborn", None, {"M09": "6"}, "M09", "BB01", "error"),
    ("newborn", None, {"M10": "c"}, "M10", "BB02", "error"),
    ("newborn", None, {"M10": "1"}, "M10", "AD", "error"),
    ("newborn", None, {"M10": None}, "M10", "AA", "warning"),
    ("newborn", None, {"M08": "1151121"}, "M08", "BE", "error"),
    ("newborn", None, {"M08": "0491231"}, "M08", "BG", "error"),
    ("newborn", None, {"M08": "1150901"}, "M08", "BI", "warning"),
]


def found(record: UploadRecord, today: date | None) -> list[tuple[str, int | None, str, str]]:
    report = check_file(xml.write([record]), today)
    assert report.file_findings == ()
    (only,) = report.records
    return [(finding.field, finding.order, finding.code, finding.severity) for finding in only.findings]


@pytest.mark.parametrize("name", ["normal", "refill", "abnormal", "make_up", "newborn"])
def test_a_right_record_has_no_error(name: str, records: dict[str, UploadRecord], today: date) -> None:
    """Correct records of every kind pass, with nothing but points that only the NHIA can judge."""
    assert [item for item in found(records[name], today) if item[3] != "pending"] == []


@pytest.mark.parametrize(("name", "order", "fault", "field", "code", "severity"), ONE_FAULT)
def test_one_fault(
    name: str,
    order: int | None,
    fault: dict[str, str | None],
    field: str,
    code: str,
    severity: str,
    records: dict[str, UploadRecord],
    change: Any,
    today: date,
) -> None:
    """One planted fault is found with the NHI's code at its field, and at its order when it stands in one."""
    items = found(change(records[name], order, **fault), today)
    if code == "none":
        assert [item for item in items if item[3] == "error"] == []
        return
    matching = [item for item in items if (item[0], item[2], item[3]) == (field, code, severity)]

    assert len(matching) == 1, items
    assert matching[0][1] == (1 if field[0] == "D" and order is None else order if field[0] in "DEV" else None)


def test_every_rule_can_be_met() -> None:
    """Every row of the check table is met by one planted fault or a case below; a row nobody tests is not trusted."""
    tested = {(row[3], row[4]) for row in ONE_FAULT} | ELSEWHERE
    rows = {(rule.field, rule.code) for rule in rule_book().rules}

    assert {item for item in rows - tested if item[0] not in SAME_AS_TESTED} == set()


ELSEWHERE = {
    ("M11", "BD"), ("M11", "BH"), ("M19", "BD"), ("M49", "BD"), ("D01", "BD"), ("MB2", "Y012"), ("MB2", "AG"), ("M15", "D001"), ("M15", "D035"),
    ("E02", "E001"), ("E02", "E003"), ("E09", "E005"), ("E11", "E006"), ("E12", "E007"), ("E13", "E008"), ("M13", "AD49"), ("M12", "D059"),
    ("E01", "E002"), ("D06", "D061"), ("D06", "D046"),
    ("M15", "D004"), ("M15", "D069"), ("M15", "D070"), ("M52", "D072"), ("M16", "D049"), ("M16", "D050"), ("M33", "D024"), ("M33", "D025"),
    ("M33", "D073"), ("M56", "D066"), ("M06", "13"), ("M17", "D058"), ("M16", "D003"), ("M52", "D003"), ("M49", "BG"),
}  # fmt: skip
SAME_AS_TESTED = {"M22", "M29", "M34", "M25", "M26", "M27", "M28", "M36", "M37", "M38", "M39", "M40"}


@pytest.mark.parametrize(("total", "allowed", "number", "kind"), [("M21", "M26", "M33", "C"), ("M22", "M29", "M34", "F")])
def test_both_kinds_of_refill(total: str, allowed: str, number: str, kind: str, records: Any, change: Any, today: date) -> None:
    """The fields of a controlled refill are judged as those of an ordinary one."""
    base = change(records["refill"], None, M21=None, M26=None, M33=None)
    right = change(change(base, 1, D04=kind), None, **{total: "84", allowed: "3", number: "2"})
    errors = {
        name: [item[2] for item in found(change(right, None, **fault), today) if item[3] == "error" and item[0] == name]
        for name, fault in {total: {total: "85"}, allowed: {allowed: "9"}, number: {number: "0"}}.items()
    }

    assert [item for item in found(right, today) if item[3] == "error"] == []
    assert errors[total] == ["D008"]
    assert errors[allowed][0] in {"D014", "D017"}
    assert errors[number] == ["D022"]


def test_pending_points_name_what_only_the_nhia_knows(records: dict[str, UploadRecord], today: date) -> None:
    """A refill lists what the prescriber's data decide; the words say that nothing is wrong yet."""
    pending = [finding for finding in check_record(records["refill"], today) if finding.severity == "pending"]

    assert {(finding.field, finding.code) for finding in pending} >= {
        ("M16", "D049"), ("M16", "D050"), ("M33", "D024"), ("M33", "D025"), ("M33", "D022"), ("M33", "D073"), ("M15", "D004"), ("M15", "D069"),
        ("M56", "D066"),
    }  # fmt: skip
    assert all(finding.zh.startswith("需由健保署判斷") for finding in pending)


def test_make_up_of_a_refill_is_left_to_the_nhia(records: Any, change: Any, today: date) -> None:
    """Whether the rule against refills without the card meets a dispensing is not known."""
    record = change(records["refill"], None, **{name: records["make_up"].fields[name] for name in ("M12", "M49", "M52")})

    assert ("M12", None, "D059", "pending") in found(record, today)
    assert [item for item in found(record, today) if item[3] == "error"] == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("1151120", []),
        ("1151119", [("M11", "BD", "error"), ("D01", "BD", "error"), ("D01", "BD", "error")]),
        ("1151117", [("M11", "BD", "error"), ("M19", "BD", "error"), ("D01", "BD", "error"), ("D01", "BD", "error")]),
        ("1160220", []),
        ("1160221", [("M11", "BH", "warning")]),
        ("1160228", [("M11", "BH", "warning")]),
        ("1160301", [("M11", "BH", "error")]),
        (None, []),
    ],
)
def test_against_the_day_of_the_upload(day: str | None, expected: Any, records: dict[str, UploadRecord]) -> None:
    """Later than the upload is wrong; three months back is the limit, and inside its unknown edge it warns."""
    from nhirx.roc import parse_date

    items = found(records["normal"], parse_date(day) if day else None)

    assert [(field, code, severity) for field, _, code, severity in items if code in {"BD", "BH"}] == expected


def test_deletion_asks_for_its_key(records: Any, change: Any, today: date) -> None:
    """What a deletion must hold is not published: only its key is required, the rest is asked for."""
    whole = change(records["normal"], None, H01="D")
    bare = UploadRecord(fields={"H00": "1", "H01": "D"})

    assert {item[2] for item in found(whole, today)} == {"D001", "D035"}
    assert sorted((item[0], item[3]) for item in found(bare, today) if item[2] == "AA") == [
        *((name, "warning") for name in ("M03", "M04", "M05", "M07", "M11")),
        ("M15", "error"),
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"E01": "N", "E02": "J01CA04", "E05": "1"}, []),
        ({"E01": "N"}, [("E02", "E001")]),
        ({"E01": "N", "E02": "J01CA04", "E04": "peanut"}, [("E02", "E003")]),
        ({"E01": "N", "E04": "peanut", "E08": "99"}, [("E09", "E005")]),
        ({"E01": "D", "E04": "peanut"}, [("E01", "E002"), ("E11", "E006")]),
        ({"E01": "D", "E04": "peanut", "E11": "9"}, [("E01", "E002"), ("E12", "E007")]),
        ({"E01": "N", "E02": "12196B"}, [("E13", "E008")]),
    ],
)
def test_allergy_entries(entry: dict[str, str], expected: list[tuple[str, str]], records: Any, today: date) -> None:
    """A record of allergy data only has its own conditions."""
    fields = {name: records["normal"].fields[name] for name in ("M03", "M04", "M05", "M11", "M15")}
    record = UploadRecord(fields={"H00": "3", "H01": "A"} | fields, orders=(entry,))

    assert [(item[0], item[2]) for item in found(record, today)] == expected


def test_test_results_are_no_dispensing(records: Any, change: Any, today: date) -> None:
    """A record of results holds only result codes; an origin of that kind as well."""
    results = UploadRecord(fields={"H00": "5", "H01": "A"}, orders=({"D06": "AC12345100"}, {"D06": "FSTN-COVID19"}))
    origin = change(records["normal"], None, M18="FORE")

    assert [item for item in found(results, today) if item[2] == "D061"] == [("D06", 1, "D061", "error")]
    assert [item[1] for item in found(origin, today) if item[2] == "D046"] == [1, 2]


def test_antiviral_with_a_refused_abnormal_code(records: Any, change: Any, today: date) -> None:
    """A new pharmacy's code cannot carry the antiviral."""
    record = change(change(records["abnormal"], 1, D06="XCOVID0001", D08="BID", D09="5"), None, M13="G000", M20="5")

    assert ("M13", None, "AD49", "error") in found(record, today)


def test_counts_of_orders(records: Any, today: date) -> None:
    """A dispensing has an order, and no more than five hundred."""
    record = records["normal"]
    none = UploadRecord(fields=record.fields)
    many = UploadRecord(fields=record.fields, orders=tuple(record.orders[0] | {"D03": str(number)} for number in range(1, 502)))

    assert ("MB2", None, "Y012", "error") in found(none, today)
    assert ("MB2", None, "AG", "error") in found(many, today)
    assert ("MB2", None, "AG", "error") not in found(UploadRecord(fields=many.fields, orders=many.orders[:500]), today)


def test_a_newborn_without_a_number_may_be_made_up_late(records: Any, change: Any, today: date) -> None:
    """Mark 3 covers day 61 to 92 and needs no ID of the day."""
    for birth, expected in (
        ("1150920", False),
        ("1150919", False),
        ("1150818", True),
        ("1150819", True),
        ("1150818", True),
        ("1150816", False),
    ):
        record = change(records["make_up"], None, M12="3", M52=None, M04=birth, M49="1151118101500", M19="1151117093000")
        codes = [item[2] for item in found(record, today) if item[3] == "error"]
        assert (codes == []) == expected, (birth, codes)


@pytest.mark.parametrize("usage", ["QD", "BID", "TIDPC", "QID&HS", "Q8H", "Q6HPRN", "QW135", "QW(1,3,5)", "QOD", "Q3D", "HS", "STAT", "ASORDER", "PRN",
    "QAM&HS",
    "BIDAC", "QDAC30M", "MCD3D7", "Q30MN", "2W3D", "Q12H", "TIW", "QPM", "TID PC", "Q4WD1", "QODHS"])  # fmt: skip
def test_usages_in_use(usage: str, records: Any, change: Any, today: date) -> None:
    """Every form of the frequency list is taken."""
    assert [item for item in found(change(records["normal"], 1, D08=usage), today) if item[3] != "pending"] == []


def test_injection_is_excepted_from_the_mode(records: Any, change: Any, today: date) -> None:
    """An injected drug may go with a released prescription."""
    record = change(change(records["normal"], 1, D14="SC"), None, M23="C", M20="0")

    assert [item[2] for item in found(record, today) if item[3] == "error"] == ["D041"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<RECS><REC>", "Y006"),
        (b"<RECS><REC>", "Y007"),
        (b"<RECS></RECS><RECS></RECS>", "Y015"),
        (b"<RECS/>", "Y001"),
        (b"no xml", "Y001"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><RECS/>', "Y001"),
        ("<RECS><REC><MSH/><MB><MB1><M50>床</M50></MB1></MB></REC></RECS>".encode(), "Y014"),
    ],
)
def test_file_findings(data: bytes, code: str) -> None:
    """What is wrong with the file as a whole has the NHI's code for it."""
    assert code in {finding.code for finding in check_file(data).file_findings if finding.severity == "error"}


@pytest.mark.parametrize(
    ("old", "new", "field", "code"),
    [
        (rb"<MSH>.*</MSH>", b"", "MSH", "Y002"),
        (rb"<MB1>.*</MB1>", b"", "MB1", "Y005"),
        (rb"</H01></MSH><MB><MB1>", b"</H01><M01>SAM000000001</M01></MSH><MB><MB1>", "M01", "Y005"),
        (rb"<M11>", b"<M99>1</M99><M11>", "M99", "AE"),
        (rb"<M11>", b"<Name>1</Name><M11>", "Name", "Y004"),
        (rb"<M11>", b"<M11>1151120090013</M11><M11>", "M11", "Y001"),
        (rb"<M44>", b"<D05>A</D05><M44>", "D05", "Y005"),
    ],
)
def test_structure(old: bytes, new: bytes, field: str, code: str, records: dict[str, UploadRecord], today: date) -> None:
    """Elements in the wrong place are found by name."""
    data = re.sub(old, new, xml.write([records["normal"]]), count=1, flags=re.DOTALL)
    (report,) = check_file(data, today).records

    assert (field, code) in {(finding.field, finding.code) for finding in report.findings if finding.severity == "error"}


def test_a_file_refused_for_one_record_says_so(records: dict[str, UploadRecord], today: date) -> None:
    """A record without header makes the NHI refuse the file, so the file says it too."""
    data = re.sub(rb"<MSH>.*?</MSH>", b"", xml.write([records["normal"]] * 2), count=1, flags=re.DOTALL)

    assert [(finding.field, finding.code) for finding in check_file(data, today).file_findings] == [("MSH", "Y002")]


def test_one_visit_id_twice(records: dict[str, UploadRecord], today: date) -> None:
    """The second record of the same visit ID would take the place of the first."""
    report = check_file(xml.write([records["normal"]] * 2), today)

    assert [finding.code for finding in report.records[1].findings if finding.severity == "warning"] == ["C001"]
    assert report.ok


def test_order_numbers_count_from_one(records: Any, change: Any, today: date) -> None:
    """The second MB2 is order 2."""
    assert [item for item in found(change(records["normal"], 2, D06=None), today) if item[3] == "error"] == [
        ("D06", 2, "AA", "error")
    ]


def test_an_empty_value_is_no_value(records: Any, today: date) -> None:
    """A record that still holds empty values is judged as it will be written: without them."""
    record = records["normal"]
    empty = UploadRecord(
        fields=record.fields | {"M13": "", "M99": ""}, orders=(record.orders[0] | {"D06": "", "D12": ""}, record.orders[1])
    )
    errors = [(item.field, item.order, item.code) for item in check_record(empty, today) if item.severity == "error"]

    assert errors == [("D06", 1, "AA")]


@pytest.mark.parametrize(("remark", "expected"), [("換藥", []), ("換\U0002070e", ["Y014"]), ("5¢", ["Y014"]), ("\x07", ["AB"])])
def test_a_remark_has_to_fit_into_big5(remark: str, expected: list[str], records: Any, change: Any, today: date) -> None:
    """What could not be written is said before sending, at its field."""
    findings = check_record(change(records["normal"], 1, D15=remark), today)

    assert [(item.field, item.order, item.code) for item in findings if item.severity == "error"] == [
        ("D15", 1, code) for code in expected
    ]


def test_the_day_that_only_leap_years_have(records: Any, change: Any, today: date) -> None:
    """29 February of ROC year 97 exists, that of 98 does not."""
    assert [item[2] for item in found(change(records["normal"], None, M04="0970229"), today) if item[3] == "error"] == []
    assert [item[2] for item in found(change(records["normal"], None, M04="0980229"), today) if item[3] == "error"] == ["AD"]


def test_format_1_0_is_not_judged(today: date) -> None:
    """A file of format 1.0 gets one remark and no verdict."""
    data = b"<RECS><REC><MSH><A00>1</A00></MSH><MB><MB1><A12>X</A12></MB1></MB></REC></RECS>"
    (report,) = check_file(data, today).records

    assert [(finding.code, finding.severity) for finding in report.findings] == [("Y000", "pending")]


def test_empty_and_missing_files(tmp_path: Any) -> None:
    """Nothing to read is an error of the call, not a finding."""
    (tmp_path / "empty.xml").write_bytes(b"")
    with pytest.raises(FileEmpty):
        check_file(tmp_path / "empty.xml")
    with pytest.raises(FileMissing):
        check_file(tmp_path / "absent.xml")


def test_rules_use_known_codes() -> None:
    """Every code a rule can give has words."""
    book = rule_book()
    outline = [item[1] for name, item in book.structure.items() if name not in {"whole_file", "silenced"}]
    general = {*book.codes.values(), *outline, *(code for _, code in book.file.values())}

    assert {(rule.family, rule.code) for rule in book.rules} | {("2.0", code) for code in general} <= set(check_codes())
    assert set(book.file) >= set(get_args(Trouble))


def test_lists_agree_with_the_other_tables() -> None:
    """A code stands in one place, or in two that say the same."""
    lists = tomllib.loads(resources.files("nhirx.tables").joinpath("checks.toml").read_text("utf-8"))["lists"]

    assert set(code_rows("virtual_orders")) <= set(lists["virtual_known"])
    assert set(code_rows("payment_categories")) <= set(lists["payments"])
    assert set(lists["claims_only"]) <= set(code_rows("claims_serials"))
    assert set(lists["antiviral_usages"]) == set(code_rows("antivirals")["XCOVID0001"].attribute("usages").split())
    assert set(lists["virtual_checked"]) < set(lists["virtual_known"])
    assert set(lists["injections"]) < set(lists["routes"])


def test_a_row_outside_the_language_is_refused() -> None:
    """What a condition may do is a short list; the table cannot smuggle anything in."""
    tree = {"lists": {}, "patterns": {}, "limits": {}, "kind": [], "codes": {}, "structure": {}, "file": {}}
    for wrong in (
        "__import__('os')",
        "M15.upper()",
        "[M15]",
        "lambda: 1",
        "unknown",
        "number(M15, base=2)",
        "M15 if M16 else M17",
        "(M15 := 1)",
        "number",
    ):
        with pytest.raises(TableInvalid):
            compile_book({**tree, "rule": [{"code": "AA", "field": "M15", "wrong": wrong}]})
