"""Persons, doctors and institutions that do not exist. Numbers have the right check digits; names come from short lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from nhirx.identifiers.national_id import check_digit

_FAMILY = "王李張劉陳楊黃吳林周徐孫馬朱胡郭何高羅鄭梁謝宋唐許鄧馮韓曹曾彭蕭蔡潘田董袁余葉杜程蘇魏呂丁任盧沈姚姜鍾譚陸汪"
_GIVEN = "小明大華美玲淑芬志強建國雅婷怡君家豪俊傑佳穎宗翰冠宇詩涵欣怡承恩品妤宥廷子晴柏翰思妤玉蘭秀英文雄金水春嬌"
# I and O are left out: no published rule tells how they stand inside a visit ID, whose alphabet lacks both letters.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_PLACES = ("安平", "仁愛", "信義", "和平", "忠孝", "永安", "康寧", "長春", "福德", "新生", "光明", "中正")
_KINDS = (
    ("聯合診所", "35"),
    ("內科診所", "35"),
    ("家庭醫學科診所", "35"),
    ("示範醫院", "11"),
    ("綜合醫院", "01"),
    ("小兒科診所", "35"),
)
_DEPARTMENTS = (
    ("家醫科", "01"),
    ("內科", "02"),
    ("外科", "03"),
    ("小兒科", "04"),
    ("耳鼻喉科", "09"),
    ("眼科", "10"),
    ("心臟內科", "AB"),
)


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    national_id: str
    birth_date: date

    @property
    def sex(self) -> str:
        return "男" if self.national_id[1] in "18AC" else "女"


@dataclass(frozen=True, slots=True)
class Institution:
    code: str
    name: str
    department: str
    doctor: str


DEMO_PERSON = Person("王小明", "A123456789", date(1961, 12, 31))
DEMO_REJECTED = Person("陳美玲", "A223456781", date(1988, 5, 20))
"""The sandbox has her card hold another birth date than the NHI's files do."""
DEMO_INSTITUTION = Institution("3502060427", "安平示範聯合診所", "家醫科", "林大華")


def name(rng: np.random.Generator) -> str:
    return _FAMILY[int(rng.integers(len(_FAMILY)))] + "".join(_GIVEN[int(rng.integers(len(_GIVEN)))] for _ in range(2))


def person(rng: np.random.Generator) -> Person:
    """A person whose number has the right shape and check digit."""
    letter = _LETTERS[int(rng.integers(len(_LETTERS)))]
    nine = f"{letter}{'1289'[int(rng.choice(4, p=(0.46, 0.46, 0.04, 0.04)))]}{int(rng.integers(10_000_000)):07d}"
    born = date.fromordinal(int(rng.integers(date(1935, 1, 1).toordinal(), date(2024, 12, 31).toordinal())))
    return Person(name(rng), nine + str(check_digit(nine)), born)


def institution(rng: np.random.Generator) -> Institution:
    """An institution with a ten-digit code."""
    kind, level = _KINDS[int(rng.integers(len(_KINDS)))]
    code = f"{level}{int(rng.integers(1, 39)):02d}{int(rng.integers(1_000_000)):06d}"
    department = _DEPARTMENTS[int(rng.integers(len(_DEPARTMENTS)))][0]
    return Institution(code, _PLACES[int(rng.integers(len(_PLACES)))] + kind, department, name(rng))
