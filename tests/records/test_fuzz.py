"""Whatever comes in, an answer or one of our errors goes out: generated values, records, files and reports."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nhirx.errors import NhirxError, RecordMalformed
from nhirx.model import UploadRecord
from nhirx.records import xml
from nhirx.records.check import check_file, check_record
from nhirx.records.compare import compare
from nhirx.records.convert import convert
from nhirx.records.report import read_report
from nhirx.tables.fields import fields

CORPUS = sorted(Path(__file__).parent.joinpath("corpus").glob("[!.]*"))
FAST = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

ids = st.sampled_from([*fields(), "M57", "D16", "E99", "A12", "Q01"])
values = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="0123456789", max_size=22),
    st.sampled_from(["A", "B", "1", "0", "AF", "A000", "G000", "F" * 20, "9" * 20, "MISS" + "0" * 16, "1151120090013", "0501231", "²", "٣"]),
    st.text(alphabet="0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=20, max_size=20),
)  # fmt: skip
segments = st.dictionaries(ids, values, max_size=40)


@FAST
@given(segments, st.lists(segments, max_size=4), st.one_of(st.none(), st.dates(date(1912, 6, 1), date(2900, 1, 1))))
def test_any_record_can_be_judged(head: dict[str, str], orders: list[dict[str, str]], today: date | None) -> None:
    """The check says something about every value and raises about none."""
    record = UploadRecord.model_construct(fields=head, orders=tuple(orders))

    assert all(finding.code and finding.zh and finding.en for finding in check_record(record, today))


@FAST
@given(segments, st.lists(segments, max_size=4))
def test_what_is_written_is_read_back(head: dict[str, str], orders: list[dict[str, str]]) -> None:
    """A record is refused by name of its field, or comes back as it was, apart from blanks around values."""
    record = UploadRecord.model_construct(fields=head, orders=tuple(orders))
    try:
        data = xml.write([record])
    except RecordMalformed:
        return
    (found,) = xml.read(data)

    def trimmed(segment: dict[str, str]) -> dict[str, str]:
        # XML reads every line end as a line feed.
        tidy = {name: value.replace("\r\n", "\n").replace("\r", "\n").strip() for name, value in segment.items()}
        return {name: value for name, value in tidy.items() if value}

    assert (found.fields, found.orders) == (trimmed(head), tuple(trimmed(order) for order in orders))


pieces = st.sampled_from(
    [
        b'<?xml version="1.0" encoding="Big5"?>', b"<?xml version='1.0' encoding='utf-16'?>", b"<RECS>", b"</RECS>", b"<REC>", b"</REC>", b"<MSH>",
        b"</MSH>", b"<MB>", b"</MB>", b"<MB1>", b"</MB1>", b"<MB2>", b"</MB2>", b"<H01>A</H01>", b"<M15>", b"</M15>", b"<M15/>", b"<D01>1</D01>",
        b"<!DOCTYPE x>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"&amp;", b"&x;", b"&#0;", b"<x:y xmlns:x='z'/>", b"\xb4\xab", b"\xff", b"\xef\xbb\xbf",
        b"\x00", "換".encode(), b" ", b"<A12>X</A12>", b"<A17>1150305101500</A17>",
    ]
)  # fmt: skip


@FAST
@given(st.one_of(st.binary(max_size=300), st.lists(pieces, max_size=40).map(b"".join)))
def test_any_bytes_as_upload_file(data: bytes) -> None:
    """Every file gets findings or one of our errors; reading, comparing and converting likewise."""
    with suppress(NhirxError):
        report = check_file(data, date(2026, 11, 22))
        assert report.file_findings or report.records
        json.dumps(report.as_json())
    with suppress(NhirxError):
        compare(data, data).as_json()
    with suppress(NhirxError):
        for record in xml.read(data):
            convert(record)


parts = st.sampled_from(
    ["第[1]筆", "第[2]筆", "=" * 75, "\r\n", "H00=[ 1 ]", "M15=[ NULL ]", "M16=[", "]", "錯誤原因:", "警告原因：", "M15:AA;",
     "D05[1]:AF;", "Y015;", "檢核結果", "[1]" * 12,
     "PK"]
)  # fmt: skip


@FAST
@given(st.one_of(st.binary(max_size=300), st.lists(parts, max_size=30).map(lambda found: "".join(found).encode("cp950"))))
def test_any_bytes_as_report(data: bytes) -> None:
    """A report or one of our errors."""
    with suppress(NhirxError):
        json.dumps(read_report(data).as_json(), ensure_ascii=False)
    with suppress(NhirxError):
        read_report(b"PK\x03\x04" + data)


trees = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["M15:AA;", "M15", "AA", "D05[1]", "0", "1"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(["recs", "err_level", "field", "code", "order", "M15", "D05", "n", "errors", "RtnCode",
                             "Tx_result_json"]), st.text(max_size=5)),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=25,
)  # fmt: skip


@FAST
@given(trees)
def test_any_json_as_report(tree: object) -> None:
    """No shape of answer breaks the reader, and what it understood can be printed."""
    with suppress(NhirxError):
        json.dumps(read_report(json.dumps(tree).encode()).as_json())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_corpus(path: Path) -> None:
    """Inputs that once broke something, or that a fuzzer kept because they reach a branch of their own."""
    data = path.read_bytes()
    for read in (check_file, read_report):
        with suppress(NhirxError):
            read(data)


def test_corpus_is_there() -> None:
    """The corpus cannot vanish unnoticed."""
    assert len(CORPUS) >= 10
