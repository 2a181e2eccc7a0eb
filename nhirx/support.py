"""``nhirx doctor --bundle``: one file for the vendor that says what this machine is like, and names nobody.

Everything in it is made here from what may be told: versions, states, numbers, names of settings. Nothing is copied but log
lines, and those only in the form in which a name or a number of a person cannot stand any more (``told``). The database is
counted, never read; keys, prescriptions, scans and what a card gave stay where they are.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import uuid
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from nhirx.diagnostics import Report
from nhirx.errors import AlreadyThere, NhirxError
from nhirx.logs import mask
from nhirx.model import Value

LINES = 2000
"""Of each log file, from its end."""
_BYTES = 2_000_000

_LINE = re.compile(
    r"(?P<time>[\d-]{10}[ T][\d:,.+]{8,16}) (?P<level>INFO|WARNING|ERROR|CRITICAL) (?P<name>nhirx[a-z_.]*): (?P<words>.*)"
)
_WORD = re.compile(
    r"[\[(]?([a-z]{1,20}(?:[-_.][a-z]{1,20}){0,5}|[A-Z][A-Za-z]{0,30}(?:Error|Exception|Exit))[\])]?[.,:;]?", re.ASCII
)
_NUMBER = re.compile(r"[0-9]{1,3}[.,:;]?", re.ASCII)
_OPTION = re.compile(r"[a-z_]{1,40}", re.ASCII)


def told(words: str) -> str:
    """A line of a log in what may leave the machine: small English words, kinds of errors, single short numbers.

    Everything else becomes an asterisk, because it may be a name, an ID in some spelling, a date, a telephone, a path. Numbers
    beside each other go too: taken together they may be one.
    """
    kept: list[str] = []
    numbers = 0
    for word in mask(words).split():
        if _NUMBER.fullmatch(word):
            numbers += 1
            if numbers > 1:
                kept[-1] = "*"
            else:
                kept.append(word)
            continue
        numbers = 0
        kept.append(word if _WORD.fullmatch(word) else "*")
    return re.sub(r"\*( \*)+", "*", " ".join(kept))


def write(path: Path, reports: Iterable[Report], *, logs: Iterable[Path] = (), now: datetime) -> list[str]:
    """Write the file and give the names inside it. Raises ``AlreadyThere`` where ``path`` is there already."""
    if path.exists():
        raise AlreadyThere(path=path.name)
    parts: dict[str, Callable[[], Any]] = {
        "report.json": lambda: [_report(each) for each in reports],
        "versions.json": _versions,
        "settings.json": _settings,
        "plugins.json": _plugins,
        "counts.json": _counts,
        "logs.txt": lambda: _log_lines(logs),
    }
    partial = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("made.json", _json({"made_at": now.isoformat(timespec="seconds"), "names_people": False}))
            for name, make in parts.items():
                archive.writestr(name, _content(make))
        os.replace(partial, path)  # noqa: PTH105
    finally:
        partial.unlink(missing_ok=True)
    return ["made.json", *parts]


def _content(make: Callable[[], Any]) -> str:
    """One part; what cannot be told is told as such, so that a broken machine still gives a file."""
    try:
        made = make()
    except NhirxError as error:
        made = {"error": error.code}
    except Exception as error:
        made = {"error": type(error).__name__}
    return made if isinstance(made, str) else _json(made)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, indent=1) + "\n"


def _report(report: Report) -> dict[str, Any]:
    detail = {
        name: value if isinstance(value, int | float | bool) else told(str(value)) for name, value in report["detail"].items()
    }
    return {"name": report["name"], "status": report["status"], "en": told(report["en"]), "detail": detail}


def _versions() -> dict[str, Any]:
    packages = sorted({(each.name, each.version) for each in distributions() if each.name}, key=lambda each: each[0].lower())
    return {
        "python": sys.version.split()[0],
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "packages": dict(packages),
    }


def _settings() -> dict[str, Any]:
    from nhirx import settings

    found = settings.load()
    told_ = _values(found, type(found)())
    told_["plugins"]["options"] = {
        name: {option if _OPTION.fullmatch(option) else "*": "<set>" for option in table}
        for name, table in found.plugins.options.items()
        if re.fullmatch(r"[a-z0-9-]{1,40}", name)
    }
    return told_


def _values(value: Value, usual: Value) -> dict[str, Any]:
    """Every setting: a number, a switch or one of fixed words as it stands, everything else only as set or not."""
    answer: dict[str, Any] = {}
    for name, field in type(value).model_fields.items():
        own, default = getattr(value, name), getattr(usual, name)
        if isinstance(own, Value):
            answer[name] = _values(own, default)
        elif own is None or isinstance(own, bool | int | float) or _is_choice(field.annotation):
            answer[name] = own
        else:
            answer[name] = "<usual>" if own == default else "<set>"
    return answer


def _is_choice(annotation: Any) -> bool:
    return get_origin(annotation) is Literal or any(get_origin(each) is Literal for each in get_args(annotation))


def _plugins() -> list[Mapping[str, Any]]:
    from nhirx import settings
    from nhirx.plugin.manager import Plugins

    found = Plugins(settings.load().plugins)
    found.close()
    return [
        {
            "name": told(each.name),
            "package": each.package,
            "version": each.version,
            "status": each.status,
            "hooks": list(each.hooks),
            "problem": told(each.problem_en) if each.problem_en else None,
        }
        for each in found.statuses
    ]


def _counts() -> dict[str, int]:
    from nhirx import settings
    from nhirx.outbox import open_outbox

    outbox = open_outbox(settings.load())
    try:
        return {str(state): number for state, number in outbox.counts().items()}
    finally:
        outbox.close()


def _log_lines(files: Iterable[Path]) -> str:
    """The last lines of each file that nhirx wrote itself; bodies and whatever a level below INFO says are left out."""
    kept: list[str] = []
    for position, file in enumerate(files, 1):
        kept.append(f"log {position}")
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - _BYTES))
            lines = stream.read().decode("utf-8", "replace").splitlines()
        for line in lines[-LINES:]:
            if found := _LINE.fullmatch(line):
                kept.append(f"{found['time']} {found['level']} {found['name']}: {told(found['words'])}")
    return "\n".join(kept) + "\n"
