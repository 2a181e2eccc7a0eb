"""Weights that are too small to be normal numbers: gone, and nothing else of the network with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import rapidocr
from nhirx_scanner import denormals, ocr

_TINY = 1e-40
_FLOAT, _INT64 = 1, 7  # of onnx.proto's TensorProto.DataType


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """Protobuf fields, numbers below 128 and bytes of less than 16,384."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += bytes([number << 3, value])
        else:
            out += bytes([number << 3 | 2, len(value) & 0x7F | 0x80, len(value) >> 7]) + value
    return out


def model(values: np.ndarray, kind: int) -> bytes:
    tensor = message((1, len(values)), (2, kind), (8, b"weights"), (9, values.tobytes()))
    return message((1, 8), (2, b"someone"), (7, message((2, b"graph"), (5, tensor))))


def test_a_denormal_weight_becomes_zero_and_others_stay():
    before = np.array([1.5, _TINY, -_TINY, 0.0, np.finfo(np.float32).tiny, -3e38], np.float32)
    after = np.array([1.5, 0.0, 0.0, 0.0, np.finfo(np.float32).tiny, -3e38], np.float32)

    assert model(after, _FLOAT) == denormals.cleared(model(before, _FLOAT))


def test_whole_numbers_are_not_taken_for_weights():
    """The bytes of a small integer are those of a tiny fraction."""
    shape = model(np.array([3, 640, 928], np.int64), _INT64)

    assert shape == denormals.cleared(shape)


@pytest.mark.parametrize(
    "broken", [b"\xff" * 12, model(np.ones(9, np.float32), _FLOAT)[:-5], b"\x0b\x00"], ids=["number", "cut off", "wire type"]
)
def test_what_is_no_network_is_refused(broken):
    with pytest.raises(ValueError, match="protobuf"):
        denormals.cleared(broken)


def test_the_detector_says_the_same_without_them():
    path = next((Path(rapidocr.__file__).parent / "models").glob("*det*.onnx"))
    given, mended = (
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        for model in (path.read_bytes(), denormals.cleared(path.read_bytes()))
    )
    picture = np.random.default_rng(3).random((1, 3, 96, 160), np.float32)
    first, second = (session.run(None, {session.get_inputs()[0].name: picture})[0] for session in (given, mended))

    assert np.array_equal(first, second)


def test_the_networks_in_use_are_mended_and_a_lost_file_does_no_harm(tmp_path):
    given = object()
    engine = ocr._detector()

    assert given is ocr._mended(given, tmp_path / "gone.onnx")
    # What the runtime loads from memory has no path.
    assert [None, None] == [part.session.session._model_path for part in (engine.text_det, engine.text_rec)]
