"""The local gateway of the 5.x time for virtual cards: the functions of the library as HTTP calls on this machine.

Texts carry one blank behind them where the library wants its NUL. The answer's buffer is JSON text whose places count in
Big5 bytes. Source: field-notes, card §4.1 (one public program).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from nhirx import roc
from nhirx.card import basic_data, order_lines, records5
from nhirx.card.base import CardOrder, ControlSoftware, ControlStatus
from nhirx.card.virtual import Token, now
from nhirx.errors import (
    AnswerLost,
    AnswerMalformed,
    CardUnreadable,
    ControlSoftwareDown,
    NhirxError,
    RollbackRefused,
    ServiceUnreachable,
    SettingInvalid,
    SettingMissing,
    VisitIdNotMade,
    WrongCard,
)
from nhirx.http import JsonService
from nhirx.model import CardReading, Holder, UploadSignature
from nhirx.settings import Settings
from nhirx.tables import layouts, reader_codes

Answer = dict[str, Any]
_CODES = ("ERRORCODE", "errorCode", "statusCode")
_HERE = {"localhost", "127.0.0.1", "::1"}


class VirtualGateway(ControlSoftware):
    """One patient's virtual card through the gateway; made anew for each patient. Thread-safe.

    ``companion`` is the pharmacy's own control software: the gateway knows neither IDs without a card nor upload signatures.
    """

    name = "virtual-gateway"

    def __init__(
        self,
        settings: Settings,
        token: Token,
        *,
        companion: ControlSoftware | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        service = settings.control.gateway
        parts = urlsplit(service.url)
        if parts.scheme != "https" and parts.hostname not in _HERE:
            # Without TLS only this machine may hear a patient's data.
            raise SettingInvalid(setting="control.gateway.url", problem="http 只能用於本機 / http is for this machine only")
        self._service = JsonService(service)
        self._token = token
        self._companion = companion
        self._clock = clock
        self._present = False
        self._lock = threading.RLock()

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> ControlStatus:
        try:
            with self._lock:
                number, _ = self._post("VHC/VHCcsOpenCom", {})
                self._post("VHC/VHCcsCloseCom", {})
        except NhirxError as error:
            return ControlStatus(reachable=False, problems=(error.code,))
        good = not reader_codes.is_failure(number)
        problems = () if good else (reader_codes.error_for(number).code,)
        return ControlStatus(reachable=True, initialised=good, sam_ready=good, card_present=self._present, problems=problems)

    def close(self) -> None:
        self._service.close()

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def read_holder(self) -> Holder:
        with self._lock:
            answer = self._ask("VHC/VHChisGetBasicData", {})
            return basic_data.parse(self._buffer(answer))

    # ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def visit_number(
        self, *, visit_category: str, make_up: bool = False, newborn_mark: str = " ", holder: Holder | None = None
    ) -> CardReading:
        wanted = {
            "cTreatItem": visit_category + " ",
            "cBabyTreat": newborn_mark + " ",
            "cTreatAfterCheck": layouts.value("make_up" if make_up else "normal"),
        }
        with self._lock:
            patient = self.read_holder()
            if holder is not None and patient.national_id != holder.national_id:
                raise WrongCard(which="card-changed")
            self._present_card()
            number, answer = self._post("VHC/VHChisGetSeqNumber256N1", wanted)
            error = reader_codes.error_for(number, call="VHChisGetSeqNumber256N1") if reader_codes.is_failure(number) else None
            if error is not None and not isinstance(error, VisitIdNotMade):
                raise error
            if error is not None and "pBuffer" not in answer:
                raise error
            parts = layouts.cut("visit_number", self._buffer(answer))
            if error is not None and not roc.is_datetime(parts["visited_at"]):
                raise error
            return records5.reading(
                parts,
                made_by="virtual-card",
                # No call of the gateway is known that fetches the ID afterwards, so a number without ID stays without.
                visit_id=parts["visit_id"] if error is None else None,
                card_number=patient.card_number,
                notices=() if number == "0" else (int(number),),
            )

    def no_card_id(self, national_id: str) -> CardReading:
        return self._own().no_card_id(national_id)

    def roll_back(self, reading: CardReading) -> bool:
        if reading.made_by != "virtual-card":
            return False
        with self._lock:
            try:
                self._ask("VHC/VHCcsUnGetSeqNumber", {"pUnTreatDate": roc.format_datetime(reading.visited_at) + " "})
            except RollbackRefused:
                return False
            return True

    # ── writing and signing ──────────────────────────────────────────────────────────────────────────────────────────

    def write_orders(self, reading: CardReading, holder: Holder, orders: Sequence[CardOrder]) -> tuple[str, ...]:
        if holder.birth_date is None:
            raise CardUnreadable(problem="出生日期 / birth date")
        moment = roc.format_datetime(reading.visited_at)
        records = order_lines.record_parts(orders, moment)
        signatures: list[str] = []
        with self._lock:
            if self.read_holder().national_id != holder.national_id:
                raise WrongCard(which="card-changed")
            for data, lines in records:
                body = {
                    "pDateTime": moment + " ",
                    "pPatientID": holder.national_id + " ",
                    "pPatientBirthDate": roc.format_date(holder.birth_date) + " ",
                    "pDataWrite": data.decode("ascii"),
                }
                try:
                    given = self._buffer(self._ask("VHC/VHChisWriteMultiPrescriptSign", body))
                    signed = records5.signatures_of(given, lines)
                    if len(signed) != lines:
                        raise CardUnreadable(problem=f"處方簽章 {len(signed)}/{lines} / order signatures")
                except NhirxError as error:
                    error.detail["written"] = len(signatures)
                    raise
                signatures += signed
        return tuple(signatures)

    def upload_signature(self) -> UploadSignature:
        return self._own().upload_signature()

    # ── the gateway ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _own(self) -> ControlSoftware:
        if self._companion is None:
            raise SettingMissing(setting="control.local")
        return self._companion

    def _present_card(self) -> None:
        if self._present:
            return
        number, _ = self._post("QRCodeReader/uploadqrcode", {"QRCodeString": self._token.for_use(self._clock())})
        if reader_codes.is_failure(number):
            raise reader_codes.error_for(number, call="uploadqrcode")
        self._present = True

    def _ask(self, path: str, body: Answer) -> Answer:
        self._present_card()
        number, answer = self._post(path, body)
        if reader_codes.is_failure(number):
            raise reader_codes.error_for(number, call=path)
        return answer

    def _post(self, path: str, body: Answer) -> tuple[str, Answer]:
        try:
            answer = self._service.post("/" + path, body)
        except AnswerLost:
            # It heard the request: whether a number was taken is not known, and that is another word than "not running".
            raise
        except ServiceUnreachable as error:
            raise ControlSoftwareDown(url=error.detail.get("url", self._service.url)) from None
        for member in _CODES:
            given = answer.get(member)
            if isinstance(given, int | str) and not isinstance(given, bool) and str(given).strip():
                text = str(given).strip()
                return (str(int(text)) if text.lstrip("-").isdecimal() else text), answer
        raise AnswerMalformed(url=self._service.url, problem="ERRORCODE 缺漏 / missing", member="ERRORCODE")

    def _buffer(self, answer: Answer) -> bytes:
        """The buffer's bytes; a character that Big5 lacks takes its two places, so that what follows stays in place."""
        given = answer.get("pBuffer")
        if not isinstance(given, str):
            raise AnswerMalformed(url=self._service.url, problem="pBuffer 缺漏 / missing", member="pBuffer")
        return b"".join(_big5(character) for character in given)


def _big5(character: str) -> bytes:
    for codec in ("cp950", "big5hkscs"):
        try:
            return character.encode(codec)
        except UnicodeEncodeError:
            continue
    return b"\xff\xff"
