"""Answers of control software 6.0 and of the data centre as values. Strict where a record depends on it, lenient in form.

Every function names the service (``url``) only for the error: a member that is missing or of the wrong form is
``AnswerMalformed`` with the member's name and never with its content.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from nhirx import roc
from nhirx.card.base import ControlStatus
from nhirx.errors import AnswerMalformed, CardAbsent, ControlSoftwareDown, InvalidValue, NhirxError, SecurityModuleError
from nhirx.identifiers import NationalId
from nhirx.model import CardReading, Holder
from nhirx.tables import reader_codes

Answer = dict[str, Any]
_SAM_READY, _HPC_READY = 2, 3
_ORDER_SIGNATURE = re.compile(r"[0-9A-F]{40}", re.ASCII)
_SIGNATURE = ("clientRandom", "hospitalId", "samId", "signature")
_OF_CARDS = ("hcId", "hcIdNo", "hpcId", "hpcIdNo")


@dataclass(frozen=True, slots=True)
class Register:
    """What the insurance says of the card: last valid day, visits left before it has to be updated."""

    valid_until: date | None
    visits_left: int | None


@dataclass(frozen=True, slots=True)
class PastOrder:
    """One order line as it stands on the card; texts as given, without blanks around them."""

    visited_at: datetime | None
    order_class: str
    code: str
    position: str
    usage: str
    days: str
    total: str


def code(answer: Answer, url: str) -> str:
    """The answer's code without leading zeros; public programs have seen it as number and as text."""
    given = answer.get("statusCode")
    if isinstance(given, bool) or not isinstance(given, int | str) or not str(given).strip():
        raise _missing("statusCode", url)
    text = str(given).strip()
    return str(int(text)) if text.lstrip("-").isdecimal() else text


def failure(answer: Answer, url: str, path: str) -> NhirxError | None:
    """The exception that the answer's code stands for, or None for success and notices."""
    number = code(answer, url)
    return reader_codes.error_for(number, call=path) if reader_codes.is_failure(number) else None


def text(answer: Answer, member: str, url: str) -> str:
    found = optional_text(answer, member)
    if found is None:
        raise _missing(member, url)
    return found


def optional_text(answer: Answer, member: str) -> str | None:
    """The member without blanks around it, or None where it is absent, null, blank or no text."""
    found = answer.get(member)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return (found.strip() or None) if isinstance(found, str) else None


def moment(answer: Answer, member: str, url: str) -> datetime:
    try:
        return roc.parse_datetime(text(answer, member, url))
    except InvalidValue:
        raise _missing(member, url) from None


def signature(answer: Answer, url: str, *, with_card: bool) -> Answer:
    """The members that prove a request, ready to be copied into it."""
    needed = (*_SIGNATURE, "hcId") if with_card else _SIGNATURE
    proof = {member: text(answer, member, url) for member in needed}
    return proof | {member: found for member in _OF_CARDS if (found := optional_text(answer, member))}


def signer(proof: Answer) -> str | None:
    """The ID number of the card that signed, or None where the signature does not show one that can be compared."""
    found = optional_text(proof, "hcIdNo")
    try:
        return NationalId.parse(found).value if found is not None else None
    except InvalidValue:
        return None


def status(answer: Answer, url: str) -> ControlStatus:
    inner = answer.get("status")
    if not isinstance(inner, dict):
        raise _missing("status", url)
    initialised = inner.get("initialized") is True or str(inner.get("initialized")).lower() == "true"
    sam = _state(inner, "sam") == _SAM_READY
    card = _state(inner, "hc") > 0
    problems = [
        error.code
        for error, wrong in ((ControlSoftwareDown, not initialised), (SecurityModuleError, not sam), (CardAbsent, not card))
        if wrong
    ]
    return ControlStatus(
        reachable=True,
        initialised=initialised,
        sam_ready=sam,
        card_present=card,
        hpc_ready=_state(inner, "hpc") == _HPC_READY,
        version=optional_text(inner, "version") or optional_text(answer, "version"),
        problems=tuple(problems),
    )


def _state(inner: Answer, part: str) -> int:
    found = inner.get(part)
    value = str(found.get("status")) if isinstance(found, dict) else ""
    return int(value) if value.isdecimal() else 0


