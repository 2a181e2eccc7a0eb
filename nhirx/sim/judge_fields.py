"""Fields one by one: present where they must be, absent where they may not be, of the right shape and in the allowed set."""

from __future__ import annotations

from collections.abc import Iterator

from nhirx import roc
from nhirx.sim.book import book
from nhirx.sim.inbox import Note, Sent


def shapes(record: Sent) -> Iterator[Note]:
    """Type and length of every field that was sent."""
    known = book()["shape"]
    for order, fields in [(None, record.fields), *enumerate(record.orders, start=1)]:
        for name, value in fields.items():
            if name not in known:
                # Vaccine and allergy fields belong to other kinds of data; their shapes are not published.
                if name[0] in "HMD":
                    yield Note("field-unknown", name, order)
                continue
            problem = _shape(known[name], value)
            if problem:
                yield Note(problem, name, order)


def _shape(shape: str, value: str) -> str | None:
    digits = value.isascii() and value.isdecimal()
    if shape == "date":
        return _dated(digits, len(value), 7, roc.is_date(value))
    if shape == "time":
        return _dated(digits, len(value), 13, roc.is_datetime(value))
    if shape == "amount":
        whole, _, rest = value.partition(".")
        plain = (whole + rest).isascii() and (whole + rest).isdecimal() and value.count(".") <= 1
        return None if plain and len(value) <= 7 else "wrong-length" if plain else "wrong-type"
    kind, size = shape[0], int(shape[1:])
    if kind in "dn" and not digits:
        return "wrong-type"
    fits = len(value) == size if kind in "dx" else len(value) <= size
    return None if fits else "wrong-length"


def _dated(digits: bool, length: int, wanted: int, exists: bool) -> str | None:
    if not digits:
        return "wrong-type"
    if length != wanted:
        return "wrong-length"
    return None if exists else "not-allowed"


def needs(record: Sent) -> Iterator[Note]:
    """Required and forbidden fields of the action, and of each order line."""
    need, rules, action = book()["need"], book()["record"], record.get("H01")
    without_origin = record.get("M18") == book()["serial"]["no-origin"]
    for name in need[action]["required"]:
        if not record.get(name) and not (without_origin and name in book()["serial"]["origin-fields"]):
            yield Note("missing", name)
    for name in need[action]["forbidden"]:
        if record.get(name):
            yield Note("must-be-empty", name)
    if action == rules["delete"]:
        return
    if not record.orders and record.get("M07") in book()["visit"]["needs-orders"]:
        yield Note("orders-missing", "MB2")
    if len(record.orders) > rules["most-orders"]:
        yield Note("too-many-orders", "MB2")
    for order, line in enumerate(record.orders, start=1):
        for name in need["order"]["required"]:
            if not line.get(name):
                yield Note("missing", name, order)
        if action == rules["abnormal"]:
            for name in need["order"]["forbidden-abnormal"]:
                if line.get(name):
                    yield Note("must-be-empty", name, order)


def meanings(record: Sent) -> Iterator[Note]:
    """Visit category, make-up mark and visit serial, each alone and with the others."""
    rules, serials, make_up = book()["record"], book()["serial"], book()["make-up"]
    if record.get("M07") and record.get("M07") != book()["visit"]["pharmacy"]:
        yield Note("category-not-pharmacy", "M07")
    serial = record.get("M13")
    if record.get("H01") == rules["normal"] and serial:
        yield Note("serial-must-be-empty", "M13")
    if record.get("H01") == rules["abnormal"] and serial and serial not in serials["abnormal"]:
        yield Note("serial-not-abnormal", "M13")
    mark = record.get("M12")
    if mark and mark not in make_up["values"]:
        yield Note("not-allowed", "M12")
    if serial == serials["no-make-up"] and mark != make_up["none"]:
        yield Note("serial-forces-normal", "M12")
    if record.get("M18") == serials["no-origin"]:
        for name in serials["origin-fields"]:
            if record.get(name):
                yield Note("no-origin-allowed", name)
