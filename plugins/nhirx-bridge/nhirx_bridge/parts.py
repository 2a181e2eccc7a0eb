"""Reader and control software over a ``Peer``. Results are the JSON forms of the values of ``nhirx.model``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TypeVar

from pydantic import ValidationError

from nhirx.card.base import CardOrder, ControlSoftware, ControlStatus, HolderReader
from nhirx.errors import CardUnreadable, ControlSoftwareDown
from nhirx.model import CardReading, Holder, UploadSignature
from nhirx_bridge.peer import Peer

T = TypeVar("T")


class BridgeReader(HolderReader):
    name = "bridge"

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def read_holder(self) -> Holder:
        return _value(lambda: Holder.model_validate(self._peer.call("read_holder")))

    def close(self) -> None:
        self._peer.close()


class BridgeControl(ControlSoftware):
    name = "bridge"

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def status(self) -> ControlStatus:
        try:
            return _value(lambda: ControlStatus(**{"reachable": True, **self._peer.call("status")}))
        except (ControlSoftwareDown, CardUnreadable) as error:
            return ControlStatus(reachable=False, problems=(error.code,))

    def read_holder(self) -> Holder:
        return _value(lambda: Holder.model_validate(self._peer.call("read_holder")))

    def visit_number(
        self, *, visit_category: str, make_up: bool = False, newborn_mark: str = " ", holder: Holder | None = None
    ) -> CardReading:
        arguments = {
            "visit_category": visit_category,
            "make_up": make_up,
            "newborn_mark": newborn_mark,
            "holder": holder.model_dump(mode="json") if holder else None,
        }
        return _value(lambda: CardReading.model_validate(self._peer.call("visit_number", **arguments)))

    def no_card_id(self, national_id: str) -> CardReading:
        return _value(lambda: CardReading.model_validate(self._peer.call("no_card_id", national_id=national_id)))

    def write_orders(self, reading: CardReading, holder: Holder, orders: Sequence[CardOrder]) -> tuple[str, ...]:
        arguments = {
            "reading": reading.model_dump(mode="json"),
            "holder": holder.model_dump(mode="json"),
            "orders": [asdict(order) for order in orders],
        }
        signatures = self._peer.call("write_orders", **arguments)
        if (
            not isinstance(signatures, list)
            or len(signatures) != len(orders)
            or not all(isinstance(one, str) for one in signatures)
        ):
            raise CardUnreadable(problem="簽章數與醫令數不符 / not one signature for each order")
        return tuple(signatures)

    def upload_signature(self) -> UploadSignature:
        return _value(lambda: UploadSignature.model_validate(self._peer.call("upload_signature")))

    def roll_back(self, reading: CardReading) -> bool:
        return self._peer.call("roll_back", reading=reading.model_dump(mode="json")) is True

    def close(self) -> None:
        self._peer.close()


def _value(make: Callable[[], T]) -> T:
    try:
        return make()
    except (ValidationError, TypeError) as error:
        problem = error.errors(include_url=False, include_input=False)[0]["loc"] if isinstance(error, ValidationError) else "?"
        raise CardUnreadable(problem=f"橋接程式的回覆不完整 / incomplete answer of the bridge program: {problem}") from None


__all__ = ["BridgeControl", "BridgeReader"]
