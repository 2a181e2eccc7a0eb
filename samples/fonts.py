"""Fonts by role, found without fontconfig so that Windows works too. A missing font is ``ComponentMissing``.

The first candidate that exists is taken, so that two machines with the same packages draw the same pixels.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from nhirx.errors import ComponentMissing

_CJK = (
    ("wqy-microhei.ttc", 0),
    ("NotoSansCJK-Regular.ttc", 3),
    ("msjh.ttc", 0),
    ("mingliu.ttc", 0),
    ("kaiu.ttf", 0),
    ("PingFang.ttc", 0),
)
_SANS = (("DejaVuSans.ttf", 0), ("arial.ttf", 0), ("LiberationSans-Regular.ttf", 0))
_MONO = (("DejaVuSansMono.ttf", 0), ("consola.ttf", 0), ("cour.ttf", 0), ("LiberationMono-Regular.ttf", 0))
_MONO_BOLD = (("DejaVuSansMono-Bold.ttf", 0), ("consolab.ttf", 0), ("courbd.ttf", 0), ("LiberationMono-Bold.ttf", 0))
_ROLES = {"cjk": _CJK, "sans": _SANS, "mono": _MONO, "mono-bold": _MONO_BOLD}
_INSTALL = {
    "cjk": "apt-get install fonts-wqy-microhei / Windows: 安裝繁體中文補充字型 (Traditional Chinese supplemental fonts)",
    "sans": "apt-get install fonts-dejavu-core",
    "mono": "apt-get install fonts-dejavu-core",
    "mono-bold": "apt-get install fonts-dejavu-core",
}


def font_folders() -> tuple[Path, ...]:
    """Where this machine may keep fonts; folders that do not exist are left out."""
    home = Path.home()
    folders = [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts", Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    folders += [home / ".fonts", home / ".local/share/fonts", Path("/System/Library/Fonts"), Path("/Library/Fonts")]
    if local := os.environ.get("LOCALAPPDATA"):
        folders.append(Path(local) / "Microsoft/Windows/Fonts")
    return tuple(folder for folder in folders if folder.is_dir())


@lru_cache(maxsize=1)
def _installed() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in font_folders():
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in {".ttf", ".ttc", ".otf"}:
                found.setdefault(path.name.lower(), path)
    return found


@lru_cache(maxsize=128)
def font(role: str, size: int) -> ImageFont.FreeTypeFont:
    """The font of a role (``cjk``, ``sans``, ``mono``, ``mono-bold``), ``size`` in pixels. Raises ``ComponentMissing``."""
    for name, index in _ROLES[role]:
        if path := _installed().get(name.lower()):
            return ImageFont.truetype(str(path), size, index=index)
    raise ComponentMissing(component=f"font: {role}", how=_INSTALL[role])
