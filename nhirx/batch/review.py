"""What a person decides about the pages that a batch could not settle: the list, the decisions, and both put together.

``results.jsonl`` is never touched. Decisions are lines of ``OUT/decisions.jsonl``, each on the disk before it is answered; the last
one of a page holds. A line that a sudden end cut off was never answered, and the next writer takes it away.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nhirx.batch.full import is_full
from nhirx.batch.journal import line, lock_file
from nhirx.errors import DiskFull, FileMissing, InvalidValue, StoreDamaged, StoreError, StoreReadOnly, ThingMissing
from nhirx.identifiers import VisitId, parse_printed

DECISIONS = ("visit-id", "no-id", "illegible", "not-prescription", "later")
"""``later`` leaves the page open. ``illegible`` is declared, with a cause."""
CAUSES = ("blurred", "damaged", "cropped", "faint", "reader", "other")
FILE = "decisions.jsonl"
_LOCK_SECONDS = 15.0
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Item:
    """A page of the list. ``name`` is that of its picture in ``review/``; ``why`` a key of ``words.REVIEW`` or ``several``."""

    name: str
    why: str
    path: str
    page: int
    place: int


class Review:
    """The list of the batch in ``out``. May be used from several threads, and by several programs at once.

    Raises ``FileMissing`` when there are no results, ``StoreDamaged`` when results or decisions cannot be read.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self._guard = threading.RLock()
        self._stamp: tuple[int, int] | None = None
        self._items: dict[str, Item] = {}
        self._by_place: dict[int, Item] = {}
        self._pages = 0
        self._keys, self._places = array("Q"), array("Q")
        self._decided: dict[str, dict[str, Any]] = {}
        self._read = 0
        self._fresh()

    # ── what there is ─────────────────────────────────────────────────────────────────────────────────────────────────

    def items(self) -> list[Item]:
        with self._guard:
            self._fresh()
            return list(self._items.values())

    def scan(self, name: str) -> dict[str, Any]:
        """The line of ``results.jsonl``. Raises ``ThingMissing``."""
        with self._guard:
            return self._line(self._item(name).place)

    def decision(self, name: str) -> dict[str, Any] | None:
        """The last decision, or None. One that was made of another page of that name does not count."""
        with self._guard:
            self._fresh()
            return self._decision_of(self._item(name))

    def picture(self, name: str) -> Path | None:
        """The page's picture in ``review/``."""
        self._item(name)
        return next((path for path in (self.out / "review" / f"{name}{end}" for end in (".jpg", ".png")) if path.is_file()), None)

    def same(self, name: str, visit_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Other pages with one of ``visit_ids``, as ``{"path", "page"}``: read by the batch, or decided."""
        with self._guard:
            self._fresh()
            mine = self._item(name)
            found: list[dict[str, Any]] = []
            for visit_id in visit_ids:
                for place in self._with(visit_id):
                    scan = self._line(place)
                    other = self._by_place.get(place)
                    told = self._decision_of(other) if other is not None else None
                    # A page that was decided otherwise does not hold it any more.
                    holds = scan["visit_ids"] if told is None or told["decision"] == "later" else told["visit_ids"]
                    if place != mine.place and visit_id in holds:
                        found.append({"path": scan["path"], "page": scan["page"]})
                for other_name, told in self._decided.items():
                    item = self._items.get(other_name)
                    if item is None or item.name == name or visit_id not in told["visit_ids"] or self._decision_of(item) is None:
                        continue
                    found.append({"path": item.path, "page": item.page})
            return [one for place, one in enumerate(found) if one not in found[:place]][:_NAMED]

    def state(self) -> dict[str, Any]:
        """``pages``, ``review``, ``open``, ``by_decision`` (pages), ``out``."""
        with self._guard:
            self._fresh()
            counted = Counter(told["decision"] for item in self._items.values() if (told := self._decision_of(item)) is not None)
            decided = sum(count for name, count in counted.items() if name != "later")
            return {
                "out": str(self.out),
                "pages": self._pages,
                "review": len(self._items),
                "open": len(self._items) - decided,
                "by_decision": {name: counted[name] for name in DECISIONS if counted[name]},
            }

    def merged(self) -> Iterator[dict[str, Any]]:
        """Every line of the results with ``decision`` (or null) and ``visit_ids_final``: null while a person has yet to decide."""
        names = {item.place: item for item in self.items()}
        for place, scan in _lines(self.out / "results.jsonl"):
            item = names.get(place)
            told = None if item is None else self._decision_of(item)
            final = scan["visit_ids"] if item is None else None
            if told is not None and told["decision"] != "later":
                final = told["visit_ids"]
            yield scan | {"decision": told, "visit_ids_final": final}

    # ── deciding ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def decide(
        self,
        name: str,
        decision: str,
        *,
        by: str,
        at: datetime,
        visit_ids: Sequence[str] = (),
        cause: str | None = None,
        note: str | None = None,
    ) -> dict[str, Any]:
        """Keep a decision and answer it as it stands on the disk. IDs are repaired and checked as typed ones are.

        Raises ``InvalidValue``, ``ThingMissing`` for a page that is not on the list, ``DiskFull``, ``StoreReadOnly``.
        """
        item = self._item(name)
        if decision not in DECISIONS:
            raise InvalidValue(what="decision", problem=" | ".join(DECISIONS))
        if (decision == "visit-id") != bool(visit_ids):
            raise InvalidValue(what="visit_id", problem="只在決定為 visit-id 時填 / goes with the decision visit-id")
        if (decision == "illegible") != (cause is not None) or cause not in (None, *CAUSES):
            raise InvalidValue(what="cause", problem="illegible: " + " | ".join(CAUSES))
        told = {
            "name": item.name,
            "path": item.path,
            "page": item.page,
            "decision": decision,
            "visit_ids": list(dict.fromkeys(_checked(text) for text in visit_ids)),
            "cause": cause,
            "note": note or None,
            "by": by,
            "at": at.isoformat(timespec="seconds"),
        }
        with self._guard:
            self._append(line(told))
            self._fresh()
        return told

    def _append(self, data: bytes) -> None:
        path = self.out / FILE
        try:
            with self._alone(), path.open("ab+", buffering=0) as file:
                end = file.seek(0, os.SEEK_END)
                whole = _whole_lines(file, end)
                if whole != end:
                    file.truncate(whole)
                try:
                    rest = data
                    while rest:  # an unbuffered write may take less than all
                        rest = rest[file.write(rest) or 0 :]
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(whole)
                    raise
            _sync_folder(self.out)
        except OSError as error:
            if is_full(error):
                raise DiskFull from error
            raise StoreReadOnly(path=str(path), problem=error.strerror or type(error).__name__) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time, of all programs."""
        until = time.monotonic() + _LOCK_SECONDS
        with (self.out / f"{FILE}.lock").open("a+b") as file:
            while True:
                try:
                    lock_file(file)
                    break
                except OSError:
                    if time.monotonic() > until:
                        raise StoreError(problem=f"{FILE}.lock") from None
                    time.sleep(0.02)
            yield

    # ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _item(self, name: str) -> Item:
        with self._guard:
            if (item := self._items.get(name)) is None:
                raise ThingMissing(what="清單上的這一頁 / such page on the review list")
            return item

    def _decision_of(self, item: Item) -> dict[str, Any] | None:
        told = self._decided.get(item.name)
        return told if told is not None and (told["path"], told["page"]) == (item.path, item.page) else None

    def _fresh(self) -> None:
        """Read what is new: the results when they were written again, the decisions from where the last look ended."""
        path = self.out / "results.jsonl"
        try:
            known = path.stat()
        except OSError:
            raise FileMissing(path=str(path), problem="not a finished batch") from None
        if self._stamp != (known.st_mtime_ns, known.st_size):
            self._load(path)
            self._stamp = (known.st_mtime_ns, known.st_size)
        file = self.out / FILE
        size = file.stat().st_size if file.exists() else 0
        if size < self._read:
            self._decided, self._read = {}, 0
        if size > self._read:
            for place, told in _lines(file, self._read):
                if set(told) >= {"name", "path", "page", "decision", "visit_ids"}:
                    self._decided[told["name"]] = told
                self._read = place + told["_bytes"]
                del told["_bytes"]

    def _load(self, path: Path) -> None:
        self._items, self._pages = {}, 0
        keys, places = array("Q"), array("Q")
        for number, (place, scan) in enumerate(_lines(path), 1):
            self._pages = number
            for visit_id in scan["visit_ids"]:
                keys.append(_short(visit_id))
                places.append(place)
            if scan["review"] is not None:
                why, name = scan["review"]["why"], scan["review"]["name"]
            elif scan["status"] == "several":
                why, name = "several", f"{number:07d}-several"
            else:
                continue
            self._items[name] = Item(name, why, scan["path"], scan["page"], place)
        order = sorted(range(len(keys)), key=keys.__getitem__)
        self._keys, self._places = array("Q", (keys[at] for at in order)), array("Q", (places[at] for at in order))
        self._by_place = {item.place: item for item in self._items.values()}

    def _with(self, visit_id: str) -> Iterator[int]:
        """Where the lines stand that hold it (or, once in a very long time, another one)."""
        key = _short(visit_id)
        at = bisect_left(self._keys, key)
        while at < len(self._keys) and self._keys[at] == key:
            yield self._places[at]
            at += 1

    def _line(self, place: int) -> dict[str, Any]:
        with (self.out / "results.jsonl").open("rb") as file:
            file.seek(place)
            scan: dict[str, Any] = json.loads(file.readline())
            return scan


def _checked(text: str) -> str:
    value, _ = parse_printed(text)
    if not isinstance(value, VisitId):
        raise InvalidValue(what="就醫識別碼 (visit ID)", problem="這是替代值 / this is a placeholder")
    return value.value


def _lines(path: Path, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Whole lines from ``start`` on, with where each begins; of the decisions also how long it is (``_bytes``)."""
    counted = path.name == FILE
    with path.open("rb") as file:
        place = file.seek(start)
        for text in file:
            if not text.endswith(b"\n"):
                return
            try:
                value = json.loads(text)
                if not isinstance(value, dict):
                    raise TypeError
            except (ValueError, TypeError):
                raise StoreDamaged(path=str(path), problem=f"byte {place}") from None
            yield place, value | {"_bytes": len(text)} if counted else value
            place += len(text)


def _whole_lines(file: Any, end: int) -> int:
    """Where the last whole line ends."""
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        if (found := file.read(end - start).rfind(b"\n")) >= 0:
            return int(start + found + 1)
        end = start
    return 0


def _sync_folder(folder: Path) -> None:
    """A new file's name is on the disk as well. Windows neither needs nor allows it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _short(visit_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(visit_id.encode(), digest_size=8).digest())
