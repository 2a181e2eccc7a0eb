"""Puts the manual into the wheel: its pages always, and the site where mkdocs-material is at hand to build it.

A wheel for release is built where the development tools are (``pip wheel --no-build-isolation .``); one that pip builds from an archive by itself
has the pages only, and ``nhirx docs`` shows them plainly.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualHook(BuildHookInterface):  # type: ignore[misc]
    _site: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the files of the wheel are gathered."""
        if version == "editable":
            return
        root = Path(self.root)
        kinds = ("*.md", "clients/*.cs", "pictures/*.png")
        for page in sorted(page for kind in kinds for page in (root / "docs").rglob(kind)):
            build_data["force_include"][str(page)] = f"nhirx/manual/pages/{page.relative_to(root / 'docs').as_posix()}"
        for page in sorted((root / "plugins").glob("**/README.md")):
            name = "README" if page.parent.name == "plugins" else page.parent.name
            build_data["force_include"][str(page)] = f"nhirx/manual/pages/plugins/{name}.md"
        if importlib.util.find_spec("material") is None:
            return
        sys.path[:0] = [str(root), str(root / "scanner")]
        from nhirx.manual.site import build

        self._site = tempfile.TemporaryDirectory()
        build_data["force_include"][str(build(Path(self._site.name), strict=False))] = "nhirx/manual/built"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the wheel is closed."""
        if self._site is not None:
            self._site.cleanup()
