"""Our own judge of QR modules: a small network that looks at 6×6 pixels of every module and at its neighbours (``modulenet.onnx``).

Model card. 0.17 million weights in half precision, run by OpenCV. Its input is the fitted code with a margin of two modules, the parts
that are the same in every code of the version, and what the linear equaliser (``equalise``) made of the others; its output is how much
more likely each module is dark than light (log odds). Trained from scratch on drawn codes with random modules, never on photographs and
never on the sheets that the project's figures come from: neither what a visit ID looks like nor how a code is protected is taught, so
that both stay independent witnesses. Meant for grids that lie within half a module of the truth. How to train it again, with which seed
and how long: ``benchmarks/modules/README.md``.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nhirx_scanner.engines import Gray
from nhirx_scanner.equalise import equalised
from nhirx_scanner.qrform import layout
from nhirx_scanner.qrgrid import sampled

Array = NDArray[Any]

PIXELS, MARGIN = 6, 2
_WEIGHTS = Path(__file__).with_name("modulenet.onnx")
_OWN = threading.local()


def log_odds(picture: Gray, version: int, corners: Array) -> Array:
    """(size × size) log odds of each module being dark."""
    eye, given = views(picture, version, corners)
    network = _network()
    network.setInput(eye[None, None], "picture")
    network.setInput(given[None], "given")
    logits: Array = network.forward()[0, 0, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return logits


def views(picture: Gray, version: int, corners: Array) -> tuple[Array, Array]:
    """What the network sees: (6m × 6m) the code at one size and contrast, and (3 × m × m) what is known; m is size + 4."""
    size = layout(version).size
    module = float(np.hypot(*(corners[1] - corners[0]))) / size
    if module > PIXELS:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * module / PIXELS)
    steps = (np.arange(PIXELS * (size + 2 * MARGIN)) + 0.5) / PIXELS - MARGIN
    points = np.stack([axis.ravel() for axis in np.meshgrid(steps, steps)], 1)
    # In parts: a remapped picture may not be longer than 32,767 pixels.
    parts = [sampled(picture, corners[None], size, part)[0] for part in np.array_split(points, 4)]
    seen = np.concatenate(parts).reshape(len(steps), len(steps))
    eye = ((seen.mean() - seen) / (seen.std() + 4.0)).clip(-4, 4).astype(np.float32)
    planes = [np.pad(plane, MARGIN, constant_values=-1.0) for plane in (_known(version), *equalised(picture, version, corners))]
    return eye, np.stack(planes).astype(np.float32)


def _known(version: int) -> Array:
    known = layout(version).known
    return np.where(known < 0, 0.0, np.where(known == 1, 1.0, -1.0))


def _network() -> Any:
    """One for each thread: a network holds what it is working on."""
    if not hasattr(_OWN, "network"):
        _OWN.network = cv2.dnn.readNetFromONNX(np.fromfile(_WEIGHTS, np.uint8))
    return _OWN.network
