"""A record of format 1.0 as one of 2.0, for the parallel run.

What 1.0 does not hold (the visit IDs above all) is named, not invented; where one old value became several new ones the field
is left out and asked about. The caller fills both, with ``given`` or by hand, and the check tells when the record is whole.

Source: ``field-notes`` §3.7, §3.8, §10; ``nhi-qa-2024-10`` tables 1 and 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nhirx.model import UploadRecord
from nhirx.records.xml import ReadRecord
from nhirx.tables.conversion import Conversion, conversion
from nhirx.tables.fields import field_words, fields


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the conversion could not decide: the field, its order or None, and words."""

    field: str
    order: int | None
    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Converted:
    """``record`` as far as 1.0 tells it; ``remarks`` say what is left for a person. ``index`` is the place in the old file."""

    index: int
    record: UploadRecord
    remarks: tuple[Remark, ...]


def convert(old: ReadRecord, given: Mapping[str, str] | None = None) -> Converted:
    """Convert one record. ``given`` are values for every record (``{"M23": "0"}``); they win over what 1.0 says."""
    table = conversion()
    remarks: list[Remark] = []
    values = {table.fields[name]: value for name, value in old.fields.items() if name in table.fields}
    kind = table.upload_kind.get(old.fields.get("A01", ""))
    if kind is None:
        remarks.append(_unknown("H01", None, old.fields.get("A01", "")))
    else:
        values["H01"] = kind
    for name in [name for name in values if kind and fields()[name].need.get(kind) == "forbidden"]:
        remarks.append(_dropped(name))
        del values[name]
    orders = [_order(order, number, table, remarks) for number, order in enumerate(_kept(old, table, remarks), start=1)]
    longest, of, kinds = table.longest
    spans = [int(order[of]) for order in orders if order.get("D02") in kinds and order.get(of, "").isdecimal()]
    if spans:
        values[longest] = str(max(spans))
    values |= {name: value for name, value in (given or {}).items() if value}
    wanted = [*table.missing, *(name for order in orders for name in table.missing_for.get(order.get("D04", ""), ()))]
    remarks += [_missing(name) for name in dict.fromkeys(wanted) if name not in values]
    known = {"A01", "A02", *table.fields}
    remarks += [_left_out(name) for name in sorted(old.fields) if name not in known]
    return Converted(old.index, UploadRecord(fields=values, orders=tuple(orders)), tuple(remarks))


def _kept(old: ReadRecord, table: Conversion, remarks: list[Remark]) -> list[dict[str, str]]:
    kept = [order for order in old.orders if order.get("A72") not in table.deleted]
    if len(kept) != len(old.orders):
        remarks.append(
            Remark(
                "A72",
                None,
                "deletion",
                f"{len(old.orders) - len(kept)} 筆為卡片上的刪除紀錄，2.0 不上傳，已略過。",
                f"{len(old.orders) - len(kept)} entries delete something on the card; 2.0 has no such orders, they were left out.",
            )
        )
    return kept


def _order(old: dict[str, str], number: int, table: Conversion, remarks: list[Remark]) -> dict[str, str]:
    order = {table.orders[name]: value for name, value in old.items() if name in table.orders}
    order["D03"] = f"{number:03d}"
    kind, mark = old.get("A72", ""), old.get("A78", "")
    if kind in table.order_kind:
        order["D02"] = table.order_kind[kind]
    else:
        remarks.append(_unknown("D02", number, kind))
    if mark in table.order_dispensing:
        order["D05"] = table.order_dispensing[mark]
    elif mark:
        remarks.append(_asked("D05", number, mark, table.asked.get(mark, ())))
    if mark in table.prescription_kind and order.get("D02") in table.longest[2]:
        order["D04"] = table.prescription_kind[mark]
    known = {"A72", "A78", *table.orders}
    remarks += [_left_out(name, number) for name in sorted(old) if name not in known]
    return order


def _missing(name: str) -> Remark:
    zh, en = field_words(name)
    return Remark(name, None, "missing", f"{zh}：1.0 沒有這項資料，請補上。", f"{en}: format 1.0 does not hold it, fill it in.")


def _dropped(name: str) -> Remark:
    zh, en = field_words(name)
    return Remark(
        name,
        None,
        "dropped",
        f"{zh}：2.0 這種資料不填，已移除。",
        f"{en}: left out in 2.0 for this kind of record; it was dropped.",
    )


def _left_out(name: str, order: int | None = None) -> Remark:
    return Remark(
        name,
        order,
        "left-out",
        f"{name}：2.0 沒有對應的欄位，請自行判斷。",
        f"{name}: no field of 2.0 takes it over; decide by hand.",
    )


def _unknown(name: str, order: int | None, value: str) -> Remark:
    zh, en = field_words(name)
    shown = value if len(value) <= 2 else "…"
    return Remark(
        name, order, "unknown", f"{zh}：1.0 的值「{shown}」無法對應。", f"{en}: the 1.0 value {shown!r} has no counterpart."
    )


def _asked(name: str, order: int, value: str, options: tuple[str, ...]) -> Remark:
    zh, en = field_words(name)
    if not options:
        return _unknown(name, order, value)
    shown = "、".join(options)
    return Remark(
        name,
        order,
        "ambiguous",
        f"{zh}：1.0 的 {value} 在 2.0 分成 {shown}，請選擇。",
        f"{en}: {value} of 1.0 became {', '.join(options)}; choose one.",
    )
