"""A small, right rule book in a folder, which each test may spoil in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

FACTS = """
[[fact]]
id = "weather"
zh = "天氣"
en = "weather"
value = [{ id = "wet", zh = "雨", en = "wet" }, { id = "dry", zh = "晴", en = "dry" }]

[[reference]]
id = "card"
zh = "卡"
en = "card"
"""
SOURCES = """
[[source]]
id = "almanac"
zh = "曆書"
en = "almanac"
dated = 2024-01-01
section = [{ id = "p1", zh = "第一頁" }]
"""
LIMITS = """
[[limit]]
id = "days"
from = 2024-01-01
value = 3
unit = "days"
source = "almanac p1"
confidence = "confirmed"
zh = "日"
en = "days"
"""
FINDINGS = """
[[finding]]
id = "umbrella"
severity = "info"
source = "almanac p1"
zh = "帶傘"
en = "take an umbrella"
"""
ERRATA = """
[[erratum]]
id = "slip"
about = "筆誤"
says = ["almanac p1"]
read_zh = "照讀"
read_en = "as read"
rows = ["coat.wet"]
"""
RELAXATIONS = """
[[relaxation]]
id = "holidays"
supply_from = 2024-02-01
supply_until = 2024-02-05
days = 14
source = "almanac p1"
confidence = "single"
zh = "假期"
en = "holidays"
"""
COAT = """
[table]
id = "coat"
zh = "外套"
en = "coat"
facts = ["weather"]
outcomes = ["M01"]

[[row]]
id = "coat.wet"
from = 2024-01-01
when = { weather = "wet" }
then = { M01 = "@card" }
source = "almanac p1"
confidence = "confirmed"
findings = ["umbrella"]
zh = "穿"
en = "wear it"

[[row]]
id = "coat.dry"
from = 2024-01-01
until = 2024-06-30
when = { weather = "dry" }
then = { M01 = "" }
source = "almanac p1"
confidence = "inferred"
zh = "不穿"
en = "leave it"

[[uncovered]]
from = 2024-07-01
when = { weather = "dry" }
zh = "七月起沒有規定"
en = "nothing from July on"
"""
FILES = {
    "facts.toml": FACTS,
    "sources.toml": SOURCES,
    "limits.toml": LIMITS,
    "findings.toml": FINDINGS,
    "errata.toml": ERRATA,
    "relaxations.toml": RELAXATIONS,
    "decisions/coat.toml": COAT,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small rule book, ready to be spoiled."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path
