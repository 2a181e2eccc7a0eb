"""Which files a batch has, in an order that does not depend on the file system: the plan.

Every file that is met becomes one entry, also those that are left alone, so that the numbers at the end add up.
"""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nhirx.batch import archives, remote
from nhirx.errors import FileMissing, FileUnreadable, NhirxError


@dataclass(frozen=True, slots=True)
class Entry:
    """One file. ``path`` names it for people (``a.zip!/b.pdf`` inside an archive); ``file`` and ``inside``, the indexes of the
    members on the way, find it. ``skipped`` says why it is left alone, ``error`` why it cannot be read (code, zh, en)."""

    number: int
    path: str
    file: str
    inside: tuple[int, ...] = ()
    skipped: str | None = None
    error: dict[str, str] | None = None
    size: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "n": self.number,
            "path": self.path,
            "file": self.file,
            "inside": list(self.inside),
            "skipped": self.skipped,
            "error": self.error,
            "size": self.size,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Entry:
        return cls(
            value["n"],
            value["path"],
            value["file"],
            tuple(value["inside"]),
            value["skipped"],
            value["error"],
            value.get("size", 0),
        )


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    file: str
    inside: tuple[int, ...] = ()
    skipped: str | None = None
    error: NhirxError | None = None
    size: int = 0


def place_of(name: str) -> str:
    """``name`` as it is called from everywhere: an address stays, a path becomes absolute and keeps its links."""
    return name if remote.is_remote(name) else os.path.abspath(name)  # noqa: PTH100 - it may be a pattern


def entries(
    sources: Iterable[str], *, leave_out: Path | None = None, wanted: Callable[[Path], bool] = lambda _: True
) -> Iterator[Entry]:
    """All files of ``sources`` (folders with what is below them, patterns, files, zip archives, addresses) in order.

    Files of this machine that are not ``wanted`` are passed over and do not count. ``leave_out`` is a folder that is not
    entered: the results may be written below the source. Raises ``FileMissing`` when a source is not there or a pattern fits
    nothing, ``FileUnreadable`` when a store refuses its list; whatever goes wrong later is an entry with ``error``.
    """
    number = 0
    for source in sources:
        roots = [None] if remote.is_remote(source) else _roots(source)
        for root in roots:
            for found in _elsewhere(source) if root is None else _below(root, leave_out, wanted):
                told = None if found.error is None else {"code": found.error.code, "zh": found.error.zh, "en": found.error.en}
                yield Entry(number, found.path, place_of(found.file), found.inside, found.skipped, told, found.size)
                number += 1


def _roots(source: str) -> list[str]:
    if os.path.lexists(source):
        return [source]
    # Only what names no file is a pattern: brackets are common in the names of scans.
    found = sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - the pattern may be absolute
    if not found:
        raise FileMissing(path=source, problem="missing")
    return found


def _elsewhere(source: str) -> Iterator[_Found]:
    """Files of a store. One that was asked for by its own name is never skipped."""
    found = remote.find(source)
    alone = [source] == [address for address, _ in found]
    for address, size in found:
        name = remote.name_of(address)
        if name.startswith(".") and not alone:
            yield _Found(address, address, skipped="hidden")
            continue
        try:
            # A listing of a million files stays a listing: only a name that says nothing has its first bytes fetched.
            head = b"" if alone or _picture(name, b"") or archives.is_archive(name, b"") else remote.head(address)
            if archives.is_archive(name, head):
                with tempfile.TemporaryDirectory(prefix="nhirx-") as folder:
                    whole = Path(folder, "remote.zip")
                    remote.fetch(address, whole)
                    yield from _archive(whole, address, address, ())
            else:
                skipped = None if alone or _picture(name, head) else "not-a-picture"
                yield _Found(address, address, skipped=skipped, size=size)
        except FileUnreadable as error:
            yield _Found(address, address, error=error)


