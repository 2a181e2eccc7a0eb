"""The Web API of upload format 2.0: send records, fetch the check result. Every request has a signature of its own.

Source: ``field-notes`` §5.2, §5.3. Paths, base address, kind of upload and the spelling of the members are settings, because public
programs differ in them.
"""

from __future__ import annotations

import base64
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from nhirx.errors import AnswerLost, AnswerMalformed, ResultNotReady, ServiceTimeout, UploadRefused
from nhirx.http import JsonService
from nhirx.model import CheckResult, Receipt, UploadRecord, UploadSignature
from nhirx.roc import TAIPEI
from nhirx.settings import Settings
from nhirx.upload import result
from nhirx.upload.codes import rtn_code

Sign = Callable[[], UploadSignature]
_MOST_ON_ONE = 1000
_SPELLING = {
    "camel": ("sSamId", "sHospId", "sClientRandom", "sSignature"),
    "lower": ("sSamid", "sHospid", "sClientrandom", "sSignature"),
}


class Packed(NamedTuple):
    """The body of an upload, and its signature where that was made ahead."""

    data: str
    signature: UploadSignature | None = None


class UploadClient:
    """One Web API. Thread-safe: uploads go one after the other, and ``sign`` is called by one thread at a time."""

    def __init__(self, settings: Settings, sign: Sign) -> None:
        self._settings = settings.upload
        self._encoding = settings.record.encoding
        self._sign = sign
        self._service = JsonService(settings.upload.service)
        self._signing = threading.Lock()
        # One upload at a time on the kept connection, with the Opcodes that came over it.
        self._sending = threading.Lock()
        self._seen: set[str] = set()

    @property
    def service_at(self) -> datetime | None:
        """The service's clock by the date of its last answer; None where it says none."""
        return self._service.told_at

    def upload(self, records: Sequence[UploadRecord], now: datetime) -> Receipt:
        """Send ``records`` in one request and give the receipt: ``pack`` and ``send`` in one."""
        return self.send(self.pack(records), now)

    def pack(self, records: Sequence[UploadRecord], *, sign: bool = False) -> Packed:
        """What an upload of ``records`` sends; with ``sign`` its signature too, so that ``send`` need not wait for one.

        Raises ``RecordMalformed`` when a record cannot be written, and what ``sign`` raises; nothing has been sent then.
        """
        from nhirx.records.xml import write

        data = base64.b64encode(write(records, self._encoding)).decode("ascii")
        return Packed(data, self._signature() if sign else None)

    def send(self, packed: Packed, now: datetime, *, within: float = math.inf) -> Receipt:
        """Send what ``pack`` made. A signature that has expired is made anew, once. It is over ``within`` seconds, one way or the other.

        Raises ``UploadRefused`` when the service does not take it, and what ``JsonService`` and ``sign`` raise. After a
        ``TransportError`` whose ``detail["reached"]`` is not False nobody knows whether it was taken.
        """
        body = {"sType": self._settings.mode, "sPatData": packed.data, "sUploadDT": _digits17(now)}
        with self._sending:
            try:
                answer = self._signed(self._settings.upload_path, body, packed.signature, reuse=True, within=within)
                opcode = answer.get("Opcode") or answer.get("opcode") or answer.get("OpCode")
                if not isinstance(opcode, str) or not opcode.strip():
                    raise AnswerMalformed(url=self._service.url, problem="taken, but without an Opcode")
                if opcode in self._seen:
                    # A second copy of an earlier answer, come so late that the connection looked clean: not the answer to this.
                    raise AnswerLost(url=self._service.url, problem="the answer to an earlier upload came again", reached=True)
            except BaseException:
                # Only an Opcode says which upload an answer belongs to; after anything else the connection is not to be trusted.
                self._let_go()
                raise
            self._seen.add(opcode)
            if len(self._seen) >= _MOST_ON_ONE:
                self._let_go()
        return Receipt(opcode=opcode, received_at=now)

    def results(self, opcode: str) -> result.Results:
        """The check result of an upload. Raises ``ResultNotReady`` while there is none, else as ``upload``."""
        answer = self._signed(self._settings.download_path, {"sType": self._settings.mode, "sOpcode": opcode})
        names = {name.lower(): value for name, value in answer.items()}
        return result.read(result.decode(names.get("tx_result_json"), self._service.url), self._service.url)

    def result(self, opcode: str, visit_ids: Mapping[int, str], total: int) -> dict[int, CheckResult]:
        """The check result of each record of an upload of ``total``, by 1-based place; ``visit_ids`` maps places to M15."""
        return result.match(self.results(opcode), visit_ids, total, self._service.url)

    def close(self) -> None:
        self._service.close()

    def _let_go(self) -> None:
        self._service.let_go()
        self._seen.clear()

    def _signature(self) -> UploadSignature:
        with self._signing:
            return self._sign()

    def _signed(
        self,
        path: str,
        body: dict[str, Any],
        made: UploadSignature | None = None,
        *,
        reuse: bool = False,
        within: float = math.inf,
    ) -> dict[str, Any]:
        end = time.monotonic() + within
        try:
            return self._once(path, body, made or self._signature(), reuse, end)
        except UploadRefused as error:
            if error.detail.get("then") != "sign":
                raise
        self._let_go()
        return self._once(path, body, self._signature(), reuse, end)

    def _once(self, path: str, body: dict[str, Any], made: UploadSignature, reuse: bool, end: float) -> dict[str, Any]:
        seconds = min(self._service.timeout, end - time.monotonic())
        if seconds <= 0:
            raise ServiceTimeout(url=self._service.url, seconds=self._service.timeout, reached=False)
        values = (made.sam_id, made.institution, made.client_random, made.signature)
        signed = dict(zip(_SPELLING[self._settings.key_spelling], values, strict=True)) | body
        answer = self._service.post(path, signed, timeout=seconds, reuse=reuse)
        number = answer.get("RtnCode", answer.get("rtnCode", answer.get("rtncode")))
        if number is None:
            raise AnswerMalformed(url=self._service.url, problem="no RtnCode")
        code = rtn_code(number)
        if code.then == "wait":
            raise ResultNotReady
        if code.then != "done":
            raise code.refusal()
        return answer


def server_time(receipt: Receipt) -> datetime | None:
    """The time in the first 14 places of an Opcode, to compare clocks with; None when there is none (``field-notes`` §5.2, one source)."""
    try:
        return datetime.strptime(receipt.opcode[:14], "%Y%m%d%H%M%S").replace(tzinfo=TAIPEI)
    except ValueError:
        return None


def _digits17(moment: datetime) -> str:
    """Western date and time of Taiwan with milliseconds: 17 digits."""
    local = moment.astimezone(TAIPEI)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"
