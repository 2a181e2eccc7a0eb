"""The values that travel through nhirx: frozen, validated at the border, equal when their content is equal.

Times are aware (+08:00). At the border a field of the upload format is called by its ID (``M15``); inside it has its
glossary name (``visit_id``). JSON comes in with ROC digits or ISO 8601 and goes out as ``as_json`` of each value says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, NoReturn, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from nhirx import roc
from nhirx.errors import FactsInvalid, InvalidValue
from nhirx.identifiers import InstitutionCode, NationalId, VisitSerial


def _date(value: object) -> object:
    if isinstance(value, str):
        return roc.parse_date(value)
    return value if isinstance(value, date) else _refuse_number()


def _datetime(value: object) -> object:
    if isinstance(value, str):
        return roc.parse_datetime(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else _refuse("沒有時區的時間 / a time without offset")
    return _refuse_number()


def _visit_time(value: object) -> object:
    # Many sheets print the day only; midnight to the second then stands for the unknown time, as in the upload format.
    if isinstance(value, str) and _is_day(value):
        day = roc.parse_date(value)
        return datetime(day.year, day.month, day.day, tzinfo=roc.TAIPEI)
    return _datetime(value)


def _is_day(text: str) -> bool:
    return roc.is_date(text.strip()) or (len(text.strip()) == 10 and text.count("-") == 2)


def _refuse_number() -> NoReturn:
    # A JSON number would be taken for seconds since 1970: 1151120090013 without quotes is a day in 2006.
    _refuse("須為文字，不可為數字 / text is needed, not a number")


def _refuse(problem: str) -> NoReturn:
    raise InvalidValue(what="日期時間 (date or time)", problem=problem)


RocDate = Annotated[date, BeforeValidator(_date)]
RocDateTime = Annotated[datetime, BeforeValidator(_datetime)]
RocVisitTime = Annotated[datetime, BeforeValidator(_visit_time)]
NationalIdText = Annotated[str, BeforeValidator(lambda value: NationalId.parse(value).value if isinstance(value, str) else value)]
InstitutionText = Annotated[
    str, BeforeValidator(lambda value: InstitutionCode.parse(value).value if isinstance(value, str) else value)
]
SerialText = Annotated[str, BeforeValidator(lambda value: VisitSerial.parse(value).value if isinstance(value, str) else value)]
Severity = Literal["block", "warn", "info"]


class Value(BaseModel):
    """Frozen and strict: an unknown member is an error, so a misspelt one cannot be lost in silence.

    What names a person is left out of ``repr``, because that is what ends up in logs and tracebacks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


# ── facts: what is known before anything is decided ───────────────────────────────────────────────────────────────────


class Pharmacy(Value):
    institution: InstitutionText
    pharmacist: NationalIdText
    newly_contracted: bool = False
    format2_since: RocDate | None = None


class Newborn(Value):
    """A newborn seen on a relative's card; ``mark`` is M10, ``multiple`` M09."""

    birth_date: RocDate
    multiple: Annotated[int, Field(ge=1, le=5)] | None = None
    mark: Annotated[str, Field(pattern=r"^[A-Za-z]$")] | None = None
    has_id: bool | None = None


class Patient(Value):
    national_id: NationalIdText = Field(repr=False)
    birth_date: RocDate = Field(repr=False)
    no_nhi_status: str | None = None
    newborn: Newborn | None = None


class Refill(Value):
    """One fill of a 慢性病連續處方箋: ``number`` of ``of``, ``days`` this time, ``total_days`` in all."""

    number: Annotated[int, Field(ge=1, le=99)]
    of: Annotated[int, Field(ge=1, le=99)]
    days: Annotated[int, Field(ge=1, le=999)] | None = None
    total_days: Annotated[int, Field(ge=1, le=999)] | None = None
    controlled: bool = False


class PrescriptionFacts(Value):
    """What the sheet says. ``visit_id`` is the text as read; ``visit_id_state`` defaults to what follows from it."""

    visit_id: str | None = Field(default=None, repr=False)
    visit_id_state: Literal["read", "absent", "illegible"] | None = None
    visit_serial: SerialText | None = None
    institution: InstitutionText | None = None
    visited_at: RocVisitTime | None = None
    prescriber_format: Literal["2.0", "1.0"] | None = None
    refill: Refill | None = None


class CardFacts(Value):
    state: Literal["present", "absent", "failed"] = "present"
    abnormal_serial: SerialText | None = None


class MakeUpFacts(Value):
    """A 補卡: when the drugs were really handed out, and the ID taken then (None: none was taken)."""

    actual_visited_at: RocDateTime
    actual_visit_id: str | None = Field(default=None, repr=False)


