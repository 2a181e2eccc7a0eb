"""What each character of a symbology looks like once it is printed and blurred: the shapes that a line is compared with."""

from __future__ import annotations

from functools import cache

import numpy as np

from nhirx_scanner.forms import FINE, Array, Form, blurred, patterns, wave_of


@cache
def templates(form: Form, blur: float, spread: float) -> Array:
    """(characters × samples), mean free and of length one, for bars printed ``spread`` modules too wide; four samples a module."""
    first, waves = _waves(form, spread)
    soft = np.stack([blurred(wave, blur) for wave in waves])[:, first : first + round(form.width * FINE)]
    # In the middle between two fine samples.
    shapes: Array = 0.5 * (soft[:, 0::2] + soft[:, 1::2])
    shapes -= shapes.mean(axis=1, keepdims=True)
    shapes /= np.sqrt(np.square(shapes).sum(axis=1, keepdims=True)) + 1e-6
    return shapes


@cache
def _waves(form: Form, spread: float) -> tuple[int, Array]:
    """Where the characters begin, and every one with what stands beside it, before the blur, in fine samples."""
    # What stands beside a character reaches into it when it is blurred.
    before, after = ([2.0, 2.0], [2.0]) if form.name == "code128" else ([1.0, 1.0], [1.0])
    dark = len(before) % 2 == 0
    waves = [wave_of([*before, *pattern, *after, 2.0], spread, first_dark=dark) for pattern in patterns(form)]
    return round(sum(before) * FINE), np.stack(waves)
