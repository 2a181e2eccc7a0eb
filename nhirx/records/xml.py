"""Upload files in, lenient: format 1.0 (A-fields) and 2.0, Big5 or UTF-8, unknown elements kept, record by record.

A hostile file meets no entity, no network, a bounded record size and a bounded depth (``source.py``). Writing is strict and
stands in ``write.py``; its names are given here too, so that one import serves both ways.

Source: ``field-notes`` §1 (layout), §10 (format 1.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nhirx.errors import FileEmpty, FileMissing, FileUnreadable
from nhirx.model import UploadRecord
from nhirx.records.source import Document, Encoding, Source
from nhirx.records.write import write, write_to

__all__ = ["Document", "Encoding", "Loose", "ReadRecord", "RecordFile", "iter_records", "read", "write", "write_to"]

_ID = re.compile(r"[A-Z][0-9]{2}", re.ASCII)


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
