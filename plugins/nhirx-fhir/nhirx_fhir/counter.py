"""What only the counter knows of a dispensing: about the pharmacy (options), and about this prescription (a file beside it)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nhirx.errors import FileDamaged


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Shop(_Value):
    """The dispensing pharmacy as the document names it. Everything may be left open; the document is then not written."""

    name: str | None = None
    phone: str | None = None
    address: str | None = None
    pharmacist: str | None = None
    certificate: str | None = None
    """藥師證書字號."""
    service_code: str | None = None
    """藥事服務代碼, where it is always the same."""


class Recipient(_Value):
    """Who collects the drugs; asked for with controlled prescriptions."""

    name: str = Field(repr=False)
    relationship: str
    phone: str = Field(repr=False)


class Substitute(_Value):
    """The drug that was handed out instead of the one on a line."""

    code: str
    name: str
    generic: str
    form: str
    strength: Annotated[float, Field(gt=0)]
    unit: str


class Extra(_Value):
    """One prescription's part of the file ``NAME.supplement.json`` beside ``NAME.json``."""

    fill: Annotated[int, Field(ge=1, le=99)] | None = None
    """Which fill of a refillable prescription this is."""
    service_code: str | None = None
    copayment_code: str | None = None
    """部分負擔代碼."""
    access_code: str | None = Field(default=None, repr=False)
    """處方箋存取授權碼 of the exchange."""
    question: bool = False
    """處方疑義: the pharmacist had to ask the prescriber."""
    recipient: Recipient | None = None
    signature_file: Path | None = None
    """PNG or JPEG, beside this file."""
    batches: dict[str, str] = Field(default_factory=dict)
    """Batch number by line."""
    substitutes: dict[str, Substitute] = Field(default_factory=dict)


def read_extras(path: Path) -> dict[str, Extra]:
    """By prescription number; nothing where there is no file. Raises ``FileDamaged`` that names the member."""
    if not path.is_file():
        return {}
    try:
        tree: Any = json.loads(path.read_bytes())
        if not isinstance(tree, dict):
            raise FileDamaged(path=path.name, problem="須為 {處方箋單號: {…}} / an object by prescription number is needed")
        return {number: Extra.model_validate(table) for number, table in tree.items()}
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise FileDamaged(path=path.name, problem=f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise FileDamaged(path=path.name, problem="不是 JSON / not JSON") from None
