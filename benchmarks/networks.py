"""What the trainings of the two small networks share (``textline``, ``modules``): the mean over the last steps, and small files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn


def blend(mean: nn.Module, net: nn.Module, keep: float) -> None:
    """Move the weights of ``mean`` towards those of ``net``: ``keep`` (0…1) of the old ones stays."""
    with torch.no_grad():
        for old, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.mul_(keep).add_(new, alpha=1 - keep)
            else:
                old.copy_(new)


def shrink(path: str | Path) -> None:
    """The ONNX file at ``path`` with its weights in half precision, and without the name of the program that wrote it."""
    model = onnx.load(str(path))
    _halve(model)
    model.producer_name, model.producer_version = "", ""
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _halve(model: onnx.ModelProto) -> None:
    graph = model.graph
    for weights in [each for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT]:
        values = numpy_helper.to_array(weights)
        if values.size < 64:
            continue
        name = weights.name
        half = numpy_helper.from_array(values.astype(np.float16), name + "_half")
        graph.initializer.remove(weights)
        graph.initializer.append(half)
        graph.node.insert(0, helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT))
