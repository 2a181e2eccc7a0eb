"""The trained network as ONNX: normalisation folded into the convolutions, weights in half precision."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from benchmarks.modules.network import GIVEN, Net


def write(net: Net, path: str | Path) -> None:
    """Inputs ``picture`` (1, 1, 6m, 6m) and ``given`` (1, 3, m, m), output ``logits`` (1, 1, m, m); all float32.

    The file names the sizes of version 1: OpenCV takes others all the same, but version 4 of it reads no file that leaves them open.
    """
    example = (torch.zeros(1, 1, 150, 150), torch.zeros(1, GIVEN, 25, 25))
    torch.onnx.export(
        copy.deepcopy(net).eval(), example, str(path), input_names=["picture", "given"], output_names=["logits"], dynamo=False,
        opset_version=13,
    )  # fmt: skip
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
