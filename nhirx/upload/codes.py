"""RtnCodes of the Web API: what they mean and what follows (data: ``tables/codes/rtn_codes.toml``)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from nhirx.errors import UploadRefused

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
    text = files("nhirx.tables.codes").joinpath("rtn_codes.toml").read_text("utf-8")
    return {row["id"]: RtnCode(row["id"], row["then"], row["zh"], row["en"]) for row in tomllib.loads(text)["row"]}


def rtn_code(number: object) -> RtnCode:
    """The row of ``number``; an unknown one is shown as it is and tried again later."""
    text = str(number)[:16]
    return rtn_codes().get(text) or RtnCode(text, "later", "未公開的代碼", "a code that no published list explains")
