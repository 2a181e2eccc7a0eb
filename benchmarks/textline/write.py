"""The trained network as ONNX: normalisation folded into the convolutions, weights in half precision."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from benchmarks.networks import shrink
from benchmarks.textline.network import Net


class _Told(nn.Module):
    """What the scanner asks for: (W/4, 36) probabilities of one line."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net

    def forward(self, line: torch.Tensor) -> torch.Tensor:
        told: torch.Tensor = torch.softmax(self.net(line), 1).transpose(1, 2)
        return told


def write(net: Net, path: str | Path) -> None:
    """Input ``line`` (N, 1, 32, W) float32 grey values 0…255, output ``told`` (N, W/4, 36)."""
    told = _Told(copy.deepcopy(net)).eval()
    example = torch.zeros(2, 1, 32, 400)
    torch.onnx.export(
        told, (example,), str(path), input_names=["line"], output_names=["told"], dynamo=False, opset_version=17,
        dynamic_axes={"line": {0: "count", 3: "width"}, "told": {0: "count", 1: "time"}},
    )  # fmt: skip
    shrink(path)
