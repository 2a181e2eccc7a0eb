"""Order lines in the forms the two generations of control software take.

Text stands to the left, filled with blanks; numbers are filled with zeros; a call takes at most sixty lines, and the time
of every line is that of the visit number. Source: field-notes, card §2.5 (15) and §2.7, §5.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from nhirx.card.base import CardOrder
from nhirx.errors import FactsInvalid

PER_CALL = 60
RECORD = 61
"""Bytes of one line as control software 5 takes it."""


def parts(orders: Sequence[CardOrder]) -> Iterator[Sequence[CardOrder]]:
    """The lines in their order, as many per call as are allowed."""
    for start in range(0, len(orders), PER_CALL):
        yield orders[start : start + PER_CALL]


def record_parts(orders: Sequence[CardOrder], moment: str) -> list[tuple[bytes, int]]:
    """The 61-byte lines of each call and their number. All are made before the first is written, so none is half done."""
    return [(b"".join(as_record(order, moment) for order in part), len(part)) for part in parts(orders)]


def as_json(order: CardOrder, moment: str) -> dict[str, str]:
    """One line for the data centre: no padding, the total with two decimals."""
    return {
        "treatmentDateTime": moment,
        "treatmentItem": order.order_class,
        "treatmentItemCode": order.code,
        "treatmentPosition": order.position,
        "usage": order.usage,
        "days": str(order.days),
        "totalQuantity": str(_rounded(order.total, "0.01")),
        "deliveryNotes": order.delivery_mark,
    }


def as_record(order: CardOrder, moment: str) -> bytes:
    """One line as 61 bytes. Raises ``FactsInvalid`` where a value does not fit: a cut value would be a wrong one."""
    total = _rounded(order.total, "0.1")
    return b"".join(
        (
            _field(moment, 13, "visited_at"),
            _field(order.order_class, 1, "order_class"),
            _field(order.code, 12, "code"),
            _field(order.position, 6, "position"),
            _field(order.usage, 18, "usage"),
            _field(f"{order.days:02d}", 2, "days"),
            _field(f"{total:07.1f}", 7, "total"),
            _field(order.delivery_mark, 2, "delivery_mark"),
        )
    )


def _field(text: str, width: int, name: str) -> bytes:
    try:
        raw = text.encode("ascii")
    except UnicodeEncodeError:
        raise FactsInvalid(where=f"orders.{name}", problem="只能使用英數字元 / ASCII only") from None
    if len(raw) > width:
        raise FactsInvalid(where=f"orders.{name}", problem=f"超過 {width} 碼 / longer than {width} characters")
    return raw.ljust(width)


def _rounded(total: float, unit: str) -> Decimal:
    return Decimal(str(total)).quantize(Decimal(unit), ROUND_HALF_UP)
