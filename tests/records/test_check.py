"""The NHI's checks offline: right records pass, every single fault is found where it stands."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from nhirx.model import UploadRecord
from nhirx.records.rules import rule_book
from tests.records.conftest import found

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
