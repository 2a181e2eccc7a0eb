"""A hand brings a sheet before the camera, holds it, takes it away: frames from a seed, and films of them for camera tests.

A clip is ``before`` frames of empty desk, ``entering`` frames in which the sheet slides in (shaken and out of focus), ``held``
frames at rest with a tremor and the focus still hunting, ``leaving`` frames, and ``after`` frames of empty desk again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from samples import degrade, form, sheet

SIZE = (1280, 720)
_PER_MM = 5.6  # pixels: a sheet of 210 mm fills most of the frame's width


@dataclass(frozen=True, slots=True)
class Clip:
    """``image`` of each frame is BGR, 720 × 1280. ``shown`` tells of each frame whether all of the sheet is inside it."""

    images: tuple[np.ndarray, ...] = field(repr=False)
    shown: tuple[bool, ...]
    visit_id: str
    forms: tuple[str, ...]


def clip(
    seed: int,
    *,
    before: int = 3,
    entering: int = 4,
    held: int = 8,
    leaving: int = 3,
    after: int = 10,
    trouble: float = 0.3,
    shown: sheet.SheetFacts | None = None,
) -> Clip:
    """The clip of one seed. ``trouble`` from 0 to 1 is how unsteady and out of focus the sheet is while it is held.

    ``shown`` is the sheet to bring; None makes one up.
    """
    rng = np.random.default_rng([20, seed])
    layout = ("clinic", "hospital")[seed % 2]
    facts = shown or sheet.facts(rng, forms=("text", "code128", "qr"), distractors=3, layout=layout)
    paper = form.render(facts, _PER_MM * 25.4).image
    desk = _desk(rng)
    goal = np.array((SIZE[0] / 2, SIZE[1] / 2)) + rng.uniform(-12, 12, 2) * (1, 0.3)
    start = goal + np.array((rng.choice((-1, 1)) * SIZE[0] * 1.2, rng.uniform(-0.2, 0.6) * SIZE[1]))
    tilt = float(rng.uniform(-4, 4)) * 0.25
    way: list[tuple[np.ndarray, float, float] | None] = [None] * before
    way += [(start + (goal - start) * (step + 1) / (entering + 1), tilt * 3, 1.0) for step in range(entering)]
    for step in range(held):
        tremor = rng.normal(0, 1 + 4 * trouble, 2)
        focus = trouble * abs(np.cos(step * 0.9 + seed))
        way.append((goal + tremor, tilt + float(rng.normal(0, 0.4)), float(focus)))
    way += [(goal + (start - goal) * (step + 1) / (leaving + 1), tilt * 3, 1.0) for step in range(leaving)]
    way += [None] * after
    images, whole = [], []
    for place in way:
        frame = desk.copy()
        inside = False
        if place is not None:
            inside = _lay(frame, paper, *place[:2])
            if place[2] > 0.05:
                frame = degrade.defocus(frame, rng, place[2])
            if place[2] >= 1.0:
                frame = degrade.motion(frame, rng, 1.0)
        images.append(degrade.noise(frame, rng, 0.1))
        whole.append(inside)
    return Clip(tuple(images), tuple(whole), facts.visit_text or "", tuple(sorted(facts.ids_by_form)))


def frames(seed: int) -> Iterator[np.ndarray]:
    """The frames of ``clip(seed)``."""
    yield from clip(seed).images


def write_avi(path: Path, images: Iterable[np.ndarray], *, per_second: float = 15.0) -> None:
    """A film of JPEG frames, as most webcams give them. Raises ``OSError`` when it cannot be written."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), per_second, SIZE)
    if not writer.isOpened():
        raise OSError(f"{path} cannot be written")
    try:
        for image in images:
            writer.write(image)
    finally:
        writer.release()


def write_mjpeg(path: Path, images: Iterable[np.ndarray]) -> None:
    """JPEG frames end to end, the smaller of the two forms that browsers take as a fake camera."""
    whole = path.with_name(path.name + ".part")
    with whole.open("wb") as film:
        for image in images:
            film.write(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    whole.replace(path)  # a browser that looks for its cameras just now must not find half a film: it would drop the camera


def write_y4m(path: Path, images: Iterable[np.ndarray], *, per_second: int = 15) -> None:
    """A film without compression (YUV4MPEG2, 4:2:0), the form that browsers take as a fake camera."""
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F{per_second}:1 Ip A1:1 C420jpeg\n".encode())
        for image in images:
            film.write(b"FRAME\n" + cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).tobytes())


def _desk(rng: np.random.Generator) -> np.ndarray:
    tone = rng.uniform(60, 150, 3).astype(np.float32)
    grain = cv2.resize(rng.standard_normal((60, 12)).astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    return np.clip(tone + grain[..., None] * 9, 0, 255).astype(np.uint8)


def _lay(frame: np.ndarray, paper: np.ndarray, at: np.ndarray, turn: float) -> bool:
    """Puts the paper's middle at ``at``, turned by ``turn`` degrees; tells whether all of it is in the frame."""
    height, width = paper.shape[:2]
    share = min(1.0, 0.98 * SIZE[0] / width, 0.94 * SIZE[1] / height)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, share)
    matrix[:, 2] += at - (width / 2, height / 2)
    cv2.warpAffine(paper, matrix, SIZE, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]]) @ matrix.T
    return bool((corners.min(0) >= 0).all() and (corners.max(0) <= SIZE).all())
