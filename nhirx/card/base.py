"""The two interfaces the host knows: ``HolderReader`` (who is this?) and ``ControlSoftware`` (numbers, signatures, writes).

A ``HolderReader`` proves nothing about the insurance; what goes into a record comes from a ``ControlSoftware`` only.
Every method raises an exception of ``nhirx.errors`` (``CardError`` or ``TransportError`` branch) and never returns data
of an earlier card after a failure.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from nhirx.model import CardOrder, CardReading, Holder, UploadSignature

__all__ = ["CardOrder", "ControlSoftware", "ControlStatus", "HolderReader"]


class HolderReader(ABC):
    """Reads the public part of the card in the reader."""

    name: str = "reader"

    @abstractmethod
    def read_holder(self) -> Holder:
        """The holder of the card that is in the reader now."""

    def close(self) -> None:  # noqa: B027 - most readers hold nothing between calls
        """Give back whatever is held."""


@dataclass(frozen=True, slots=True)
class ControlStatus:
    """What the control software says of itself. ``problems`` are exceptions' codes in the order a person should mend them."""

    reachable: bool
    initialised: bool = False
    sam_ready: bool = False
    card_present: bool = False
    hpc_ready: bool = False
    version: str | None = None
    problems: tuple[str, ...] = field(default=())


class ControlSoftware(ABC):
    """Visit numbers, visit IDs, order signatures and upload signatures."""

    name: str = "control"

    @abstractmethod
    def status(self) -> ControlStatus:
        """Never raises for a part that is down; says so in the status."""

    @abstractmethod
    def read_holder(self) -> Holder:
        """The holder by the control software (the data centre answers for a real card)."""

    @abstractmethod
    def visit_number(
        self, *, visit_category: str, make_up: bool = False, newborn_mark: str = " ", holder: Holder | None = None
    ) -> CardReading:
        """API 1.53: a visit number with signature and visit ID for the card in the reader.

        With ``holder`` another card than theirs is ``WrongCard``, before a number is taken.

        An expired card (5003, 3201) is updated once and asked once more. 5010 is a notice. After 5174 the ID is fetched
        with API 1.56; when that fails too ``visit_id`` is None and the notice is kept: the number is taken all the same.
        """

    @abstractmethod
    def no_card_id(self, national_id: str) -> CardReading:
        """API 1.54: a visit ID without the card (``made_by`` = ``no-card``, no signature, no serial)."""

    @abstractmethod
    def write_orders(self, reading: CardReading, holder: Holder, orders: Sequence[CardOrder]) -> tuple[str, ...]:
        """Write the lines and give one 40-character signature for each, in order."""

    @abstractmethod
    def upload_signature(self) -> UploadSignature:
        """A fresh signature for one request to the Web API (service 30). It may be used once."""

    def roll_back(self, reading: CardReading) -> bool:
        """Give a visit number back where the rules allow it; False where they do not."""
        return False

    def close(self) -> None:  # noqa: B027
        """Give back whatever is held."""
