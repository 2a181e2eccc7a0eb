"""What is in the repository and in the wheel, and what an import costs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path


def _loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_scanner_alone_loads_nothing_of_the_network_or_the_plugins() -> None:
    """A program that only wants to read codes pays only for that."""
    loaded = _loaded_by("import nhirx_scanner; nhirx_scanner.Scanner")

    assert set() == loaded & {"httpx", "pluggy", "pydantic", "sqlalchemy", "typer", "rich"}


def test_importing_nhirx_loads_nothing_until_a_name_is_used() -> None:
    """``import nhirx`` is free; its names come when they are asked for."""
    loaded = _loaded_by("import nhirx")

    assert set() == loaded & {"httpx", "pluggy", "pydantic", "sqlalchemy", "cv2", "numpy"}


def test_every_public_name_is_sorted_and_can_be_had() -> None:
    """``__all__`` is the list of what others may rely on."""
    import nhirx

    assert sorted(nhirx.__all__) == nhirx.__all__
    for name in nhirx.__all__:
        assert getattr(nhirx, name) is not None


def test_no_file_in_git_is_large_or_names_a_registry(repository: Path) -> None:
    """Lock files with addresses, generated pictures over 1 MB and the like stay out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=False)
    if listed.returncode != 0:  # an unpacked archive: look at everything but what tools keep in folders of their own
        hidden = [path for path in repository.rglob(".*") if path.is_dir() and path.name != ".ci"]
        files = [
            path for path in repository.rglob("*") if path.is_file() and not any(path.is_relative_to(each) for each in hidden)
        ]
    else:
        files = [repository / name for name in listed.stdout.split("\0") if name and (repository / name).exists()]

    assert [] == [path for path in files if path.stat().st_size > 1_000_000]
    assert [] == [path for path in files if path.name in {"uv.lock", "poetry.lock", "pylock.toml"}]


def test_the_wheel_holds_both_packages_their_tables_and_the_demo_sheet(wheel: Path) -> None:
    """What the commands need at run time travels in the wheel."""
    names = zipfile.ZipFile(wheel).namelist()

    assert {"nhirx/__init__.py", "nhirx_scanner/__init__.py", "nhirx_scanner/textline.onnx"} <= set(names)
    assert "nhirx_scanner/modulenet.onnx" in names
    assert any(name.startswith("nhirx/tables/decisions/") and name.endswith(".toml") for name in names)
    assert "nhirx/samples/demo-sheet.jpg" in names
    assert "nhirx/samples/demo-prescription.json" in names
    assert [] == [name for name in names if name.startswith(("tests/", "plugins/", "samples/"))]
