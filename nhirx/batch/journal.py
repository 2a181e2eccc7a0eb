"""What a batch has done so far, on disk: a batch that is killed loses at most the pages that were being read.

Files of ``OUT/work``: ``settings.json`` (what was asked for), ``plan.jsonl`` (an entry a line, there only when complete) and
``pages.jsonl``, to which every finished page is added in the order of finishing. A line of the latter is one of

* ``{"n", "page", "scan", "picture", "ms"}`` — page ``page`` of entry ``n`` is done,
* ``{"n", "count"}`` — entry ``n`` has that many pages and they are read in pieces,
* ``{"n", "end"}`` — entry ``n`` is done; it has ``end`` pages.

A line that was cut off by the end of the process is taken away at the next start. Memory holds a few bytes a page.
"""

from __future__ import annotations

import json
import os
import time
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from nhirx.batch.source import Entry
from nhirx.errors import BatchExists, StoreDamaged

_SYNC_SECONDS = 5.0


def line(value: dict[str, Any]) -> bytes:
    """``value`` as one line of JSON, UTF-8; file names with bytes that are no text are written as escapes."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(", ", ": ")).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(value, separators=(", ", ": ")).encode() + b"\n"


class Numbers:
    """A set of numbers from 0, one bit each: a set of Python's own takes five hundred times as much for a million entries."""

    def __init__(self) -> None:
        self._bits, self._count = bytearray(), 0

    def add(self, number: int) -> None:
        place, bit = number >> 3, 1 << (number & 7)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits)))
        self._count += not self._bits[place] & bit
        self._bits[place] |= bit

    def __contains__(self, number: int) -> bool:
        place = number >> 3
        return place < len(self._bits) and bool(self._bits[place] & 1 << (number & 7))

    def __len__(self) -> int:
        return self._count


@dataclass(slots=True)
class Done:
    """What the journal says is done: the entries that ended, and for those begun their pages and, if known, their number."""

    ended: Numbers = field(default_factory=Numbers)
    pages: dict[int, set[int]] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    total: int = 0

    def take(self, record: dict[str, Any]) -> None:
        number = record["n"]
        if "scan" in record:
            self.total += 1
            self.pages.setdefault(number, set()).add(record["page"])
        elif "count" in record:
            self.counts[number] = record["count"]
        else:
            self.ended.add(number)
            self.pages.pop(number, None)
            self.counts.pop(number, None)


class Journal:
    """The folder ``OUT/work``. Use ``lock`` first: two runs over one folder would mix their pages."""

    def __init__(self, out: Path) -> None:
        self.folder = out / "work"
        self.plan, self.pages, self.settings = (self.folder / name for name in ("plan.jsonl", "pages.jsonl", "settings.json"))
        self._file: BinaryIO | None = None
        self._lock: Any = None
        self._synced = 0.0

    def lock(self) -> None:
        """Raises ``BatchExists`` while another run works in the folder. The lock ends with the process, however that ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("a+b")
        try:
            lock_file(self._lock)
        except OSError:
            self._lock.close()
            raise BatchExists(path=str(self.folder.parent), problem="in use by another run 另一個批次正在使用") from None

    def write_plan(self, entries: Iterable[Entry]) -> None:
        """The plan appears at once and whole."""
        new = self.plan.with_suffix(".new")
        with new.open("wb") as file:
            for entry in entries:
                file.write(line(entry.as_json()))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.plan)

    def entries(self) -> Iterator[Entry]:
        with self.plan.open("rb") as file:
            for text in file:
                yield Entry.from_json(json.loads(text))

    def open(self) -> Done:
        """Make ready for adding: what is done is read, a line cut short is taken away. Raises ``StoreDamaged``."""
        done, good = Done(), 0
        if self.pages.exists():
            with self.pages.open("rb") as file:
                for text in file:
                    if not text.endswith(b"\n"):
                        break
                    try:
                        done.take(json.loads(text))
                    except (ValueError, KeyError, TypeError):
                        raise StoreDamaged(
                            zh=f"批次紀錄 {self.pages} 已損壞（位元組 {good}）。請換一個輸出資料夾重新執行。",
                            en=f"The journal {self.pages} of the batch is damaged (byte {good}). Run it again into another folder.",
                            path=str(self.pages), problem=f"byte {good}",
                        ) from None  # fmt: skip
                    good += len(text)
            os.truncate(self.pages, good)
        self._file = self.pages.open("ab", buffering=0)
        return done

    def add(self, record: dict[str, Any]) -> None:
        assert self._file is not None  # noqa: S101 - open() comes first
        rest = line(record)
        while rest:  # an unbuffered write may take less than all
            rest = rest[self._file.write(rest) or 0 :]
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._lock is not None:
            self._lock.close()

    def in_order(self) -> Iterator[dict[str, Any]]:
        """The page records by entry and page, each page once whatever the journal holds."""
        import numpy as np

        numbers, pages, places = array("I"), array("I"), array("Q")
        place = 0
        with self.pages.open("rb") as file:
            for text in file:
                record = json.loads(text)
                if "scan" in record:
                    numbers.append(record["n"])
                    pages.append(record["page"])
                    places.append(place)
                place += len(text)
            # One number holds entry and page, so that they are sorted without copies of each; a stable sort keeps the first of a page.
            keys = np.frombuffer(numbers, np.uint32).astype(np.uint64) << np.uint64(32) if numbers else np.empty(0, np.uint64)
            if numbers:
                keys |= np.frombuffer(pages, np.uint32)
            order = np.argsort(keys, kind="stable")
            last = None
            for index in map(int, order):
                key = (numbers[index], pages[index])
                if key != last:
                    file.seek(places[index])
                    yield json.loads(file.readline())
                last = key


def lock_file(file: Any) -> None:
    """Raises ``OSError`` while another process holds it; the lock ends with the file, and with the process."""
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
