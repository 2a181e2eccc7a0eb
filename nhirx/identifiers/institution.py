"""醫事機構代號: ten characters, digits in most institutions, letters possible in places 7 to 9 (check code D058)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nhirx.errors import InvalidValue

_SHAPE = re.compile(r"[0-9A-Z]{10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class InstitutionCode:
    """A code of the right shape; whether the institution exists only the NHI knows."""

    value: str

    @classmethod
    def parse(cls, text: str) -> InstitutionCode:
        """Raises ``InvalidValue`` unless ``text`` is ten digits or capital letters."""
        value = text.strip().upper()
        if not _SHAPE.fullmatch(value):
            raise InvalidValue(what="醫事機構代號 (institution code)", problem="須為 10 碼 / ten characters", length=len(value))
        return cls(value)

    @classmethod
    def is_valid(cls, text: str) -> bool:
        return _SHAPE.fullmatch(text.strip().upper()) is not None

    def format(self) -> str:
        return self.value

    def __str__(self) -> str:
        return self.value
