"""Upload files: strict out, lenient in, hostile input met with one clear error."""

from __future__ import annotations

import io

import pytest

from nhirx.errors import FileEmpty, FileMissing, RecordMalformed
from nhirx.model import UploadRecord
from nhirx.records import xml

HEAD = b'<?xml version="1.0" encoding="Big5"?>\n<RECS>\n'


def record(**fields: str) -> UploadRecord:
    return UploadRecord(fields={"H00": "1", "H01": "A"} | fields, orders=({"D10": "00028.0", "D01": "1151120090013"},))


def wrapped(body: bytes) -> bytes:
    return HEAD + body + b"</RECS>"


def test_skeleton() -> None:
    """Declaration once, MSH apart from MB1, fields in rising order, nothing empty."""
    written = xml.write([record(M15="X", M01="S", M13="", M14="  ")])

    assert written == (
        HEAD + b"<REC><MSH><H00>1</H00><H01>A</H01></MSH><MB><MB1><M01>S</M01><M15>X</M15></MB1>"
        b"<MB2><D01>1151120090013</D01><D10>00028.0</D10></MB2></MB></REC>\n</RECS>\n"
    )


@pytest.mark.parametrize("encoding", ["big5", "utf-8"])
def test_round_trip(encoding: str) -> None:
    """What is written is read back, markup characters and Chinese included."""
    value = UploadRecord(fields={"H00": "1", "M15": "K"}, orders=({"D08": "QAM&HS", "D15": "換<藥>"},))
    found = xml.read(xml.write([value, value], encoding))  # type: ignore[arg-type]

    assert [item.record for item in found] == [value, value]
    assert [item.index for item in found] == [1, 2]


def test_character_outside_big5_is_refused_by_place() -> None:
    """The error names record, order, field and place, and never shows the content."""
    bad = UploadRecord(fields={"M15": "K"}, orders=({"D15": "測試\U0002070e"},))
    with pytest.raises(RecordMalformed) as caught:
        xml.write([record(), bad])

    assert caught.value.detail | {"problem": ""} == {"problem": "", "record": 2, "field": "D15", "order": 1, "position": 3}
    assert "\U0002070e" not in caught.value.zh + caught.value.en
    assert "測試" not in caught.value.zh + caught.value.en


@pytest.mark.parametrize("value", ["a\x00b", "a\x0bb", "a\ud800b", "a\ufffe"])
def test_character_outside_xml_is_refused(value: str) -> None:
    """A control character or half a surrogate cannot be sent in any encoding."""
    with pytest.raises(RecordMalformed) as caught:
        xml.write([UploadRecord.model_construct(fields={"M50": value}, orders=())], "utf-8")

    assert caught.value.detail["position"] == 2


def test_character_that_big5_would_exchange_is_refused() -> None:
    """The encoder takes the cent sign and the reader gets another one: that is no way to send it."""
    with pytest.raises(RecordMalformed) as caught:
        xml.write([record(M50="5¢")])

    assert caught.value.detail["position"] == 2


@pytest.mark.parametrize("name", ["FOO", "m15", "D01", "M1", "M15><M16", ""])
def test_field_name_that_is_none(name: str) -> None:
    """Only field IDs of the visit segment can be written there."""
    with pytest.raises(RecordMalformed):
        xml.write([UploadRecord(fields={name: "1"})])


def test_unknown_elements_are_kept() -> None:
    """Fields newer than this program are read like any other; other elements are named."""
    body = b"<REC><MSH><H01>A</H01></MSH><MB><MB1><M77> new </M77><Foo>x</Foo></MB1></MB></REC>"
    (found,) = xml.read(wrapped(body))

    assert found.fields == {"H01": "A", "M77": "new"}
    assert found.loose == (xml.Loose("Foo", "x", "unknown"),)


