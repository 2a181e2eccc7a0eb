"""Regulated codes stand in the tables and nowhere else in the product's own logic."""

from __future__ import annotations

import ast

import pytest

from nhirx.tables.load import code_rows

# The resolver decides; the others carry values about without knowing them.
# Five spellings are check codes of the NHI as well as serials, and the checker names them as such.
ALSO_CHECK_CODES = {"C001", "D000", "D001", "E000", "E001"}
PARTS = [
    "nhirx/resolver",
    "nhirx/records",
    "nhirx/card",
    "nhirx/upload",
    "nhirx/outbox",
    "nhirx/cli",
    "nhirx/host.py",
    "nhirx/model.py",
]


def literals(path):
    """Every string of a module but its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    documents = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.value, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents
    ]


@pytest.mark.parametrize("part", PARTS)
def test_no_regulated_code_outside_the_tables(repository, part):
    """Abnormal serials, placeholders, the visit category: each has one home."""
    codes = {
        *code_rows("abnormal_serials"),
        *code_rows("claims_serials"),
        *code_rows("virtual_orders"),
        *code_rows("antivirals"),
        "AF",
    }
    codes |= {row.attribute("value") for row in code_rows("placeholders").values()}
    if part == "nhirx/records":
        codes -= ALSO_CHECK_CODES
    place = repository / part
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    assert files
    found = [f"{file.relative_to(repository)}:{line} {text}" for file in files for text, line in literals(file) if text in codes]
    assert [] == found
