"""What check codes mean and what to do about them, as ``codes/check_codes.toml`` says it."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Literal

from nhirx.errors import TableInvalid
from nhirx.model import CheckError
from nhirx.tables.fields import field_words

Family = Literal["2.0", "1.0", "webapi", "control5", "control6"]
Effect = Literal["reject", "file", "warning", "later", "dual-track", "ok"]


@dataclass(frozen=True, slots=True)
class CheckCode:
    """One code of one family. The texts may hold ``{f}``, the field a finding is about."""

    id: str
    family: Family
    effect: Effect
    zh: str
    en: str
    fix_zh: str = ""
    fix_en: str = ""
    repair: str = ""
    look_at: tuple[str, ...] = ()
    """Fields of format 2.0 that the remedy speaks of; the cause may lie in another than the one the NHI names."""
    then: str = ""
    """Only of ``webapi``, what the sender does: done, wait (ask again), sign (sign anew, once), later (again, with growing pauses),
    person (as later, and a person is told at once because waiting alone does not cure it)."""


@functools.cache
def check_codes() -> Mapping[tuple[str, str], CheckCode]:
    """Every code by (family, code). Raises ``TableInvalid`` when one is there twice."""
    text = resources.files("nhirx.tables").joinpath("codes", "check_codes.toml").read_text("utf-8")
    found: dict[tuple[str, str], CheckCode] = {}
    for row in tomllib.loads(text)["code"]:
        for family in row.pop("family"):
            code = CheckCode(family=family, **row | {"look_at": tuple(row.get("look_at", ()))})
            if found.setdefault((family, code.id), code) is not code:
                raise TableInvalid(table="check_codes.toml", problem=f"{family} {code.id} stands there twice")
    return MappingProxyType(found)


def described(
    field: str,
    code: str,
    *,
    order: int | None = None,
    family: str = "2.0",
    severity: Literal["error", "warning", "pending"] | None = None,
) -> CheckError:
    """A finding with its words. A code that no row knows is shown as it stands, and asked about, never guessed.

    Without ``severity`` it follows from the effect: what the NHI keeps is a warning, what it judges later is pending.
    """
    zh, en = field_words(field)
    row = check_codes().get((family, code))
    if row is None:
        return CheckError(
            field=field,
            code=code,
            order=order,
            severity=severity or "error",
            zh=f"{zh}：代碼 {code}，目前的代碼表沒有說明。",
            en=f"{en}: code {code}, which the table does not explain.",
            fix_zh="請查健保署最新的錯誤代碼說明，或洽分區業務組。",
            fix_en="Look it up in the NHIA's newest list or ask the NHIA division.",
        )
    return CheckError(
        field=field,
        code=code,
        order=order,
        severity=severity or _SEVERITY.get(row.effect, "error"),
        zh=row.zh.replace("{f}", zh),
        en=row.en.replace("{f}", en),
        fix_zh=row.fix_zh.replace("{f}", zh),
        fix_en=row.fix_en.replace("{f}", en),
    )


_SEVERITY: dict[str, Literal["error", "warning", "pending"]] = {
    "warning": "warning",
    "ok": "warning",
    "later": "pending",
}
