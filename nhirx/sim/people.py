"""The people and the pharmacy of the sandbox. All of them are invented; none of the numbers belongs to anybody known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from nhirx import roc
from nhirx.identifiers import NationalId

INSTITUTION = "5901234567"
SAM_ID = "SAM000000001"
PHARMACIST = "B200000002"
HPC_ID = "HPC000000001"
HPC_PIN = "000000"


@dataclass(frozen=True, slots=True)
class Person:
    """One holder and the card of theirs. ``pin`` is None when the card has none."""

    national_id: str
    name: str
    birth_date: date
    sex: str
    card_number: str
    issued_on: date = date(2020, 1, 1)
    expired: bool = False
    pin: str | None = None
    visits_left: int = 6

    @property
    def birthday(self) -> str:
        """Seven ROC digits."""
        return roc.format_date(self.birth_date)

    @classmethod
    def from_json(cls, data: dict[str, Any], default: Person) -> Person:
        """``default`` with the members of ``data`` on top. Raises ``InvalidValue`` for a wrong ID number or date."""
        changes: dict[str, Any] = {
            key: data[key] for key in ("name", "sex", "card_number", "pin", "expired", "visits_left") if key in data
        }
        if "national_id" in data:
            changes["national_id"] = NationalId.parse(str(data["national_id"])).value
            # Two people never share a card: without a number of its own the card gets one made from the ID number.
            changes.setdefault("card_number", "9" + changes["national_id"][1:].rjust(11, "0"))
        for key in ("birth_date", "issued_on"):
            if key in data:
                changes[key] = roc.parse_date(str(data[key]))
        return replace(default, **changes)


PEOPLE = (
    Person("A123456789", "王小明", date(1961, 12, 31), "M", "000012345678"),
    Person("A223456781", "陳美玲", date(1988, 5, 20), "F", "000012345679"),
    Person("F100000006", "林志堃", date(1949, 2, 28), "M", "000012345680"),
    Person("A800000014", "NGUYEN VAN AN", date(1995, 10, 10), "M", "000012345681"),
    Person("H200000000", "歐陽思遠", date(2019, 7, 1), "F", "000012345682"),
    Person("T222222223", "示範者", date(2000, 1, 2), "F", "000012345683"),
)
