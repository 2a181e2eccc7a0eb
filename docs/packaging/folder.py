"""One folder with everything: Python, nhirx and what it needs, and a starter. Nothing is installed, and it may be moved.

The Linux twin of the folder that docs/howto/windows.md describes. Run it with the Python of an environment in which nhirx is
installed: interpreter, standard library and packages are copied from there, so that no network is needed.

    python docs/packaging/folder.py --out nhirx-folder [--wheel nhirx-0.1.0-py3-none-any.whl] [--extra counter] [--zip]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from nhirx.materials import components

_UNUSED = shutil.ignore_patterns(
    "__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "site-packages", "lib2to3", "config-*", "*.a"
)
_STARTER = """#!/bin/sh
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
export PYTHONHOME="$here/python" PYTHONPATH="$here/app" PYTHONNOUSERSITE=1 LD_LIBRARY_PATH="$here/python/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/python/bin/python3" -m nhirx "$@"
"""


def build(out: Path, wheel: Path | None, extras: set[str]) -> None:
    """Fill ``out``, which must not be there yet."""
    out.mkdir(parents=True)
    _python(out / "python")
    app = out / "app"
    app.mkdir()
    for each in components().values():
        if each.asked_by & {"", *extras}:
            _package(each.name, app)
    with tempfile.TemporaryDirectory() as folder:
        if wheel is None:
            repository = Path(__file__).parents[2]
            words = ["pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, str(repository)]
            subprocess.run([sys.executable, "-m", *words], check=True)
            wheel = next(Path(folder).glob("nhirx-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(app)
    starter = out / "nhirx"
    starter.write_text(_STARTER, "utf-8")
    starter.chmod(0o755)


def _python(target: Path) -> None:
    """Interpreter and standard library, without what a pharmacy never runs."""
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, target / "lib" / library.name, ignore=_UNUSED, symlinks=False)
    (target / "bin").mkdir()
    shutil.copy2(Path(sys.executable).resolve(), target / "bin" / "python3")
    shared = sysconfig.get_config_var("INSTSONAME") if sysconfig.get_config_var("Py_ENABLE_SHARED") else None
    if shared:
        found = Path(sysconfig.get_config_var("LIBDIR")) / shared
        shutil.copy2(found.resolve(), target / "lib" / shared)


def _package(name: str, target: Path) -> None:
    """The files that the package's record lists, without caches and programs."""
    package = distribution(name)
    for file in package.files or ():
        if file.parts[0] == ".." or "__pycache__" in file.parts:
            continue
        source, copy = Path(str(package.locate_file(file))), target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy)


def main() -> int:
    words = argparse.ArgumentParser(description="One folder with everything.")
    words.add_argument("--out", type=Path, required=True)
    words.add_argument("--wheel", type=Path)
    words.add_argument("--extra", action="append", default=[])
    words.add_argument("--zip", action="store_true")
    given = words.parse_args()
    if given.out.exists():
        sys.stderr.write(f"{given.out} 已存在 / is there already\n")
        return 2
    build(given.out, given.wheel, set(given.extra))
    if given.zip:
        shutil.make_archive(str(given.out), "zip", given.out.parent, given.out.name)
    size = sum(path.stat().st_size for path in given.out.rglob("*") if path.is_file())
    sys.stdout.write(f"{given.out}: {size / 1e6:.0f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
