"""The NHI's checks of an upload file, offline, before anything is sent.

Three passes over a record: the shape of every value (type, length, a date that exists), what must and must not be filled for
this kind of record, then the conditions of ``tables/checks.toml``. A value of the wrong shape is not judged further, so one
slip gives one finding. What only the NHI can tell is listed with severity ``pending``.

Source: ``field-notes`` §6.4; the words come from ``tables/codes/check_codes.toml``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from nhirx import roc
from nhirx.model import CheckError, UploadRecord
from nhirx.records.conditions import real
from nhirx.records.rules import STEP, Hit, rule_book
from nhirx.records.shapes import fault, shapes
from nhirx.records.source import Document, Source
from nhirx.records.xml import Loose, ReadRecord, iter_records
from nhirx.tables.check_codes import described
from nhirx.tables.fields import field_words, fields

_KEYS_REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class RecordReport:
    """Findings of one record; ``index`` is its 1-based place in the file."""

    index: int
    visit_id: str
    findings: tuple[CheckError, ...]

    @property
    def errors(self) -> tuple[CheckError, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def as_json(self) -> dict[str, Any]:
        return {"index": self.index, "visit_id": self.visit_id, "findings": [as_json(finding) for finding in self.findings]}


@dataclass(frozen=True, slots=True)
class FileReport:
    """Findings of a file: those about the file as a whole, then one report per record in file order."""

    file_findings: tuple[CheckError, ...]
    records: tuple[RecordReport, ...]

    @property
    def ok(self) -> bool:
        """No error; warnings and pending points may be there."""
        return not any(finding.severity == "error" for finding in self.file_findings) and not any(r.errors for r in self.records)

    def as_json(self) -> dict[str, Any]:
        """The object of contract §4."""
        return {
            "file_findings": [as_json(finding) for finding in self.file_findings],
            "records": [record.as_json() for record in self.records],
        }


def as_json(finding: CheckError) -> dict[str, Any]:
    """A finding as the contract spells it."""
    return {
        "field": finding.field,
        "order": finding.order,
        "code": finding.code,
        "severity": finding.severity,
        "zh": finding.zh,
        "en": finding.en,
        "fix_zh": finding.fix_zh,
        "fix_en": finding.fix_en,
    }


def check_file(source: Source, today: date | None = None) -> FileReport:
    """Check a file. ``today`` is the day of the upload; without it nothing is judged against the upload time.

    Raises ``FileUnreadable`` kinds when there is no content at all; broken content is a finding.
    """
    document = Document()
    records = tuple(check_records(source, today, document))
    return FileReport(file_findings(document, records), records)


def check_records(source: Source, today: date | None, document: Document) -> Iterator[RecordReport]:
    """Reports one by one, memory flat. What is wrong with the file as a whole gathers in ``document``."""
    seen: set[int] = set()
    for record in iter_records(source, document):
        yield _report(record, today, seen)


def check_record(record: UploadRecord, today: date | None = None) -> tuple[CheckError, ...]:
    """Findings of one record that is about to be sent: errors, warnings, pending, in the order of the fields."""
    found, hits = _judge(record.fields, record.orders, _upload_day(today))
    hits.sort()
    told = _findings(tuple(hits))
    return told if not found else tuple(sorted((*found, *told), key=_place))


def _report(record: ReadRecord, today: date | None, seen: set[int]) -> RecordReport:
    book = rule_book()
    if record.version == "1.0":
        return RecordReport(record.index, "", (_said("A02", book.codes["old_format"], None, "pending"),))
    findings = [_structural(loose) for loose in record.loose]
    if findings:
        named = {finding.field for finding in findings} | ({"H00", "H01"} if any(f.field == "MSH" for f in findings) else set())
        silenced = book.structure["silenced"]
        findings += [f for f in check_record(record.record, today) if f.field not in named or f.code not in silenced]
    else:
        findings += check_record(record.record, today)
    visit_id = record.fields.get("M15", "")
    if real(visit_id):
        key = hash(visit_id)
        if key in seen:
            findings.append(_said("M15", book.codes["repeated_key"], None, "warning"))
        elif len(seen) < _KEYS_REMEMBERED:
            seen.add(key)
    return RecordReport(record.index, visit_id, tuple(findings))


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def file_findings(document: Document, records: tuple[RecordReport, ...] = ()) -> tuple[CheckError, ...]:
    """What is wrong with the file as a whole: its bytes, its root, or a record whose outline makes the NHI refuse all of it."""
    book = rule_book()
    found: list[CheckError] = []
    for trouble in document.troubles:
        # ASCII bytes mean the same in either encoding, so there only the declaration is off.
        mild = trouble == "no-declaration" or (trouble == "declared-otherwise" and document.encoding == "ascii")
        found.append(_said(*book.file[trouble], None, "warning" if mild else None))
    if not document.tags["REC"] and not any(finding.severity == "error" for finding in found):
        found.append(_said(*book.file["no-record"], None, None))
    whole = [tuple(item) for item in book.structure["whole_file"]]
    found += [finding for record in records for finding in record.findings if (finding.field, finding.code) in whole]
    return tuple(dict.fromkeys(found))


def _structural(loose: Loose) -> CheckError:
    book = rule_book()
    if loose.trouble == "unknown":
        return described(
            loose.tag, book.codes["unknown_field" if _ID.fullmatch(loose.tag) else "unknown_element"], order=loose.order
        )
    if loose.trouble == "repeated" and _ID.fullmatch(loose.tag):
        return described(loose.tag, book.codes["repeated_field"], order=loose.order)
    key = {"repeated": "repeated-header" if loose.tag == "MSH" else "nested"}.get(loose.trouble, loose.trouble)
    field, code = book.structure[key]
    return described(field or loose.tag, code, order=loose.order)


_ID = re.compile(r"[A-Z][0-9]{2}", re.ASCII)


# ── one record ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _judge(
    values: Mapping[str, str], orders: tuple[dict[str, str], ...], upload: tuple[str, str, str]
) -> tuple[list[CheckError], list[Hit]]:
    book = rule_book()
    get = values.get
    missing_code = book.codes["missing"]
    kind = book.kinds[book.kind_of(get("H00", ""), get("H01", ""))]
    found: list[CheckError] = []
    bad: set[tuple[str, int]] = set()
    segments = (
        (values, 0, kind.required, kind.forbidden),
        *((order, at, kind.required_in_order, kind.forbidden_in_order) for at, order in enumerate(orders, start=1)),
    )
    for segment, at, required, forbidden in segments:
        order = at or None
        for name, value, fits in zip(segment, segment.values(), shapes(tuple(segment)), strict=True):
            if not fits(value) and (why := fault(name, value)):
                found.append(_misshapen(name, why, order))
                bad.add((name, at))
        if not required <= segment.keys() or "" in segment.values():
            missing = [name for name in required if not segment.get(name)]
            found += [_said(name, missing_code, order, None) for name in missing]
            bad |= {(name, at) for name in missing}
        if not forbidden.isdisjoint(segment):
            found += [_said(name, fields()[name].forbidden_code, order, None) for name in forbidden if segment.get(name)]
    found += [_said(name, missing_code, None, "warning") for name in kind.wanted if not get(name)]
    hits: list[Hit] = []
    kind.judge(values, orders, *upload, hits)
    if bad:
        hits = [hit for hit in hits if _sound(hit, bad)]
    return found, hits


def _sound(hit: Hit, bad: set[tuple[str, int]]) -> bool:
    order, index = divmod(hit, STEP)
    rule = rule_book().rules[index]
    return rule.always or not any((name, 0) in bad or (name, order) in bad for name in rule.names)


@functools.lru_cache(maxsize=2_000)
def _findings(hits: tuple[Hit, ...]) -> tuple[CheckError, ...]:
    """Whole sets are kept, since most records of a day raise the same points; a rule that met in several orders but is about
    the record is said once."""
    return tuple(dict.fromkeys(sorted(map(_finding, hits), key=_place)))


@functools.lru_cache(maxsize=20_000)
def _finding(hit: Hit) -> CheckError:
    order, index = divmod(hit, STEP)
    rule = rule_book().rules[index]
    at = None if rule.whole or not order else order
    finding = described(rule.field, rule.code, order=at, family=rule.family, severity=rule.severity)
    if rule.zh:
        finding = finding.model_copy(
            update={"zh": f"{field_words(rule.field)[0]}：{rule.zh}", "en": f"{field_words(rule.field)[1]}: {rule.en}"}
        )
    if rule.severity == "pending":
        finding = finding.model_copy(
            update={
                "zh": f"需由健保署判斷，送出後才知道：{finding.zh}",
                "en": f"Only the NHIA can tell, after sending: {finding.en}",
            }
        )
    if rule.derived:
        finding = finding.model_copy(
            update={
                "zh": f"{finding.zh}（依推導的編碼方式，僅供提醒。）",
                "en": f"{finding.en} (By the derived structure of the ID; a hint only.)",
            }
        )
    return finding


@functools.lru_cache(maxsize=20_000)
def _said(field: str, code: str, order: int | None, severity: Any) -> CheckError:
    return described(field, code, order=order, severity=severity)


def _place(finding: CheckError) -> tuple[int, str, str, str]:
    return finding.order or 0, finding.field, finding.severity, finding.code


@functools.lru_cache(maxsize=4)
def _upload_day(today: date | None) -> tuple[str, str, str]:
    """The day of the upload, the day before which it is surely too late, and the day before which it may be."""
    if today is None:
        return "", "", ""
    back = today.year * 12 + today.month - 1 - rule_book().limits["correction_months"]
    year, month = divmod(back, 12)
    oldest = date(year, month + 1, 1)
    doubtful = next(date(year, month + 1, number) for number in range(today.day, 0, -1) if _exists(year, month + 1, number))
    return roc.format_date(today), roc.format_date(oldest), roc.format_date(doubtful)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _misshapen(name: str, why: str, order: int | None) -> CheckError:
    spec = fields().get(name)
    code = rule_book().codes[why]
    if spec is None:
        return described(name[:40], code, order=order)
    return _said(name, code, order, None if spec.firm else "warning")
