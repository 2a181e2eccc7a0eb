"""What a batch costs beside a bare loop over ``Scanner.scan_file``, and what a second process gives.

The same pages three ways: the bare loop, a batch with one worker, a batch with two. Starting a process and importing the
decoders is paid once a batch and is told apart (``start``); the promise is about the pages: reading with one worker takes at
most 5 % longer than the loop, and two workers are at least 1.8 times as fast as one. The ways run in turn, round after round, and the best
round of each counts, so that a machine that is busy now and then favours none.

On a machine that is busy all the time the clock says little about either promise. Two figures beside it do not depend on other
programs: the processor time of a page (``cpu_ms_per_page``, start taken off), and which part of their time the workers spent
inside the scanner (``busy``): two workers can be no slower than twice ``busy`` on two free cores, as long as memory keeps up.

    python benchmarks/batch/run.py [--pages 60] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


from nhirx.batch.journal import Journal
from nhirx.batch.run import Options, Progress, run
from nhirx.batch.worker import LIMIT_MS, Reading
from samples.make import write_corpus

LOSS, GAIN = 1.05, 1.8


def cpu() -> float:
    """Seconds of processor time of this process and of those that it has ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


_LOOP = """
import sys, time
from nhirx_scanner import Scanner
scanner = Scanner(limit_ms=float(sys.argv[1]))
files = sys.argv[2:]
for number, file in enumerate(files):
    scanner.scan_file(file)
    if number == 0:
        began, spent = time.perf_counter(), time.process_time()
share = len(files) / (len(files) - 1)
print((time.perf_counter() - began) * share, (time.process_time() - spent) * share)
"""


def loop(files: list[Path]) -> tuple[float, float]:
    """(seconds, processor seconds) in a process of its own, as a worker is: what is loaded at first need counts for both."""
    command = [sys.executable, "-c", _LOOP, str(LIMIT_MS), *map(str, files)]
    seconds, spent = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(spent)


class Clock:
    """From the first page that is in to the last, and the whole from start to end."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.first: float | None = None
        self.last = 0.0
        self.pages = 0

    def __call__(self, progress: Progress) -> None:
        if progress.pages > self.pages:
            self.pages, self.last = progress.pages, time.perf_counter()
            self.first = self.first or self.last


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """Seconds: reading all pages, the whole batch, processor time, and inside the scanner over what the workers had."""

    reading: float
    whole: float
    cpu: float
    busy: float


def batch(files: list[Path], workers: int) -> Cost:
    with tempfile.TemporaryDirectory() as scratch:
        out, clock, spent = Path(scratch, "out"), Clock(), cpu()
        run(Options(tuple(map(str, files)), out, workers, reading=Reading(low_priority=False)), clock)
        whole, used = time.perf_counter() - clock.began, cpu() - spent
        inside = sum(record["ms"] for record in Journal(out).in_order()) / 1000
    assert clock.first is not None
    # The first page of each worker comes after its start.
    reading = (clock.last - clock.first) * clock.pages / max(1, clock.pages - workers)
    return Cost(reading, whole, used, inside / (reading * workers) if reading else 0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_corpus(folder, "flatbed", 1000, asked.pages, 1)
        for truth in folder.glob("*.json"):
            truth.unlink()
        files = sorted(folder.iterdir())
        bare, one, two, start = [], [], [], []
        for _ in range(asked.rounds):
            bare.append(loop(files))
            one.append(batch(files, 1))
            two.append(batch(files, 2))
            start.append(batch(files[:1], 1).cpu)
    loss, gain = min(one).reading / min(bare)[0], min(one).reading / min(two).reading
    used = min(cost.cpu for cost in one) - min(start)
    told = {
        "pages": asked.pages,
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "ms_per_page": {
            name: round(1000 * value / asked.pages, 1)
            for name, value in (("loop", min(bare)[0]), ("one", min(one).reading), ("two", min(two).reading))
        },
        "cpu_ms_per_page": {
            "loop": round(1000 * min(spent for _, spent in bare) / asked.pages, 1),
            "one": round(1000 * used / (asked.pages - 1), 1),
        },
        "busy": {"one": round(max(cost.busy for cost in one), 3), "two": round(max(cost.busy for cost in two), 3)},
        "start_and_results_s": round(min(cost.whole - cost.reading for cost in one), 2),
        "one_against_loop": round(loss, 3),
        "two_against_one": round(gain, 2),
    }
    print(json.dumps(told, indent=1))
    kept = loss <= LOSS and gain >= GAIN
    print(f"promised: ≤ {LOSS} and ≥ {GAIN}: {'kept' if kept else 'BROKEN'}")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
