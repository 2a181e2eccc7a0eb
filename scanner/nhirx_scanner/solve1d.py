"""From costs per place to the best text: Code 128 and Code 93 choose the best text *among those whose check characters are right*."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from nhirx.identifiers.visit_id import ALPHABET
from nhirx_scanner.forms import FORMS, LETTERS39, Array, Form, allowed
from nhirx_scanner.symbols import ALPHABET93, check93


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with the numbers it stands on: mean and (second) worst ``cost`` of a place (0 perfect), the smallest ``margin`` to
    another text, ``forced``: how much dearer the text is than the one without the check (0: the check had nothing to do), and
    ``weakest``: the second smallest lead of a character over its nearest rival, where the check vouches for one; of a Code 39 the
    smallest, weighed down where much is left over.
    ``strict``: only the characters of visit IDs were allowed, so that the text has the right alphabet says nothing.
    """

    text: str
    symbology: str
    cost: float
    worst: float
    margin: float
    forced: float
    weakest: float = 1.0
    runs_back: bool = False
    strict: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether the numbers alone are good enough to believe the text."""
        if self.strict:
            return False
        if self.symbology == "code39":
            # Nothing checks a Code 39: a stroke of a pen makes one character another, at a cost that only that place shows.
            return (
                self.margin > max(0.1, 2 * self.cost)
                and self.weakest > max(0.06, 1.5 * self.cost)
                and self.worst < 0.15
                and self.cost < 0.06
            )
        return self.forced < 1e-6 and self.margin > 0.25 and self.weakest > 0.02 and self.worst < 0.2 and self.cost < 0.12

    @property
    def is_fair(self) -> bool:
        """Whether the text is worth believing once something independent says the same.

        The check must have had nothing to do: blurred bars give a dozen wrong texts of low cost, and the check then finds one
        that fits it.
        """
        if self.symbology == "code39":
            return (
                self.margin > max(0.03, 2 * self.cost)
                and self.weakest > max(0.04, 1.2 * self.cost)
                and self.worst < 0.15
                and self.cost < 0.06
            )
        return (
            self.forced < 1e-6
            and self.margin > max(0.25 if self.strict else 0.12, 2.5 * self.cost)
            and self.weakest > 0.015
            and self.worst < (0.12 if self.strict else 0.3)
            and self.cost < 0.1
        )


def solve_places(costs: Array, form: Form, backwards: bool = False, *, strict: bool = False) -> Reading:
    """The best text for one row of costs per place (places × characters); ``strict`` allows the visit ID's alphabet only."""
    solve = {"code39": _solve39, "code128": _solve128, "code93": _solve93}[form.name]
    return replace(solve(costs, strict), runs_back=backwards, strict=strict)


def _solve39(costs: Array, strict: bool) -> Reading:
    star = len(LETTERS39) - 1
    inner = costs[1:-1, : len(ALPHABET) if strict else star]
    order = np.sort(inner, axis=1)
    each = np.r_[costs[0, star], order[:, 0], costs[-1, star]]
    text = "".join(LETTERS39[k] for k in inner.argmin(axis=1))
    leads = order[:, 1] - order[:, 0]
    # What leads where much is left over leads by what lies over the bars, not by them.
    heavy = np.maximum(order[:, 0] / max(float(np.median(order[:, 0])), 0.005), 1.0)
    return Reading(
        text,
        "code39",
        float(each.mean()),
        float(each.max()),
        float(leads.min()),
        0.0,
        weakest=float((leads / (heavy * heavy)).min()),
    )


# Classes of places in a Code 128: start with letters or with pairs of digits, a letter, a pair, the change to pairs and the one back.
_CLASSES = "STlpCB"
_MOST_PLANS = 6  # that are asked for a better text than the second best of the best plan


