"""The simulator's memory on disk: one JSON line per event, forced to the disk before the answer goes out.

It is what a fault test compares with: every number issued and every record taken, whatever became of the answer. In memory
there is only where the last word about each record stands in the file, so a long run stays small.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

Event = dict[str, Any]


class Ledger:
    """Append-only. Events: ``institution``, ``issued``, ``rolled-back``, ``orders``, ``upload``, ``updated``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.institutions: list[str] = []
        self._last: dict[str, tuple[int, str]] = {}
        self._uploads: dict[str, int] = {}
        self._lock = threading.Lock()
        self._file: BinaryIO = path.open("a+b")
        self._repair()
        self._size = 0
        for event, at in self._lines():
            if event["event"] == "institution":
                self.institutions.append(event["code"])
            self._index(event, at)
        self._size = self._file.seek(0, os.SEEK_END)

    def append(self, event: Event) -> None:
        """Write ``event`` and return when it is on the disk."""
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._index(event, self._size)
            self._size += len(line)

    def close(self) -> None:
        with self._lock:
            self._file.close()

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def events(self, kind: str | None = None) -> Iterator[Event]:
        """All events in order, or those of one kind, read from the file as it is now."""
        for event, _ in self._lines():
            if kind is None or event["event"] == kind:
                yield event

    def issued(self) -> dict[str, Event]:
        """Every visit number given out, by visit ID, with ``rolled_back`` where it was taken back."""
        numbers: dict[str, Event] = {}
        for event in self.events():
            if event["event"] == "issued":
                numbers[event["visit_id"]] = event | {"rolled_back": False}
            elif event["event"] == "rolled-back" and event["visit_id"] in numbers:
                numbers[event["visit_id"]]["rolled_back"] = True
        return numbers

    def records(self, mode: str | None = None) -> dict[str, Event]:
        """The last word about every record sent, by visit ID: ``state`` accepted, rejected or deleted, and its content.

        ``versions`` counts how often it was accepted, ``rejections`` how often not. ``mode`` keeps one upload type only.
        """
        seen: dict[str, Event] = {}
        for event in self.events("upload"):
            if mode is not None and event["mode"] != mode:
                continue
            for record in event["records"]:
                before = seen.get(record["visit_id"], {"versions": 0, "rejections": 0})
                accepted = record["state"] != "rejected"
                # A rejected correction leaves the accepted record as it was.
                keeps = not accepted and before.get("state") == "accepted"
                base = before if keeps else record | {"opcode": event["opcode"], "mode": event["mode"], "at": event["at"]}
                seen[record["visit_id"]] = base | {
                    "versions": before["versions"] + accepted,
                    "rejections": before["rejections"] + (not accepted),
                }
        return seen

    def state_of(self, visit_id: str) -> str | None:
        """``accepted`` or ``deleted`` by the formal uploads so far, None when none was accepted."""
        last = self._last.get(visit_id)
        return None if last is None else last[1]

    def upload(self, opcode: str) -> Event | None:
        """The upload with this receipt."""
        at = self._uploads.get(opcode)
        return None if at is None else self._at(at)

    def summary(self) -> Event:
        """Figures for people: how many issued, accepted, deleted; uploads."""
        states = [state for _, state in self._last.values()]
        return {
            "issued": sum(1 for _ in self.events("issued")),
            "accepted": states.count("accepted"),
            "deleted": states.count("deleted"),
            "uploads": len(self._uploads),
        }

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _index(self, event: Event, at: int) -> None:
        if event["event"] == "upload":
            self._uploads[event["opcode"]] = at
            if event.get("kept"):
                for record in event["records"]:
                    if record["state"] != "rejected":
                        self._last[record["visit_id"]] = (at, record["state"])

    def _at(self, at: int) -> Event:
        with self.path.open("rb") as file:
            file.seek(at)
            event: Event = json.loads(file.readline())
            return event

    def _lines(self) -> Iterator[tuple[Event, int]]:
        at = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                yield json.loads(line), at
                at += len(line)

    def _repair(self) -> None:
        """Drop a last line that a killed process left half written: its answer never went out."""
        content = self.path.stat().st_size
        if not content:
            return
        with self.path.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) == b"\n":
                return
            at = content
            while at:
                step = min(at, 65536)
                file.seek(at - step)
                found = file.read(step).rfind(b"\n")
                if found >= 0:
                    file.truncate(at - step + found + 1)
                    return
                at -= step
            file.truncate(0)
