"""The virtual card: a QR code on the patient's phone that takes the place of the card.

What the code holds is not published, so it is passed on as it was scanned. It names a person for five minutes and serves
once; it is never logged, and its ``repr`` shows nothing.

Two services take it: control software 6.0 (``VirtualCard``) and the local gateway of the 5.x time (``VirtualGateway``, in
``gateway.py``). Source: field-notes, card §4 and §5.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from nhirx.card import answers
from nhirx.card.control6 import Answer, Control6, Signer
from nhirx.errors import TokenRefused
from nhirx.model import Holder
from nhirx.settings import Settings

LIFE = timedelta(minutes=5)
"""How long a token is good for, from when it was made; seen from here, from when it was scanned at the latest."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Token:
    """The text of a virtual card's QR code and when it was scanned (aware)."""

    text: str = field(repr=False)
    scanned_at: datetime

    def for_use(self, at: datetime) -> str:
        """The text. Raises ``TokenRefused`` once it is too old: then the patient makes a new one, and nothing was asked."""
        if at - self.scanned_at > LIFE or not self.text.strip():
            raise TokenRefused(
                zh="虛擬健保卡的 QR Code 已超過 5 分鐘。請病人重新產生後再掃描。",
                en="The QR code of the virtual card is older than five minutes. Ask the patient for a new one and scan that.",
                number="expired",
            )
        return self.text


class VirtualCard(Control6):
    """Control software 6.0 with one patient's virtual card in the place of the card; made anew for each patient.

    The token is spent by the first call that needs the card. After ``write_orders`` the card is forgotten, as the plastic
    one is, and the token cannot bring it back.
    """

    name = "virtual"
    made_by: Literal["card", "virtual-card"] = "virtual-card"

    def __init__(self, settings: Settings, token: Token, *, clock: Callable[[], datetime] = now) -> None:
        super().__init__(settings)
        self._token = token
        self._clock = clock
        self._present = False

    def peek(self) -> Holder:
        """Who it is, without spending the token."""
        with self._lock:
            self._prepare()
            url = self._near.url
            body = {"token": self._token.for_use(self._clock())}
            return answers.virtual_holder(self._local("POST", "/api/hc/v1/VirtualHc/ReadBasic", body), url)

    def _present_card(self) -> None:
        if self._present:
            return
        self._prepare()
        token = self._token.for_use(self._clock())
        self._forget_card()
        self._local("POST", "/api/hc/v1/Verification/VirtualHc", {"token": token})
        self._present = True

    def _forget_card(self) -> None:
        # From here on the card in the reader, if there is one, would sign in this patient's place.
        self._present = False
        super()._forget_card()

    def _sign(self, signer: Signer, purpose: str) -> Answer:
        if signer != "sam":
            self._present_card()
        return super()._sign(signer, purpose)