def _below(root: str, leave_out: Path | None, wanted: Callable[[Path], bool]) -> Iterator[_Found]:
    if not os.path.isdir(root):  # noqa: PTH112 - the name may hold bytes that are no text
        if wanted(Path(root)):
            yield from _file(Path(root))
        return
    broken: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=broken.append):
        for error in broken:
            yield _folder_error(error, folder)
        broken.clear()
        for name in sorted(name for name in folders if Path(folder, name).is_symlink()):
            # Not followed: it may lead around in a circle or out of the source.
            yield _Found(str(Path(folder, name)), str(Path(folder, name)), skipped="not-a-file")
        folders[:] = sorted(name for name in folders if not _is(leave_out, Path(folder, name)))
        for name in sorted(names):
            if wanted(Path(folder, name)):
                yield from _file(Path(folder, name), below=root)
    for error in broken:
        yield _folder_error(error, root)


def _is(leave_out: Path | None, folder: Path) -> bool:
    try:
        return leave_out is not None and folder.samefile(leave_out)
    except OSError:
        return False


def _folder_error(error: OSError, folder: str) -> _Found:
    path = str(error.filename or folder)
    return _Found(path, path, error=FileUnreadable(path=path, problem=error.strerror or type(error).__name__))


def _file(path: Path, *, below: str | None = None) -> Iterator[_Found]:
    """A file that was asked for by its own name (``below`` is None) is never skipped: if it is no picture, that is an error."""
    shown = str(path)
    if below is not None and any(part.startswith(".") for part in path.relative_to(below).parts):
        yield _Found(shown, shown, skipped="hidden")
        return
    if below is not None and not os.path.lexists(path):
        # Listed a moment ago: taken away, or renamed, which may show it under its new name, too.
        yield _Found(shown, shown, error=FileMissing(path=shown, problem="missing"))
        return
    if below is not None and not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises where nothing may be looked up
        # A link that leads nowhere, a pipe, a device: nothing that may be opened.
        yield _Found(shown, shown, skipped="not-a-file")
        return
    try:
        with path.open("rb") as file:
            head = file.read(1024)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        problem = FileUnreadable(path=shown, problem=error.strerror or type(error).__name__)
        yield _Found(shown, shown, error=problem)
        return
    if archives.is_archive(path.name, head):
        yield from _archive(path, shown, shown, ())
    else:
        yield _Found(shown, shown, skipped=None if below is None or _picture(path.name, head) else "not-a-picture", size=size)


def _picture(name: str, head: bytes) -> bool:
    """A file with the suffix of a picture counts as one even if it is empty or broken: its sender meant it."""
    from nhirx_scanner import images

    return Path(name).suffix.lower() in images.SUFFIXES or images.kind_of(head) is not None


def _archive(path: Path, shown: str, file: str, inside: tuple[int, ...]) -> Iterator[_Found]:
    some = False
    try:
        for member in archives.members(path, shown, depth=len(inside) + 1):
            some = True
            name = f"{shown}!/{member.name}"
            place = (*inside, member.index)
            base = member.name.replace("\\", "/").rsplit("/", 1)[-1]
            if member.error is not None:
                yield _Found(name, file, place, error=member.error)
            elif base.startswith(".") or member.name.startswith("__MACOSX/"):
                yield _Found(name, file, place, skipped="hidden")
            elif archives.is_archive(base, member.head):
                yield from _nested(path, member.index, name, file, place)
            else:
                yield _Found(
                    name, file, place, skipped=None if _picture(base, member.head) else "not-a-picture", size=member.size
                )
    except NhirxError as error:
        yield _Found(shown, file, inside, error=error)
        return
    if not some:
        yield _Found(shown, file, inside, skipped="empty-archive")


def _nested(outer: Path, index: int, shown: str, file: str, place: tuple[int, ...]) -> Iterator[_Found]:
    with tempfile.TemporaryDirectory(prefix="nhirx-") as folder:
        inner = Path(folder, "inner.zip")
        try:
            archives.unpack(outer, index, inner, shown)
        except NhirxError as error:
            yield _Found(shown, file, place, error=error)
            return
        yield from _archive(inner, shown, file, place)
