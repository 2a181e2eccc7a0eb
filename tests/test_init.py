"""The names of the package, and that they cost nothing until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nhirx


def test_names_are_sorted_and_there():
    assert sorted(nhirx.__all__) == nhirx.__all__
    assert dir(nhirx) == nhirx.__all__
    assert all(getattr(nhirx, name).__name__ == name for name in nhirx.__all__ if name != "hookimpl")


def test_other_names_are_none():
    with pytest.raises(AttributeError, match="Presciption"):
        _ = nhirx.Presciption


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import nhirx", {"pydantic", "pluggy", "httpx", "sqlalchemy", "typer", "cv2", "zxingcpp", "smartcard"}),
        ("import nhirx_scanner", {"pluggy", "httpx", "sqlalchemy", "typer", "pydantic", "smartcard"}),
        ("from nhirx import hookimpl", {"httpx", "sqlalchemy", "cv2", "zxingcpp", "smartcard"}),
        ("import nhirx.identifiers", {"pydantic", "httpx", "numpy"}),
        ("import nhirx.cli", {"typer", "pydantic", "httpx"}),
    ],
)
def test_imports_stay_light(statement, unwanted):
    """What is loaded for nothing is waited for at every start."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())

    assert set() == loaded & unwanted
