"""Weights of a network that are too small to be normal numbers, set to zero.

Training lets unused channels die away until their weights are some 1e-40. Processors that have no fast way for such numbers take a hundred
times as long for each: rapidocr's detector, of whose 2.5 million weights 256,000 are so small, took 0.65 s for a page where it needs
0.2 s. The runtime can be told to take them for zero, but that is a switch of the whole thread it is thrown in, and the thread is the host
program's. So the weights are mended when the network is loaded, and what it says stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_GRAPH, _INITIALIZER = 7, 5  # field numbers of onnx.proto: ModelProto.graph, GraphProto.initializer,
_DATA_TYPE, _RAW_DATA = 2, 9  # TensorProto.data_type and raw_data
_FLOAT = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def cleared(model: bytes) -> bytes:
    """The same ONNX model without denormal weights (float32, as initializers). Raises ``ValueError`` for what is no such file."""
    data = bytearray(model)
    for begin, end in _nested(data, 0, len(data), _GRAPH):
        for first, last in _nested(data, begin, end, _INITIALIZER):
            fields = {number: (kind, at, stop) for number, kind, at, stop in _fields(data, first, last)}
            kind, at, stop = fields.get(_RAW_DATA, (-1, 0, 0))
            if kind == _BYTES and (stop - at) % 4 == 0 and _is_float(data, fields.get(_DATA_TYPE)):
                weights = np.frombuffer(data, "<f4", (stop - at) // 4, at)
                weights[np.abs(weights) < np.finfo(np.float32).tiny] = 0.0
    return bytes(data)


def _is_float(data: bytearray, field: tuple[int, int, int] | None) -> bool:
    return field is not None and field[0] == _VARINT and _varint(data, field[1])[0] == _FLOAT


def _nested(data: bytearray, begin: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    return ((at, stop) for number, kind, at, stop in _fields(data, begin, end) if (number, kind) == (wanted, _BYTES))


def _fields(data: bytearray, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, wire type, first byte and end of the value of each field of a protobuf message."""
    while at < end:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        begin = at
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            size, begin = _varint(data, at)
            at = begin + size
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"protobuf wire type {kind}")
        if at > end:
            raise ValueError("protobuf field beyond its message")
        yield number, kind, begin, at


def _varint(data: bytearray, at: int) -> tuple[int, int]:
    """The number that begins at ``at``, and where it ends."""
    value = 0
    for place in range(10):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at
    raise ValueError("protobuf number without end")
