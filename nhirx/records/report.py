"""What the NHI answers about an upload, read into findings with words and a fix.

Two shapes: the text report of the VPN page (Big5, plain or in a zip) and the answer of the Web API (JSON, its inner result in
base64). Only two members of the JSON result are documented, so it is searched for what looks like records, fields and
field-code pairs, and the raw record stays beside what was understood. A number that stands where no source explains it is
left out rather than guessed.

Source: ``field-notes`` §5.3, §6.1–6.3; ``nhi-slides-2024-04`` (sample of a record), ``nhi-qa-2024-10`` (levels 0 and 1).
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from nhirx import roc
from nhirx.errors import FileEmpty, FileMissing, FileTooLarge, FileUnreadable, InvalidValue, NhirxError, RecordMalformed
from nhirx.model import CheckError
from nhirx.records.check import as_json as finding_as_json
from nhirx.tables.check_codes import described

LIMIT = 64 << 20
"""Bytes of a report, unpacked. A month of a large pharmacy is below one million."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of the whole upload; None where the report does not say."""

    uploaded_at: str | None = None
    received: int | None = None
    valid_details: int | None = None
    valid_orders: int | None = None
    invalid_details: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class ReportedRecord:
    """One record of the report. ``n`` is its place in the uploaded file; a field the NHI saw empty is None."""

    n: int | None
    fields: dict[str, str | None]
    errors: tuple[CheckError, ...]
    raw: Any = None

    @property
    def accepted(self) -> bool:
        """Whether the NHI keeps the record: nothing above a warning is left."""
        return not any(error.severity == "error" for error in self.errors)

    def as_json(self) -> dict[str, Any]:
        known = {"n": self.n, "fields": self.fields, "errors": [finding_as_json(error) for error in self.errors]}
        return known if self.raw is None else known | {"raw": self.raw}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A whole report. ``kind`` tells where it came from; ``answers`` are codes about the upload itself (Web API)."""

    kind: Literal["text", "json"]
    summary: Summary
    records: tuple[ReportedRecord, ...]
    answers: tuple[CheckError, ...] = ()
    raw: str = field(default="", repr=False)

    def as_json(self) -> dict[str, Any]:
        """The object of contract §5, with ``kind`` and ``answers`` beside it."""
        return {
            "summary": self.summary.as_json(),
            "records": [record.as_json() for record in self.records],
            "kind": self.kind,
            "answers": [finding_as_json(answer) for answer in self.answers],
        }

    @property
    def tells_nothing(self) -> bool:
        """A text without counts, records and answers proves nothing, least of all success. JSON with no entry is an answer."""
        return self.kind == "text" and not self.records and not self.answers and self.summary == Summary()

    @property
    def all_good(self) -> bool:
        """Whether it says that everything was accepted; counts that name invalid details count against it."""
        accepted = all(record.accepted for record in self.records)
        return accepted and not self.answers and not self.tells_nothing and not self.summary.invalid_details

    def by_cause(self) -> list[tuple[CheckError, list[int | None]]]:
        """Every distinct field and code with the records it occurs in, the most frequent first."""
        causes: dict[tuple[str, str], tuple[CheckError, list[int | None]]] = {}
        for record in self.records:
            for error in record.errors:
                known = causes.setdefault((error.field, error.code), (error, []))
                if record.n not in known[1]:
                    known[1].append(record.n)
        return sorted(causes.values(), key=lambda cause: (cause[0].severity != "error", -len(cause[1]), cause[0].field))


def read_report(source: str | Path | bytes, password: str | None = None) -> CheckReport:
    """Read a report from a path or its bytes. ``password`` opens the encrypted download of the VPN page.

    Raises ``FileUnreadable`` kinds for what cannot be opened and ``RecordMalformed`` for what is no report.
    """
    name, data = _bytes_of(source)
    text = text_of(data, name, password)
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        from nhirx.records.report_json import read_answer

        return read_answer(text)
    return read_text(text)


# ── the text report ───────────────────────────────────────────────────────────────────────────────────────────────────

_LINE = re.compile(r"^[ \t]*={20,}[ \t]*$", re.MULTILINE)
_NUMBER = re.compile(r"第\s*\[\s*(\d{1,9})\s*\]\s*筆")
_FIELD = re.compile(r"\b([A-Z]\d\d)\s*=\s*\[([^\[\]]*)\]")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_REASON = re.compile(r"(錯誤|警告)原因\s*[:：]")
PAIR = re.compile(r"([A-Z][A-Z0-9]{1,7})\s*(?:\[\s*(\d{1,4})\s*\])?\s*[:：]\s*([A-Za-z0-9_-]{1,16})")
_SUMMARY_WORD = "檢核結果"
_SUMMARY_VALUES = 12


def read_text(text: str) -> CheckReport:
    """The text report. Raises ``RecordMalformed`` when neither a summary nor a record is in it."""
    first = _NUMBER.search(text)
    before = _LINE.split(text[: first.start()] if first else text)
    head = next((block for block in before if _SUMMARY_WORD in block), "")
    records = [record for block in _LINE.split(text) for record in _records_of(block)]
    if not head and not records:
        raise RecordMalformed(problem="這不是檢核結果檔 / this is no check report")
    return CheckReport("text", _summary(head), tuple(records), raw=text)


def _summary(head: str) -> Summary:
    values = [value.strip() for value in _BRACKET.findall(head)]
    if len(values) != _SUMMARY_VALUES:
        return Summary()
    return Summary(moment(values[3]), whole(values[5]), whole(values[9]), whole(values[10]), whole(values[11]))


def _records_of(block: str) -> Iterator[ReportedRecord]:
    """A block is one record; where the separating lines were lost it may be several."""
    starts = [match.start() for match in _NUMBER.finditer(block)]
    if not starts and _REASON.search(block):
        starts = [0]  # the reason why the file as a whole was refused stands in no record
    for start, end in itertools.pairwise([*starts, len(block)]):
        part = block[start:end]
        number = _NUMBER.match(part)
        reasons = list(_REASON.finditer(part))
        values = part[: reasons[0].start()] if reasons else part
        fields = {name: _value(value) for name, value in _FIELD.findall(values)}
        errors: list[CheckError] = []
        for at, reason in enumerate(reasons):
            until = reasons[at + 1].start() if at + 1 < len(reasons) else len(part)
            errors += pairs(part[reason.end() : until], "warning" if reason[1] == "警告" else None)
        yield ReportedRecord(int(number[1]) if number else None, fields, tuple(errors))


def _value(text: str) -> str | None:
    text = text.strip()
    return None if text == "NULL" else text


def pairs(text: str, severity: Literal["error", "warning"] | None = None) -> list[CheckError]:
    """``M15:AA;D05[1]:AF;`` as findings. The index of an order is passed on as it stands: its base is not documented."""
    found = [
        described(name, code, order=int(order) if order else None, family=family(name), severity=severity)
        for name, order, code in PAIR.findall(text)
    ]
    if not found:
        found = [described("XML", code, severity=severity) for code in _BARE.findall(text)]
    return found


_BARE = re.compile(r"(?<![\w\[])([A-Z][A-Z0-9]{1,7})(?=\s*(?:;|；|$))")


def family(name: str) -> str:
    """A-fields belong to format 1.0, whose codes can mean something else."""
    return "1.0" if re.fullmatch(r"A\d\d", name) else "2.0"


# ── values ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_WESTERN = re.compile(r"(20\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\d{0,3}")
_SLASHED = re.compile(r"(\d{2,4})[/-](\d{1,2})[/-](\d{1,2})[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?")


def moment(text: str) -> str | None:
    """An upload time as ISO 8601 with offset; as it stands when it is written in no known way; None when blank."""
    text = text.strip()
    try:
        if match := _WESTERN.fullmatch(text):
            return datetime(*map(int, match.groups()), tzinfo=roc.TAIPEI).isoformat()  # type: ignore[arg-type,misc]
        if match := _SLASHED.fullmatch(text):
            year, *rest = (int(part or 0) for part in match.groups())
            return datetime(year if year > 1911 else year + 1911, *rest, tzinfo=roc.TAIPEI).isoformat()  # type: ignore[arg-type,misc]
        return roc.parse_datetime(text).isoformat()
    except (InvalidValue, ValueError):
        return text or None


def whole(text: Any) -> int | None:
    """A count, or None when it is none."""
    digits = str(text).strip().replace(",", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 12 else None


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _bytes_of(source: str | Path | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        name, data = "-", source
    else:
        name = str(source)
        try:
            with Path(source).open("rb") as file:
                data = file.read(LIMIT + 1)
        except FileNotFoundError:
            raise FileMissing(path=name) from None
        except OSError as error:
            raise FileUnreadable(path=name, problem=error.strerror) from None
    if not data.strip():
        raise FileEmpty(path=name)
    if len(data) > LIMIT:
        raise _too_large(name)
    return name, data


def _unzipped(name: str, data: bytes, password: str | None) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            if not entries:
                raise FileEmpty(path=name)
            pieces = []
            left = LIMIT
            for entry in entries:
                with archive.open(entry, pwd=password.encode() if password else None) as file:
                    pieces.append(file.read(left + 1))
                left -= len(pieces[-1])
                if left < 0:
                    raise _too_large(name)
    except (RuntimeError, NotImplementedError):
        raise FileUnreadable(
            path=name,
            problem="壓縮檔有密碼或加密方式不支援，請用 --password 給密碼，或先自行解壓縮"
            " / the archive is encrypted: give its password with --password, or unpack it first",
        ) from None
    except NhirxError:
        raise
    except Exception as error:
        # What zipfile raises for a damaged archive is no closed list: struct.error, zlib.error, IndexError for a nameless entry …
        raise FileUnreadable(path=name, problem=f"壓縮檔損壞 / damaged archive ({type(error).__name__})") from None
    return b"\n".join(pieces)


def _too_large(name: str) -> FileTooLarge:
    return FileTooLarge(
        path=name,
        problem="超過 64 MB",
        zh=f"檔案 {name} 太大（超過 64 MB），不像檢核結果。",
        en=f"The file {name} is too large (over 64 MB) for a check report.",
    )


def text_of(data: bytes, name: str = "-", password: str | None = None) -> str:
    """The text inside ``data``: unpacked when it is a zip, decoded as UTF-8 where it is that and as Big5 elsewhere."""
    if data.startswith(b"PK\x03\x04"):
        data = _unzipped(name, data, password)
    for codec in ("utf-8-sig", "cp950"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return data.decode("cp950", "replace")