def holder(answer: Answer, url: str) -> Holder:
    return Holder(
        card_number=text(answer, "cardSn", url),
        name=optional_text(answer, "name") or "",
        national_id=_national_id(answer, "idCardNum", url),
        birth_date=_day(text(answer, "birthday", url)),
        sex=text(answer, "sex", url),
        issued_on=_day(optional_text(answer, "dateIssue")),
    )


def virtual_holder(answer: Answer, url: str) -> Holder:
    number = text(answer, "cardId", url)
    return Holder(
        card_number=number,
        name=optional_text(answer, "name") or "",
        national_id=_national_id(answer, "idNo", url),
        birth_date=_day(text(answer, "birthday", url)),
        sex=text(answer, "sex", url),
        card_id=number,
    )


def register(answer: Answer) -> Register:
    visits = optional_text(answer, "treatmentCounter")
    return Register(
        valid_until=_day(optional_text(answer, "cardValidity")),
        visits_left=int(visits) if visits is not None and visits.isdecimal() else None,
    )


def past_orders(answer: Answer, url: str) -> tuple[PastOrder, ...]:
    """The lines of a card. A line whose time cannot be read keeps its other members: history is shown, not decided on."""
    lines = answer.get("outpatientPrescriptions")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise _missing("outpatientPrescriptions", url)

    def part(line: Answer, member: str) -> str:
        return optional_text(line, member) or ""

    return tuple(
        PastOrder(
            visited_at=roc.parse_datetime(at) if roc.is_datetime(at := part(line, "treatmentDateTime")) else None,
            order_class=part(line, "treatmentItem"),
            code=part(line, "treatmentItemCode"),
            position=part(line, "treatmentPosition"),
            usage=part(line, "usage"),
            days=part(line, "days"),
            total=part(line, "totalQuantity"),
        )
        for line in lines
    )


def reading(
    answer: Answer,
    url: str,
    *,
    made_by: Literal["card", "virtual-card"],
    visit_id: str | None,
    card_number: str | None,
    notices: tuple[int, ...],
) -> CardReading:
    """A visit number. Where a member is missing the error keeps the time of the number that was taken all the same."""
    visited_at = moment(answer, "treatmentDateTime", url)
    try:
        return CardReading(
            made_by=made_by,
            visited_at=visited_at,
            institution=text(answer, "hospitalId", url),
            visit_id=visit_id,
            sam_id=text(answer, "samId", url),
            card_number=card_number,
            visit_serial=optional_text(answer, "sequenceNumber"),
            security_signature=text(answer, "signature", url),
            same_day=_yes_or_no(answer.get("isSameDay")),
            notices=notices,
        )
    except AnswerMalformed as error:
        error.detail["numbered_at"] = roc.format_datetime(visited_at)
        raise


def _yes_or_no(given: Any) -> bool | None:
    """What decides nothing may be of any form: a number must not be lost to it."""
    return given if isinstance(given, bool) else {"Y": True, "N": False}.get(str(given))


def order_signatures(answer: Answer, expected: int, url: str) -> list[str]:
    """One signature of forty capital hex characters per line; the base64 form is read where the hex form is absent."""
    items = answer.get("hexSignatureItems")
    if not isinstance(items, list):
        items = _from_base64(answer.get("signatureItems"))
    if items is None or len(items) != expected:
        raise _missing("hexSignatureItems", url)
    signatures = [item.strip().upper() for item in items if isinstance(item, str)]
    if len(signatures) != expected or not all(_ORDER_SIGNATURE.fullmatch(item) for item in signatures):
        raise _missing("hexSignatureItems", url)
    return signatures


def _from_base64(items: Any) -> list[str] | None:
    if not isinstance(items, list):
        return None
    try:
        return [base64.b64decode(item, validate=True).hex() for item in items]
    except (binascii.Error, TypeError, ValueError):
        return None


def _national_id(answer: Answer, member: str, url: str) -> str:
    try:
        return NationalId.parse(text(answer, member, url)).value
    except InvalidValue:
        raise _missing(member, url) from None


def _day(found: str | None) -> date | None:
    return roc.parse_date(found) if found is not None and roc.is_date(found) else None


def _missing(member: str, url: str) -> AnswerMalformed:
    return AnswerMalformed(url=url, problem=f"{member} 缺漏或格式不符 / missing or of the wrong form", member=member)