@cache
def _plans(count: int) -> tuple[list[str], Array]:
    """What may stand at each place up to the check, and the same as numbers of classes (plans × places).

    Writers put runs of digits into pairs: at the beginning, at the end, and from four on in between. Twenty characters, all in all.
    """
    out = []
    for first, between, last in itertools.product(range(4), (0, 2, 3, 4), range(4)):
        letters = 20 - 2 * (first + between + last)
        begins = "T" + "p" * first + "B" if first else "S"
        ends = "C" + "p" * last if last else ""
        run = "C" + "p" * between + "B" if between else ""
        if len(begins) + len(run) + max(letters, 0) + len(ends) != count - 1 or letters < 2:
            continue
        out += [begins + "l" * at + run + "l" * (letters - at) + ends for at in (range(1, letters) if run else (letters,))]
    return out, np.array([[_CLASSES.index(letter) for letter in plan] for plan in out])


@cache
def _values(letter: str, strict: bool) -> Array:
    """The values that a place of a class may have."""
    letters = allowed(FORMS[0])[1]
    every = {"S": [103, 104], "T": [105], "p": range(100), "C": [99], "B": [100]}
    return np.array(every[letter]) if letter in every else letters[: len(ALPHABET)] if strict else letters


@cache
def _firsts(place: int, letter: str, strict: bool) -> Array:
    """From which checksum each value at ``place`` leads to the checksum 0; to the next ones from the next ones."""
    firsts: Array = (-place * _values(letter, strict)) % 103
    return firsts


def _by_plan(costs: Array, strict: bool) -> tuple[list[str], Array]:
    """The plans for so many places, and what the cheapest text of each costs up to the check, whatever that says."""
    plans, classes = _plans(len(costs))
    least = np.stack([costs[:-1, _values(letter, strict)].min(axis=1) for letter in _CLASSES], 1)
    sums: Array = least[np.arange(len(costs) - 1)[None], classes].sum(axis=1)
    return plans, sums


def _summed(costs: Array, plan: str, strict: bool) -> tuple[Array, list[Array]]:
    """(checksums,): what the cheapest text of ``plan`` with that checksum costs up to the check; and what led there, by place."""
    start = _start(costs, plan)
    totals = np.full(103, math.inf)
    totals[start % 103] = costs[0, start]
    steps: list[Array] = []
    # Checksums go round: a stretch of the totals written twice is picked many times faster than its members.
    twice = np.empty(206)
    stretches = np.lib.stride_tricks.sliding_window_view(twice, 103)
    for place, letter in enumerate(plan[1:], 1):
        twice[:103] = twice[103:] = totals
        options = stretches[_firsts(place, letter, strict)]
        options += costs[place, _values(letter, strict)][:, None]
        steps.append(options)
        totals = options.min(axis=0)
    return totals, steps


def _start(costs: Array, plan: str) -> int:
    values = _values(plan[0], strict=False)
    return int(values[costs[0, values].argmin()])


def _of_other_plans(costs: Array, strict: bool, taken: int, within: float) -> float:
    """What the cheapest text of another plan costs whose check is right, where that is less than ``within``; else ``within``."""
    plans, sums = _by_plan(costs, strict)
    least, check = within, float(costs[-1, :103].min())
    for number in np.argsort(sums)[: _MOST_PLANS + 1]:
        if sums[number] + check >= least:
            break
        if number != taken:
            least = min(least, float((_summed(costs, plans[number], strict)[0] + costs[-1, :103]).min()))
    return least


def _solve128(costs: Array, strict: bool) -> Reading:
    last = len(costs) - 1
    plans, sums = _by_plan(costs, strict)
    number = int(np.argmin(sums))
    plan, free = plans[number], float(sums[number]) + float(costs[last, :103].min())
    # The check character prices each checksum.
    totals, steps = _summed(costs, plan, strict)
    totals = totals + costs[last, :103]
    rest = int(totals.argmin())
    residue, picked = rest, []
    for place in range(last - 1, 0, -1):
        value = int(_values(plan[place], strict)[steps[place - 1][:, residue].argmin()])
        picked.append(value)
        residue = (residue - place * value) % 103
    picked.reverse()
    each = np.array([costs[0, _start(costs, plan)], *(costs[k + 1, v] for k, v in enumerate(picked)), costs[last, rest]])
    ordered = np.sort(totals)
    ordered_leads = [
        np.partition(costs[k, _values(letter, strict)], 1) for k, letter in enumerate(plan[1:], 1) if letter not in _CLASSES[-2:]
    ]
    return Reading(
        text128(picked, plan),
        "code128",
        float(each.mean()),
        float(np.sort(each)[-2]),
        _of_other_plans(costs, strict, number, float(ordered[1])) - float(ordered[0]),
        float(totals[rest] - free),
        float(sorted(float(pair[1] - pair[0]) for pair in ordered_leads)[1]),
    )


