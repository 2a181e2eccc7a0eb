"""Order lines, and the refill fields that belong to them."""

from __future__ import annotations

from collections.abc import Iterator

from nhirx.sim.bench import Bench
from nhirx.sim.book import book
from nhirx.sim.inbox import Note, Sent


def lines(record: Sent, bench: Bench) -> Iterator[Note]:
    """Every MB2 against the record and against the other lines."""
    rules = book()["order"]
    mode, supply = record.get("M23"), _number(record.get("M20"))
    if mode in rules["mode-unmedicated"] and (supply or 0) > 1:
        yield Note("days-without-drugs", "M23")
    seen: set[str] = set()
    for order, line in enumerate(record.orders, start=1):
        number = line.get("D03", "")
        if number and number in seen:
            yield Note("line-number-repeated", "D03", order)
        seen.add(number)
        if line.get("D01") and record.get("M11") and line["D01"] != record.get("M11"):
            yield Note("order-time-differs", "D01", order)
        kind = line.get("D02", "")
        if kind == rules["released"] and mode in rules["mode-forbids-released"]:
            yield Note("released-here", "D02", order)
        if kind == rules["drug"]:
            yield from _drug(order, line, mode, supply)
        times = rules["kind-field"].get(line.get("D04", ""))
        if times and not _number(record.get(times)):
            yield Note("times-of-kind-zero", times)
        yield from _signature(record, order, line, bench)


def _drug(order: int, line: dict[str, str], mode: str, supply: int | None) -> Iterator[Note]:
    rules = book()["order"]
    for name in book()["need"]["order"]["drug"]:
        if not line.get(name):
            yield Note("drug-field-missing", name, order)
    if mode and mode not in rules["mode-needs-drug"] and line.get("D14") not in rules["injections"]:
        yield Note("drug-mode", "M23")
    days = _number(line.get("D09"))
    if days is not None:
        if days < 1:
            yield Note("days-out-of-range", "D09", order)
        if supply is not None and days > supply:
            yield Note("days-above-supply", "D09", order)


def _signature(record: Sent, order: int, line: dict[str, str], bench: Bench) -> Iterator[Note]:
    """D11: missing or wrong is a warning only, the record stays accepted."""
    if record.get("H01") != book()["record"]["normal"] or line.get("D02") != book()["order"]["drug"]:
        return
    expected = bench.signer.order(
        holder=record.get("M03"),
        visited_at=record.get("M11"),
        code=line.get("D06", ""),
        usage=line.get("D08", ""),
        days=line.get("D09"),
        total=line.get("D10"),
    )
    if line.get("D11", "").upper() != expected.hex().upper():
        yield Note("order-signature-wrong", "D11", order)


def refills(record: Sent, wrong: set[str]) -> Iterator[Note]:
    """Total days, number of fills and ordinal of both refill kinds."""
    supply = _number(record.get("M20"))
    for kind, names in book()["refill"].items():
        if wrong & set(names):
            continue
        total, times, ordinal = (_number(record.get(name)) for name in names)
        if total and supply and total % supply:
            yield Note("not-a-multiple", names[0])
        # The upper limit of four is older than the rule for ship crews and is not judged.
        if total and total > 1 and (times is None or times <= 1):
            yield Note(f"times-needed-{kind}", names[1])
        if not total and times:
            yield Note(f"times-unneeded-{kind}", names[1])
        if times and times > 1 and total is not None and total <= 7:
            yield Note(f"total-too-short-{kind}", names[0])
        if ordinal and times is not None and ordinal > times:
            yield Note("ordinal-too-high", names[2])


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() else None
