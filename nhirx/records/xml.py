"""Upload files as bytes: strict out, lenient in, streaming both ways.

Out: one declaration, one ``RECS``, per record ``REC`` = ``MSH`` (H) + ``MB`` (``MB1`` with the M-fields, one ``MB2`` per order),
fields in rising order, nothing empty. In: format 1.0 (A-fields) and 2.0, Big5 or UTF-8, unknown elements kept. A hostile file
meets no entity, no network, a bounded record size and a bounded depth.

Source: ``field-notes`` §1 (layout, declaration, bytes, one root).
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from nhirx.errors import FileEmpty, FileMissing, FileUnreadable, RecordMalformed
from nhirx.model import UploadRecord
from nhirx.records.source import Document, Encoding, Source

__all__ = ["Encoding", "Loose", "ReadRecord", "RecordFile", "iter_records", "read", "write", "write_to"]

_ID = re.compile(r"[A-Z][0-9]{2}", re.ASCII)
_SPECIAL = re.compile(r"[&<>\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\U0010ffff]")
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CODECS = {"big5": ("Big5", "cp950"), "utf-8": ("UTF-8", "utf-8")}


# ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(records: Iterable[UploadRecord], encoding: Literal["big5", "utf-8"] = "big5") -> bytes:
    """The whole file as bytes. Raises ``RecordMalformed`` as ``write_to`` does."""
    return b"".join(_pieces(records, encoding))


def write_to(file: IO[bytes], records: Iterable[UploadRecord], encoding: Literal["big5", "utf-8"] = "big5") -> int:
    """Write records one by one to a binary ``file`` and return how many.

    Raises ``RecordMalformed`` for a field name that is none and for a character that the encoding or XML cannot hold; it
    names record, field and place, never the content. What was written before the error stays in ``file``.
    """
    count = -2  # head and foot
    for piece in _pieces(records, encoding):
        file.write(piece)
        count += 1
    return count


def _pieces(records: Iterable[UploadRecord], encoding: str) -> Iterator[bytes]:
    declared, codec = _CODECS[encoding]
    yield f'<?xml version="1.0" encoding="{declared}"?>\n<RECS>\n'.encode("ascii")
    for index, record in enumerate(records, start=1):
        yield _record(record, index, codec)
    yield b"</RECS>\n"


def _record(record: UploadRecord, index: int, codec: str) -> bytes:
    body = _segment(record.fields, index, None, codec)
    orders = [_segment(order, index, at, codec) for at, order in enumerate(record.orders, start=1)]
    return f"<REC>{body}{''.join(orders)}</MB></REC>\n".encode(codec)


@functools.lru_cache(maxsize=1_000)
def _plan(names: tuple[str, ...], of_order: bool) -> tuple[str, Any] | None:
    """A format string and a getter for a segment with these fields; None when a name has to be refused."""
    prefixes = "DEVA" if of_order else "HMA"
    if len(names) < 2 or not all(_ID.fullmatch(name) and name[0] in prefixes for name in names):
        return None
    ordered = sorted(names, key=lambda name: (of_order or not _is_head(name), name))
    tags = [f"<{name}>%s</{name}>" for name in ordered]
    heads = 0 if of_order else sum(map(_is_head, names))
    text = (
        f"<MB2>{''.join(tags)}</MB2>" if of_order else f"<MSH>{''.join(tags[:heads])}</MSH><MB><MB1>{''.join(tags[heads:])}</MB1>"
    )
    return text, operator.itemgetter(*ordered)


def _segment(fields: dict[str, str], index: int, order: int | None, codec: str) -> str:
    """MSH, MB and MB1 of a record, or one MB2. The usual case, plain characters everywhere, takes one format operation."""
    plan = _plan(tuple(fields), order is not None)
    if plan is not None:
        values = plan[1](fields)
        joined = "".join(values)
        if joined.isascii() and joined.isprintable() and "" not in values and not _MARKUP.search(joined):
            return plan[0] % values  # type: ignore[no-any-return]
    head: list[str] = []
    body: list[str] = []
    for name in sorted(fields):
        if value := fields[name]:
            text = _field(name, value, index, order, codec, "HMA" if order is None else "DEVA")
            (head if order is None and _is_head(name) else body).append(text)
    return f"<MB2>{''.join(body)}</MB2>" if order is not None else f"<MSH>{''.join(head)}</MSH><MB><MB1>{''.join(body)}</MB1>"


_MARKUP = re.compile("[ &<>]")


def _is_head(name: str) -> bool:
    return name[0] == "H" or name in _HEAD_1_0


_HEAD_1_0 = frozenset({"A00", "A01", "A02"})


def _field(name: str, value: str, index: int, order: int | None, codec: str, prefixes: str) -> str:
    if not _ID.fullmatch(name) or name[0] not in prefixes:
        raise RecordMalformed(problem=f"第 {index} 筆有不是欄位代碼的名稱 / record {index} has a field name that is none")
    if _SPECIAL.search(value):
        value = _escaped(name, value, index, order, codec)
    return f"<{name}>{value}</{name}>" if value.strip() else ""


def _escaped(name: str, value: str, index: int, order: int | None, codec: str) -> str:
    bad = _NOT_XML.search(value)
    place = bad.start() if bad else _unencodable(value, codec)
    if place is not None:
        line = "" if order is None else f" MB2[{order}]"
        raise RecordMalformed(
            problem=(
                f"第 {index} 筆{line} 欄位 {name} 的第 {place + 1} 個字無法以此編碼上傳，請改用其他字"
                f" / record {index}{line}, field {name}: character {place + 1} cannot be sent in this encoding, replace it"
            ),
            record=index,
            field=name,
            order=order,
            position=place + 1,
        )
    return "".join(_ESCAPES.get(character, character) for character in value)


def _unencodable(value: str, codec: str) -> int | None:
    try:
        value.encode(codec)
    except UnicodeEncodeError as error:
        return error.start
    return None


# ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Loose:
    """An element that is not where, or not what, the format says. ``trouble`` says which.

    ``order`` is the 1-based ``MB2`` it stands in, None outside one. The text is kept for whoever must look.
    """

    tag: str
    text: str
    trouble: Literal["misplaced", "unknown", "repeated", "nested", "no-header", "no-body", "order-without-body"]
    order: int | None = None


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """One ``REC`` as it was read: ``index`` is 1-based, ``version`` is ``2.0`` or ``1.0``, blanks around values are gone.

    ``fields`` holds the fields of MSH and MB1, the unknown and misplaced ones too; an empty element counts as absent.
    """

    index: int
    version: str
    fields: dict[str, str]
    orders: tuple[dict[str, str], ...] = ()
    loose: tuple[Loose, ...] = ()

    @property
    def record(self) -> UploadRecord:
        return UploadRecord.model_construct(fields=self.fields, orders=self.orders)


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A whole file in memory. ``document`` tells what is to be said about the file itself."""

    records: tuple[ReadRecord, ...]
    document: Document = field(default_factory=Document)

    def __iter__(self) -> Iterator[ReadRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


def read(source: Source) -> RecordFile:
    """Read everything. Raises ``FileUnreadable`` kinds and, for content that is no upload file, ``RecordMalformed``."""
    document = Document()
    records = tuple(iter_records(source, document))
    document.refuse()
    return RecordFile(records, document)


def iter_records(source: Source, document: Document | None = None) -> Iterator[ReadRecord]:
    """Records one by one, memory flat. ``source`` is a path, bytes or a binary file.

    With a ``document`` of the caller's, trouble with the file as a whole (bytes, root, truncation) is noted there and the
    records before it are still given; without one it raises ``RecordMalformed`` when it is met.
    """
    note = document if document is not None else Document()
    try:
        for index, element in enumerate(note.elements(source), start=1):
            yield _take(element, index)
    except FileNotFoundError as error:
        raise FileMissing(path=str(error.filename)) from None
    except OSError as error:
        raise FileUnreadable(path=str(source) if isinstance(source, (str, Path)) else "-", problem=error.strerror) from None
    if note.size == 0:
        raise FileEmpty(path=str(source) if isinstance(source, (str, Path)) else "-")
    if document is None:
        note.refuse()


def _take(rec: Any, index: int) -> ReadRecord:
    fields: dict[str, str] = {}
    orders: list[dict[str, str]] = []
    loose: list[Loose] = []
    headers = bodies = 0
    for part in rec:
        tag = part.tag
        if tag == "MSH":
            headers += 1
            _leaves(part, fields, loose, _HEAD, None)
        elif tag == "MB":
            for segment in part:
                if segment.tag == "MB1":
                    bodies += 1
                    _leaves(segment, fields, loose, _BODY, None)
                elif segment.tag == "MB2":
                    order: dict[str, str] = {}
                    orders.append(order)
                    _leaves(segment, order, loose, _ORDER, len(orders))
                else:
                    loose.append(Loose(_name(segment), _text(segment), "nested"))
        else:
            loose.append(Loose(_name(part), _text(part), "nested"))
    if headers != 1:
        loose.append(Loose("MSH", "", "repeated" if headers else "no-header"))
    if bodies != 1:
        loose.append(Loose("MB1", "", "repeated" if bodies else ("order-without-body" if orders else "no-body")))
    version = "1.0" if any(name[0] == "A" for name in fields) else "2.0"
    return ReadRecord(index, version, fields, tuple(orders), tuple(loose))


_HEAD, _BODY, _ORDER = frozenset("HA"), frozenset("MA"), frozenset("DVEA")


def _leaves(segment: Any, into: dict[str, str], loose: list[Loose], prefixes: frozenset[str], order: int | None) -> None:
    for leaf in segment:
        name = leaf.tag
        text = leaf.text
        if len(leaf):
            loose.append(Loose(_name(leaf), _text(leaf), "nested", order))
            continue
        if name[0] not in prefixes or name not in _KNOWN_SHAPES:
            name = _name(leaf)
            if not _ID.fullmatch(name):
                loose.append(Loose(name, _text(leaf), "unknown", order))
                continue
            if name[0] in prefixes:
                if len(_KNOWN_SHAPES) < _SHAPES_KEPT:
                    _KNOWN_SHAPES.add(name)
            else:
                loose.append(Loose(name, _text(leaf), "misplaced" if name[0] in "HMDVEA" else "unknown", order))
        if text and (text := text.strip()):
            if name in into:
                loose.append(Loose(name, text, "repeated", order))
            else:
                into[name] = text


_KNOWN_SHAPES: set[str] = set()
_SHAPES_KEPT = 600


def _name(element: Any) -> str:
    return str(element.tag)[:40]


def _text(element: Any) -> str:
    return "".join(element.itertext()).strip()
