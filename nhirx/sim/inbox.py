"""An uploaded file, decoded the careful way: base64, bytes, characters, XML, records.

The file comes from outside, so entities and document types are refused, sizes are bounded, and whatever is wrong becomes a
note of the check report instead of an exception. Source: field-notes §1 of the upload format (whole-file rules).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

LARGEST_FILE = 32 * 1024 * 1024
_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*\?>", re.IGNORECASE)
_ROOT = re.compile(r"<RECS[\s>/]")


@dataclass(frozen=True, slots=True)
class Note:
    """One remark: ``name`` is a key of ``[checks]``, ``order`` the 1-based MB2 or None."""

    name: str
    field: str
    order: int | None = None


@dataclass(slots=True)
class Sent:
    """One ``REC`` as it came in, ``n`` its 1-based place in the file."""

    n: int
    fields: dict[str, str] = field(default_factory=dict)
    orders: list[dict[str, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def get(self, name: str) -> str:
        return self.fields.get(name, "")


@dataclass(slots=True)
class File:
    """A whole upload: its records, and notes that reject all of them."""

    size: int = 0
    records: list[Sent] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def decode(text: str) -> bytes | None:
    """The bytes of a base64 member, line breaks allowed; None when it is none or too large."""
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) <= LARGEST_FILE else None


def read(data: bytes) -> File:
    """Never raises: a file that cannot be read has notes and no records."""
    file = File(size=len(data))
    text = _characters(data)
    if text is None:
        file.notes.append(Note("not-big5", "RECS"))
        return file
    text = _DECLARATION.sub("", text, count=1)
    if len(_ROOT.findall(text)) > 1:
        file.notes.append(Note("several-roots", "RECS"))
    elif "</RECS>" not in text:
        file.notes.append(Note("file-not-closed", "RECS"))
    elif len(re.findall(r"<REC[\s>]", text)) != text.count("</REC>"):
        file.notes.append(Note("record-not-closed", "REC"))
    if file.notes:
        return file
    try:
        root = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        file.notes.append(Note("content-broken", "RECS"))
        return file
    if root.tag != "RECS" or any(child.tag != "REC" for child in root) or len(root) == 0:
        file.notes.append(Note("level-wrong", "RECS"))
        return file
    for n, element in enumerate(root, start=1):
        file.records.append(_record(n, element, file))
    return file


def _characters(data: bytes) -> str | None:
    # Both encodings are seen in public programs; Big5 is tried first because it is what the declaration says.
    for encoding in ("cp950", "utf-8"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _record(n: int, element: Any, file: File) -> Sent:
    record = Sent(n)
    headers, bodies = element.findall("MSH"), element.findall("MB")
    if len(headers) != 1:
        file.notes.append(Note("header-missing", "MSH"))
    if len(bodies) > 1 or any(child.tag not in ("MSH", "MB") for child in element):
        file.notes.append(Note("level-wrong", "REC"))
    for header in headers[:1]:
        _take(header, record.fields, record, None, ("H",))
    for body in bodies[:1]:
        mains, lines = body.findall("MB1"), body.findall("MB2")
        if len(mains) != 1 or any(child.tag not in ("MB1", "MB2") for child in body):
            file.notes.append(Note("level-wrong", "MB1"))
        for main in mains[:1]:
            _take(main, record.fields, record, None, ("M",))
        for order, line in enumerate(lines, start=1):
            fields: dict[str, str] = {}
            _take(line, fields, record, order, ("D", "E", "V"))
            record.orders.append(fields)
    return record


def _take(element: Any, into: dict[str, str], record: Sent, order: int | None, letters: tuple[str, ...]) -> None:
    for child in element:
        name = str(child.tag)
        if not re.fullmatch(r"[A-Z][0-9]{2}", name) or not name.startswith(letters) or len(child):
            record.notes.append(Note("field-unknown", name[:12], order))
        elif name in into:
            record.notes.append(Note("not-allowed", name, order))
        elif child.text and child.text.strip():
            into[name] = child.text.strip()
