"""Twenty characters out of a recogniser's frames: the best path that says exactly so many of the visit ID's alphabet.

A recogniser of Chinese and Latin text looks at a line frame by frame and gives each of thousands of characters a probability.
Asked for its best text it gives one character too many, a small letter or an 8 for a B. Asked for the best twenty of 34 it has no
such choice; and at every place it tells what else it would have taken, which is what voting needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nhirx.identifiers.visit_id import ALPHABET, LENGTH

Array = NDArray[Any]

_LOOKALIKES = {"0": "Oo○〇", "1": "Il|i!丨"}  # the alphabet has no O and no I
_SEPARATORS = " -–—_.·•,、　"
_LEAST = 1e-4  # probability of what the recogniser does not see at all: ink over a character is no veto
_UNSEEN, _SPECK = 2.1, 1e-5  # the least comes twice, from the looks and from the path; what is left of it


@dataclass(frozen=True, slots=True)
class Path:
    """``logs`` (20, 34): log probability of every character at every place. ``score``: mean log probability of a place, less what
    the path leaves out of the line it stands in: a longer word gives no good twenty. ``frames``: first and last of every place."""

    logs: Array
    score: float
    frames: tuple[tuple[int, int], ...] = ()

    @property
    def text(self) -> str:
        return "".join(ALPHABET[int(place)] for place in self.logs.argmax(axis=1))


def best_path(frames: Array, characters: tuple[str, ...], costs: Array | None = None) -> Path | None:
    """The best reading of ``frames`` (time, characters; the first character is the blank) as one visit ID inside a line.

    ``costs`` (20, 34), log probability: what a character at a place costs while the path is sought. It leads the path past ink or glare
    and does not count in what the path tells.
    """
    alpha, blank, other = _reduced(frames, characters)
    if len(alpha) < LENGTH + 2:
        return None
    sought = np.zeros((LENGTH, len(ALPHABET))) if costs is None else costs
    found = _spans(
        np.log(alpha + _LEAST), np.log(blank + _LEAST), np.log(other + _LEAST), np.log(frames.max(axis=1) + _LEAST), sought
    )
    if found is None:
        return None
    spans, lost = found
    logs = np.empty((LENGTH, len(ALPHABET)))
    for place, (first, last, value) in enumerate(spans):
        peak = first + int(alpha[first : last + 1, value].argmax())
        seen = alpha[peak] + _LEAST
        logs[place] = np.log(seen / seen.sum())
    peaks = [float(np.log(alpha[first : last + 1, value].max() + _LEAST)) for first, last, value in spans]
    paid = sum(float(sought[place, value]) for place, (_, _, value) in enumerate(spans))
    where = tuple((first, last) for first, last, _ in spans)
    return Path(logs, float(np.mean(peaks)) + min(0.0, lost - paid) / LENGTH, where)


def plain(frames: Array, characters: tuple[str, ...]) -> str:
    """The plain reading of a line, for what is no visit ID: the most likely of each frame, repeats and blanks left out."""
    best = frames.argmax(axis=1)
    changed = np.concatenate(([True], best[1:] != best[:-1]))
    return "".join(characters[int(value)] for value in best[changed & (best > 0)])


def count_characters(frames: Array, characters: tuple[str, ...]) -> int:
    """How many characters of the alphabet the plain reading of a line has: a quick look before the long one."""
    alpha, blank, other = _reduced(frames, characters)
    classes = np.concatenate([alpha, blank[:, None], other[:, None]], axis=1).argmax(axis=1)
    changed = np.concatenate(([True], classes[1:] != classes[:-1]))
    return int((changed & (classes < len(ALPHABET))).sum())


def together(paths: Sequence[Path]) -> Array:
    """(20, 34): the probabilities that several looks at one line give together."""
    mean = np.mean([path.logs for path in paths], axis=0)
    likely = np.exp(mean - mean.max(axis=1, keepdims=True))
    # Each path gave the least to what it did not see at all: together that much is no doubt.
    likely = np.maximum(likely - _UNSEEN * _LEAST, _SPECK)
    result: Array = likely / likely.sum(axis=1, keepdims=True)
    return result


def _reduced(frames: Array, characters: tuple[str, ...]) -> tuple[Array, Array, Array]:
    """Probabilities per frame of the 34 characters, of nothing (or a separator), and of anything else."""
    columns, starts, empty = _columns(characters)
    alpha = np.add.reduceat(frames[:, columns], starts, axis=1)
    blank = frames[:, empty].sum(axis=1)
    return alpha, blank, np.maximum(0.0, 1.0 - alpha.sum(axis=1) - blank)


@lru_cache(maxsize=2)
def _columns(characters: tuple[str, ...]) -> tuple[Array, Array, Array]:
    place = {character: index for index, character in enumerate(characters)}
    columns: list[int] = []
    starts: list[int] = []
    for character in ALPHABET:
        starts.append(len(columns))
        wide = chr(ord(character) + 0xFEE0)
        same = [character, character.lower(), wide, *_LOOKALIKES.get(character, "")]
        columns += sorted({place[each] for each in same if each in place and place[each] > 0})
    empty = [0, *(place[each] for each in _SEPARATORS if each in place)]
    return np.array(columns), np.array(starts), np.array(empty)


def _spans(
    alpha: Array, blank: Array, other: Array, free: Array, costs: Array
) -> tuple[list[tuple[int, int, int]], float] | None:
    """First frame, last frame and character of each of the twenty places on the best path (CTC, exact length), and its loss."""
    time, letters = alpha.shape
    alpha, blank, other = alpha - free[:, None], blank - free, other - free
    low = -1e9
    rest = np.full(LENGTH + 1, low)  # ended in a blank with so many characters said
    said = np.full((LENGTH + 1, letters), low)  # ended in this character
    rest[0] = 0.0
    end, end_from, end_time = low, -1, -1
    back = _Back(time, letters)
    rows = np.arange(LENGTH + 1) * letters
    flat, costs_flat, entered = said.reshape(-1), costs.reshape(-1), np.empty((LENGTH, letters))
    for now in range(time):
        # The best character of each row, and the best of the others: the same one twice needs a blank in between.
        top = said.argmax(axis=1)
        at = rows + top
        best = flat[at]
        flat[at] = low
        second = said.argmax(axis=1)
        next_best = flat[rows + second]
        flat[at] = best
        # The line ends here, or something else follows.
        ended = max(rest[LENGTH], best[LENGTH]) + min(0.0, other[now])
        if ended > end:
            end, end_from, end_time = float(ended), -2 if rest[LENGTH] >= best[LENGTH] else int(top[LENGTH]), now - 1
        before = np.maximum(rest, best)
        np.add(before[:LENGTH, None], costs, out=entered)
        entered.reshape(-1)[at[:LENGTH]] = np.maximum(rest, next_best)[:LENGTH] + costs_flat[at[:LENGTH]]
        back.keep(now, said[1:] >= entered, top, second, rest >= best, rest >= next_best)
        np.maximum(said[1:], entered, out=said[1:])
        said[1:] += alpha[now]
        rest = before + blank[now]
        # Whatever stood before the ID ended in a character that is none of its own.
        rest[0] = max(rest[0], other[now])
    top_last = int(said[LENGTH].argmax())
    if max(rest[LENGTH], said[LENGTH, top_last]) >= end:
        end_from = -2 if rest[LENGTH] >= said[LENGTH, top_last] else top_last
        end, end_time = float(max(rest[LENGTH], said[LENGTH, top_last])), time - 1
    spans = back.traced(end_from, end_time) if end_time >= 0 else None
    return None if spans is None else (spans, end)


class _Back:
    """Where the best path came from, frame by frame: whether a character went on, and what stood before one that began."""

    def __init__(self, time: int, letters: int) -> None:
        self._stays = np.zeros((time, LENGTH, letters), bool)
        self._whose = np.zeros((2, time, LENGTH + 1), np.int16)  # the best character of a row, and the second
        self._rested = np.zeros((2, time, LENGTH + 1), bool)  # whether a blank was as good as either

    def keep(self, now: int, stays: Array, top: Array, second: Array, over_top: Array, over_second: Array) -> None:
        self._stays[now] = stays
        self._whose[0, now], self._whose[1, now] = top, second
        self._rested[0, now], self._rested[1, now] = over_top, over_second

    def traced(self, state: int, now: int) -> list[tuple[int, int, int]] | None:
        """First frame, last frame and character of each place, from the end; state -2 is a blank."""
        spans: list[tuple[int, int, int]] = []
        place, last = LENGTH, now
        while place > 0 and now >= 0:
            if state == -2:
                if not self._rested[0, now, place]:
                    state, last = int(self._whose[0, now, place]), now - 1
            elif not self._stays[now, place - 1, state]:
                spans.append((now, last, state))
                place, last = place - 1, now - 1
                same = int(self._whose[0, now, place] == state)
                state = -2 if self._rested[same, now, place] else int(self._whose[same, now, place])
            now -= 1
        return spans[::-1] if len(spans) == LENGTH else None
