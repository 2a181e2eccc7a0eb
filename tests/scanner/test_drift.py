"""Windows on a line, and the path through them, beside the plain way to find both."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from nhirx_scanner.drift import DRIFTS, correlation, smooth_path, windows
from nhirx_scanner.forms import FORMS
from nhirx_scanner.read1d import _drift_path
from nhirx_scanner.templates import templates

RNG = np.random.default_rng(20261123)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.name}-{form.ratio}-{form.symbols}")
@pytest.mark.parametrize("drifts", [DRIFTS, DRIFTS[::2]], ids=["all", "every other"])
def test_a_window_is_what_is_seen_at_its_place_and_drift(form, drifts):
    line = np.cumsum(RNG.normal(0, 9, 1500)).astype(np.float32)
    low, high = 200.3, 1290.6
    module = (high - low) / form.modules
    seen = windows(line, low, high, form, drifts).reshape(form.symbols, len(drifts), -1)
    for place, drift in ((0, 0), (3, 5), (form.symbols - 1, len(drifts) - 1)):
        within = (np.arange(seen.shape[2]) + 0.5) / 4
        at = low + module * (place * form.width + drifts[drift] + within) - 0.5
        there = np.interp(at, np.arange(len(line)), line)
        there -= there.mean()
        assert seen[place, drift] == pytest.approx(there / (np.linalg.norm(there) + 0.15), abs=2e-5)
    some = np.arange(1, form.symbols, 3)
    assert np.array_equal(windows(line, low, high, form, drifts, some), seen[some].reshape(-1, seen.shape[2]))


def test_an_empty_line_is_like_nothing():
    form = FORMS[0]
    seen = windows(np.full(900, 200.0, np.float32), 20, 880, form)
    assert np.abs(seen).max() < 1e-3
    assert correlation(seen, templates(form, 0.6, 0.0)) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.name}-{form.ratio}-{form.symbols}")
def test_shapes_are_mean_free_and_of_length_one(form):
    shapes = templates(form, 0.9, 0.25)
    assert shapes.mean(axis=1) == pytest.approx(0.0, abs=1e-6)
    assert np.linalg.norm(shapes, axis=1) == pytest.approx(1.0, abs=1e-5)
    # Every character is most like itself.
    assert (correlation(shapes, shapes).argmin(axis=1) == np.arange(len(shapes))).all()


def test_the_path_is_the_cheapest_of_all():
    best = RNG.uniform(0, 1, (4, 7)).astype(np.float32)
    path, cost = smooth_path(best)
    rows = []
    for drifts in itertools.product(range(7), repeat=4):
        slopes = np.diff(drifts)
        if np.abs(slopes).max() <= 4:
            rows.append((best[np.arange(4), drifts].sum() + 0.1 * np.abs(np.diff(slopes)).sum(), drifts))
    least, cheapest = min(rows)
    assert cost == pytest.approx(least, abs=1e-5)
    assert tuple(path) == cheapest


def test_drift_costs_by_how_much_it_changes():
    best = np.full((3, 29), 0.5, np.float32)
    best[0, 10], best[1, 14], best[2, 10] = 0.0, 0.2, 0.0
    # There and back is two modules, which cost 0.24 and gain 0.3.
    assert _drift_path(best).tolist() == [10, 14, 10]
    best[1, 14] = 0.3
    assert _drift_path(best).tolist() == [10, 10, 10]
