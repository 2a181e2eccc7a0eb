"""Control software 6.0: a local service that only signs, and the NHIA's data centre that answers whoever shows a signature.

Every call to the data centre gets a signature of its own: one is good for one call, and a second use is refused. Codes and
what they mean are in ``nhirx/tables/reader_codes.py``; here stands only what follows from each kind of failure.

Nothing of a card is kept between two calls, so nothing of an earlier patient can come out of a failed read.
Source: field-notes, card §5 (one public program; no official description is public).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any, Literal

from nhirx import roc
from nhirx.card import answers, order_lines
from nhirx.card.base import CardOrder, ControlSoftware, ControlStatus
from nhirx.errors import (
    AnswerMalformed,
    CardError,
    CardExpired,
    ControlSoftwareDown,
    NhirxError,
    RollbackRefused,
    SecurityModuleError,
    ServiceUnreachable,
    SignatureUsed,
    TransportError,
    VisitIdNotMade,
    WrongCard,
)
from nhirx.http import JsonService
from nhirx.identifiers import NationalId
from nhirx.model import CardReading, Holder, UploadSignature
from nhirx.settings import Settings

_log = logging.getLogger(__name__)

Signer = Literal["sam", "hc", "hpchc"]
_SIGN: dict[Signer, str] = {
    "sam": "/api/sam/v1/Signature",
    "hc": "/api/hc/v1/Signature/Hc",
    "hpchc": "/api/hc/v1/Signature/HpcHc",
}
# What a signature is for.
_READ, _WRITE, _NUMBER, _UPDATE, _UPLOAD = "01", "02", "03", "04", "30"
_NORMAL, _MAKE_UP = "1", "2"
_SAM_READY, _HPC_READY = 2, 3

Answer = dict[str, Any]


class Control6(ControlSoftware):
    """A client of both services. Thread-safe: one operation at a time, because there is one reader."""

    name = "control6"
    made_by: Literal["card", "virtual-card"] = "card"

    def __init__(self, settings: Settings) -> None:
        self._near = JsonService(settings.control.local)
        self._far = JsonService(settings.control.data_centre)
        self._lock = threading.RLock()
        self._prepared = False

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def status(self) -> ControlStatus:
        try:
            return answers.status(self._status(), self._near.url)
        except NhirxError as error:
            return ControlStatus(reachable=False, problems=(error.code,))

    def initial(self, name: str | None = None) -> None:
        """Start the control software, ending an earlier start first. ``name``: a SAM's number or a port; None: its own choice."""
        with self._lock:
            if answers.status(self._status(), self._near.url).initialised:
                self.finalize()
            self._local("POST", "/api/common/v1/Initial", {} if name is None else {"name": name})
            self._prepared = False

    def finalize(self) -> None:
        with self._lock:
            self._local("POST", "/api/common/v1/Finalize", {})
            self._prepared = False

    def verify_sam(self) -> None:
        """Have the security module verified by the data centre. Takes seconds on a bad day."""
        with self._lock:
            self._local("POST", "/api/sam/v1/Verification", {})

    def verify_card_pin(self, pin: str) -> None:
        """The holder's own PIN, where one is set. Raises ``PinRequired`` when it is wrong."""
        with self._lock:
            self._prepare()
            self._local("POST", "/api/hc/v1/Pin", {"pin": pin})

    def verify_professional_pin(self, pin: str = "000000") -> None:
        """The pharmacist's PIN; the default is what a reader with its own keys expects."""
        with self._lock:
            self._prepare()
            self._local("POST", "/api/hpc/v1/Verification/Hpc", {"pin": pin})

    def close(self) -> None:
        self._near.close()
        self._far.close()

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def read_holder(self) -> Holder:
        with self._lock:
            self._present_card()
            answer, signature = self.ask("/api/v1/BasicData/Query", "hc", _READ)
            holder = answers.holder(answer, self._far.url)
            if answers.signer(signature) not in (None, holder.national_id):
                # Somebody else's answer: the card that signed is the one in the reader.
                raise AnswerMalformed(
                    url=self._far.url, problem="不是這張卡的資料 / not the data of this card", member="idCardNum"
                )
            return holder

    def read_register(self) -> answers.Register:
        """Validity and remaining visits, as the data centre has them."""
        with self._lock:
            answer, _ = self.ask("/api/v1/BasicData/Register", "hc", _READ)
            return answers.register(answer)

    def read_prescriptions(self) -> tuple[answers.PastOrder, ...]:
        """The order lines on the card. The pharmacist's card has to be in and verified, else ``ProfessionalCardError``."""
        with self._lock:
            answer, _ = self.ask("/api/v1/Prescription/Query", "hpchc", _READ)
            return answers.past_orders(answer, self._far.url)

    def update_card(self) -> None:
        """Bring validity, visits and status of the card up to date. Raises ``CardUpdateRefused`` when it is not due."""
        with self._lock:
            self.ask("/api/v1/HcContent/Update", "hc", _UPDATE)

    # ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def visit_number(
        self, *, visit_category: str, make_up: bool = False, newborn_mark: str = " ", holder: Holder | None = None
    ) -> CardReading:
        wanted = {
            "treatmentItem": visit_category,
            "babyTreatment": newborn_mark,
            "afterCheck": _MAKE_UP if make_up else _NORMAL,
        }
        with self._lock:
            try:
                answer, signature = self._next_number(wanted, holder)
            except CardExpired:
                # Once, never in a loop: a card that stays expired after an update stays expired.
                self.update_card()
                answer, signature = self._next_number(wanted, holder)
            number = answers.code(answer, self._far.url)
            moment = answers.text(answer, "treatmentDateTime", self._far.url)
            visit_id = answers.optional_text(answer, "treatmentNumber") or self._visit_id_of(moment)
            return answers.reading(
                answer,
                self._far.url,
                made_by=self.made_by,
                visit_id=visit_id,
                card_number=answers.optional_text(signature, "hcId"),
                notices=() if number == "0" else (int(number),),
            )

    def _next_number(self, wanted: Answer, holder: Holder | None) -> tuple[Answer, Answer]:
        # Without an ID the number itself may be taken all the same, and a number taken is never thrown away.
        return self.ask(
            "/api/v1/SequelNumber/Next",
            "hc",
            _NUMBER,
            wanted,
            holder=holder,
            passing=VisitIdNotMade,
            needs="treatmentDateTime",
        )

    def _visit_id_of(self, moment: str) -> str | None:
        """The ID of a number that came without one (1.56), or None: the number counts even so, and can be asked again."""
        try:
            answer, _ = self.ask("/api/v1/TreatmentNumber/Card", "hc", _NUMBER, {"treatmentDateTime": moment})
            return answers.text(answer, "treatmentNumber", self._far.url)
        except (CardError, TransportError) as error:
            _log.warning("the visit number came without an ID, and asking for it failed too: %s", error.code)
            return None

    def no_card_id(self, national_id: str) -> CardReading:
        patient = NationalId.parse(national_id).value
        with self._lock:
            answer, _ = self.ask("/api/v1/TreatmentNumber/NoCard", "sam", _NUMBER, {"patientId": patient})
            return CardReading(
                made_by="no-card",
                visited_at=answers.moment(answer, "treatmentDateTime", self._far.url),
                institution=answers.text(answer, "hospitalId", self._far.url),
                visit_id=answers.text(answer, "treatmentNumber", self._far.url),
            )

    def roll_back(self, reading: CardReading) -> bool:
        if reading.made_by == "no-card":
            return False
        with self._lock:
            try:
                moment = roc.format_datetime(reading.visited_at)
                self.ask("/api/v1/SequelNumber/Rollback", "hc", _NUMBER, {"treatmentDateTime": moment})
            except RollbackRefused as error:
                _log.info("the number is not given back: %s", error.detail.get("number"))
                return False
            return True

    # ── writing and signing ──────────────────────────────────────────────────────────────────────────────────────────

    def write_orders(self, reading: CardReading, holder: Holder, orders: Sequence[CardOrder]) -> tuple[str, ...]:
        moment = roc.format_datetime(reading.visited_at)
        signatures: list[str] = []
        with self._lock:
            for part in order_lines.parts(orders):
                lines = [order_lines.as_json(order, moment) for order in part]
                try:
                    answer, _ = self.ask(
                        "/api/v1/Prescription/Write",
                        "hc",
                        _WRITE,
                        {"treatmentDateTime": moment, "prescriptions": lines},
                        holder=holder,
                    )
                    signatures += answers.order_signatures(answer, len(part), self._far.url)
                except NhirxError as error:
                    error.detail["written"] = len(signatures)
                    raise
            self._forget_card()
        return tuple(signatures)

    def upload_signature(self) -> UploadSignature:
        with self._lock:
            signature = self._sign("sam", _UPLOAD)
            url = self._near.url
            return UploadSignature(
                sam_id=answers.text(signature, "samId", url),
                institution=answers.text(signature, "hospitalId", url),
                client_random=answers.text(signature, "clientRandom", url),
                signature=answers.text(signature, "signature", url),
            )

    # ── the two services ─────────────────────────────────────────────────────────────────────────────────────────────

    def _present_card(self) -> None:
        """Before a read the control software forgets what it held, so that the card in the reader now is the one that signs."""
        self._prepare()
        self._forget_card()

    def _forget_card(self) -> None:
        try:
            self._local("DELETE", "/api/hc/v1/Logout", {})
        except (CardError, TransportError) as error:
            # After a write the data are what counts; before a read the signature itself tells what is wrong.
            _log.info("the control software did not let go of the card: %s", error.code)

    def _prepare(self) -> None:
        if self._prepared:
            return
        status = answers.status(self._status(), self._near.url)
        if not status.initialised:
            self._local("POST", "/api/common/v1/Initial", {})
        if not status.sam_ready:
            self.verify_sam()
        self._prepared = True

    def ask(
        self,
        path: str,
        signer: Signer,
        purpose: str,
        extra: Answer | None = None,
        *,
        holder: Holder | None = None,
        passing: type[NhirxError] | tuple[type[NhirxError], ...] = (),
        needs: str | None = None,
    ) -> tuple[Answer, Answer]:
        """The data centre's answer and the signature it was asked with, for calls that have no method here, too.

        A used signature is replaced once.

        ``holder``: whose card has to sign, else ``WrongCard`` and nothing is sent. A code that becomes ``passing`` is no
        failure where the answer has the member ``needs``.
        """
        with self._lock:
            return self._asked(path, signer, purpose, extra or {}, holder, passing, needs)

    def _asked(
        self,
        path: str,
        signer: Signer,
        purpose: str,
        extra: Answer,
        holder: Holder | None,
        passing: type[NhirxError] | tuple[type[NhirxError], ...],
        needs: str | None,
    ) -> tuple[Answer, Answer]:
        for last in (False, True):
            signature = self._sign(signer, purpose)
            signing = answers.signer(signature)
            if holder is not None and signing is not None and signing != holder.national_id:
                raise WrongCard(which="card-changed")
            answer = self._far.post(path, signature | extra)
            error = answers.failure(answer, self._far.url, path)
            if error is None or (isinstance(error, passing) and needs is not None and answers.optional_text(answer, needs)):
                return answer, signature
            if last or not isinstance(error, SignatureUsed):
                raise error
        raise AssertionError("unreachable")  # pragma: no cover

    def _sign(self, signer: Signer, purpose: str) -> Answer:
        """The members of a fresh signature. Where the control software was restarted meanwhile it is prepared again, once."""
        self._prepare()
        try:
            answer = self._local("POST", _SIGN[signer], {"serviceType": purpose})
        except (ControlSoftwareDown, SecurityModuleError) as error:
            if "number" not in error.detail:
                raise
            self._prepared = False
            self._prepare()
            answer = self._local("POST", _SIGN[signer], {"serviceType": purpose})
        return answers.signature(answer, self._near.url, with_card=signer != "sam")

    def _status(self) -> Answer:
        return self._near_request("GET", "/api/common/v1/Status", None)

    def _local(self, method: str, path: str, body: Answer) -> Answer:
        answer = self._near_request(method, path, body)
        if (error := answers.failure(answer, self._near.url, path)) is not None:
            raise error
        return answer

    def _near_request(self, method: str, path: str, body: Answer | None) -> Answer:
        try:
            return self._near.request(method, path, body)
        except ServiceUnreachable as error:
            raise ControlSoftwareDown(url=error.detail.get("url", self._near.url)) from None
