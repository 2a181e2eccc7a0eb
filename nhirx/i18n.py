"""Which of the two languages people read: ``zh`` (繁體中文) or ``en``. Messages carry both; this picks one."""

from __future__ import annotations

import locale
import os
from contextvars import ContextVar

_chosen: ContextVar[str | None] = ContextVar("nhirx_language", default=None)


def set_language(language: str | None) -> None:
    """Fix the language (``zh`` or ``en``; forms such as ``zh-TW`` are accepted), or with None go by the locale again."""
    _chosen.set(None if language is None else ("zh" if language.lower().startswith("zh") else "en"))


def language() -> str:
    """``zh`` or ``en``: what was set, else ``NHIRX_LANG``, else the locale; Chinese when the locale says nothing."""
    if chosen := _chosen.get():
        return chosen
    for name in ("NHIRX_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            break
    else:
        value = locale.getlocale()[0] or ""
    lowered = value.lower()
    # "C" and "POSIX" say nothing about the reader: the users are pharmacists in Taiwan.
    if not lowered or lowered.split(".")[0] in {"c", "posix"} or lowered.startswith(("zh", "chinese")):
        return "zh"
    return "en"


def say(zh: str, en: str) -> str:
    """The one of two texts that the reader's language asks for."""
    return zh if language() == "zh" else en
