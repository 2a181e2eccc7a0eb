"""Folders of documents: electronic prescriptions that came in, dispensing documents that go out."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nhirx.errors import FileDamaged
from nhirx.identifiers import canonical_text
from nhirx_fhir.counter import Extra, read_extras
from nhirx_fhir.document import LARGEST, Document, NotABundle
from nhirx_fhir.read import Electronic, Unreadable, read

_SUPPLEMENT = ".supplement.json"


class Inbox:
    """``*.json`` of one folder. A file is read again only when its size or time, or those of its supplement, changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[Path, tuple[tuple[int, ...], list[Electronic] | str]] = {}

    def by_visit_id(self, visit_id: str) -> list[Electronic]:
        """The prescriptions of one visit, in the order of their document."""
        return [each for each in self._all() if canonical_text(each.prescription.sheet.visit_id or "") == visit_id]

    def by_number(self, number: str) -> Electronic | None:
        return next((each for each in self._all() if each.number == number), None)

    def supplement(self, number: str) -> Extra:
        """What the file beside the document says of this prescription. Raises ``FileDamaged``."""
        for path, found in self._files():
            if isinstance(found, list) and any(each.number == number for each in found):
                return read_extras(_beside(path)).get(number, Extra())
        return Extra()

    def problems(self) -> Iterator[tuple[str, str]]:
        """Name and problem of every document that cannot be used; problems hold no personal data."""
        for path, found in self._files():
            if isinstance(found, str):
                yield path.name, found

    def _all(self) -> Iterator[Electronic]:
        for _, found in self._files():
            if isinstance(found, list):
                yield from found

    def _files(self) -> Iterator[tuple[Path, list[Electronic] | str]]:
        for path in sorted(self.path.glob("*.json")):
            if path.name.endswith(_SUPPLEMENT):
                continue
            try:
                mark = _mark(path)
                if path not in self._known or self._known[path][0] != mark:
                    self._known[path] = (mark, _read(path))
            except OSError:
                continue  # gone, or still held by the program that writes it
            yield path, self._known[path][1]


class Outbox:
    """Documents that appear whole. Until the NHI has accepted the record they lie in ``waiting``, where that is wanted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def is_there(self, number: str, fill: int | None) -> bool:
        name = _name(number, fill)
        return (self._path / name).exists() or (self._path / "waiting" / name).exists()

    def write(self, number: str, fill: int | None, bundle: Mapping[str, Any], *, wait: bool) -> Path:
        folder = self._path / "waiting" if wait else self._path
        folder.mkdir(exist_ok=True)
        partial = folder / f".{uuid.uuid4().hex}.part"
        with partial.open("wb") as file:
            file.write(json.dumps(bundle, ensure_ascii=False, indent=1).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        target = folder / _name(number, fill)
        partial.replace(target)
        return target

    def release(self, number: str, visit_id: str) -> Path | None:
        """Move the waiting document of this dispensing out; None where there is none."""
        for path in sorted((self._path / "waiting").glob(f"{_safe(number)}*.json")):
            if f'"{visit_id}"' in path.read_text("utf-8"):
                return path.replace(self._path / path.name)
        return None


def _read(path: Path) -> list[Electronic] | str:
    if path.stat().st_size > LARGEST:
        return "太大 / too large"
    try:
        document = Document.parse(path.read_bytes())
        return read(document, _fills(path))
    except NotABundle as error:
        return str(error)
    except Unreadable as error:
        return f"缺少或無法辨識 / missing or unreadable: {error}"


def _fills(path: Path) -> dict[str, int]:
    try:
        return {number: extra.fill for number, extra in read_extras(_beside(path)).items() if extra.fill is not None}
    except FileDamaged:
        return {}  # the prescription is shown all the same; the check before dispensing names the damage


def _beside(path: Path) -> Path:
    return path.with_name(path.stem + _SUPPLEMENT)


def _mark(path: Path) -> tuple[int, ...]:
    marks = [path.stat()]
    if _beside(path).is_file():
        marks.append(_beside(path).stat())
    return tuple(value for each in marks for value in (each.st_mtime_ns, each.st_size))


def _safe(number: str) -> str:
    """A file name from a prescription number, which may hold anything; two numbers never share one."""
    plain = re.sub(r"[^0-9A-Za-z-]", "_", number)[:60]
    return plain if plain == number else f"{plain}-{hashlib.sha256(number.encode()).hexdigest()[:8]}"


def _name(number: str, fill: int | None) -> str:
    return f"{_safe(number)}.{fill or 1}.json"
