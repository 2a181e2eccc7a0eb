"""The hooks: names, arguments, and the moment in a prescription's life at which each is called.

In the order of the counter: configure · register … → scanned → find, else parse → check, calendar → card read → (choose an
abnormal reason) → number issued → dispensed → queued → accepted or rejected. ``docs/hooks.md`` says the same at length
and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

import pluggy

from nhirx.errors import CardError
from nhirx.model import CardReading, CheckError, Facts, Finding, Holder, Prescription, Receipt, UploadPlan, UploadRecord
from nhirx.plugin import NAME

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

hookspec = pluggy.HookspecMarker(NAME)

Polygon = Sequence[tuple[float, float]]
Decoder = Callable[["NDArray[np.uint8]"], Iterable[tuple[str, str, Polygon | None]]]
"""A grey picture (rows × columns, 0 black) in; text, symbology and corners of each code out."""


class Scan(Protocol):
    """What a plugin may read of a scanned page (contract §1)."""

    @property
    def status(self) -> str: ...
    @property
    def visit_id(self) -> str | None: ...
    @property
    def visit_ids(self) -> Sequence[str]: ...
    @property
    def codes(self) -> Sequence[Any]: ...
    @property
    def confidence(self) -> Any: ...


# ── register: when nhirx starts ───────────────────────────────────────────────────────────────────────────────────────


@hookspec
def nhirx_configure(options: Mapping[str, Any]) -> None:
    """The first hook to be called, once, before any other of the plugin: its table of the settings file, empty if it has none.

    Raise when an option is wrong: the plugin is then refused and the message names it.
    """


@hookspec
def nhirx_register_card_readers() -> Mapping[str, Callable[[], Any]]:
    """Called once at start. Name → function that makes a ``nhirx.card.base.HolderReader``; made when ``control.reader`` names it."""
    raise NotImplementedError


@hookspec
def nhirx_register_control_software() -> Mapping[str, Callable[[], Any]]:
    """Called once at start. Name → function that makes a ``nhirx.card.base.ControlSoftware``; made when ``control.kind`` names it."""
    raise NotImplementedError


@hookspec
def nhirx_register_decoders() -> Mapping[str, Decoder]:
    """Called once at start. Name → decoder, shown the pages on which the built-in engines found no visit ID."""
    raise NotImplementedError


@hookspec
def nhirx_register_commands() -> Mapping[str, Callable[..., Any]]:
    """Called once at start. Name → function that becomes ``nhirx NAME``; parameters as Typer reads them."""
    raise NotImplementedError


# ── ask: the first answer wins ────────────────────────────────────────────────────────────────────────────────────────


@hookspec(firstresult=True)
def nhirx_find_prescription(scan: Scan) -> Prescription | None:
    """Called after ``nhirx_prescription_scanned``, before anything is decided: the pharmacy system's own copy.

    None: not found here, the next plugin is asked.
    """


@hookspec(firstresult=True)
def nhirx_parse_code(text: str, symbology: str) -> Prescription | None:
    """Called for each code of a page that nhirx itself has no use for, when nobody answered ``nhirx_find_prescription``.

    None: not a code of mine.
    """


@hookspec(firstresult=True)
def nhirx_choose_abnormal_reason(candidates: Sequence[str], error: CardError | None, facts: Facts) -> str | None:
    """Called when the card or the reader failed, before the no-card ID is taken: one of ``candidates``, as a person chose it.

    None: the counter asks the operator.
    """


# ── collect: every answer counts ──────────────────────────────────────────────────────────────────────────────────────


@hookspec
def nhirx_check(plan: UploadPlan, prescription: Prescription | None) -> Finding | Iterable[Finding] | None:
    """Called when the plan is made, before the card is asked. A finding of severity ``block`` stops the step."""


@hookspec
def nhirx_calendar(first: date, last: date) -> Mapping[date, str] | None:
    """Called when days are counted: the closed days from ``first`` to ``last``, both included, each with its reason."""


# ── tell: each plugin alone ───────────────────────────────────────────────────────────────────────────────────────────


@hookspec
def nhirx_prescription_scanned(scan: Scan) -> None:
    """Called as soon as a page was read, whatever was found on it."""


@hookspec
def nhirx_card_read(holder: Holder, reference: str | None) -> None:
    """Called when the card was read and its holder is the patient of the prescription.

    Also, with ``reference`` None, for each card that is put in while the counter watches its readers.
    """


@hookspec
def nhirx_visit_number_issued(reading: CardReading, reference: str | None) -> None:
    """Called when a visit number was taken and stands in the journal."""


@hookspec
def nhirx_dispensed(record: UploadRecord, prescription: Prescription, reference: str | None) -> None:
    """Called when record and queue entry are on disk: labels, stock, next refill."""


@hookspec
def nhirx_record_queued(record: UploadRecord, reference: str | None) -> None:
    """Called after ``nhirx_dispensed``, when the record waits for the upload; again when a person sends it anew."""


@hookspec
def nhirx_record_accepted(record: UploadRecord, receipt: Receipt, reference: str | None) -> None:
    """Called when the NHI's check result is there and holds no error. Once per record."""


@hookspec
def nhirx_record_rejected(
    record: UploadRecord, receipt: Receipt | None, errors: Sequence[CheckError], reference: str | None
) -> None:
    """Called when the NHI refused the record, or its check found errors. ``receipt`` is None where it was not even taken."""
