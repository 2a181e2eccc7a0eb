"""Who is this? The public part of the NHI card through PC/SC: one of the two modules that know pyscard.

The reader is found by what answers, not by its place in the list: with two readers the first is as often the one that
holds the pharmacist's card. The card is shared with the control software, so it is held in a transaction for two short
commands, and left as it was found: a reset would throw away the control software's session.

Needs pyscard (``pip install "nhirx[card]"``); without it every read is ``ComponentMissing``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nhirx import logs
from nhirx.card import apdu, basic_data, pcsc_errors, rivals
from nhirx.card.base import HolderReader
from nhirx.errors import (
    CardAbsent,
    CardError,
    CardMute,
    CardRemoved,
    CardUnreadable,
    ComponentMissing,
    NotAnNhiCard,
    ReaderAbsent,
    ReaderBusy,
)
from nhirx.model import Holder

_log = logging.getLogger(__name__)
_RETRY_EVERY = 0.15  # seconds; another program's read takes a few milliseconds
_LOOKS_AGAIN_WITHIN = 700  # milliseconds; the slowest service seen looks every 400


class PcscReader(HolderReader):
    """Reads the holder from whichever PC/SC reader has an NHI card in it now.

    ``readers`` limits the search to readers whose name contains one of these texts. ``patience`` is how many seconds a
    reader that another program holds is asked again before ``ReaderBusy``. Nothing is kept between two calls.
    """

    name = "pcsc"

    def __init__(self, readers: Sequence[str] | None = None, *, patience: float = 3.0) -> None:
        self._wanted = None if readers is None else tuple(readers)
        self._patience = patience

    def reader_names(self) -> tuple[str, ...]:
        """The readers that would be asked, in the system's order. Raises ``PcscUnavailable`` and ``ComponentMissing``."""
        with _context() as context:
            return self._names(context)

    def read_holder(self) -> Holder:
        with _context() as context:
            names = self._names(context)
            if not names:
                raise ReaderAbsent
            problems: list[CardError] = []
            for name in names:
                try:
                    return self._read_patiently(context, name)
                except CardError as error:
                    _log.debug("reader %s: %s", name, error.code)
                    problems.append(error)
            raise pcsc_errors.most_telling(problems)

    def _names(self, context: Any) -> tuple[str, ...]:
        from smartcard.scard import SCARD_E_NO_READERS_AVAILABLE, SCardListReaders

        code, names = SCardListReaders(context, [])
        if code == SCARD_E_NO_READERS_AVAILABLE:
            return ()
        _good(code)
        return tuple(name for name in names if self._wanted is None or any(part in name for part in self._wanted))

    def _read_patiently(self, context: Any, name: str) -> Holder:
        last_try = time.monotonic() + self._patience
        while True:
            try:
                return _read(context, name)
            except ReaderBusy:
                if time.monotonic() >= last_try:
                    raise rivals.busy(name) from None
                time.sleep(_RETRY_EVERY)


@contextmanager
def _context() -> Iterator[Any]:
    """A conversation with the smart card service, for one read: one that is kept would not survive its restart."""
    try:
        from smartcard.scard import SCARD_SCOPE_USER, SCardEstablishContext, SCardReleaseContext
    except ImportError:
        raise ComponentMissing(component="pyscard", how='pip install "nhirx[card]"') from None
    code, context = SCardEstablishContext(SCARD_SCOPE_USER)
    _good(code)
    try:
        yield context
    finally:
        SCardReleaseContext(context)


def _good(code: int, reader: str = "?") -> None:
    if code != 0:
        raise pcsc_errors.of_code(code, reader=reader)


def _read(context: Any, name: str) -> Holder:
    with _connected(context, name) as card:
        _select(card, name)
        for command in apdu.READ_FORMS:
            data, status = _transmit(card, name, command)
            if status == apdu.DONE:
                # The bytes are parsed after the status only: an answer with a failure behind it is no answer.
                return basic_data.parse(data)
    raise CardUnreadable(problem=f"SW {status:04X}")


def _select(card: Any, name: str) -> None:
    for command in apdu.SELECT_FORMS:
        _, status = _transmit(card, name, command)
        if status == apdu.DONE:
            return
    from smartcard.scard import SCardStatus

    code, *_, atr = SCardStatus(card)
    if code == 0 and bytes(byte & 0xFF for byte in atr) == apdu.HPC_ATR:
        raise pcsc_errors.professional_card()
    raise NotAnNhiCard(problem=f"SW {status:04X}")


def _transmit(card: Any, name: str, command: bytes) -> tuple[bytes, int]:
    from smartcard.scard import SCARD_PCI_T1, SCardTransmit

    _log.log(logs.TRAFFIC, "> %s", command.hex())
    code, given = SCardTransmit(card, SCARD_PCI_T1, list(command))
    _good(code, name)
    answer = bytes(byte & 0xFF for byte in given)
    _log.log(logs.TRAFFIC, "< %s", answer.hex())
    if len(answer) < 2:
        raise CardMute
    return answer[:-2], int.from_bytes(answer[-2:], "big")


@contextmanager
def _connected(context: Any, name: str) -> Iterator[Any]:
    """The card in reader ``name``, held so that no other program's command comes between two of ours."""
    from smartcard.scard import (
        SCARD_LEAVE_CARD,
        SCARD_PROTOCOL_T1,
        SCARD_SHARE_SHARED,
        SCardBeginTransaction,
        SCardConnect,
        SCardDisconnect,
        SCardEndTransaction,
    )

    code, card, _ = SCardConnect(context, name, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1)
    try:
        _good(code, name)
    except CardRemoved:
        # Some services say so of a reader that has been empty for long.
        raise CardAbsent from None
    try:
        _good(SCardBeginTransaction(card), name)
        try:
            yield card
        finally:
            SCardEndTransaction(card, SCARD_LEAVE_CARD)
    except CardAbsent:
        # It was there a moment ago.
        raise CardRemoved from None
    except CardMute:
        if _has_left(context, name):
            raise CardRemoved from None
        raise
    finally:
        SCardDisconnect(card, SCARD_LEAVE_CARD)


def _has_left(context: Any, name: str) -> bool:
    """Whether the reader is empty now or within the next moment: a service sees a pulled card only when it looks again."""
    from smartcard.scard import SCARD_STATE_PRESENT, SCARD_STATE_UNAWARE, SCardGetStatusChange

    state = SCARD_STATE_UNAWARE
    for wait in (0, _LOOKS_AGAIN_WITHIN):
        code, states = SCardGetStatusChange(context, wait, [(name, state)])
        if code != 0:
            return False
        state = states[0][1]
        if not state & SCARD_STATE_PRESENT:
            return True
    return False
