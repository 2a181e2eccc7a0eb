"""What went wrong in a plugin, in words that name the place and never a person.

The text of a foreign exception may hold anything, a patient's name included, so only its kind and place are told. Errors of
nhirx itself and of value validation are told in full: their words are made without personal data.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import PurePath

from pydantic import ValidationError

from nhirx.errors import NhirxError
from nhirx.logs import mask
from nhirx.plugin.lane import NoAnswer


def in_words(error: BaseException) -> tuple[str, str]:
    """``error`` in Chinese and English, without a full stop."""
    if isinstance(error, NhirxError):
        return mask(error.zh).rstrip("。"), mask(error.en).rstrip(".")
    if isinstance(error, NoAnswer):
        late_zh = "仍在處理先前的呼叫" if "busy" in str(error) else "逾時沒有回應"
        return f"{late_zh}（{error}）", str(error)
    if isinstance(error, ValidationError):
        listed = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_url=False, include_input=False)
        )
        return f"{error.title}：{mask(listed)}", f"{error.title}: {mask(listed)}"
    place = _place(error)
    if isinstance(error, SystemExit):
        return f"試圖結束程式（{place}）", f"tried to end the program ({place})"
    return f"{type(error).__name__}（{place}）", f"{type(error).__name__} ({place})"


def missing_option(error: BaseException, options: Mapping[str, object]) -> str | None:
    """The option that ``options[…]`` asked for in vain, where ``error`` is that. A name of the program's own, never a person's."""
    name = error.args[0] if isinstance(error, KeyError) and len(error.args) == 1 else None
    return name if isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name) and name not in options else None


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "?"
    last = frames[-1]
    return f"{PurePath(last.filename).name}:{last.lineno}"
