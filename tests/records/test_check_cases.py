"""The NHI's checks offline, case by case: refills, deletions, allergies, counts of orders, and whole files."""

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
from tests.records.conftest import found


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
