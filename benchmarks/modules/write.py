"""The trained network as ONNX: normalisation folded into the convolutions, weights in half precision."""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from benchmarks.modules.network import GIVEN, Net
from benchmarks.networks import shrink


def write(net: Net, path: str | Path) -> None:
    """Inputs ``picture`` (1, 1, 6m, 6m) and ``given`` (1, 3, m, m), output ``logits`` (1, 1, m, m); all float32.

    The file names the sizes of version 1: OpenCV takes others all the same, but version 4 of it reads no file that leaves them open.
    """
    example = (torch.zeros(1, 1, 150, 150), torch.zeros(1, GIVEN, 25, 25))
    torch.onnx.export(
        copy.deepcopy(net).eval(), example, str(path), input_names=["picture", "given"], output_names=["logits"], dynamo=False,
        opset_version=13,
    )  # fmt: skip
    shrink(path)
