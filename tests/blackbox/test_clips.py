"""A sheet brought before the camera: found while it is held, never another ID, forgotten after it has gone."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from nhirx_scanner import Scanner
from nhirx_scanner.camera import Camera
from nhirx_scanner.session import MEMORY

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


def test_an_unsteady_sheet_is_told_in_more_frames_than_can_be_read_alone() -> None:
    """Out of focus again and again: what was read a moment ago still stands, and is never anything else."""
    alone, together, wrong = 0, 0, []
    single = Scanner(effort="fast", limit_ms=2_000)
    for seed in SEEDS[:3]:
        made = clip.clip(seed, trouble=1.0, after=0)
        # The focus goes away for two frames out of four.
        images = [cv2.GaussianBlur(image, (0, 0), 7) if number % 4 > 1 else image for number, image in enumerate(made.images)]
        session = Scanner(limit_ms=2_000).session()
        answers = [session.push(image) for image in images]
        held = [(image, scan) for image, scan, shown in zip(images, answers, made.shown, strict=True) if shown]
        alone += sum(single.scan(image).visit_id == made.visit_id for image, _ in held)
        together += sum(scan.visit_id == made.visit_id for _, scan in held)
        wrong += [seed for scan in answers if {*scan.visit_ids} - {made.visit_id}]

    assert [] == wrong
    assert together > alone


def test_an_id_outlives_its_last_reading_by_the_memory_and_no_more() -> None:
    """As many frames as the session remembers, then nothing."""
    made = clip.clip(9001, trouble=0.0, after=MEMORY + 3)
    session = Scanner(limit_ms=2_000).session()
    told = [session.push(image).visit_id is not None for image in made.images]

    assert told[made.shown.index(True) : len(made.shown) - made.shown[::-1].index(True)] != []
    assert not any(told[-3:])
    assert sum(told[-(MEMORY + 3) :]) <= MEMORY


def test_one_patient_after_the_other_is_never_mixed_up() -> None:
    """Two sheets, one held up right after the other: each ID only while its own sheet is or just was there."""
    first, second = clip.clip(9002, trouble=0.0, after=0), clip.clip(9003, trouble=0.0, before=0, after=0)
    session = Scanner(limit_ms=2_000).session()
    before = [session.push(image) for image in first.images]
    after = [session.push(image) for image in second.images]

    assert {first.visit_id} == {value for scan in before for value in scan.visit_ids}
    assert (second.visit_id,) in [scan.visit_ids for scan in after]
    # Once the second one was told the first one is forgotten, and both together are never told.
    since = next(number for number, scan in enumerate(after) if second.visit_id in scan.visit_ids)
    assert {second.visit_id} == {value for scan in after[since:] for value in scan.visit_ids}
    assert {"several"} & {scan.status for scan in after} == set()


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
