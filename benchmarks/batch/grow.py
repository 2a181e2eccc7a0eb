"""Does a page cost more in a large batch than in a small one, and does the run need more memory?

Tiny files and a scanner that answers at once leave what the batch itself does: list, hand out, note, sort, write the tables. Both sizes
run in processes of their own. For each: processor time a page of the run and its workers, what starting takes (a batch of ten) taken
off, the same by the clock, and the most memory that the run itself held. Processor time and memory may not grow by more than 20 %; the
clock says the same on a machine that does nothing else.

    python benchmarks/batch/grow.py [--small 1000] [--large 100000] [--workers 2]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

GROWTH = 1.2
# A whole PNG of one white pixel.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c63f80f0001010100"
    "b138f6140000000049454e44ae426082"
)


class Quick:
    """Says of every page at once what a page with a visit ID gives; each its own ID."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def scan_pages(self, path: str, first: int, most: int) -> Iterator[Any]:
        from nhirx_scanner import Code, Scan

        text = f"{int(Path(path).stem):020d}"
        corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
        codes = tuple(Code(text, kind, "visit-id", corners, 2) for kind in ("qr", "code128"))
        yield Scan("found", text, (text,), codes, evidence=("qr", "code128"), confidence="agreed", path=path, page=first, ms=0.1)


def inside(folder: str, workers: str) -> None:
    """The run itself, in a process of its own: seconds and bytes on stdout."""
    import resource

    from nhirx.batch.run import Options, run
    from nhirx.batch.worker import Reading

    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        summary = run(
            Options((folder,), Path(scratch, "out"), int(workers), reading=Reading("grow.Quick", (), low_priority=False))
        )
        seconds = time.perf_counter() - began
    times = os.times()
    cpu = times.user + times.system + times.children_user + times.children_system
    print(
        json.dumps(
            {"pages": summary["found"], "seconds": seconds, "cpu": cpu, "kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
        )
    )


def measure(folder: Path, workers: int) -> dict[str, Any]:
    here = str(Path(__file__).parent)
    command = [sys.executable, __file__, "--inside", str(folder), str(workers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": here})
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def drawn(folder: Path, pages: int) -> Path:
    for number in range(pages):
        path = folder / f"{number // 1000:04d}" / f"{number:08d}.png"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(_PIXEL)
    return folder


def main() -> int:
    if sys.argv[1:2] == ["--inside"]:
        inside(*sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    told: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory() as scratch:
        start = _best([drawn(Path(scratch, f"start{turn}"), 10) for turn in range(2)], asked.workers)
        # The small one three times, the best: a second of a busy machine would hide what is looked for.
        small = _best([drawn(Path(scratch, f"small{turn}"), asked.small) for turn in range(3)], asked.workers)
        large = _best([drawn(Path(scratch, "large"), asked.large)], asked.workers)
    for name, one in (("small", small), ("large", large)):
        told[name] = {
            "pages": one["pages"],
            "cpu_ms_per_page": round(1000 * (one["cpu"] - start["cpu"]) / one["pages"], 3),
            "ms_per_page": round(1000 * (one["seconds"] - start["seconds"]) / one["pages"], 3),
            "mib": round(one["kib"] / 1024, 1),
        }
    growth = {
        name: round(told["large"][member] / told["small"][member], 3)
        for name, member in (("cpu", "cpu_ms_per_page"), ("clock", "ms_per_page"), ("memory", "mib"))
    }
    told["growth"] = growth
    print(json.dumps(told, indent=1))
    kept = growth["cpu"] <= GROWTH and growth["memory"] <= GROWTH
    print(f"promised: ≤ {GROWTH} of processor time and memory: {'kept' if kept else 'BROKEN'}")
    return int(not kept)


def _best(folders: list[Path], workers: int) -> dict[str, Any]:
    """The least of each figure over runs of the same size."""
    runs = [measure(folder, workers) for folder in folders]
    return {name: min(one[name] for one in runs) for name in runs[0]}


if __name__ == "__main__":
    sys.exit(main())
