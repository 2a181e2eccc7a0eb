"""Trains the judge of QR modules and writes it as ONNX.

    PYTHONPATH=scanner python -m benchmarks.modules.train --minutes 45 --out modulenet.onnx [--resume modulenet.pt]

Needs torch and onnx, which nothing else here needs (README.md). One process, one thread, codes made on the fly; the same seed and the
same number of steps give the same codes. The weights written are the mean over the last steps (exponential).
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from nhirx_scanner.modulenet import MARGIN, views
from nhirx_scanner.qrform import layout
from torch.nn import functional

from benchmarks.modules.codes import make
from benchmarks.modules.network import Net
from benchmarks.modules.write import write
from benchmarks.networks import blend

BATCH, RATE = 32, 2.0e-3
_VERSIONS, _SHARES = (1, 2, 3, 4), (0.5, 0.38, 0.08, 0.04)
_EASY_KEPT = 0.2  # of the codes that the equaliser alone gets right to the last module

Batch = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    net = Net().to(memory_format=torch.channels_last)
    if options.resume:
        net.load_state_dict(torch.load(options.resume))
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    checks = [batch(np.random.default_rng(90 + number), 1 + number % 2, 1.0) for number in range(10)]
    started, step, told = time.monotonic(), 0, 0.0
    while (share := (time.monotonic() - started) / (60 * options.minutes)) < 1:
        rate = options.rate * min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        version = int(rng.choice(_VERSIONS, p=_SHARES))
        loss = _loss(net, batch(rng, version))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        blend(mean, net, min(0.998, step / (step + 20)))
        told = 0.98 * told + 0.02 * loss.item() if told else loss.item()
        if step % 250 == 0:
            print(f"{step} {share:.2f} loss {told:.4f} {_compared(mean, checks)}", flush=True)
            torch.save(mean.state_dict(), Path(options.out).with_suffix(".pt"))
            write(mean, options.out)
    torch.save(mean.state_dict(), Path(options.out).with_suffix(".pt"))
    write(mean, options.out)


def batch(rng: np.random.Generator, version: int, least: float = 0.35) -> Batch:
    """What the network sees of 32 codes, what it should say (1 is dark), and which modules count."""
    eyes, given, truths = [], [], []
    free = layout(version).known < 0
    while len(eyes) < BATCH:
        made = make(rng, version, float(rng.uniform(least, 1.15)))
        eye, planes = views(made.picture, version, made.corners)
        inner = planes[2, MARGIN:-MARGIN, MARGIN:-MARGIN]
        if ((inner > 0) == (made.truth > 0))[free].all() and rng.random() > _EASY_KEPT:
            continue
        eyes.append(eye)
        given.append(planes)
        truths.append(made.truth.astype(np.float32))
    return np.stack(eyes)[:, None], np.stack(given), np.stack(truths), free


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.modules.train")
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--resume")
    parser.add_argument("--out", default="modulenet.onnx")
    return parser.parse_args()


def _told(net: Net, codes: Batch) -> torch.Tensor:
    eye = torch.from_numpy(codes[0]).to(memory_format=torch.channels_last)
    given = torch.from_numpy(codes[1]).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(eye, given)
    inner: torch.Tensor = logits.float()[:, 0, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return inner


def _loss(net: Net, codes: Batch) -> torch.Tensor:
    free = torch.from_numpy(codes[3])
    return functional.binary_cross_entropy_with_logits(_told(net, codes)[:, free], torch.from_numpy(codes[2])[:, free])


@torch.no_grad()
def _compared(net: Net, checks: list[Batch]) -> str:
    """Wrong modules on codes that are the same each time: of the network, and of the equaliser alone."""
    net.eval()
    wrong, usual, lost, total = 0.0, 0.0, 0.0, 0
    for codes in checks:
        free = codes[3]
        told = _told(net, codes).numpy()[:, free]
        truth = codes[2][:, free] > 0
        wrong += float(((told > 0) != truth).sum())
        usual += float(((codes[1][:, 2, MARGIN:-MARGIN, MARGIN:-MARGIN][:, free] > 0) != truth).sum())
        lost += float(np.logaddexp(0, np.where(truth, -told, told)).sum())
        total += truth.size
    net.train()
    return f"wrong {wrong / total:.4f}, equaliser {usual / total:.4f}, nats {lost / total:.4f}"


if __name__ == "__main__":
    main()
