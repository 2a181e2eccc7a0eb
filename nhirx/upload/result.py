"""The check result of an upload, read leniently: nothing but ``recs`` and ``err_level`` is documented of its JSON.

What is looked for: a list of records under ``recs``; in each a visit ID, a place, a level (0 warning, 1 error) and errors, as
objects with a field and a code or as text ``M15:AA;D05[1]:AF;``. What is not understood is an error of the answer, never an
acceptance: a record counts as accepted only when the answer was read whole and holds no error for it.

Source: ``nhi-qa-2024-10`` (level per record), ``field-notes`` §5.3, §6.2.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nhirx.errors import AnswerMalformed
from nhirx.identifiers import canonical_text
from nhirx.logs import mask
from nhirx.model import CheckError, CheckResult, Value
from nhirx.tables.check_codes import described

_PAIR = re.compile(
    r"\s*(?P<field>[A-Z][0-9]{2}|MB[12])?\s*(?:\[(?P<order>[0-9]+)\]|\((?P<round>[0-9]+)\))?\s*[:=]\s*(?P<code>[0-9A-Z]{2,5})\s*"
)
_TOKEN = re.compile(r"[0-9A-Za-z_.\[\]()-]{0,16}", re.ASCII)
_FIELD_NAMES = ("field", "fieldid", "field_id", "col", "column", "item", "fld")
_CODE_NAMES = ("code", "err_code", "errcode", "error_code", "err", "error")
_ORDER_NAMES = ("order", "order_no", "orderno", "index", "mb2", "line")
_LIST_NAMES = ("errors", "errs", "error", "err", "err_list", "error_list", "details")
_PLACE_NAMES = ("n", "no", "rec", "recno", "rec_no", "seq", "index", "row", "record")
_LEVEL_NAMES = ("err_level", "errlevel", "level")


class RecordResult(Value):
    """One entry of ``recs``: whom it is about (visit ID or place, as far as it says) and what it says."""

    visit_id: str | None = None
    place: int | None = None
    errors: tuple[CheckError, ...] = ()
    raw: str


@dataclass(frozen=True, slots=True)
class Results:
    """A whole answer. Records it does not name passed without remark; ``everywhere`` are errors of the file as a whole."""

    records: tuple[RecordResult, ...]
    everywhere: tuple[CheckError, ...] = ()
    raw: str = field(default="", repr=False)


def decode(text: object, url: str) -> Any:
    """The JSON inside ``Tx_result_json``: base64 with line breaks, or plain JSON. Raises ``AnswerMalformed``."""
    if isinstance(text, dict | list):
        return text
    if not isinstance(text, str) or not text.strip():
        raise AnswerMalformed(url=url, problem="no check result inside")
    plain = text.strip()
    try:
        if not plain.startswith(("{", "[")):
            plain = base64.b64decode("".join(plain.split()) + "=" * (-len("".join(plain.split())) % 4), validate=True).decode(
                "utf-8-sig"
            )
        return json.loads(plain)
    except (ValueError, binascii.Error, RecursionError):
        raise AnswerMalformed(url=url, problem="the check result is no JSON") from None


def read(tree: Any, url: str) -> Results:
    """The results in ``tree``. Raises ``AnswerMalformed`` when it has no list of records or an entry cannot be understood."""
    names = _lowered(tree) if isinstance(tree, Mapping) else {"recs": tree}
    entries = names.get("recs")
    if isinstance(entries, Mapping):
        entries = [entries]
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise AnswerMalformed(url=url, problem="the check result has no list of records")
    everywhere = tuple(_errors(names, url)) if isinstance(tree, Mapping) else ()
    return Results(tuple(_record(entry, url) for entry in entries), everywhere, json.dumps(tree, ensure_ascii=False))


def match(results: Results, visit_ids: Mapping[int, str], total: int, url: str) -> dict[int, CheckResult]:
    """The result of each record of an upload of ``total`` records; ``visit_ids`` maps 1-based places to M15.

    Entries are matched by visit ID where that names one record, else by place. Raises ``AnswerMalformed`` when an entry fits no
    record: then nobody can say which of them it concerns, and none is accepted.
    """
    by_id: dict[str, list[int]] = {}
    for place, visit_id in visit_ids.items():
        by_id.setdefault(canonical_text(visit_id), []).append(place)
    found: dict[int, list[RecordResult]] = {}
    nameless: list[RecordResult] = []
    everywhere = list(results.everywhere)
    for entry in results.records:
        places = by_id.get(canonical_text(entry.visit_id), []) if entry.visit_id else []
        if len(places) == 1:
            found.setdefault(places[0], []).append(entry)
        elif entry.visit_id and not places and len(visit_ids) < total:
            continue  # of a record of this upload that has been sent anew since
        else:
            nameless.append(entry)
    if nameless and total == 1:
        found.setdefault(1, []).extend(nameless)
    elif [entry.place for entry in nameless] == [0]:
        everywhere += nameless[0].errors  # the file as a whole
    elif nameless:
        base = _base([entry.place for entry in nameless], total, len(results.records), url)
        for number, entry in enumerate(nameless):
            place = (number if entry.place is None else entry.place - base) + 1
            if not 1 <= place <= total:
                raise AnswerMalformed(url=url, problem="a check result that fits no record sent")
            found.setdefault(place, []).append(entry)
    return {place: _result(found.get(place, []), tuple(everywhere)) for place in visit_ids}


def _base(places: Sequence[int | None], total: int, entries: int, url: str) -> int:
    """Whether places count from 0 or 1, which nobody documents: only what leaves no doubt is taken."""
    if all(place is None for place in places) and len(places) == entries == total:
        return 1
    known = [place for place in places if place is not None]
    if len(known) == len(places):
        if 0 in known and max(known) < total:
            return 0
        if total in known and min(known) > 0:
            return 1
    raise AnswerMalformed(url=url, problem="a check result that does not say which record it is about")


def _result(entries: Sequence[RecordResult], everywhere: tuple[CheckError, ...]) -> CheckResult:
    errors = everywhere + tuple(error for entry in entries for error in entry.errors)
    raw = "\n".join(entry.raw for entry in entries) or None
    return CheckResult(accepted=all(error.severity != "error" for error in errors), errors=errors, raw=raw)


def _record(entry: Mapping[str, Any], url: str) -> RecordResult:
    names = _lowered(entry)
    inner = {**names, **_lowered(names.get("fields") or {})} if isinstance(names.get("fields"), Mapping) else names
    visit = next((str(inner[name]) for name in ("m15", "visit_id", "treatmentnumber") if inner.get(name)), None)
    errors = tuple(_errors(names, url))
    if not errors and _level(names) == 1:
        # An error that we cannot read is still an error.
        errors = (
            CheckError(
                field="",
                code="?",
                zh="錯誤內容無法解讀，請至健保署網頁查看",
                en="an error that cannot be read here: see the NHIA's page",
            ),
        )
    return RecordResult(
        visit_id=visit, place=_number(names, _PLACE_NAMES), errors=errors, raw=json.dumps(entry, ensure_ascii=False)
    )


def _errors(names: Mapping[str, Any], url: str) -> Iterator[CheckError]:
    level = _level(names)
    for name in _LIST_NAMES:
        found = names.get(name)
        if isinstance(found, str):
            yield from _pairs(found, level, url)
        elif isinstance(found, list):
            for one in found:
                if isinstance(one, str):
                    yield from _pairs(one, level, url)
                elif isinstance(one, Mapping):
                    yield _error(_lowered(one), level, url)
                else:
                    raise AnswerMalformed(url=url, problem="an error that is neither text nor object")
        elif found not in (None, {}):
            raise AnswerMalformed(url=url, problem="errors that are neither text nor list")


def _pairs(text: str, level: int | None, url: str) -> Iterator[CheckError]:
    for part in filter(str.strip, re.split(r"[;；]", text)):
        pair = _PAIR.fullmatch(part)
        if pair is None:
            raise AnswerMalformed(url=url, problem="an error that is no pair of field and code")
        order = pair["order"] or pair["round"]
        yield _made(pair["field"] or "", pair["code"], int(order) if order else None, level)


def _error(names: Mapping[str, Any], level: int | None, url: str) -> CheckError:
    code = next((str(names[name]) for name in _CODE_NAMES if isinstance(names.get(name), str | int)), None)
    if code is None:
        raise AnswerMalformed(url=url, problem="an error without a code")
    where = next((str(names[name]) for name in _FIELD_NAMES if names.get(name)), "")
    own = _level(names)
    return _made(where, code, _number(names, _ORDER_NAMES), level if own is None else own)


def _made(where: str, code: str, order: int | None, level: int | None) -> CheckError:
    # Only the NHI's own word makes it a warning: what we know of the code would let a rejected record pass for an accepted one.
    return described(_token(where), _token(code), order=order, severity="warning" if level == 0 else "error")


def _token(text: str) -> str:
    """Field and code go into lists and the audit trail in clear, so only what has the look of either: text could name the patient.

    What was really said stays in the sealed result.
    """
    return text if _TOKEN.fullmatch(text) and mask(text) == text else "?"


def _level(names: Mapping[str, Any]) -> int | None:
    return _number(names, _LEVEL_NAMES)


def _number(names: Mapping[str, Any], wanted: Sequence[str]) -> int | None:
    for name in wanted:
        value = names.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().isdecimal():
            return int(value)
    return None


def _lowered(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in entry.items()}
