"""The simulator's memory on disk: one JSON line per event, forced to the disk before the answer goes out.

It is what a fault test compares with: every number issued and every record taken, whatever became of the answer. Nothing of it
is kept in memory; what a request needs to know is looked up in the file from its end, so a run of any length stays small.
"""

from __future__ import annotations

import json
import mmap
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
        self.counts: dict[str, int] = {}
        """Events of each kind so far."""
        self._lock = threading.Lock()
        self._file: BinaryIO = path.open("a+b")
        self._repair()
        for event in self.events():
            self._count(event)
            if event["event"] == "institution":
                self.institutions.append(event["code"])

    def append(self, event: Event) -> None:
        """Write ``event`` and return when it is on the disk."""
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._count(event)

    def close(self) -> None:
        with self._lock:
            self._file.close()

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def events(self, kind: str | None = None) -> Iterator[Event]:
        """All events in order, or those of one kind, read from the file as it is now."""
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return  # being written at this moment
                event: Event = json.loads(line)
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
        for event in self._back(visit_id):
            if event["event"] == "upload" and event["kept"]:
                for record in reversed(event["records"]):
                    if record["visit_id"] == visit_id and record["state"] != "rejected":
                        return str(record["state"])
        return None

    def upload(self, opcode: str) -> Event | None:
        """The upload with this receipt."""
        return next((event for event in self._back(opcode) if event["event"] == "upload" and event["opcode"] == opcode), None)

    def number(self, card_number: str, visited_at: str) -> Event | None:
        """The number that was issued to this card at this time (ISO 8601)."""
        for event in self._back(visited_at):
            if event["event"] == "issued" and event.get("card_number") == card_number and event["visited_at"] == visited_at:
                return event
        return None

    def is_rolled_back(self, visit_id: str) -> bool:
        return any(event["event"] == "rolled-back" for event in self._back(visit_id))

    def summary(self) -> Event:
        """Figures for people: how many issued, accepted, deleted; uploads."""
        states = [record["state"] for record in self.records().values()]
        return {
            "issued": self.counts.get("issued", 0),
            "accepted": states.count("accepted"),
            "deleted": states.count("deleted"),
            "uploads": self.counts.get("upload", 0),
        }

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _count(self, event: Event) -> None:
        self.counts[event["event"]] = self.counts.get(event["event"], 0) + 1

    def _back(self, text: str) -> Iterator[Event]:
        """The events whose line holds ``text``, newest first."""
        wanted = json.dumps(text, ensure_ascii=False).encode()
        with self.path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                end = content.rfind(b"\n") + 1
                while (at := content.rfind(wanted, 0, end)) >= 0:
                    start = content.rfind(b"\n", 0, at) + 1
                    yield json.loads(content[start : content.find(b"\n", at)])
                    end = start

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
