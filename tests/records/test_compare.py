"""The comparison of the precheck, and 1.0 records as 2.0 records."""

from __future__ import annotations

from typing import Any

import pytest

from nhirx.errors import FileMissing, RecordMalformed
from nhirx.model import UploadRecord
from nhirx.records import xml
from nhirx.records.compare import Share, compare
from nhirx.records.convert import convert

PEOPLE = ["A123456789", "B200000004", "C100000007", "D200000002"]


def old(person: str, time: str, kind: str = "AF", birth: str = "0501231") -> UploadRecord:
    return UploadRecord(fields={"A00": "1", "A01": "1", "A02": "1.0", "A12": person, "A13": birth, "A17": time, "A23": kind})


def new(person: str, time: str, kind: str = "AF", birth: str = "0501231") -> UploadRecord:
    return UploadRecord(fields={"H00": "1", "H01": "A", "M03": person, "M04": birth, "M11": time, "M07": kind})


def compared(olds: list[UploadRecord], news: list[UploadRecord]) -> dict[str, Any]:
    return compare(xml.write(olds), xml.write(news)).as_json()


def test_all_there() -> None:
    """Every 1.0 record has its partner, in any order; more 2.0 records do no harm."""
    keys = [(person, f"115030510150{number}") for number, person in enumerate(PEOPLE)]
    found = compared([old(*key) for key in keys], [new(*key) for key in reversed(keys)] + [new("A123456789", "1150306101500")])

    assert found["total"] == {"v1": 4, "matched": 4, "percent": 100}
    assert found["by_date"] == {"1150305": {"v1": 4, "matched": 4, "percent": 100}}
    assert found["by_visit_type"] == {"AF": {"v1": 4, "matched": 4, "percent": 100}}
    assert (found["missing"], found["extra"], found["qualifies"]) == ([], 1, True)


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (new("A123456789", "1150305101501"), ["M11"]),
        (new("A123456789", "1150305101500", "01"), ["M07"]),
        (new("A123456789", "1150305101500", birth="0501230"), ["M04"]),
        (new("A123456780", "1150305101500"), ["M03"]),
        (new("A123456789", "1150305101501", "01"), ["M11", "M07"]),
    ],
)
def test_nearest_neighbour(other: UploadRecord, differs: list[str]) -> None:
    """One field that is off is named, and the record it stands in."""
    far = new("A123456789", "1150309101500", "01")
    found = compared([old("A123456789", "1150305101500")], [far, other])
    (missing,) = found["missing"]

    assert found["total"] == {"v1": 1, "matched": 0, "percent": 0}
    assert {name: missing[name] for name in ("A12", "A13", "A17", "A23")} == {
        "A12": "A123456789", "A13": "0501231", "A17": "1150305101500", "A23": "AF",
    }  # fmt: skip
    assert missing["differs"] == differs
    assert missing["nearest"] == {"index": 2} | {name: other.fields[name] for name in ("M03", "M04", "M11", "M07")}


def test_a_matched_record_is_nobodys_neighbour() -> None:
    """A 2.0 record that answers for one 1.0 record does not explain another."""
    found = compared(
        [old("A123456789", "1150305101500"), old("A123456789", "1150305101501")], [new("A123456789", "1150305101500")]
    )

    assert [(item["nearest"], item["differs"]) for item in found["missing"]] == [(None, [])]


def test_a_stranger_is_no_neighbour() -> None:
    """Another person at another time explains nothing."""
    found = compared([old("A123456789", "1150305101500")], [new("B200000004", "1150305111500", birth="0600101")])

    assert [item["nearest"] for item in found["missing"]] == [None]


@pytest.mark.parametrize(
    ("v1", "matched", "percent"),
    [(200, 199, 100), (1000, 994, 99), (1000, 995, 100), (3, 2, 67), (3, 1, 33), (8, 1, 13), (0, 0, None)],
)
def test_rounding(v1: int, matched: int, percent: int | None) -> None:
    """A half is rounded up, as the NHI does it: 99.5 % is 100 %."""
    assert Share(v1, matched).percent == percent


def test_by_date_and_type() -> None:
    """The parts add up to the whole."""
    found = compared(
        [old("A123456789", "1150305101500"), old("B200000004", "1150306101500"), old("C100000007", "1150306101500", "01")],
        [new("A123456789", "1150305101500"), new("B200000004", "1150306101509")],
    )

    assert {day: share["matched"] for day, share in found["by_date"].items()} == {"1150305": 1, "1150306": 0}
    assert {kind: (share["v1"], share["matched"]) for kind, share in found["by_visit_type"].items()} == {
        "01": (1, 0),
        "AF": (2, 1),
    }
    assert found["total"] == {"v1": 3, "matched": 1, "percent": 33}


def test_a_correction_is_the_same_record() -> None:
    """The same key sent twice in 1.0 counts once."""
    found = compared([old("A123456789", "1150305101500")] * 2, [new("A123456789", "1150305101500")])

    assert found["total"] == {"v1": 1, "matched": 1, "percent": 100}


def test_files_in_the_wrong_place() -> None:
    """Records of the other format are not compared."""
    found = compared([new("A123456789", "1150305101500")], [old("A123456789", "1150305101500")])

    assert found["total"] == {"v1": 0, "matched": 0, "percent": None}


def test_broken_files(tmp_path: Any) -> None:
    """Neither file may be missing or damaged."""
    good = xml.write([old("A123456789", "1150305101500")])
    with pytest.raises(RecordMalformed):
        compare(good, good[:-10])
    with pytest.raises(FileMissing):
        compare(tmp_path / "absent.xml", good)


