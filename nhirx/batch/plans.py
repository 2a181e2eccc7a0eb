"""``plans.jsonl``: a line for each line of ``results.jsonl``, in its order, made once whatever ends the run in between.

``work/plans.jsonl`` grows by a line a page; line *k* belongs to page *k* of the results, so that a resumed run goes on after the last
whole line. A last line ``{"end": …}`` tells that all pages were planned. A later run then begins anew, and takes over what was planned or
dispensed already: what lacked its prescription or was blocked is asked about again, and so is a page that a person decided about
(``decisions.jsonl``, ``nhirx batch review``); the person's word goes before what was read. The lines of the work folder are whole; those of
``plans.jsonl`` are masked unless whole IDs were asked for.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhirx.batch.journal import line
from nhirx.batch.resolve import Resolver, require_ready
from nhirx.host import Host
from nhirx.identifiers import mask_visit_id
from nhirx.logs import mask
from nhirx.resolver import masked_value

if TYPE_CHECKING:
    from nhirx.outbox import Outbox

_SYNC_SECONDS = 5.0
_SETTLED = frozenset({"planned", "dispensed"})


@dataclass(frozen=True, slots=True)
class Planning:
    """``at``: when the drugs are, or were, handed out; None takes the start of the first run, and the same when it is resumed."""

    host: Host = field(repr=False)
    at: datetime | None = None
    outbox: Outbox | None = field(default=None, repr=False)

    def check(self) -> None:
        """Raise, before any page is read, what would stop every page: ``SettingMissing``, ``ComponentMissing``."""
        require_ready(self.host)


def write(out: Path, planning: Planning, *, whole_ids: bool, tell: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Plan every page of ``out/results.jsonl``, write ``out/plans.jsonl``, and answer the counts for the summary."""
    work = out / "work"
    resolver = _begin(work, planning)
    _plan(out, work, resolver, tell)
    counts = _Counts()
    new = out / "plans.jsonl.new"
    with new.open("wb") as file:
        for told in _lines(work / "plans.jsonl"):
            if "end" not in told:
                counts.take(told)
                file.write(line(told if whole_ids else masked(told)))
        file.flush()
        os.fsync(file.fileno())
    new.replace(out / "plans.jsonl")
    return {"at": resolver.at.isoformat(timespec="seconds"), "mode": resolver.host.settings.upload.mode} | counts.told()


def masked(told: dict[str, Any]) -> dict[str, Any]:
    """The line for other eyes: who and when are masked, in fields, words and the visit ID."""
    findings = [finding | {"zh": mask(finding["zh"]), "en": mask(finding["en"])} for finding in told["findings"]]
    return told | {
        "visit_id": mask_visit_id(told["visit_id"]) if told["visit_id"] else None,
        "fields": {name: masked_value(name, value) for name, value in told["fields"].items()},
        "findings": findings,
    }


def as_decided(row: dict[str, Any], told: dict[str, Any] | None) -> dict[str, Any]:
    """``row`` of the results with what a person decided about the page in place of what was read; ``later`` decides nothing."""
    if told is None or told["decision"] == "later":
        return row
    ids = told["visit_ids"]
    if not ids:
        status = "unreadable" if told["decision"] == "illegible" else "none"
        return row | {"status": status, "visit_id": None, "visit_ids": [], "confidence": None}
    status = "found" if len(ids) == 1 else "several"
    first = row["same_visit_id_as"] if ids == row["visit_ids"] else None
    return row | {"status": status, "visit_id": ids[0], "visit_ids": ids, "confidence": "single", "same_visit_id_as": first}


class _Decided:
    """Which page was the first with an ID that a person gave to some page: the results know only of those that were read."""

    def __init__(self, decided: dict[tuple[str, int], dict[str, Any]]) -> None:
        self._wanted = frozenset(visit_id for told in decided.values() for visit_id in told["visit_ids"])
        self._first: dict[str, dict[str, Any]] = {}

    def told(self, row: dict[str, Any]) -> dict[str, Any]:
        """``row`` with ``same_visit_id_as``; to be asked for every page in order."""
        here = {"path": row["path"], "page": row["page"]}
        for visit_id in self._wanted.intersection(row["visit_ids"]):
            if (first := self._first.setdefault(visit_id, here)) is not here:
                return row | {"same_visit_id_as": first}
        return row


