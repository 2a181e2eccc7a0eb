"""Trains the recogniser of the printed visit ID and writes it as ONNX.

    python -m benchmarks.textline.train --fonts /usr/share/fonts --minutes 45 --out textline.onnx [--resume textline.pt]

Needs torch and onnx, which nothing else here needs (README.md). One process, one thread, lines made on the fly; the same seed and the
same number of steps give the same lines. The weights written are the mean over the last steps (exponential).
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
from torch.nn import functional

from benchmarks.networks import blend
from benchmarks.textline.lines import HEIGHT, IGNORED, WIDTH, Cut, Printer, cut
from benchmarks.textline.network import CLASSES, Net
from benchmarks.textline.write import write

BATCH, RATE = 32, 2.5e-3


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    printer = Printer(tuple(options.fonts), held_out=None if options.all_fonts else False)
    unseen = Printer(tuple(options.fonts), held_out=True)
    net = Net().to(memory_format=torch.channels_last)
    if options.resume:
        net.load_state_dict(torch.load(options.resume))
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    started, step, told = time.monotonic(), 0, 0.0
    while (share := (time.monotonic() - started) / (60 * options.minutes)) < 1:
        rate = options.rate * min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        ramp = 1.0 if options.resume else min(1.0, 0.25 + step / 2500)
        cuts = [cut(printer, rng, ramp * float(rng.random())) for _ in range(BATCH)]
        loss = _loss(net, cuts)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        step += 1
        blend(mean, net, min(0.998, step / (step + 20)))
        told = 0.98 * told + 0.02 * loss.item() if told else loss.item()
        if step % 500 == 0:
            right = [_right(mean, which, harm) for which, harm in ((printer, 0.2), (printer, 0.7), (unseen, 0.2), (unseen, 0.7))]
            print(f"{step} {share:.2f} loss {told:.3f} frames right {right}", flush=True)
            torch.save(mean.state_dict(), Path(options.out).with_suffix(".pt"))
            write(mean, options.out)
    torch.save(mean.state_dict(), Path(options.out).with_suffix(".pt"))
    write(mean, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.textline.train")
    parser.add_argument("--fonts", nargs="+", default=["/usr/share/fonts"])
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--resume")
    parser.add_argument(
        "--all-fonts", action="store_true", help="train on the families kept for checking too: for the weights that are shipped"
    )
    parser.add_argument("--out", default="textline.onnx")
    return parser.parse_args()


def _loss(net: Net, cuts: list[Cut]) -> torch.Tensor:
    """Each frame for itself, and the line as a whole (CTC): the first teaches quickly, the second what counts."""
    pictures = torch.from_numpy(np.stack([each.picture for each in cuts])[:, None].astype(np.float32))
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(pictures.to(memory_format=torch.channels_last))
    logits = logits.float()
    frames = torch.from_numpy(np.stack([each.frames for each in cuts]))
    each = functional.cross_entropy(logits, frames, ignore_index=IGNORED)
    logs = functional.log_softmax(logits, 1).permute(2, 0, 1)
    said = torch.tensor([value for each in cuts for value in each.said])
    lengths = torch.tensor([len(each.said) for each in cuts])
    line = functional.ctc_loss(logs, said, torch.full((len(cuts),), logs.shape[0]), lengths, zero_infinity=True)
    return each + 0.5 * line


@torch.no_grad()
def _right(net: Net, printer: Printer, harm: float, count: int = 96) -> float:
    """Share of the frames inside characters that are told right, on lines that are the same each time."""
    rng = np.random.default_rng(999)
    net.eval()
    cuts = [cut(printer, rng, harm) for _ in range(count)]
    told = net(torch.from_numpy(np.stack([each.picture for each in cuts])[:, None].astype(np.float32))).argmax(1).numpy()
    truth = np.stack([each.frames for each in cuts])
    inside = (truth > 0) & (truth < CLASSES - 1)
    net.train()
    assert told.shape[1] * 4 == WIDTH, HEIGHT
    return round(float((told == truth)[inside].mean()), 4)


if __name__ == "__main__":
    main()