class Facts(Value):
    """Everything the resolver looks at, as the contract spells it. ``from_json`` reads outside input."""

    dispensed_at: RocDateTime
    pharmacy: Pharmacy
    patient: Patient
    prescription: PrescriptionFacts = PrescriptionFacts()
    card: CardFacts = CardFacts()
    make_up: MakeUpFacts | None = None

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Raises ``FactsInvalid`` that names the first wrong member. Members that are null count as absent."""
        try:
            return cls.model_validate(_without_nulls(data))
        except RecursionError:
            raise FactsInvalid(where="(root)", problem="巢狀過深 / nested too deeply", count=1) from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "(root)"
            raise FactsInvalid(where=where, problem=first["msg"], count=error.error_count()) from None


def _without_nulls(data: object) -> object:
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    return data


# ── the prescription as a pharmacy system supplies it ─────────────────────────────────────────────────────────────────


class Order(Value):
    """One line. ``kind`` is what the line is in the pharmacy's words; the regulated codes follow from tables."""

    kind: Literal["drug", "material", "service-fee", "virtual"] = "drug"
    code: Annotated[str, Field(min_length=1, max_length=12)]
    usage: str | None = None
    days: Annotated[int, Field(ge=1)] | None = None
    total: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    route: str | None = None
    long_term: bool = False
    substituted: bool = False


class Prescription(Value):
    """A prescription with what a record needs beyond the facts: diagnoses, lines, money."""

    patient: Patient
    sheet: PrescriptionFacts
    diagnoses: tuple[str, ...] = ()
    days: Annotated[int, Field(ge=0)] | None = None
    payment_category: str | None = None
    fee: Annotated[int, Field(ge=0)] = 0
    copayment: Annotated[int, Field(ge=0)] = 0
    orders: tuple[Order, ...] = ()
    reference: str | None = None
    """The pharmacy system's own key, handed back with every piece of news after the scan."""


# ── decisions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Finding(Value):
    """Something a person should know. ``block`` stops the step, ``warn`` and ``info`` do not."""

    code: str
    severity: Severity
    zh: str
    en: str
    source: str | None = None
    field: str | None = None


class Reason(Value):
    """Why a field has its value: the rule's ID, the section it comes from, and how sure the source is."""

    rule: str
    source: str
    confidence: Literal["confirmed", "single", "inferred"]


class UploadPlan(Value):
    """What the rules say for one set of facts on one day. ``fields`` holds null for what the card will fill."""

    ok: bool
    action: Literal["upload", "hold", "none"]
    call: Literal["1.53", "1.54"] | None
    fields: dict[str, str | None] = Field(repr=False)
    from_card: tuple[str, ...]
    why: dict[str, Reason]
    findings: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The output object of ``nhirx resolve`` (contract §3)."""
        return self.model_dump(mode="json")

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "block")


# ── what the card and the control software give ───────────────────────────────────────────────────────────────────────


class Holder(Value):
    """The public part of a card. ``name`` may hold replacement characters; ``name_raw`` keeps the 20 bytes as hex."""

    card_number: str = Field(repr=False)
    name: str = Field(repr=False)
    name_raw: str | None = Field(default=None, repr=False)
    national_id: str = Field(repr=False)
    birth_date: date | None = Field(repr=False)
    sex: str
    issued_on: date | None = None
    card_id: str | None = None
    """A virtual card's own ID where there is one."""


class CardReading(Value):
    """A visit number as the control software gave it: fields M01, M02, M11, M13–M15.

    ``made_by`` tells the service that made the visit ID, because the NHI refuses an ID of the wrong one (D069–D072).
    """

    made_by: Literal["card", "no-card", "virtual-card"]
    visited_at: AwareDatetime
    institution: str
    visit_id: str | None = Field(repr=False)
    sam_id: str | None = None
    card_number: str | None = Field(default=None, repr=False)
    visit_serial: str | None = None
    security_signature: str | None = Field(default=None, repr=False)
    same_day: bool | None = None
    notices: tuple[int, ...] = ()
    """Codes that came with a success, such as 5010 (a notice) and 5174 (number taken, no ID made)."""


@dataclass(frozen=True, slots=True)
class CardOrder:
    """One order line as the card takes it (61-byte record of the control software)."""

    order_class: str
    """Card order class, one character (``layouts`` §1-2-1)."""
    code: str
    usage: str = ""
    days: int = 0
    total: float = 0.0
    position: str = ""
    """Body part for treatments; for drugs the route, as control software writes it."""
    delivery_mark: str = ""


class UploadSignature(Value):
    """One signature for one request to the Web API."""

    sam_id: str
    institution: str
    client_random: str
    signature: str


# ── records and their fate ────────────────────────────────────────────────────────────────────────────────────────────


class UploadRecord(Value):
    """One ``REC``: the M-fields of MB1 and the D-fields of each MB2, ready to be written. Empty fields are left out."""

    fields: dict[str, str] = Field(repr=False)
    orders: tuple[dict[str, str], ...] = ()

    @property
    def visit_id(self) -> str:
        """M15, the key of the record at the NHI."""
        return self.fields.get("M15", "")


class Receipt(Value):
    """What the Web API gave for an upload it took. Without ``opcode`` the check result can never be fetched."""

    opcode: str
    received_at: AwareDatetime


class CheckError(Value):
    """One error of a check, ours or the NHI's: field, 1-based order line or None, code."""

    field: str
    code: str
    order: int | None = None
    severity: Literal["error", "warning", "pending"] = "error"
    zh: str = ""
    en: str = ""
    fix_zh: str = ""
    fix_en: str = ""


class CheckResult(Value):
    """The NHI's answer for one record. ``accepted`` is true when no error of level 1 is left."""

    accepted: bool
    errors: tuple[CheckError, ...] = ()
    raw: str | None = None
