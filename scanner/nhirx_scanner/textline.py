"""Our own recogniser of the visit ID's 34 characters: a small network that looks at a line 32 pixels tall (``textline.onnx``).

Model card. 0.36 million weights in half precision: convolutions over the line and, along it, gated residual ones; every fourth column
gets 36 probabilities (nothing, 34 characters, anything else). Trained from scratch on lines made on the fly, never on photographs and
never on the sheets that the project's figures come from: some 70 families of free Latin fonts, Chinese labels before the ID, random
twenty-character texts (the structure of a visit ID is not taught, so that it stays an independent witness), spoilt ink, paper, lens and
light. Meant for one printed line of capitals and digits; other writing is told as "anything else", handwriting is not its business.
How to train it again, with which seed and how long: ``benchmarks/textline/README.md``.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.centreline import Strip, straight
from nhirx_scanner.engines import Gray

Array = NDArray[Any]

ROWS, STRIDE = 32, 4
CHARACTERS = ("", *ALPHABET, "?")
"""What the columns of ``frames`` mean: nothing, the alphabet, and any other character."""
NARROWEST, WIDEST = 80, 1600  # pixels: no line with an ID is shorter or longer, nor one with an ID number
_LOOKS = ((1.0, 0, 0), (0.87, 1, 0), (1.13, -1, 0), (0.95, -2, 2), (1.05, 2, 2), (1.0, 0, 1))  # taller, lower, right
_SEEN = 1e-4
_LOCK = threading.Lock()


def frames(pictures: Sequence[Gray]) -> Array:
    """Pictures of 32 rows and one width → (pictures, width/4, 36) probabilities."""
    told: Array = _network().run(None, {"line": np.stack(pictures)[:, None].astype(np.float32)})[0]
    return told


def first_look(line: Strip, capital: float) -> Array | None:
    """(time, 36) of one look; None for a line that is too short or too long for any text."""
    picture = straight(line, capital, ROWS)
    return frames([picture])[0] if NARROWEST <= picture.shape[1] <= WIDEST else None


def looks(line: Strip, capital: float) -> Array | None:
    """(time, 36): several looks, a little taller, lower, aside, blurred, put together frame by frame (their geometric mean)."""
    pictures = [straight(line, capital, ROWS, taller=taller, lower=lower, right=right) for taller, lower, right in _LOOKS]
    if not NARROWEST <= pictures[0].shape[1] <= WIDEST:
        return None
    pictures.append(cv2.GaussianBlur(pictures[0], (0, 0), 1.0))
    mean = np.exp(np.log(frames(pictures) + _SEEN).mean(axis=0))
    result: Array = mean / mean.sum(axis=1, keepdims=True)
    return result


def prepare() -> None:
    """Load the network, before a page's time runs."""
    _network()


def _network() -> Any:
    with _LOCK:
        return _load()


@functools.cache
def _load() -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    weights = Path(__file__).with_name("textline.onnx").read_bytes()
    return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
