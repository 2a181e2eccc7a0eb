"""就醫識別碼: twenty characters that name one visit.

The alphabet has 34 characters: digits and capitals without I and O. What the places hold is *derived from two published
samples, not published itself*::

    place    1–6     7–8              9–13                        14–15      16–20
    holds    ?       first two        next seven digits of the    ROC year   second of that year
                     of the ID        ID number, base 34          base 34    base 34

Places 1–6 (institution and issuing service) are not solved. The tenth character of the ID number, its check digit, is left
out and computed. So the reading warns and cross-checks; it never rejects a visit ID, because the NHI alone decides that
(check codes D002–D005).

Sources: alphabet nhi-slides-2024-04; places field-notes, pharmacy workflow §2.2 (derived).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from nhirx.errors import InvalidValue
from nhirx.identifiers.national_id import check_digit
from nhirx.identifiers.placeholder import PlaceholderId
from nhirx.roc import TAIPEI

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 20
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
# int() counts in base 34 with the letters up to X, the NHI leaves I and O out.
_TO_INT = str.maketrans(ALPHABET, "0123456789ABCDEFGHIJKLMNOPQRSTUVWX")
_SECOND_OF_ID = frozenset("1289ABCDXY")
_FIRST_YEAR, _LAST_YEAR = 100, 199  # ROC years of the card era; two base-34 characters reach 1155
_SEPARATORS = {ord(character): None for character in " \t\r\n-–—_.‧·　\u200b\ufeff"}
_LOOKALIKES = str.maketrans({"O": "0", "I": "1"})


@dataclass(frozen=True, slots=True)
class VisitId:
    """A visit ID in canonical form. ``str()`` is the value; ``repr()`` is masked, because the ID spells a person."""

    value: str

    @classmethod
    def parse(cls, text: str) -> VisitId:
        """Raises ``InvalidValue`` unless ``text``, without separators, is twenty characters of the alphabet.

        Letters I and O are refused, not repaired: see ``parse_printed``. A placeholder is refused too: it is another type.
        """
        value = canonical_text(text)
        if len(value) != LENGTH:
            raise InvalidValue(what="就醫識別碼 (visit ID)", problem=f"須為 {LENGTH} 碼 / {LENGTH} characters", length=len(value))
        if not all(character in _VALUE for character in value):
            raise InvalidValue(
                what="就醫識別碼 (visit ID)", problem="含有不使用的字元 / a character outside the alphabet", length=LENGTH
            )
        if PlaceholderId.is_valid(value):
            raise InvalidValue(what="就醫識別碼 (visit ID)", problem="這是替代值 / this is a placeholder", length=LENGTH)
        return cls(value)

    @classmethod
    def is_valid(cls, text: str) -> bool:
        try:
            cls.parse(text)
        except InvalidValue:
            return False
        return True

    @property
    def holder_prefix(self) -> str | None:
        """The first nine characters of the holder's ID number, or None when places 7–13 cannot be one (derived)."""
        first, second = self.value[6], self.value[7]
        number = _base34(self.value[8:13])
        if not first.isalpha() or second not in _SECOND_OF_ID or number >= 10_000_000:
            return None
        return f"{first}{second}{number:07d}"

    @property
    def holder_id(self) -> str | None:
        """The holder's ID number with its check digit computed, or None where that cannot be done (derived)."""
        prefix = self.holder_prefix
        digit = check_digit(prefix) if prefix else None
        return None if prefix is None or digit is None else prefix + digit

    @property
    def issued_at(self) -> datetime | None:
        """The second at which the ID was made, or None when places 14–20 hold no such time (derived)."""
        year, second = _base34(self.value[13:15]), _base34(self.value[15:20])
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            return None
        moment = datetime(year + 1911, 1, 1, tzinfo=TAIPEI) + timedelta(seconds=second)
        return moment if moment.year == year + 1911 else None

    @property
    def is_plausible(self) -> bool:
        """Whether person and time can both be read. About two of ten thousand random strings pass (derived)."""
        return self.holder_prefix is not None and self.issued_at is not None

    def belongs_to(self, national_id: str) -> bool | None:
        """Whether the person inside is the holder of ``national_id``; None when the ID does not show a person (derived)."""
        prefix = self.holder_prefix
        return None if prefix is None else national_id.strip().upper()[:9] == prefix

    def format(self) -> str:
        """Groups of four, as people read it aloud: ``0USE 4FA1 1RP4 J370 WR4K``."""
        return " ".join(self.value[start : start + 4] for start in range(0, LENGTH, 4))

    def __str__(self) -> str:
        return self.value

    def __repr__(self) -> str:
        return f"VisitId({mask_visit_id(self.value)!r})"


def canonical_text(text: str) -> str:
    """Capitals without separators; full-width characters of a Chinese keyboard become their plain forms."""
    return unicodedata.normalize("NFKC", text).translate(_SEPARATORS).upper()


def parse_printed(text: str) -> tuple[VisitId | PlaceholderId, bool]:
    """What a person read or typed, and whether letters I and O, or full-width characters, had to be repaired.

    The repair is a proposal that a person confirms. Raises ``InvalidValue`` as ``VisitId.parse`` does.
    """
    value = canonical_text(text)
    widened = unicodedata.normalize("NFKC", text) != text
    if PlaceholderId.is_valid(value):
        return PlaceholderId.parse(value), widened
    repaired = value.translate(_LOOKALIKES)
    if repaired != value and PlaceholderId.is_valid(repaired):
        return PlaceholderId.parse(repaired), True
    return VisitId.parse(repaired), widened or repaired != value


def mask_visit_id(text: str) -> str:
    """First four and last two characters; the person in places 7–13 and the day in 14–18 are hidden."""
    return text if len(text) < 8 else f"{text[:4]}{'*' * (len(text) - 6)}{text[-2:]}"


def _base34(text: str) -> int:
    return int(text.translate(_TO_INT), len(ALPHABET))
