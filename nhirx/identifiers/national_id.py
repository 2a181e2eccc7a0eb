"""身分證號 and 統一證號: the ten characters that name a person.

A letter and nine digits; the second character is 1 or 2 for nationals, 8 or 9 for foreign residents since 2021, A to D on
residence permits before that. Other second characters (X, Y) exist in NHI data and have no published check rule, so a
number is refused only when its shape is impossible: whether the check digit holds is a separate question.

Sources: nhi-qa-2024-10 (X and Y numbers), field-notes, card §7.1 (both kinds of residence permit numbers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nhirx.errors import InvalidValue

_SHAPE = re.compile(r"[A-Z][A-Z0-9][0-9]{8}", re.ASCII)
# The number behind each letter follows the order of the counties, not of the alphabet.
_LETTER = {letter: number for number, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", start=10)}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 1)
_CHECKED_SECOND = frozenset("1289ABCD")


@dataclass(frozen=True, slots=True)
class NationalId:
    """A number of the right shape. ``check_digit_holds`` tells the rest. ``str()`` is the number, ``repr()`` is masked."""

    value: str

    @classmethod
    def parse(cls, text: str) -> NationalId:
        """Raises ``InvalidValue`` unless ``text`` is a letter, a letter or digit, and eight digits."""
        value = text.strip().upper()
        if not _SHAPE.fullmatch(value):
            raise InvalidValue(
                what="身分證號 (national ID)", problem="A123456789 的格式 / one letter and nine digits", length=len(value)
            )
        return cls(value)

    @classmethod
    def is_valid(cls, text: str) -> bool:
        """Shape and, where a rule is published, check digit."""
        try:
            return cls.parse(text).check_digit_holds is not False
        except InvalidValue:
            return False

    @property
    def check_digit_holds(self) -> bool | None:
        """Whether the tenth character is the right one; None where no rule is published for this kind of number."""
        expected = check_digit(self.value[:9])
        return None if expected is None else expected == self.value[9]

    def format(self) -> str:
        return self.value

    def __str__(self) -> str:
        return self.value

    def __repr__(self) -> str:
        return f"NationalId({mask_id(self.value)!r})"


def check_digit(first_nine: str) -> str | None:
    """The tenth character for the first nine, or None where no rule is published."""
    if len(first_nine) != 9 or first_nine[0] not in _LETTER or first_nine[1] not in _CHECKED_SECOND:
        return None
    if not first_nine[2:].isdigit():
        return None
    letter = _LETTER[first_nine[0]]
    second = first_nine[1]
    digits = [int(second) if second.isdigit() else _LETTER[second] % 10, *map(int, first_nine[2:])]
    total = letter // 10 + letter % 10 * 9 + sum(digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return str(-total % 10)


def mask_id(text: str) -> str:
    """``A123456789`` → ``A12******9``: enough to compare with the card in the hand, not enough to use."""
    return text if len(text) < 5 else f"{text[:3]}{'*' * (len(text) - 4)}{text[-1]}"
