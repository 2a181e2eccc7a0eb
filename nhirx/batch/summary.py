"""The numbers of a batch, and which pages are there twice."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from nhirx.batch.source import Entry

NAMED = 1000
"""So many skipped files and groups of duplicates are named in ``summary.json``; the duplicates are all in the tables."""


class Twice:
    """Pages with the visit ID or the picture of an earlier page.

    Two passes: the first keeps eight bytes a key to learn what occurs again, and only that is kept in full in the second.
    A picture is known by the bytes of its file and its page; the same sheet scanned twice is not the same picture.
    """

    def __init__(self, records: Iterable[dict[str, Any]]) -> None:
        import numpy as np

        keys = array("Q")
        for record in records:
            keys.extend(_short(key) for key in _keys(record))
        if keys:
            found = np.frombuffer(keys, np.uint64)
            found.sort()  # in its place: there may be a hundred million
            again = found[1:][found[1:] == found[:-1]]
        self._again = frozenset(map(int, again)) if keys else frozenset[int]()
        self._first: dict[str, dict[str, Any]] = {}

    def of(self, record: dict[str, Any]) -> dict[str, Any]:
        """``same_visit_id_as`` and ``same_picture_as``: the first page with it, or None. To be asked in the order of the pages."""
        told: dict[str, Any] = {"same_visit_id_as": None, "same_picture_as": None}
        here = {"path": record["scan"]["path"], "page": record["scan"]["page"]}
        for key in _keys(record):
            if _short(key) in self._again and (first := self._first.setdefault(key, here)) is not here:
                member = "same_picture_as" if key.startswith("picture") else "same_visit_id_as"
                told[member] = told[member] or first
        return told


def _keys(record: dict[str, Any]) -> Iterator[str]:
    scan = record["scan"]
    for visit_id in scan["visit_ids"]:
        yield f"id {visit_id}"
    if record["picture"] is not None and scan["status"] != "error":
        yield f"picture {record['picture']} {scan['page']}"


def _short(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest())


class Summary:
    """Counts while the pages go by."""

    def __init__(self) -> None:
        self._pages: Counter[str] = Counter()
        self._confidence: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._review: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._named: list[dict[str, str]] = []
        self._files: Counter[str] = Counter()
        self._file: tuple[int, bool] | None = None
        self._twice: dict[str, list[dict[str, Any]]] = {"same_visit_id_as": [], "same_picture_as": []}
        self._twice_pages: Counter[str] = Counter()

    def skip(self, entry: Entry) -> None:
        why = entry.skipped or ""
        self._skipped[why] += 1
        self._files["skipped"] += 1
        if len(self._named) < NAMED:
            self._named.append({"path": entry.path, "why": why})

    def take(self, entry: Entry, scan: dict[str, Any]) -> None:
        """A page; those of one entry come in a row."""
        good = scan["status"] in ("found", "several")
        if self._file is None or self._file[0] != entry.number:
            self._close_file()
            self._file = (entry.number, good)
        self._file = (entry.number, self._file[1] or good)
        self._pages[scan["status"]] += 1
        self._reasons.update(scan["reasons"])
        if scan["confidence"]:
            self._confidence[scan["confidence"]] += 1
        if "error" in scan:
            self._errors[scan["error"]["code"]] += 1
        if scan["review"]:
            self._review[scan["review"]["why"]] += 1
        for member, groups in self._twice.items():
            if scan[member] is not None:
                self._twice_pages[member] += 1
                if len(groups) < NAMED:
                    groups.append({"path": scan["path"], "page": scan["page"], "as": scan[member]})

    def _close_file(self) -> None:
        if self._file is not None:
            self._files["found" if self._file[1] else "failed"] += 1
            self._file = None

    def told(self, sources: tuple[str, ...]) -> dict[str, Any]:
        """The content of ``summary.json``."""
        self._close_file()
        pages = sum(self._pages.values())
        found = self._pages["found"] + self._pages["several"]
        skipped = self._files["skipped"]
        return {
            "sources": list(sources),
            "seen": pages + skipped,
            "found": found,
            "failed": pages - found,
            "skipped": skipped,
            "pages": pages,
            "by_status": _sorted(self._pages),
            "by_confidence": _sorted(self._confidence),
            "reasons": _sorted(self._reasons),
            "errors": _sorted(self._errors),
            "review": _sorted(self._review),
            "files": {"seen": sum(self._files.values()), **{name: self._files[name] for name in ("found", "failed", "skipped")}},
            "skipped_why": _sorted(self._skipped),
            "skipped_files": self._named,
            "duplicates": {
                "visit_id": {"pages": self._twice_pages["same_visit_id_as"], "named": self._twice["same_visit_id_as"]},
                "picture": {"pages": self._twice_pages["same_picture_as"], "named": self._twice["same_picture_as"]},
            },
        }


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}
