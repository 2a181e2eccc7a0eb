"""Percentiles as numpy has them."""

from __future__ import annotations

import numpy as np
import pytest
from nhirx_scanner.percentiles import percentiles


@pytest.mark.parametrize("size", [1, 2, 3, 10, 997])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_they_are_those_of_numpy(size, kind):
    values = np.random.default_rng(size).uniform(0, 255, size).astype(kind)
    shares = (0, 2, 5, 50, 75, 97.5, 100)
    assert percentiles(values, *shares) == pytest.approx(np.percentile(values.astype(float), shares).tolist())


def test_the_values_stay_as_they_are():
    values = np.array([[3.0, 1.0], [2.0, 0.0]])
    assert percentiles(values, 0, 50, 100) == (0.0, 1.5, 3.0)
    assert values.tolist() == [[3.0, 1.0], [2.0, 0.0]]
