"""Read rates, wrong reads and times of the scanner beside the libraries, on the same pages in one run.

    python -m benchmarks.scanner [--pages 200] [--kind hard] [--first-seed 1000] [--frames 60] [--text 20] [--json]

Pages are made in memory from seeds (1000–1999 are for tuning, 9500–9999 for the floors) and handed over as grey pictures and as
encoded files: the times below include decoding the PNG, as a user pays it. One process; the libraries' own threads are off.
Times mean something on an idle machine only: the load average is printed last.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from nhirx_scanner import Scanner

from benchmarks.scanner import rivals
from samples import corpus

Reader = Callable[[np.ndarray], set[str]]


@dataclass
class Tally:
    """What one reader did: pages with every ID read by severity, wrong IDs, milliseconds."""

    right: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    all: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    wrong: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return sum(self.right.values()) / max(1, sum(self.all.values()))


def main() -> int:
    options = _options()
    thorough, fast = Scanner(), Scanner(effort="fast")
    readers: dict[str, Reader] = {
        "nhirx thorough": lambda gray: set(thorough.scan(gray).visit_ids),
        "nhirx fast": lambda gray: set(fast.scan(gray).visit_ids),
        "zxing-cpp, 3 formats": rivals.zxing_three,
        "zxing-cpp, all formats": rivals.zxing_all,
        "pyzbar": rivals.zbar,
        "OpenCV": rivals.opencv,
        "naive cascade": rivals.cascade,
    }
    if options.only:
        readers = {name: reader for name, reader in readers.items() if any(word in name for word in options.only.split(","))}
    for reader in readers.values():
        reader(np.full((400, 400), 255, np.uint8))
    tallies = _corpus(options, readers) if options.pages else {}
    summary = _summary(tallies)
    summary |= _promises(summary)
    if options.text:
        summary |= _text(options.text, options.first_seed)
    if options.frames:
        summary |= _frames(options.frames)
        summary |= _threads()
    if hasattr(os, "getloadavg"):
        summary["load average"] = round(os.getloadavg()[0], 2)
    if options.json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        _print(tallies, summary)
    return 1 if any(tallies.get(name, Tally()).wrong for name in ("nhirx thorough", "nhirx fast")) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.scanner")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--kind", default="hard")
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--text", type=int, default=0, help="pages of each severity with the ID as text only")
    parser.add_argument("--only", default="", help="comma-separated words of the readers to run")
    parser.add_argument("--missed", action="store_true", help="name the pages that the thorough scanner did not read")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _corpus(options: argparse.Namespace, readers: dict[str, Reader]) -> dict[str, Tally]:
    tallies = {name: Tally() for name in readers}
    for number, page in enumerate(corpus.pages(options.kind, range(options.first_seed, options.first_seed + options.pages))):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number + 1}/{options.pages}")
        encoded = cv2.imencode(".png", page.image)[1]
        readable = bool({"qr", "code39", "code128", "code93"} & set(page.forms))
        for name, reader in readers.items():
            tally = tallies[name]
            started = time.perf_counter()
            found = reader(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))
            tally.times.append((time.perf_counter() - started) * 1000)
            expected = set(page.visit_ids)
            if wrong := found - expected:
                tally.wrong.append(f"{page.name}: {sorted(wrong)}")
            if expected and (readable or options.kind == "text"):
                tally.all[page.severity] += 1
                tally.right[page.severity] += bool(expected & found)
                if options.missed and name == "nhirx thorough" and not expected & found:
                    sys.stderr.write(f"missed {page.name} {page.forms} {page.faults} {tally.times[-1]:.0f} ms\n")
    return tallies


def _summary(tallies: dict[str, Tally]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, tally in tallies.items():
        times = np.array(tally.times)
        out[name] = {
            "rate": round(tally.rate, 4),
            "by_severity": {str(k): round(tally.right[k] / n, 3) for k, n in sorted(tally.all.items())},
            "wrong": tally.wrong,
            "ms": {
                "median": round(float(np.median(times)), 1),
                "p95": round(float(np.percentile(times, 95)), 1),
                "mean": round(float(times.mean()), 1),
                "max": round(float(times.max()), 1),
            },
        }
    return out


def _promises(summary: dict[str, Any]) -> dict[str, Any]:
    """The thorough scanner over the best single library, where all of them ran."""
    libraries = [summary[name]["rate"] for name in ("zxing-cpp, 3 formats", "pyzbar", "OpenCV") if name in summary]
    if len(libraries) < 3 or "nhirx thorough" not in summary:
        return {}
    ours, theirs = summary["nhirx thorough"], summary["zxing-cpp, 3 formats"]
    return {
        "over the libraries": {
            "read / best single library": round(ours["rate"] / max(libraries), 2),
            "mean ms / zxing-cpp": round(ours["ms"]["mean"] / theirs["ms"]["mean"], 1),
        }
    }


def _text(count: int, first: int) -> dict[str, Any]:
    """Pages with the ID as text only: proposed (``found``, confidence ``ocr``), told among the codes, and wrongly so."""
    scanner = Scanner()
    out: dict[str, dict[str, int]] = {}
    for severity in range(1, 6):
        row = out[str(severity)] = {
            "pages": count,
            "proposed": 0,
            "told": 0,
            "wrongly proposed": 0,
            "wrongly told": 0,
            "without ocr": 0,
        }
        for page in corpus.pages("text", range(first, first + count), severity=severity):
            scan = scanner.scan(page.image)
            told = {code.text for code in scan.codes if code.kind == "visit-id"}
            row["proposed"] += scan.visit_id in page.visit_ids
            row["told"] += bool(told & set(page.visit_ids))
            row["wrongly proposed"] += scan.visit_id not in {None, *page.visit_ids}
            row["wrongly told"] += bool(told - set(page.visit_ids))
            row["without ocr"] += scan.visit_id is not None and scan.confidence != "ocr"
    return {"text only": out}


def _frames(count: int) -> dict[str, Any]:
    """Clear 1280×720 frames: ``fast`` against zxing-cpp restricted to the same formats, and a session over them."""
    fast, session = Scanner(effort="fast"), Scanner().session()
    ours, theirs, pushed, misses, their_misses = [], [], [], [], []
    for page in corpus.pages("webcam", range(1000, 1000 + count), severity=1):
        frame = cv2.resize(cv2.cvtColor(page.image, cv2.COLOR_BGR2GRAY), (1280, 720), interpolation=cv2.INTER_AREA)
        for _ in range(3):
            started = time.perf_counter()
            found = rivals.zxing_same(frame)
            middle = time.perf_counter()
            scan = fast.scan(frame)
            ended = time.perf_counter()
            session.push(frame)
            after = time.perf_counter()
            (theirs if found else their_misses).append((middle - started) * 1000)
            (ours if found else misses).append((ended - middle) * 1000)
            if found and scan.visit_ids:
                pushed.append((after - ended) * 1000)
    return {
        "clear frames": {
            "frames": len(ours),
            "zxing-cpp median ms": round(float(np.median(theirs)), 2),
            "fast median ms": round(float(np.median(ours)), 2),
            "fast / zxing-cpp": round(float(np.median(ours) / np.median(theirs)), 3),
            "fast p95 ms": round(float(np.percentile(ours, 95)), 2),
            "session median ms": round(float(np.median(pushed)), 2),
            "not read: fast / zxing-cpp": round(float(np.mean(misses) / np.mean(their_misses)), 2) if misses else None,
        }
    }


def _threads() -> dict[str, Any]:
    """Pages per second with two threads over one. What zxing-cpp alone gains, all outside Python, is what the machine allows."""
    pictures = [cv2.cvtColor(page.image, cv2.COLOR_BGR2GRAY) for page in corpus.pages("hard", range(1000, 1024))]
    libraries, fast, thorough, codes = (
        rivals.zxing_same,
        Scanner(effort="fast"),
        Scanner(limit_ms=60_000),
        Scanner(ocr=False, limit_ms=60_000),
    )
    ways: dict[str, tuple[Callable[[np.ndarray], Any], int]] = {
        "zxing-cpp alone": (libraries, 8),
        "fast": (fast.scan, 4),
        "thorough": (thorough.scan, 2),
        "thorough without text": (codes.scan, 2),
    }
    return {"two threads": {name: _gain(read, pictures * times) for name, (read, times) in ways.items()}}


def _gain(read: Callable[[np.ndarray], Any], pictures: list[np.ndarray]) -> float:
    for picture in pictures[:4]:
        read(picture)
    started = time.perf_counter()
    for picture in pictures:
        read(picture)
    single = time.perf_counter() - started
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(read, pictures))  # a companion may come meanwhile, as it does in a program that goes on for longer
        started = time.perf_counter()
        list(pool.map(read, pictures))
    return round(single / (time.perf_counter() - started), 2)


def _print(tallies: dict[str, Tally], summary: dict[str, Any]) -> None:
    print(
        f"{'reader':24} {'read':>6}  {'S1':>5} {'S2':>5} {'S3':>5} {'S4':>5} {'S5':>5}  {'wrong':>5}  median   p95  mean   max ms"
    )
    for name in tallies:
        row = summary[name]
        by = " ".join(f"{row['by_severity'].get(str(level), 0) * 100:5.0f}" for level in range(1, 6))
        ms = row["ms"]
        print(
            f"{name:24} {row['rate'] * 100:5.1f}%  {by}  {len(row['wrong']):5}  {ms['median']:6.0f} {ms['p95']:5.0f} {ms['mean']:5.0f} {ms['max']:5.0f}"
        )
        for wrong in row["wrong"]:
            print("   wrong", wrong)
    for key in ("over the libraries", "text only", "clear frames", "two threads", "load average"):
        if key in summary:
            print(key, summary[key])


if __name__ == "__main__":
    raise SystemExit(main())
