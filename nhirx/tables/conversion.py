"""How a record of format 1.0 becomes one of 2.0, as ``conversion.toml`` says it."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from nhirx.errors import TableInvalid
from nhirx.tables.fields import fields


@dataclass(frozen=True, slots=True)
class Conversion:
    """The crosswalk. ``asked`` are values that became several and are for a person; ``missing`` is what 1.0 does not hold.

    ``longest`` is a field of the record that is the longest of a field of the orders of some kinds.
    """

    fields: Mapping[str, str]
    orders: Mapping[str, str]
    key: tuple[tuple[str, str], ...]
    upload_kind: Mapping[str, str]
    order_kind: Mapping[str, str]
    deleted: frozenset[str]
    order_dispensing: Mapping[str, str]
    asked: Mapping[str, tuple[str, ...]]
    prescription_kind: Mapping[str, str]
    longest: tuple[str, str, frozenset[str]]
    missing: tuple[str, ...]
    missing_for: Mapping[str, tuple[str, ...]]


@functools.cache
def conversion() -> Conversion:
    """Raises ``TableInvalid`` when a row leads to a field that does not exist."""
    tree = tomllib.loads(resources.files("nhirx.tables").joinpath("conversion.toml").read_text("utf-8"))
    for target in (*tree["fields"].values(), *tree["orders"].values(), *tree["missing"]["fields"]):
        if target not in fields():
            raise TableInvalid(table="conversion.toml", problem=f"there is no field {target}")
    return Conversion(
        fields=tree["fields"],
        orders=tree["orders"],
        key=tuple((old, new) for old, new in tree["key"]["fields"]),
        upload_kind=tree["upload_kind"],
        order_kind=tree["order_kind"],
        deleted=frozenset(tree["order_deleted"]["kinds"]),
        order_dispensing=tree["order_dispensing"],
        asked={mark: tuple(values) for mark, values in tree["order_dispensing_asked"].items()},
        prescription_kind=tree["prescription_kind"],
        longest=(tree["longest"]["field"], tree["longest"]["of"], frozenset(tree["longest"]["kinds"])),
        missing=tuple(tree["missing"]["fields"]),
        missing_for={kind: tuple(names) for kind, names in tree["missing"]["for_prescription_kind"].items()},
    )
