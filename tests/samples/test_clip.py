"""Clips: the same frames for the same seed, the sheet where the clip says it is, films that OpenCV opens again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from samples import clip


@pytest.fixture(scope="module")
def made() -> clip.Clip:
    return clip.clip(1000)


def test_a_seed_always_gives_the_same_frames(made: clip.Clip) -> None:
    """A failing clip can be looked at again."""
    again = clip.clip(1000)

    assert (made.visit_id, made.shown) == (again.visit_id, again.shown)
    assert all(np.array_equal(first, second) for first, second in zip(made.images, again.images, strict=True))


def test_the_sheet_comes_is_held_and_goes(made: clip.Clip) -> None:
    """Nothing before, nothing after, and a library reads it while it is held."""
    read = [made.visit_id in {code.text for code in zxingcpp.read_barcodes(image)} for image in made.images]

    assert [False] * 3 + [True] * 8 == list(made.shown[:3] + made.shown[7:15])
    assert not any(made.shown[15:])
    assert sum(read[7:15]) >= 4
    assert not any(read[:3] + read[-10:])


@pytest.mark.parametrize(("write", "name"), [(clip.write_avi, "clip.avi"), (clip.write_y4m, "clip.y4m")])
def test_films_are_opened_again_with_every_frame(made: clip.Clip, write: Callable[..., None], name: str, tmp_path: Path) -> None:
    """What the camera tests and a browser's fake camera are fed with."""
    path = tmp_path / name
    write(path, made.images[6:9])
    film = cv2.VideoCapture(str(path))
    frames = []
    while (taken := film.read())[0]:
        frames.append(taken[1])
    film.release()

    assert [(720, 1280, 3)] * 3 == [frame.shape for frame in frames]
    for frame, image in zip(frames, made.images[6:9], strict=True):
        assert np.abs(frame.astype(int) - image).mean() < 12
