"""Upload files out: one declaration, one ``RECS``, per record ``REC`` = ``MSH`` (H) + ``MB`` (``MB1`` with the M-fields, one
``MB2`` per order), fields in rising order, nothing empty, nothing that the encoding cannot hold.

Source: ``field-notes`` §1 (layout, declaration, bytes, one root).
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any, Literal

from nhirx.errors import RecordMalformed
from nhirx.model import UploadRecord

__all__ = ["write", "write_to"]

_ID = re.compile(r"[A-Z][0-9]{2}", re.ASCII)
_SPECIAL = re.compile(r"[&<>\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\U0010ffff]")
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CODECS = {"big5": ("Big5", "cp950"), "utf-8": ("UTF-8", "utf-8")}


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
    place = bad.start() if bad else unencodable(value, codec)
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


def unencodable(value: str, codec: str) -> int | None:
    """The first place that would be lost, or come back as another character: Big5 has one code for ¢ and ￠."""
    for place, character in enumerate(value):
        try:
            if character.encode(codec).decode(codec) != character:
                return place
        except UnicodeEncodeError:
            return place
    return None
