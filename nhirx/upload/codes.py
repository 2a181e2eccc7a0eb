"""RtnCodes of the Web API: what they mean and what follows (data: ``tables/codes/check_codes.toml``, family ``webapi``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from nhirx.errors import UploadRefused
from nhirx.tables.check_codes import CheckCode, check_codes

Then = Literal["done", "wait", "sign", "later", "person"]


@dataclass(frozen=True, slots=True)
class RtnCode:
    number: str
    then: Then
    zh: str
    en: str

    def refusal(self) -> UploadRefused:
        return UploadRefused(number=self.number, meaning_zh=self.zh, meaning_en=self.en, then=self.then)


@cache
def rtn_codes() -> dict[str, RtnCode]:
    return {number: _of(row) for (family, number), row in check_codes().items() if family == "webapi"}


def rtn_code(number: object) -> RtnCode:
    """The row of ``number``; an unknown one is shown as it is and tried again later."""
    text = str(number)[:16]
    return rtn_codes().get(text) or RtnCode(text, "later", "未公開的代碼", "a code that no published list explains")


def _of(row: CheckCode) -> RtnCode:
    """What is wrong and what to do, in one sentence without its full stop: it becomes part of another."""
    return RtnCode(row.id, cast("Then", row.then), (row.zh + row.fix_zh).rstrip("。"), f"{row.en} {row.fix_en}".rstrip(". "))
