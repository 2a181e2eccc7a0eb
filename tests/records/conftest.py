"""Records that are right in every respect, for a person who does not exist."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest

from nhirx.identifiers.visit_id import ALPHABET
from nhirx.model import UploadRecord
from nhirx.records import xml
from nhirx.records.check import check_file

TODAY = date(2026, 11, 22)
PERSON = "A123456789"
SIGNATURE = "4D7A1C0E9B3F5268" * 16
MARK = "C0FFEE1234" * 4

MakeId = Callable[[str, str, str], str]
Change = Callable[..., UploadRecord]


def found(record: UploadRecord, today: date | None) -> list[tuple[str, int | None, str, str]]:
    """What is said of the one record of a file: field, order line, code, severity."""
    report = check_file(xml.write([record]), today)
    assert report.file_findings == ()
    (only,) = report.records
    return [(finding.field, finding.order, finding.code, finding.severity) for finding in only.findings]


def _base34(value: int, places: int) -> str:
    text = ""
    for _ in range(places):
        value, rest = divmod(value, 34)
        text = ALPHABET[rest] + text
    return text


def visit_id_of(prefix: str, person: str, time: str) -> str:
    """A visit ID of the derived structure: six free characters, a person, a second of a ROC year."""
    year, rest = int(time[:3]), [int(time[start : start + 2]) for start in range(3, 13, 2)]
    second = int((datetime(year + 1911, *rest) - datetime(year + 1911, 1, 1)).total_seconds())  # type: ignore[misc,arg-type]  # noqa: DTZ001
    return prefix + person[:2] + _base34(int(person[2:9]), 5) + _base34(year, 2) + _base34(second, 5)


DRUG = {
    "D01": "1151120090013",
    "D02": "1",
    "D03": "001",
    "D04": "A",
    "D05": "A",
    "D06": "AC12345100",
    "D08": "TIDPC",
    "D09": "3",
    "D10": "00009.0",
    "D11": MARK,
    "D14": "PO",
}
FEE = {"D01": "1151120090013", "D02": "9", "D03": "002", "D06": "05202B", "D10": "00001.0"}


def normal() -> UploadRecord:
    return UploadRecord(
        fields={
            "H00": "1",
            "H01": "A",
            "M01": "SAM000000001",
            "M02": "000012345678",
            "M03": PERSON,
            "M04": "0501231",
            "M05": "5901234567",
            "M06": "B200000004",
            "M07": "AF",
            "M11": "1151120090013",
            "M12": "1",
            "M14": SIGNATURE,
            "M15": visit_id_of("7KQXW3", PERSON, "1151120090013"),
            "M16": visit_id_of("2MTPZ8", PERSON, "1151118093000"),
            "M17": "3502060427",
            "M18": "0007",
            "M19": "1151118093000",
            "M20": "3",
            "M23": "0",
            "M24": "1",
            "M35": "J069",
            "M44": "0000345",
            "M45": "0",
            "M51": "4",
            "M56": "30",
        },
        orders=(DRUG, FEE),
    )


def altered(record: UploadRecord, order: int | None = None, /, **fields: str | None) -> UploadRecord:
    """``record`` with fields set, or left out where None; with ``order`` those of that MB2 (1-based)."""

    def apply(old: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in (old | fields).items() if value is not None}

    if order is None:
        return UploadRecord(fields=apply(record.fields), orders=record.orders)
    return UploadRecord(
        fields=record.fields,
        orders=tuple(apply(old) if at == order else old for at, old in enumerate(record.orders, start=1)),
    )


def refill() -> UploadRecord:
    record = altered(normal(), M20="28", M21="84", M24=None, M26="3", M33="2", M35="I10")
    return altered(record, 1, D04="C", D08="QD", D09="28", D10="00028.0")


def abnormal() -> UploadRecord:
    record = altered(normal(), H01="B", M01=None, M02=None, M13="A010", M14=None)
    return altered(record, 1, D11=None)


def make_up() -> UploadRecord:
    return altered(
        normal(),
        M12="2",
        M49="1151119101500",
        M52=visit_id_of("9HJKLM", PERSON, "1151119101500"),
    )


def newborn() -> UploadRecord:
    return altered(normal(), M08="1151001", M09="2", M10="b")


RECORDS = {"normal": normal, "refill": refill, "abnormal": abnormal, "make_up": make_up, "newborn": newborn}


@pytest.fixture
def records() -> dict[str, UploadRecord]:
    """One correct record per kind: normal, refill, abnormal, make_up, newborn."""
    return {name: make() for name, make in RECORDS.items()}


@pytest.fixture
def change() -> Change:
    """``change(record, order_or_None, M13="A000", M14=None)``: a copy with fields set or left out."""
    return altered


@pytest.fixture
def make_id() -> MakeId:
    """``make_id(prefix, person, time)``: a visit ID of the derived structure."""
    return visit_id_of


@pytest.fixture
def today() -> date:
    return TODAY
