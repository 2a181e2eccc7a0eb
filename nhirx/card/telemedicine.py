"""A virtual card without its QR code at hand: the patient agrees on the phone, and the token comes from the cloud.

The request names the patient by the ID number, encrypted with a key made of institution and day. The patient gets a push
and has ten minutes; nobody calls back, so the answer is asked for until it is there.
Source: field-notes, card §4.3 (a published test vector is in the tests).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from nhirx.card import answers
from nhirx.card.control6 import Control6
from nhirx.card.virtual import Token, now
from nhirx.errors import AnswerMalformed, TokenRefused
from nhirx.http import JsonService
from nhirx.identifiers import InstitutionCode, NationalId
from nhirx.roc import TAIPEI
from nhirx.settings import Settings
from nhirx.tables import reader_codes

_REQUEST = "/vhc/cloud/tlm/GetVHCTeleMedicineReqCode"
_FETCH = "/vhc/cloud/tlm/getQRCodeByVHCTLMRReqCode"
_READ = "01"
_DATA_CENTRE = "TeleMedicine"
PATIENCE = 600.0
"""Seconds the patient has."""


def encrypted_id(national_id: str, institution: str, day: datetime) -> str:
    """The ID number as the service takes it: AES-256-CBC with PKCS #7, in Base64.

    ``day`` is aware; its date in Taiwan counts. Raises ``InvalidValue`` for a number or institution that is none.
    """
    code = InstitutionCode.parse(institution).value
    local = day.astimezone(TAIPEI)
    key = f"{code}{local:%Y%m%d}{'0' * 14}".encode("ascii")
    start = f"{code}{local:%y%m%d}".encode("ascii")
    padder = padding.PKCS7(128).padder()
    plain = padder.update(NationalId.parse(national_id).value.encode("ascii")) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode("ascii")


class TeleMedicine:
    """Asks for one patient's token. ``secret`` is the institution's own (``sToken``); it is no setting and never logged."""

    def __init__(self, settings: Settings, secret: str, *, clock: Callable[[], datetime] = now) -> None:
        self._service = JsonService(settings.control.telemedicine)
        self._institution: str = settings.require("pharmacy.institution")
        self._secret = secret
        self._clock = clock

    def request(self, national_id: str) -> str:
        """Send the push; the code under which the answer is fetched."""
        return self._text(self._ask(_REQUEST, national_id), "ReqCode")

    def fetch(self, national_id: str, request_code: str) -> Token | None:
        """The token, or None while the patient has not answered. Raises ``TokenRefused`` where it was declined."""
        answer = self._ask(_FETCH, national_id, ReqCode=request_code)
        found = answer.get("QRCode")
        return Token(found, self._clock()) if isinstance(found, str) and found.strip() else None

    def wait(
        self, national_id: str, request_code: str, *, every: float = 3.0, sleep: Callable[[float], None] = time.sleep
    ) -> Token:
        """``fetch`` until the patient has answered. Raises ``TokenRefused`` after ten minutes."""
        began = self._clock()
        while (self._clock() - began).total_seconds() < PATIENCE:
            if (token := self.fetch(national_id, request_code)) is not None:
                return token
            sleep(every)
        raise TokenRefused(
            zh="病人在 10 分鐘內沒有同意視訊就醫的授權。請與病人聯絡後重新送出。",
            en="The patient did not agree within ten minutes. Contact the patient and send the request again.",
            number="timeout",
        )

    def close(self) -> None:
        self._service.close()

    def _ask(self, path: str, national_id: str, **more: str) -> dict[str, Any]:
        body = {
            "HospID": self._institution,
            "sToken": self._secret,
            "ROCID": encrypted_id(national_id, self._institution, self._clock()),
            **more,
        }
        answer = self._service.post(path, body).get("responseBody")
        if not isinstance(answer, dict):
            raise AnswerMalformed(url=self._service.url, problem="responseBody 缺漏 / missing", member="responseBody")
        number = self._text(answer, "ErrorCode")
        if reader_codes.is_failure(number) and not _still_waiting(number):
            raise reader_codes.error_for(number, call=path)
        return answer

    def _text(self, answer: dict[str, Any], member: str) -> str:
        found = answer.get(member)
        if isinstance(found, bool) or not isinstance(found, int | str) or not str(found).strip():
            raise AnswerMalformed(url=self._service.url, problem=f"{member} 缺漏 / missing", member=member)
        return str(found).strip()


class TeleMedicine6:
    """The same by control software 6.0: its security module signs, so no secret and no encryption are needed."""

    def __init__(self, control: Control6, *, clock: Callable[[], datetime] = now) -> None:
        self._control = control
        self._clock = clock

    def request(self, national_id: str) -> str:
        """Send the push; the code under which the answer is fetched."""
        patient = NationalId.parse(national_id).value
        answer, _ = self._control.ask("/api/v1/TeleMedicine/RequestToken", "sam", _READ, {"patientId": patient})
        return answers.text(answer, "accessToken", _DATA_CENTRE)

    def fetch(self, request_code: str) -> Token | None:
        """The token, or None while the patient has not answered. Raises ``TokenRefused`` where it was declined."""
        try:
            answer, _ = self._control.ask("/api/v1/TeleMedicine/ResponseToken", "sam", _READ, {"accessToken": request_code})
        except TokenRefused as error:
            if _still_waiting(str(error.detail.get("number"))):
                return None
            raise
        return Token(answers.text(answer, "virtualCardToken", _DATA_CENTRE), self._clock())


def _still_waiting(number: str) -> bool:
    row = reader_codes.code(number)
    return row is not None and row.group.name == "token-pending"
