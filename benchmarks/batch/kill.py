"""Killed at random again and again, and resumed: are the results those of a batch that nobody disturbed, byte for byte?

    python benchmarks/batch/kill.py [--pages 2000] [--kills 20] [--workers 2] [--seed 1]

Pages are drawn small, so that the whole takes minutes. A kill is SIGKILL to the run, at a random moment of the reading or,
now and then, of the writing; its workers end by themselves. Exit code 1 when a single byte differs. ``run.json`` and the
folder ``work`` tell of the run itself and are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import zxingcpp
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from samples.make import write_corpus


def draw(folder: Path, pages: int) -> None:
    """Small pages with a QR code; among them sheets as a flatbed sees them, pages without an ID, and broken files."""
    made = folder.parent / "made"
    write_corpus(made, "flatbed", 1000, 5, 1)
    sheets = [path.read_bytes() for path in sorted(made.glob("*.jpg"))]
    for number in range(pages):
        path = folder / f"{number // 100:03d}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % 40 == 7:
            path.write_bytes(sheets[number // 40 % len(sheets)])
        elif number % 40 == 27:
            path.write_bytes(b"" if number % 80 == 27 else b"\xff\xd8\xff broken")
        else:
            page = np.full((300, 400), 255, np.uint8)
            if number % 40 != 17:
                text = f"{number:06d}A1{number % 34:05X}3D{number:05X}"
                code = np.array(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_image(scale=4))
                page[60 : 60 + code.shape[0], 80 : 80 + code.shape[1]] = code
            Image.fromarray(page).save(path, quality=80)


def command(source: Path, out: Path, workers: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "nhirx",
        "batch",
        str(source),
        "--out",
        str(out),
        "--workers",
        str(workers),
        "--resume",
        "--json",
    ]


def finished(out: Path) -> int:
    journal = out / "work" / "pages.jsonl"
    return journal.read_bytes().count(b'"scan"') if journal.exists() else 0


def outcome(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "run.json" and "work" not in path.relative_to(out).parts
    }


def tell_difference(name: str, ours: bytes, theirs: bytes) -> None:
    """The first lines that differ, so that the cause can be looked for."""
    pairs = [pair for pair in zip(ours.splitlines(), theirs.splitlines(), strict=False) if pair[0] != pair[1]]
    print(f"{name}: {len(ours)} and {len(theirs)} bytes, {len(pairs)} lines differ")
    for mine, other in pairs[:3] if name.endswith(".jsonl") else ():
        print(f"  undisturbed: {mine.decode('utf-8', 'replace')}\n  killed:      {other.decode('utf-8', 'replace')}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as scratch:
        source, plain, killed = (Path(scratch, name) for name in ("source", "plain", "killed"))
        draw(source, asked.pages)
        began = time.monotonic()
        subprocess.run(command(source, plain, asked.workers), stdout=subprocess.DEVNULL, check=False)
        undisturbed = time.monotonic() - began
        kept = []
        began = time.monotonic()
        while len(kept) < asked.kills:
            process = subprocess.Popen(command(source, killed, asked.workers), stdout=subprocess.DEVNULL)
            # Spread over the whole batch; the moment within a page is left to chance.
            wanted = (len(kept) + chance.random()) * asked.pages / asked.kills
            while process.poll() is None and finished(killed) < wanted:
                time.sleep(0.05)
            time.sleep(chance.random() * 0.5)
            if process.poll() is not None:
                break
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kept.append(finished(killed))
        subprocess.run(command(source, killed, asked.workers), stdout=subprocess.DEVNULL, check=False)
        with_kills = time.monotonic() - began
        ours, theirs = outcome(plain), outcome(killed)
        same = ours == theirs
        for name in sorted(ours.keys() | theirs.keys()):
            if ours.get(name) != theirs.get(name):
                tell_difference(name, ours.get(name, b""), theirs.get(name, b""))
        told = {
            "pages": json.loads((plain / "summary.json").read_text("utf-8"))["pages"],
            "kills": len(kept),
            "pages_done_at_each_kill": kept,
            "seconds_undisturbed": round(undisturbed, 1),
            "seconds_with_kills": round(with_kills, 1),
            "files_compared": len(outcome(plain)),
            "identical": same,
        }
    print(json.dumps(told, indent=1))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
