"""The site, built with mkdocs-material in strict mode: one for each language, beside each other in one folder."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from nhirx import manual
from nhirx.errors import ComponentMissing, FileDamaged
from nhirx.manual.diagram import drawn

LANGUAGES = {"zh": "zh-Hant", "en": "en"}
_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?:nhirx|plugins|tests|samples|benchmarks|[A-Z]+\.md)[^)]*\)")


def build(out: Path, *, strict: bool = True) -> Path:
    """Build into ``out`` (Chinese at the root, English below ``en/``) and give it back.

    Raises ``ComponentMissing`` without the extra ``docs``, and, when ``strict``, ``FileDamaged`` when a link leads nowhere.
    """
    try:
        import material  # noqa: F401
        from mkdocs.commands.build import build as mkdocs_build
        from mkdocs.config import load_config
    except ImportError:
        raise ComponentMissing(component="mkdocs-material", how="pip install nhirx[docs]") from None
    warned = _Warnings()
    log = logging.getLogger("mkdocs")
    log.addHandler(warned)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for language, theme in LANGUAGES.items():
                staged = Path(folder) / language
                _stage(staged, language)
                target = out if language == "zh" else out / language
                config = load_config(
                    str(Path(__file__).with_name("mkdocs.yml")),
                    docs_dir=str(staged),
                    site_dir=str(target),
                    nav=[{part: [{title: file} for title, file in found]} for part, found in manual.nav(language)],
                    extra={"generator": False, "alternate": _alternate(language)},
                )
                config["theme"]["language"] = theme
                kept = out / "en" if language == "zh" and (out / "en").is_dir() else None
                if kept:
                    shutil.rmtree(kept)
                config.plugins.on_startup(command="build", dirty=False)
                mkdocs_build(config)
                config.plugins.on_shutdown()
    finally:
        log.removeHandler(warned)
    if strict and warned.messages:
        raise FileDamaged(path="docs", problem="; ".join(warned.messages[:5]))
    for dead in (*out.rglob("*.map"), *out.rglob("sitemap.xml*")):
        dead.unlink()
    return out


def _stage(folder: Path, language: str) -> None:
    """The pages of one language, with links that leave the manual turned into words."""
    for _, found in manual.nav(language):
        for _, file in found:
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(drawn(_OUTSIDE.sub(r"\1", manual.text(file, language))), "utf-8")
    for name in manual.FOLDERS:
        if (manual.pages() / name).is_dir():
            shutil.copytree(manual.pages() / name, folder / name, ignore=shutil.ignore_patterns("*.py", "*.txt", "__pycache__"))


def _alternate(language: str) -> list[dict[str, Any]]:
    here, there = ("./", "./en/") if language == "zh" else ("../", "./")
    return [{"name": "繁體中文", "link": here, "lang": "zh-Hant"}, {"name": "English", "link": there, "lang": "en"}]


class _Warnings(logging.Handler):
    """What mkdocs complains of; its strict mode would end the process."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
