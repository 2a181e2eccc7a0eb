"""A sheet brought before the camera: found while it is held, never another ID, forgotten after it has gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from nhirx_scanner import Scanner
from nhirx_scanner.camera import Camera

from samples import clip

SEEDS = range(9000, 9006)
FLOOR = 5  # of the clips, those whose sheet is found while it is held


def test_held_sheets_are_found_and_nothing_else() -> None:
    """``shown`` frames are the only ones in which an ID may appear, a few frames of memory apart."""
    found, wrong, early = 0, [], []
    for seed in SEEDS:
        made = clip.clip(seed)
        session = Scanner(limit_ms=2_000).session()
        answers = [set(session.push(image).visit_ids) for image in made.images]
        found += any(made.visit_id in ids for ids, shown in zip(answers, made.shown, strict=True) if shown)
        if set().union(*answers) - {made.visit_id}:
            wrong.append(seed)
        if set().union(*answers[:3]):
            early.append(seed)

    assert ([], []) == (wrong, early)
    assert found >= FLOOR


def test_a_sheet_that_has_gone_is_forgotten() -> None:
    """The last of ten empty frames must not report the sheet before: it would be booked on the next patient."""
    for seed in SEEDS:
        session = Scanner().session()
        for image in clip.clip(seed).images:
            last = session.push(image)
        assert ("none", ()) == (last.status, last.visit_ids)


@pytest.mark.parametrize(("write", "name"), [(clip.write_avi, "film.avi"), (clip.write_y4m, "film.y4m")])
def test_films_go_through_the_camera_to_the_session(write: object, name: str, tmp_path: Path) -> None:
    """OpenCV's video backend in between, as with a real camera."""
    made = clip.clip(9001, trouble=0.0)
    assert callable(write)
    write(tmp_path / name, made.images)
    session = Scanner(limit_ms=2_000).session()
    with Camera(str(tmp_path / name)) as camera:
        answers = [session.push(frame) for frame in camera]

    assert len(made.images) == len(answers)
    assert {made.visit_id} == {visit_id for scan in answers for visit_id in scan.visit_ids}
