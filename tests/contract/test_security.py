"""SECURITY.md promises nothing that no test proves."""

import ast
import re
from pathlib import Path

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_that_security_names_exists(repository: Path) -> None:
    text = (repository / "SECURITY.md").read_text("utf-8")
    named = _TEST.findall(text)
    absent = [f"{file}::{name}" for file, name in named if name not in _tests(repository / file)]

    assert len(named) >= 38
    assert [] == absent


def test_every_row_names_a_test(repository: Path) -> None:
    rows = [line for line in (repository / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("|")]
    bare = [row for row in rows if not _TEST.search(row) and not row.startswith(("|---", "| 對象"))]

    assert [] == bare


def _tests(file: Path) -> set[str]:
    """The tests of a file as Python sees them: one in a comment or a text is none."""
    if not file.exists():
        return set()
    return {part.name for part in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(part, ast.FunctionDef)}