OLD_FIELDS = {
    "A00": "1", "A01": "3", "A02": "1.0", "A11": "000012345678", "A12": "A123456789", "A13": "0501231", "A14": "5901234567", "A15": "B200000004",
    "A16": "SAM000000001", "A17": "1150305101500", "A18": "0007", "A19": "1", "A22": "AB" * 64, "A23": "AF", "A25": "I10", "A31": "600", "A32": "0",
    "A54": "1150305",
}  # fmt: skip
OLD_ORDER = {
    "A71": "1150305101500",
    "A72": "2",
    "A73": "AC12345100",
    "A75": "QD",
    "A76": "28",
    "A77": "28.0",
    "A78": "06",
    "A79": "CD" * 20,
}


def converted(fields: dict[str, str], *orders: dict[str, str], given: dict[str, str] | None = None) -> Any:
    (record,) = xml.read(xml.write([UploadRecord(fields=fields, orders=orders)]))
    return convert(record, given)


def test_conversion() -> None:
    """Fields move, codes are recoded, a correction becomes an upload, and nothing is invented."""
    found = converted(OLD_FIELDS, OLD_ORDER, OLD_ORDER | {"A72": "4", "A78": "03", "A76": ""})

    assert found.record.fields == {
        "H00": "1", "H01": "A", "M01": "SAM000000001", "M02": "000012345678", "M03": "A123456789", "M04": "0501231", "M05": "5901234567",
        "M06": "B200000004", "M07": "AF", "M11": "1150305101500", "M12": "1", "M14": "AB" * 64, "M20": "28", "M35": "I10", "M44": "600", "M45": "0",
    }  # fmt: skip
    assert found.record.orders == (
        {"D01": "1150305101500", "D02": "1", "D03": "001", "D04": "C", "D05": "A", "D06": "AC12345100", "D08": "QD", "D09": "28", "D10": "28.0",
         "D11": "CD" * 20},
        {"D01": "1150305101500", "D02": "3", "D03": "002", "D05": "0", "D06": "AC12345100", "D08": "QD", "D10": "28.0", "D11": "CD" * 20},
    )  # fmt: skip
    assert [(remark.field, remark.code) for remark in found.remarks] == [
        ("M13", "dropped"),
        *((name, "missing") for name in ("M15", "M16", "M17", "M18", "M19", "M23", "M51", "M56", "M21", "M26", "M33")),
        ("A54", "left-out"),
    ]


@pytest.mark.parametrize(
    ("kind", "mark", "d02", "d04", "d05"),
    [("1", "02", "1", "A", "A"), ("2", "06", "1", "C", "A"), ("3", "03", "2", None, "0"), ("5", "03", "2", None, "0"), ("4", "03", "3", None, "0"),
     ("J", "", "J", None, None), ("G", "", "G", None, None)],
)  # fmt: skip
def test_recodings(kind: str, mark: str, d02: str, d04: str | None, d05: str | None) -> None:
    """Special material is 3 and no longer 4; a pharmacy's drugs are A."""
    (order,) = converted(OLD_FIELDS, OLD_ORDER | {"A72": kind, "A78": mark}).record.orders

    assert (order["D02"], order.get("D04"), order.get("D05")) == (d02, d04, d05)


def test_what_has_several_counterparts_is_asked() -> None:
    """Mark 04 became three values: the field is left out and the choice is named."""
    found = converted(OLD_FIELDS, OLD_ORDER | {"A72": "3", "A78": "04"})
    (asked,) = [remark for remark in found.remarks if remark.code == "ambiguous"]

    assert (asked.field, asked.order) == ("D05", 1)
    assert "3, 5, B" in asked.en
    assert "D05" not in found.record.orders[0]


def test_card_deletions_are_no_orders() -> None:
    """What deleted an entry on the card is left out, and the rest is numbered without a gap."""
    found = converted(OLD_FIELDS, OLD_ORDER | {"A72": "B"}, OLD_ORDER)

    assert [order["D03"] for order in found.record.orders] == ["001"]
    assert "deletion" in {remark.code for remark in found.remarks}


def test_abnormal_keeps_its_number() -> None:
    """An abnormal record keeps its code and loses card fields."""
    found = converted(OLD_FIELDS | {"A01": "2", "A18": "A010"}, OLD_ORDER)

    assert (found.record.fields["H01"], found.record.fields["M13"]) == ("B", "A010")
    assert not {"M01", "M02", "M14"} & set(found.record.fields)


def test_given_values_complete_a_record(make_id: Any) -> None:
    """With what 1.0 lacks given, the record passes the check."""
    from nhirx.records.check import check_record

    given = {
        "M15": make_id("7KQXW3", "A123456789", "1150305101500"), "M16": "9" * 20, "M17": "3502060427", "M18": "0007", "M19": "1150303093000",
        "M23": "0", "M51": "4", "M56": "30", "M21": "84", "M26": "3", "M33": "1", "M14": "AB" * 128,
    }  # fmt: skip
    found = converted(OLD_FIELDS, OLD_ORDER | {"A77": "00028.0"}, given=given)

    assert [finding.code for finding in check_record(found.record) if finding.severity == "error"] == []
    assert {remark.code for remark in found.remarks} == {"dropped", "left-out"}


def test_unknown_codes_are_named() -> None:
    """A value that no table knows leaves its field empty and says so."""
    found = converted(OLD_FIELDS | {"A01": "7"}, OLD_ORDER | {"A72": "9"})

    assert {(remark.field, remark.code) for remark in found.remarks} >= {("H01", "unknown"), ("D02", "unknown")}
    assert "H01" not in found.record.fields
