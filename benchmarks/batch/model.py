"""The model of ``docs/howto/scale.md``: measured here, and held against a simulation page by page and a real batch.

1. Measured: processor time and bytes of pages of several kinds, one scanner, one core.
2. Modelled: ``rate = min(workers × busy ÷ seconds a page, 1 ÷ serial seconds a page)``; ``time = pages ÷ rate + tail``. ``serial`` is what the
   one process spends that hands out, notes and writes (``grow.py`` measures it), ``tail`` the half chunk that the last workers still read.
3. Simulated: pages drawn from the measured ones, in chunks as the engine makes them, each pulled by the worker that is free first, every
   answer taken by the one process in turn; a worker is lost every ``--lost`` chunks and its chunk is read again. Nothing of the formula is in it.
4. Real (``--real``): the same mix of pages as a batch with one worker and with two, against the model.

    python benchmarks/batch/model.py [--pages 12] [--real]
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the workers

from nhirx.batch.dask_engine import CHUNK_BYTES, CHUNK_PIECES
from nhirx.batch.worker import LIMIT_MS

BUSY = 0.97
"""Which part of its time a worker spends inside the scanner (``run.py``: ``busy``)."""
SERIAL = 0.0004
"""Seconds a page of the process that writes, its workers idle (``grow.py``)."""
HOURS = 8
# Name → kind of the corpus, severity, and its part of the pile.
MIX = {"clean": ("flatbed", 1, 0.7), "worn": ("flatbed", 3, 0.2), "bad": ("flatbed", 5, 0.05), "nothing": ("nothing", 1, 0.05)}


@dataclass(frozen=True, slots=True)
class Page:
    seconds: float
    size: int


def measured(folder: Path, pages: int) -> dict[str, list[Page]]:
    """Processor seconds and bytes of each page, by kind."""
    from nhirx_scanner import Scanner

    scanner = Scanner(limit_ms=LIMIT_MS)
    found: dict[str, list[Page]] = {}
    for name in MIX:
        files = drawn(folder / name, name, pages)
        scanner.scan_file(files[0])  # what is loaded at first need
        for file in files:
            began = time.process_time()
            scanner.scan_file(file)
            found.setdefault(name, []).append(Page(time.process_time() - began, file.stat().st_size))
    return found


def drawn(folder: Path, name: str, pages: int) -> list[Path]:
    from samples.make import write_corpus

    kind, severity, _ = MIX[name]
    write_corpus(folder, kind, 1000, pages, severity)
    return sorted(folder.glob("*.jpg"))


def mixed(found: dict[str, list[Page]], pages: int, seed: int) -> list[Page]:
    chance = random.Random(seed)
    names, weights = list(MIX), [part for _, _, part in MIX.values()]
    return [chance.choice(found[name]) for name in chance.choices(names, weights, k=pages)]


def modelled(found: dict[str, list[Page]], pages: int, workers: int, chunk: int) -> float:
    """Seconds for ``pages`` of the mix."""
    mean = sum(part * _mean([page.seconds for page in found[name]]) for name, (_, _, part) in MIX.items())
    return pages / min(workers * BUSY / mean, 1 / SERIAL) + chunk * mean / 2


def simulated(pile: list[Page], workers: int, *, most: int, lost: int) -> float:
    """Seconds until the last answer is written. ``most`` pages a chunk; every ``lost``-th chunk takes its worker along half way."""
    chunks: list[list[Page]] = [[]]
    weight = 0
    for page in pile:
        if len(chunks[-1]) >= most or weight >= CHUNK_BYTES:
            chunks.append([])
            weight = 0
        chunks[-1].append(page)
        weight += page.size
    free = [(0.0, number) for number in range(workers)]
    answers: list[tuple[float, int]] = []
    for count, chunk in enumerate(chunks, 1):
        began, worker = heapq.heappop(free)
        seconds = sum(page.seconds for page in chunk) / BUSY
        if lost and count % lost == 0:
            began += seconds / 2  # read in vain, and again by whoever takes it
        heapq.heappush(answers, (began + seconds, len(chunk)))
        heapq.heappush(free, (began + seconds, worker))
    written = 0.0
    while answers:
        came, pages = heapq.heappop(answers)
        written = max(written, came) + pages * SERIAL
    return written


def real(found: dict[str, list[Page]], folder: Path, pages: int, workers: int) -> dict[str, Any]:
    """A batch of the mix on this machine: seconds of reading by the clock, against the model."""
    from nhirx.batch.run import Options, Progress, run
    from nhirx.batch.worker import Reading

    known: dict[Path, float] = {}
    for name, (_, _, part) in MIX.items():
        every = zip(sorted((folder / name).glob("*.jpg")), found[name], strict=True)
        known |= {path: page.seconds for path, page in list(every)[: max(1, round(pages * part))]}
    files = list(known)
    random.Random(1).shuffle(files)  # the kind that takes longest at the end would leave one worker alone
    expected = sum(known.values()) / (workers * BUSY)
    times: list[tuple[float, int]] = []

    def tell(progress: Progress) -> None:
        if progress.pages > (times[-1][1] if times else 0):
            times.append((time.perf_counter(), progress.pages))

    with tempfile.TemporaryDirectory() as scratch:
        run(Options(tuple(map(str, files)), Path(scratch, "out"), workers, reading=Reading(low_priority=False)), tell)
    seconds = (times[-1][0] - times[0][0]) * len(files) / max(1, len(files) - workers)
    return {
        "workers": workers,
        "pages": len(files),
        "model_s": round(expected, 1),
        "real_s": round(seconds, 1),
        "error": _off(expected, seconds),
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _off(model: float, truth: float) -> str:
    return f"{100 * (model / truth - 1):+.1f} %"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=12, help="pages of each kind to measure")
    parser.add_argument("--lost", type=int, default=500, help="a worker is lost every so many chunks; 0: none")
    parser.add_argument("--real", action="store_true", help="also a batch on this machine")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        found = measured(folder, asked.pages)
        here = [real(found, folder, asked.pages, workers) for workers in (1, 2)] if asked.real else []
    mean = sum(part * _mean([page.seconds for page in found[name]]) for name, (_, _, part) in MIX.items())
    size = sum(part * _mean([page.size for page in found[name]]) for name, (_, _, part) in MIX.items())
    told: dict[str, Any] = {
        "load": round(os.getloadavg()[0], 1),
        "kinds": {
            name: {
                "ms": round(1000 * _mean([page.seconds for page in pages])),
                "pages_per_second_and_core": round(1 / _mean([page.seconds for page in pages]), 1),
                "kB": round(_mean([page.size for page in pages]) / 1000),
            }
            for name, pages in found.items()
        },
        "mix": {"ms": round(1000 * mean), "kB": round(size / 1000)},
        "simulated": [],
        "real": here,
        "day": [],
    }
    worst = 0.0
    for pages, workers in ((20_000, 2), (50_000, 32), (200_000, 256), (400_000, 2048)):
        model = modelled(found, pages, workers, CHUNK_PIECES)
        truth = simulated(mixed(found, pages, 1), workers, most=CHUNK_PIECES, lost=asked.lost)
        worst = max(worst, abs(model / truth - 1))
        told["simulated"].append(
            {
                "pages": pages,
                "workers": workers,
                "model_s": round(model, 1),
                "simulated_s": round(truth, 1),
                "error": _off(model, truth),
            }
        )
    for pages in (1_000_000, 100_000_000):
        rate = pages / (HOURS * 3600)
        told["day"].append(
            {
                "pages": pages,
                "pages_per_second": round(rate, 1),
                "cores": round(rate * mean / BUSY / 0.8 + 0.5),
                "batches_at_once": int(rate * SERIAL / 0.8) + 1,
                "read": f"{pages * size / 1e12:.2f} TB, {rate * size / 1e6:.0f} MB/s",
            }
        )
    print(json.dumps(told, indent=1))
    print(f"the model is off by {100 * worst:.1f} % at most")
    return int(worst > 0.1)


if __name__ == "__main__":
    sys.exit(main())
