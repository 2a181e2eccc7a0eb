"""Every known code of the control software has words, an exception and advice."""

from __future__ import annotations

import re

import pytest

from nhirx import errors
from nhirx.errors import CardExpired, CardRemoved, ControlSoftwareError, NhirxError, NotAnNhiCard, ReaderBusy, ServiceTimeout
from nhirx.tables import reader_codes

KNOWN = """
-1..0 1000..1007 1009..1030 1033..1043 1045..1046 1050..1051 1053..1059 1099..1103 1199..1202 1300..1304
1400..1403 1410 1420..1424 1500..1502 1510..1515 1520..1531 1600..1601 1610..1611 1700..1707 1799 3100
3200..3246 3300..3304 3400..3402 3500..3503 4000 4012..4014 4029 4032..4034 4042..4043 4050..4051 4061 4071
5001..5010 5012 5015..5018 5020 5022..5023 5028 5033 5051..5052 5056..5057 5061..5062 5067..5069 5071
5078..5079 5081..5084 5087 5093 5102 5105 5107..5111 5122 5130 5141 5150..5154 5160..5174 6005..6008
6014..6019 9001..9005 9010..9015 9020 9030 9039..9043 9045 9050..9051 9056 9060..9062 9070..9071 9081..9095
9100..9130 9140 9200..9205 9210..9213 9220..9221 9230..9231 9240 9250..9251 9267 9999 66008 66501 66503 66508
VNHI_UPLOAD:0000 VNHI_UPLOAD:5003 VNHI_UPLOAD:5004 VNHI_UPLOAD:8201 VNHI_UPLOAD:8202 VNHI_UPLOAD:8203
VNHI_UPLOAD:8205 VNHI_UPLOAD:9002 VNHI_UPLOAD:9005 VNHI_UPLOAD:9999
MLNHIICC:4061 MLNHIICC:7004 MLNHIICC:8001 MLNHIICC:8002 MLNHIICC:8003 MLNHIICC:8005 MLNHIICC:8006 MLNHIICC:8007
MLNHIICC:8008 MLNHIICC:8009 MLNHIICC:8010 MLNHIICC:8011 MLNHIICC:8013 MLNHIICC:9876 MLNHIICC:9999
"""


def known() -> list[str]:
    """The published codes, counted out of their ranges."""
    numbers: list[str] = []
    for part in KNOWN.split():
        first, _, last = part.partition("..")
        numbers += [part] if not last else [str(number) for number in range(int(first), int(last) + 1)]
    return numbers


def test_no_known_code_is_unmapped_and_none_is_invented():
    """All 386 published codes are in the table, and nothing else is."""
    assert len(known()) == 386
    assert set(known()) == set(reader_codes._table()[1])


@pytest.mark.parametrize("number", known())
def test_each_code_has_words_in_both_languages_and_a_named_exception(number):
    """A pharmacist gets a sentence and advice; a program gets an exception and the number."""
    row = reader_codes.code(number)
    assert row is not None
    assert re.search(r"[\u4e00-\u9fff]", row.zh)
    assert not re.search(r"[\u4e00-\u9fff]", row.en)
    if not row.is_failure:
        return

    error = reader_codes.error_for(number)

    assert isinstance(error, NhirxError)
    assert row.zh in error.zh
    assert row.group.advice_zh
    assert row.group.advice_en in error.en
    assert number in error.zh


def test_an_unknown_code_is_an_error_with_its_number():
    """Nothing is guessed about a code that no list has, and it still stops the step."""
    error = reader_codes.error_for(4242, call="csOpenCom")

    assert reader_codes.is_failure(4242)
    assert type(error) is ControlSoftwareError
    assert "4242" in error.zh
    assert "4242" in error.en


@pytest.mark.parametrize("number", [5003, "5003", "05003", 3201, 3246])
def test_a_code_may_be_number_or_text(number):
    """Public programs have seen both forms; leading zeros change nothing."""
    assert isinstance(reader_codes.error_for(number), CardExpired)


def test_namespaces_keep_equal_numbers_apart():
    """5003 of the upload has nothing to do with an expired card."""
    assert reader_codes.error_for("VNHI_UPLOAD:5003").code == "upload-refused"
    assert reader_codes.error_for(5003).code == "card-expired"


@pytest.mark.parametrize(
    ("error", "before", "after"),
    [
        (reader_codes.error_for(4061), ("A020", "E000"), ("A021",)),
        (reader_codes.error_for(4051), ("A030",), ("A031",)),
        (reader_codes.error_for(5033), (), ("B001", "A011")),
        (reader_codes.error_for(3232), ("E001",), ()),
        (reader_codes.error_for(5020), (), ()),
        (ReaderBusy(reader="x"), ("A010", "A000"), ("A011", "A001")),
        (ServiceTimeout(url="x", seconds=1), ("A020", "E000"), ("A021",)),
        (NotAnNhiCard(problem="x"), (), ()),
        (CardRemoved(), (), ()),
    ],
)
def test_candidates_before_and_after_a_number(error, before, after):
    """A technical failure proposes serials; a foreign or a pulled card proposes none, because inserting the right one helps."""
    assert before == reader_codes.abnormal_serials(error)
    assert after == reader_codes.abnormal_serials(error, numbered=True)


def test_every_candidate_is_an_abnormal_serial():
    """The proposals come from the list of abnormal serials."""
    import tomllib
    from pathlib import Path

    rows = tomllib.loads((Path(reader_codes.__file__).parent / "codes" / "abnormal_serials.toml").read_text("utf-8"))["row"]
    allowed = {row["id"] for row in rows}

    for group in reader_codes._table()[0].values():
        assert set(group.before + group.after) <= allowed


def test_every_card_error_is_a_group_or_has_none_on_purpose():
    """A new exception under CardError has to say whether it proposes an abnormal serial."""
    silent = {"card", "card-absent", "card-removed", "not-an-nhi-card", "control-software"}
    by_table = {group.error.code for group in reader_codes._table()[0].values() if group.error} | set(reader_codes._by_error())

    found = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.CardError)}

    assert found - silent <= by_table


@pytest.mark.parametrize(
    ("number", "confidence"), [("5003", "confirmed"), ("3201", "single"), ("66008", "single"), ("VNHI_UPLOAD:0000", "single")]
)
def test_every_code_says_where_it_comes_from(number, confidence):
    """The codes of 5.x stand in the maker's manual and in programs; those of 6.0 in one program only."""
    row = reader_codes.code(number)

    assert row is not None
    assert row.confidence == confidence
    assert row.source.startswith("field-notes")
