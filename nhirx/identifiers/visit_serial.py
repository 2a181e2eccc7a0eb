"""就醫序號: four characters. A number of the year (0001–1500), a code of a programme (IC07) or an abnormal code (A010).

Which values are allowed where is regulation and lives in ``nhirx/tables/``; here is only the shape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nhirx.errors import InvalidValue

_SHAPE = re.compile(r"[0-9A-Z]{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class VisitSerial:
    value: str

    @classmethod
    def parse(cls, text: str) -> VisitSerial:
        """Raises ``InvalidValue`` unless ``text`` is four digits or capital letters."""
        value = text.strip().upper()
        if not _SHAPE.fullmatch(value):
            raise InvalidValue(what="就醫序號 (visit serial)", problem="須為 4 碼 / four characters", length=len(value))
        return cls(value)

    @classmethod
    def is_valid(cls, text: str) -> bool:
        return _SHAPE.fullmatch(text.strip().upper()) is not None

    @property
    def is_running_number(self) -> bool:
        """Whether it is a number of the year rather than a code."""
        return self.value.isdigit()

    def format(self) -> str:
        return self.value

    def __str__(self) -> str:
        return self.value
