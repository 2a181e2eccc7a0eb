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
from contextlib import contextmanager, suppress
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
        names = [str(reader) for reader in _listed()]
        return tuple(name for name in names if self._wanted is None or any(part in name for part in self._wanted))

    def read_holder(self) -> Holder:
        names = self.reader_names()
        if not names:
            raise ReaderAbsent
        problems: list[CardError] = []
        for name in names:
            try:
                return self._read_patiently(name)
            except CardError as error:
                _log.debug("reader %s: %s", name, error.code)
                problems.append(error)
        raise pcsc_errors.most_telling(problems)

    def _read_patiently(self, name: str) -> Holder:
        last_try = time.monotonic() + self._patience
        while True:
            try:
                return _read(name)
            except ReaderBusy:
                if time.monotonic() >= last_try:
                    raise rivals.busy(name) from None
                time.sleep(_RETRY_EVERY)


def _listed() -> Sequence[Any]:
    try:
        from smartcard.System import readers
    except ImportError:
        raise ComponentMissing(component="pyscard", how='pip install "nhirx[card]"') from None
    try:
        return list(readers())
    except Exception as error:
        raise pcsc_errors.named(error) from None


def _read(name: str) -> Holder:
    with _connected(name) as connection:
        _select(connection)
        for command in apdu.READ_FORMS:
            data, status = _transmit(connection, command)
            if status == apdu.DONE:
                # The bytes are parsed after the status only: an answer with a failure behind it is no answer.
                return basic_data.parse(bytes(data))
    raise CardUnreadable(problem=f"SW {status:04X}")


def _select(connection: Any) -> None:
    for command in apdu.SELECT_FORMS:
        _, status = _transmit(connection, command)
        if status == apdu.DONE:
            return
    if bytes(connection.getATR()) == apdu.HPC_ATR:
        raise pcsc_errors.professional_card()
    raise NotAnNhiCard(problem=f"SW {status:04X}")


def _transmit(connection: Any, command: bytes) -> tuple[list[int], int]:
    _log.log(logs.TRAFFIC, "> %s", command.hex())
    data, first, second = connection.transmit(list(command))
    _log.log(logs.TRAFFIC, "< %s %02x%02x", bytes(data).hex(), first, second)
    return data, first << 8 | second


def _has_left(name: str) -> bool:
    """Whether the reader is empty now or within the next moment: a service sees a pulled card only when it looks again."""
    from smartcard.scard import (
        SCARD_SCOPE_USER,
        SCARD_STATE_PRESENT,
        SCARD_STATE_UNAWARE,
        SCardEstablishContext,
        SCardGetStatusChange,
        SCardReleaseContext,
    )

    code, context = SCardEstablishContext(SCARD_SCOPE_USER)
    if code != 0:
        return False
    try:
        state = SCARD_STATE_UNAWARE
        for wait in (0, _LOOKS_AGAIN_WITHIN):
            code, states = SCardGetStatusChange(context, wait, [(name, state)])
            if code != 0:
                return False
            state = states[0][1]
            if not state & SCARD_STATE_PRESENT:
                return True
        return False
    finally:
        SCardReleaseContext(context)


@contextmanager
def _connected(name: str) -> Iterator[Any]:
    """An open, exclusive conversation with the card in reader ``name``; every failure leaves under one of our names."""
    from smartcard.CardConnection import CardConnection
    from smartcard.pcsc.PCSCCardConnection import PCSCCardConnection
    from smartcard.scard import SCARD_LEAVE_CARD, SCARD_S_SUCCESS, SCARD_SHARE_SHARED, SCardBeginTransaction, SCardEndTransaction

    connection = None
    talking = False
    try:
        connection = PCSCCardConnection(name)
        connection.connect(CardConnection.T1_protocol, SCARD_SHARE_SHARED, SCARD_LEAVE_CARD)
        if (code := SCardBeginTransaction(connection.hcard)) != SCARD_S_SUCCESS:
            raise pcsc_errors.of_code(code, reader=name)
        talking = True
        yield connection
    except CardError:
        raise
    except Exception as error:
        problem = pcsc_errors.named(error, reader=name)
        if talking and (isinstance(problem, CardAbsent) or (isinstance(problem, CardMute) and _has_left(name))):
            # It was there a moment ago.
            problem = CardRemoved()
        raise problem from None
    finally:
        if connection is not None:
            # Nothing that goes wrong while letting go may hide what was read or what went wrong before.
            if talking:
                SCardEndTransaction(connection.hcard, SCARD_LEAVE_CARD)
            with suppress(Exception):
                connection.disconnect()
            with suppress(Exception):
                connection.release()
            connection.hcontext = None
