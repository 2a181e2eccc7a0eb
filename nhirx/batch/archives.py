"""Zip archives: what is inside, and one member of it as a file. Sizes are judged before anything is unpacked.

zipfile never gives out more than the size that the directory of the archive states, so that the stated sizes are limits.
"""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from nhirx.errors import ArchiveRefused, FileMissing, NhirxError

MAX_DEPTH = 3
"""An archive in an archive in an archive; one more is refused."""
MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 1_000_000_000
MAX_RATIO = 200
"""How many times larger than itself an archive may become, once it becomes larger than ``FREE_BYTES``."""
FREE_BYTES = 500_000_000
_UTF8_FLAG, _ENCRYPTED = 0x800, 0x1

# What zipfile raises on archives that somebody broke, beside its own.
_BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: ``index`` in its directory (names may repeat), ``name`` for people, ``error`` if it is not to be read."""

    index: int
    name: str
    size: int
    head: bytes = b""
    error: NhirxError | None = None


def is_archive(name: str, head: bytes) -> bool:
    """By the suffix (a broken archive still has to be accounted for as one), or by the first bytes when there is no suffix.

    Office documents are archives, too, and are not meant.
    """
    suffix = PurePath(name).suffix.lower()
    return suffix == ".zip" or (not suffix and head.startswith(b"PK\x03\x04"))


def members(path: Path, shown: str, *, depth: int = 1) -> Iterator[Member]:
    """The files in the archive in the order of its directory. Raises ``ArchiveRefused``; ``shown`` is its name in messages."""
    if depth > MAX_DEPTH:
        raise ArchiveRefused(path=shown, problem=f"nested deeper than {MAX_DEPTH}")
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            _refuse_bomb(infos, path.stat().st_size, shown)
            for index, info in enumerate(infos):
                if not info.is_dir():
                    yield _member(archive, index, info, shown)
    except FileNotFoundError:
        raise FileMissing(path=shown, problem="missing") from None
    except _BROKEN as error:
        raise ArchiveRefused(path=shown, problem=_kind(error)) from None


def _refuse_bomb(infos: list[zipfile.ZipInfo], packed: int, shown: str) -> None:
    total = sum(info.file_size for info in infos)
    if len(infos) > MAX_MEMBERS:
        raise ArchiveRefused(path=shown, problem=f"{len(infos)} files")
    if total > FREE_BYTES and total > MAX_RATIO * max(1, packed):
        raise ArchiveRefused(path=shown, problem=f"{packed} → {total} bytes")


def _member(archive: zipfile.ZipFile, index: int, info: zipfile.ZipInfo, shown: str) -> Member:
    name = name_of(info)
    where = f"{shown}!/{name}"
    if info.flag_bits & _ENCRYPTED:
        return Member(index, name, info.file_size, error=ArchiveRefused(path=where, problem="password"))
    if info.file_size > MAX_MEMBER_BYTES:
        return Member(index, name, info.file_size, error=ArchiveRefused(path=where, problem=f"{info.file_size} bytes"))
    try:
        with archive.open(info) as file:
            return Member(index, name, info.file_size, head=file.read(1024))
    except _BROKEN as error:
        return Member(index, name, info.file_size, error=ArchiveRefused(path=where, problem=_kind(error)))


def name_of(info: zipfile.ZipInfo) -> str:
    """The member's name. Without the flag that says UTF-8 it may be UTF-8 all the same (macOS) or Big5 (Windows in Taiwan)."""
    if info.flag_bits & _UTF8_FLAG:
        return info.filename
    raw = info.orig_filename.encode("cp437", "surrogateescape")
    for encoding in ("utf-8", "cp950"):
        try:
            return raw.decode(encoding).split("\0")[0]
        except UnicodeDecodeError:
            continue
    return info.filename


def unpack(path: Path, index: int, target: Path, shown: str) -> None:
    """Member ``index`` of the archive as the file ``target``. Raises ``ArchiveRefused``; a full disk is an ``OSError``."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise FileMissing(path=shown, problem="missing") from None
    except _BROKEN as error:
        raise ArchiveRefused(path=shown, problem=_kind(error)) from None
    with archive:
        try:
            source = archive.open(archive.infolist()[index])
        except (*_BROKEN, IndexError) as error:
            raise ArchiveRefused(path=shown, problem=_kind(error)) from None
        with source, target.open("wb") as file:
            try:
                shutil.copyfileobj(source, file, 1 << 20)
            except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
                raise ArchiveRefused(path=shown, problem=_kind(error)) from None


def _kind(error: Exception) -> str:
    return "damaged" if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError) else type(error).__name__
