"""Codes beyond reading, and codes that say something else: does the network ever make a visit ID of them that is not there?

    python -m benchmarks.modules.stress [--codes 1000] [--seed 7] [--least 0.8]

A third of the codes says an ID, a third twenty other characters or a link, a third is no code at all. Prints what was believed.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import zxingcpp
from nhirx_scanner import finders, netqr, readqr
from nhirx_scanner.finders import Quad
from nhirx_scanner.on_blobs import is_believed_judged

from benchmarks.modules.codes import make
from samples import ids
from samples.people import person

_OTHERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.modules.stress")
    parser.add_argument("--codes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--least", type=float, default=0.8, help="harm, up to 1.3")
    parser.add_argument("--dump", help="every reading, one JSON a line")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng([asked.seed, 77])
    count: Counter[str] = Counter()
    dump = Path(asked.dump).open("w", encoding="utf-8") if asked.dump else None  # noqa: SIM115 - until the end of the program
    for number in range(asked.codes):
        kind = ("id", "other", "nothing")[number % 3] if number % 6 else "id"
        text = _text(rng, kind)
        picture, quads = _picture(rng, text, float(rng.uniform(asked.least, 1.3)), kind)
        grids = (
            readqr.fit_all(picture, quads)[:2]
            if rng.random() < 0.7
            else [readqr.Fitted(0.6, quad.version, quad.corners) for quad in quads[:2]]
        )
        for grid in grids:
            for judged in netqr.looks(picture, grid):
                right, believed = judged.text == text, is_believed_judged(judged)
                count[f"{kind} {'right' if right else 'wrong'}{' BELIEVED' if believed else ''}"] += 1
                if dump:
                    seen = [
                        kind,
                        right,
                        judged.text,
                        grid.match,
                        judged.nats,
                        float(judged.agree),
                        judged.against,
                        judged.nats_of_ids,
                    ]
                    dump.write(json.dumps(seen) + "\n")
                if believed:
                    break
    print(dict(sorted(count.items())))


def _text(rng: np.random.Generator, kind: str) -> str:
    if kind == "id":
        return ids.visit_id(person(rng).national_id, ids.moment(rng), ids.prefix(rng))
    if rng.random() < 0.5:
        return "".join(_OTHERS[int(value)] for value in rng.integers(0, len(_OTHERS), int(rng.choice([18, 19, 20, 20, 21]))))
    return f"https://www.example.tw/{int(rng.integers(10**9))}"


def _picture(rng: np.random.Generator, text: str, harm: float, kind: str) -> tuple[np.ndarray, list[Quad]]:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="LMQH"[int(rng.integers(4))])
    truth = (np.asarray(code.to_image(scale=1, add_quiet_zones=False)) < 128).astype(np.uint8)
    version = (len(truth) - 17) // 4
    if version > 3:
        return _picture(rng, text[:32], harm, kind)
    if kind == "nothing":
        # Fixed parts without a code between them, or chance.
        truth = (rng.random(truth.shape) < rng.uniform(0.2, 0.8)).astype(np.uint8)
        if rng.random() < 0.5:
            truth = cv2.resize(truth[::2, ::3], truth.shape[::-1], interpolation=cv2.INTER_NEAREST)
    made = make(rng, version, harm, truth)
    quads = [Quad(made.corners, version)]
    return made.picture, quads + finders.from_finders(made.picture)[:1]


if __name__ == "__main__":
    main()