def runner_up128(costs: Array) -> float:
    """How much dearer than the best text of a Code 128 the best *other* text is whose check character is right too.

    ``Reading.margin`` compares texts of different check characters only; two texts may well share theirs.
    """
    last = len(costs) - 1
    plans, sums = _by_plan(costs, strict=False)
    number = int(np.argmin(sums))
    plan = plans[number]
    totals, steps = _summed(costs, plan, strict=False)
    rest = costs[last, :103].copy()  # what the places after this one cost at least, by the checksum so far
    best = float((totals + rest).min())
    least = math.inf
    for place in range(last - 1, 0, -1):
        values = _values(plan[place], strict=False)
        by_value = np.sort((steps[place - 1] + rest[None]).min(axis=1))
        if len(values) > 1:
            least = min(least, float(by_value[1]) - best)
        onwards = (np.arange(103)[None] + place * values[:, None]) % 103
        rest = (costs[place, values][:, None] + rest[onwards]).min(axis=0)
    return _of_other_plans(costs, False, number, best + least) - best


def text128(values: list[int], plan: str) -> str:
    """The text of the places after the start."""
    written = {"l": lambda value: chr(value + 32), "p": lambda value: f"{value:02d}"}
    return "".join(written[letter](value) for letter, value in zip(plan[1:], values, strict=True) if letter in written)


def _weakest(data: Array) -> float:
    ordered = np.partition(data, 1, axis=1)
    return float(np.partition(ordered[:, 1] - ordered[:, 0], 1)[1])


def _solve93(costs: Array, strict: bool) -> Reading:
    """Two check characters of 47 values each: the text is taken place by place, and changed in one place if they ask for it."""
    data = costs[1:21, :43].copy()
    if strict:
        data[:, [ALPHABET93.index(c) for c in "IO-. $/+%"]] = 9.0
    picked = data.argmin(axis=1)
    ordered = np.sort(data, axis=1)
    plain = float(data[np.arange(20), picked].sum())
    # Every text that differs in one place, at once: how its price and its two check values move.
    step = np.arange(43)[None] - picked[:, None]
    first_weights, second_weights = np.arange(20, 0, -1), (np.arange(20, 0, -1) % 15) + 1
    first, second = check93([int(value) for value in picked])
    firsts = (first + first_weights[:, None] * step) % 47
    seconds = (second + second_weights[:, None] * step + (firsts - first)) % 47
    prices = plain + data - data[np.arange(20), picked][:, None] + costs[21, firsts] + costs[22, seconds]
    place, value = np.unravel_index(int(prices.argmin()), prices.shape)
    price = float(prices[place, value])
    best = picked.copy()
    best[place] = value
    rivals = np.sort(prices[prices > price + 1e-9].ravel())
    checks = int(firsts[place, value]), int(seconds[place, value])
    free = float(ordered[:, 0].sum() + costs[21].min() + costs[22].min())
    each = np.array([costs[0, 47], *data[np.arange(20), best], costs[21, checks[0]], costs[22, checks[1]], costs[23, 47]])
    text = "".join(ALPHABET93[int(k)] for k in best)
    margin = float(rivals[0] - price) if len(rivals) else 0.0
    return Reading(text, "code93", float(each.mean()), float(np.sort(each)[-2]), margin, price - free, _weakest(data))