def _decisions(path: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """The last decision about each page; a line that is being written is not there yet."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    if path.exists():
        with path.open("rb") as file:
            for text in file:
                if text.endswith(b"\n"):
                    told = json.loads(text)
                    found[told["path"], told["page"]] = told
    return found


def _begin(work: Path, planning: Planning) -> Resolver:
    """The times of the run that was begun, or of this one; with another ``at`` the plans are begun anew."""
    kept, pages, before = work / "plans.json", work / "plans.jsonl", work / "plans.before.jsonl"
    times = json.loads(kept.read_text("utf-8")) if kept.exists() else None
    at = planning.at
    if times is None or (at is not None and times["at"] != at.isoformat()):
        now = planning.host.clock()
        times = {"at": (at or now).isoformat(), "now": now.isoformat()}
        before.unlink(missing_ok=True)
        pages.unlink(missing_ok=True)
        _replace(kept, json.dumps(times).encode() + b"\n")
    elif _ended(pages):
        # First away, then anew: whatever is found after a stop in between is one of the two.
        pages.replace(before)
    return Resolver(planning.host, datetime.fromisoformat(times["at"]), datetime.fromisoformat(times["now"]), planning.outbox)


def _plan(out: Path, work: Path, resolver: Resolver, tell: Callable[[int], None]) -> None:
    pages = work / "plans.jsonl"
    done = _whole_lines(pages)
    synced = time.monotonic()
    before = _lines(work / "plans.before.jsonl")
    decided = _decisions(out / "decisions.jsonl")
    twice = _Decided(decided)
    with pages.open("ab", buffering=0) as file:
        number = 0
        for number, row in enumerate(_lines(out / "results.jsonl"), 1):
            old = next(before, None)
            told = decided.get((row["path"], row["page"]))
            row = twice.told(as_decided(row, told))
            if number <= done:
                continue
            known = old is not None and old.get("status") in _SETTLED and (old["path"], old["page"]) == (row["path"], row["page"])
            _add(file, old if known and old is not None and told is None else resolver.line(row))
            if time.monotonic() - synced > _SYNC_SECONDS:
                os.fsync(file.fileno())
                synced = time.monotonic()
            tell(number)
        _add(file, {"end": number})
        os.fsync(file.fileno())
    (work / "plans.before.jsonl").unlink(missing_ok=True)


def _add(file: Any, told: dict[str, Any]) -> None:
    rest = line(told)
    while rest:  # an unbuffered write may take less than all
        rest = rest[file.write(rest) or 0 :]


def _whole_lines(path: Path) -> int:
    """How many there are; a line cut short by the end of the process is taken away."""
    if not path.exists():
        return 0
    count = good = 0
    with path.open("rb") as file:
        for text in file:
            if not text.endswith(b"\n"):
                break
            count, good = count + 1, good + len(text)
    os.truncate(path, good)
    return count


def _ended(path: Path) -> bool:
    if not path.exists() or not (size := path.stat().st_size):
        return False
    with path.open("rb") as file:
        file.seek(max(0, size - 64))
        return file.read().rpartition(b"\n")[0].rpartition(b"\n")[2].startswith(b'{"end"')


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open("rb") as file:
            for text in file:
                yield json.loads(text)


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    new.replace(path)


class _Counts:
    def __init__(self) -> None:
        self._counted: dict[str, Counter[str]] = {name: Counter() for name in ("by_status", "run", "needs", "records")}
        self._stops: dict[str, dict[str, Any]] = {}

    def take(self, told: dict[str, Any]) -> None:
        self._counted["by_status"][told["status"]] += 1
        for name in ("run", "needs"):
            if told[name] is not None:
                self._counted[name][told[name]] += 1
        if told["record"] is not None:
            self._counted["records"][told["record"]["state"]] += 1
        if told["status"] == "blocked":
            # By field as well: one code of the checks says "required" of whatever is missing.
            stops = {_key(finding): finding for finding in told["findings"] if finding["severity"] == "block"}
            for code, finding in stops.items():
                said = {"pages": 0, "zh": mask(finding["zh"]), "en": mask(finding["en"])}
                self._stops.setdefault(code, said)["pages"] += 1

    def told(self) -> dict[str, Any]:
        counted = {name: dict(sorted(counter.items())) for name, counter in self._counted.items()}
        return counted | {"stops": dict(sorted(self._stops.items()))}


def _key(finding: dict[str, Any]) -> str:
    return f"{finding['field']}:{finding['code']}" if finding["field"] else str(finding["code"])