def test_format_1_0() -> None:
    """A record of A-fields is told by its version."""
    body = b"<REC><MSH><A00>1</A00><A01>1</A01><A02>1.0</A02></MSH><MB><MB1><A12>X</A12></MB1><MB2><A72>1</A72></MB2></MB></REC>"
    (found,) = xml.read(wrapped(body))

    assert (found.version, found.fields["A02"], found.orders) == ("1.0", "1.0", ({"A72": "1"},))


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (b"<REC><MSH><H00>1</H00><M01>2</M01></MSH><MB><MB1/></MB></REC>", xml.Loose("M01", "2", "misplaced")),
        (b"<REC><MSH/><MB><MB1><M01>2</M01><M01>3</M01></MB1></MB></REC>", xml.Loose("M01", "3", "repeated")),
        (b"<REC><MSH/><MB><MB1><M01><M02>3</M02></M01></MB1></MB></REC>", xml.Loose("M01", "3", "nested")),
        (b"<REC><MB><MB1/></MB></REC>", xml.Loose("MSH", "", "no-header")),
        (b"<REC><MSH/><MB><MB2><D01>1</D01></MB2></MB></REC>", xml.Loose("MB1", "", "order-without-body")),
        (b"<REC><MSH/></REC>", xml.Loose("MB1", "", "no-body")),
        (b"<REC><MSH/><MB><MB1/><MB2><D01>1</D01><M02>7</M02></MB2></MB></REC>", xml.Loose("M02", "7", "misplaced", 1)),
    ],
)
def test_wrong_levels(body: bytes, trouble: xml.Loose) -> None:
    """An element in the wrong place is reported and its content is not lost."""
    (found,) = xml.read(wrapped(body))

    assert found.loose == (trouble,)


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (b"hello", "not-xml"),
        (b"<RECS>", "root-not-closed"),
        (wrapped(b"<REC>"), "record-not-closed"),
        (wrapped(b"") + wrapped(b""), "several-roots"),
        (b"<RECS></RECS><RECS></RECS>", "several-roots"),
        (b"<RECS><RECS></RECS></RECS>", "several-roots"),
        (b"<REC><MSH/></REC>", "no-root"),
        (wrapped(b"<REC>&nothing;</REC>"), "not-xml"),
        (b'<!DOCTYPE RECS [<!ENTITY a "b">]><RECS/>', "doctype"),
        (b'<?xml version="1.0"?><!DOCTYPE RECS SYSTEM "file:///etc/passwd"><RECS/>', "doctype"),
        (wrapped(b"<a>" * 300 + b"</a>" * 300), "not-xml"),
        (b"\x00" * 50, "not-xml"),
    ],
)
def test_bad_files(data: bytes, trouble: str) -> None:
    """Every way a file can be broken has its own word."""
    with pytest.raises(RecordMalformed) as caught:
        xml.read(data)

    assert caught.value.detail["trouble"] == trouble


def test_records_before_the_damage_are_given() -> None:
    """A file that was cut short still gives what is whole."""
    data = xml.write([record(M15=str(number)) for number in range(5)])
    document = xml.Document()
    found = list(xml.iter_records(data[: len(data) * 2 // 3], document))

    assert [item.fields["M15"] for item in found] == ["0", "1", "2"]
    assert document.troubles == ["root-not-closed", "record-not-closed"]


def test_one_endless_record_is_refused() -> None:
    """Memory is bounded per record, not per file."""
    document = xml.Document()
    body = io.BytesIO(HEAD + b"<REC><MSH>" + b"<H00>1</H00>" * 1_000_000)

    assert list(xml.iter_records(body, document)) == []
    assert document.troubles == ["record-too-large"]


@pytest.mark.parametrize(
    ("codec", "declared", "encoding", "troubles"),
    [
        ("cp950", "Big5", "big5", []),
        ("utf-8", "Big5", "utf-8", ["not-big5"]),
        ("utf-8", "UTF-8", "utf-8", ["declared-otherwise", "not-big5"]),
        ("cp950", "UTF-8", "big5", ["declared-otherwise"]),
        ("utf-8-sig", "Big5", "utf-8", ["not-big5"]),
        ("utf-16", "Big5", "utf-16", ["not-big5"]),
    ],
)
def test_declared_and_real_encoding(codec: str, declared: str, encoding: str, troubles: list[str]) -> None:
    """The bytes decide, whatever the declaration says, and the difference is noted."""
    text = f'<?xml version="1.0" encoding="{declared}"?><RECS><REC><MSH/><MB><MB1/><MB2><D15>換藥</D15></MB2></MB></REC></RECS>'
    found = xml.read(text.encode(codec))

    assert found.records[0].orders == ({"D15": "換藥"},)
    assert found.document.encoding == encoding
    assert sorted(found.document.troubles) == troubles


def test_bytes_of_no_encoding_are_replaced_and_noted() -> None:
    """A lone half of a Big5 character loses that character, not the record."""
    found = xml.read(wrapped(b"<REC><MSH/><MB><MB1/><MB2><D15>\xb4\xab\xff</D15></MB2></MB></REC>"))

    assert found.records[0].orders[0]["D15"].startswith("換")
    assert found.document.troubles == ["not-big5"]


def test_a_character_across_two_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading in pieces of any size gives the same records."""
    value = UploadRecord(fields={"M15": "K"}, orders=({"D15": "換藥換藥"},) * 3)
    data = xml.write([value] * 20)
    for size in (1, 2, 3, 7, 64):
        monkeypatch.setattr("nhirx.records.source.CHUNK", size)
        assert [item.record for item in xml.read(data)] == [value] * 20


def test_empty_and_missing(tmp_path: object) -> None:
    """An empty file and a file that is not there have their own errors."""
    with pytest.raises(FileEmpty):
        xml.read(b"")
    with pytest.raises(FileMissing):
        xml.read(f"{tmp_path}/absent.xml")


def test_write_to_streams() -> None:
    """Records go out one by one and are counted."""
    file = io.BytesIO()

    assert xml.write_to(file, (record(M15=str(number)) for number in range(3))) == 3
    assert file.getvalue().count(b"<REC>") == 3
