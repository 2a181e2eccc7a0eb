"""Values that stand where a visit ID belongs and are none: twenty 9s, twenty Fs, a four-character code and sixteen zeros.

All of them fit the alphabet and the length of a visit ID, so they have to be told apart by form before anything else looks
at them. What each one means, and when it may be used, is regulation and lives in ``nhirx/tables/``.

Source: field-notes, upload format 2.0 §3.14.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nhirx.errors import InvalidValue

_CODE = re.compile(r"(?P<code>[0-9A-Z]{4})0{16}", re.ASCII)
_REPEATED = {"9" * 20: "nines", "F" * 20: "effs"}


@dataclass(frozen=True, slots=True)
class PlaceholderId:
    """One placeholder. ``form`` is ``nines``, ``effs`` or ``code``; ``code`` is the four characters of the last form."""

    value: str
    form: str
    code: str | None = None

    @classmethod
    def parse(cls, text: str) -> PlaceholderId:
        """Raises ``InvalidValue`` when ``text`` has none of the three forms."""
        value = "".join(text.split()).upper()
        if form := _REPEATED.get(value):
            return cls(value, form)
        if match := _CODE.fullmatch(value):
            return cls(value, "code", match["code"])
        raise InvalidValue(
            what="替代識別碼 (placeholder)", problem="不是已知的替代值 / none of the known forms", length=len(value)
        )

    @classmethod
    def is_valid(cls, text: str) -> bool:
        value = "".join(text.split()).upper()
        return value in _REPEATED or _CODE.fullmatch(value) is not None

    @classmethod
    def of_code(cls, code: str) -> PlaceholderId:
        """The placeholder of a four-character code: the code and sixteen zeros."""
        return cls.parse(code + "0" * 16)

    def format(self) -> str:
        return self.value

    def __str__(self) -> str:
        return self.value
