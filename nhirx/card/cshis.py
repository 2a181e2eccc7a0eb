"""Control software 5.x (CSHIS) through its helper process.

Buffers and sizes stand in ``nhirx/tables/layouts.toml``; what a code means in ``nhirx/tables/reader_codes.py``. Every
operation opens the reader's connection, makes its calls and closes it again, as the programs do that live with this
library; nothing of a card is kept between two operations.

Source: field-notes, card §2.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Literal

from nhirx import roc
from nhirx.card import basic_data, order_lines, records5
from nhirx.card.base import CardOrder, ControlSoftware, ControlStatus
from nhirx.card.cshis_process import HelperProcess, Result, Wanted
from nhirx.card.upload_signer import UploadSigner
from nhirx.errors import (
    CardAbsent,
    CardError,
    CardExpired,
    CardUnreadable,
    ComponentMissing,
    NhirxError,
    ReaderBusy,
    RollbackRefused,
    SecurityModuleError,
    SettingMissing,
    TransportError,
    VisitIdNotMade,
    WrongCard,
)
from nhirx.identifiers import InstitutionCode, NationalId
from nhirx.model import CardReading, Holder, UploadSignature
from nhirx.settings import Settings
from nhirx.tables import layouts, reader_codes

_log = logging.getLogger(__name__)
_STATUS_WAIT = 0.5  # seconds


class Cshis(ControlSoftware):
    """Thread-safe. ``signer`` signs uploads; without one ``upload_signature`` is ``ComponentMissing``."""

    name = "cshis"
    made_by: Literal["card", "virtual-card"] = "card"

    def __init__(self, settings: Settings, *, signer: UploadSigner | None = None) -> None:
        chosen = settings.control.cshis
        if chosen.library is None:
            raise SettingMissing(setting="control.cshis.library")
        self._settings = settings
        self._signer = signer
        self._helper = HelperProcess(chosen.library, python=chosen.python, port=chosen.port, limit=chosen.limit)
        self._lock = threading.RLock()

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> ControlStatus:
        if not self._lock.acquire(timeout=_STATUS_WAIT):
            # Somebody is typing a PIN, or the data centre is slow; a counter that shows the state must not wait for that.
            return ControlStatus(reachable=True, initialised=True, problems=(ReaderBusy.code,))
        try:
            states = [
                self._state(Wanted("hisGetCardStatus", (layouts.value(which),)))
                for which in ("sam", "nhi_card", "professional_card")
            ]
            version = self._helper.run(Wanted("csGetVersionEx"), connected=False)[0].code
        except NhirxError as error:
            return ControlStatus(reachable=False, problems=(error.code,))
        finally:
            self._lock.release()
        sam = states[0] == layouts.value("sam_ready")
        card = states[1] not in (layouts.value("absent"), layouts.value("no_answer"))
        problems = [error.code for error, wrong in ((SecurityModuleError, not sam), (CardAbsent, not card)) if wrong]
        return ControlStatus(
            reachable=True,
            initialised=True,
            sam_ready=sam,
            card_present=card,
            hpc_ready=states[2] == layouts.value("professional_ready"),
            version=str(version),
            problems=tuple(problems),
        )

    def _state(self, wanted: Wanted) -> int:
        return self._helper.run(wanted)[0].code

    def verify_sam(self) -> None:
        """Have the security module verified by the data centre; needed once after it was switched on."""
        self._call(Wanted("csVerifySAMDC"))

    def verify_card_pin(self) -> None:
        """Opens the library's own window, or waits for the keys of the reader."""
        self._call(Wanted("csVerifyHCPIN"))

    def verify_professional_pin(self) -> None:
        """As ``verify_card_pin``, for the pharmacist's card."""
        self._call(Wanted("hpcVerifyHPCPIN"))

    def close(self) -> None:
        self._helper.close()

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def read_holder(self) -> Holder:
        return basic_data.parse(self._call(Wanted("hisGetBasicData")).buffer)

    def update_card(self) -> None:
        """Bring validity and visits up to date. Raises ``CardUpdateRefused`` when it is not due."""
        self._call(Wanted("csUpdateHCContents"))

    # ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def visit_number(
        self, *, visit_category: str, make_up: bool = False, newborn_mark: str = " ", holder: Holder | None = None
    ) -> CardReading:
        with self._lock:
            # Asked first, because a failure here costs no number.
            card_number = records5.ascii_text(self._call(Wanted("csGetCardNo", (layouts.value("nhi_card"),))).buffer)
            if holder is not None and card_number != holder.card_number:
                raise WrongCard(which="card-changed")
            wanted = Wanted(
                "hisGetSeqNumber256N1",
                (
                    visit_category.encode("ascii"),
                    newborn_mark.encode("ascii"),
                    layouts.value("make_up" if make_up else "normal").encode("ascii"),
                ),
            )
            try:
                result = self._next_number(wanted)
            except CardExpired:
                self.update_card()
                result = self._next_number(wanted)
            parts = layouts.cut("visit_number", result.buffer)
            made = not _means(result.code, VisitIdNotMade)
            visit_id = parts["visit_id"] if made else ""
            return records5.reading(
                parts,
                made_by=self.made_by,
                visit_id=visit_id or self._visit_id_of(parts["visited_at"]),
                card_number=card_number or None,
                notices=() if result.code == 0 else (result.code,),
            )

    def _next_number(self, wanted: Wanted) -> Result:
        result = self._helper.run(wanted)[0]
        error = _failure(result.code, wanted.name)
        if error is None:
            return result
        # The number may be there though its ID is not: the buffer tells, and a number taken is never thrown away.
        if isinstance(error, VisitIdNotMade) and roc.is_datetime(layouts.cut("visit_number", result.buffer)["visited_at"]):
            return result
        raise error

    def _visit_id_of(self, moment: str) -> str | None:
        try:
            result = self._call(Wanted("hisGetTreatNumICCard", (moment.encode("ascii"),)))
        except (CardError, TransportError) as error:
            _log.warning("the visit number came without an ID, and asking for it failed too: %s", error.code)
            return None
        return layouts.cut("visit_id", result.buffer)["visit_id"] or None

    def no_card_id(self, national_id: str) -> CardReading:
        patient = NationalId.parse(national_id).value
        institution = InstitutionCode.parse(self._settings.require("pharmacy.institution")).value
        wanted = Wanted("hisGetTreatNumNoICCard", (patient.encode("ascii"), institution.encode("ascii")))
        return records5.no_card_reading(layouts.cut("no_card", self._call(wanted).buffer))

    def roll_back(self, reading: CardReading) -> bool:
        if reading.made_by == "no-card":
            return False
        try:
            self._call(Wanted("csUnGetSeqNumber", (roc.format_datetime(reading.visited_at).encode("ascii"),)))
        except RollbackRefused as error:
            _log.info("the number is not given back: %s", error.detail.get("number"))
            return False
        return True

    # ── writing and signing ──────────────────────────────────────────────────────────────────────────────────────────

    def write_orders(self, reading: CardReading, holder: Holder, orders: Sequence[CardOrder]) -> tuple[str, ...]:
        if holder.birth_date is None:
            raise CardUnreadable(problem="出生日期 / birth date")
        moment = roc.format_datetime(reading.visited_at)
        who = (moment.encode("ascii"), holder.national_id.encode("ascii"), roc.format_date(holder.birth_date).encode("ascii"))
        records = order_lines.record_parts(orders, moment)
        signatures: list[str] = []
        with self._lock:
            if self.read_holder().national_id != holder.national_id:
                # The library compares too, but only when it writes.
                raise WrongCard(which="card-changed")
            for data, lines in records:
                wanted = Wanted("hisWriteMultiPrescriptSign", (*who, data, lines), lines=lines)
                try:
                    signatures += records5.order_signatures(self._call(wanted), lines)
                except NhirxError as error:
                    error.detail["written"] = len(signatures)
                    raise
        return tuple(signatures)

    def upload_signature(self) -> UploadSignature:
        if self._signer is None:
            raise ComponentMissing(
                component="CsHisX", how="請安裝控制軟體 5.x 的上傳元件 / install the upload component of control software 5.x"
            )
        with self._lock:
            return self._signer.sign()

    # ── the helper ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, wanted: Wanted) -> Result:
        with self._lock:
            result = self._helper.run(wanted)[0]
        if (error := _failure(result.code, wanted.name)) is not None:
            raise error
        return result


def _failure(code: int, call: str) -> NhirxError | None:
    return reader_codes.error_for(code, call=call) if reader_codes.is_failure(code) else None


def _means(code: int, kind: type[NhirxError]) -> bool:
    row = reader_codes.code(code)
    return row is not None and row.group.error is kind
