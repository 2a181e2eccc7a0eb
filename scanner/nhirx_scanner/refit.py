"""Bars read by synthesis: the whole code is drawn as it should look, and the text chosen whose drawing is nearest to what was seen.

``read1d`` scores each character for itself; where bars run into each other that is not enough, for half of what is seen of a
character comes from its neighbours. Ink adds up: the darkness of a blurred code is the sum of the blurred characters. So the
best text is a shortest path over characters whose neighbours meet in known overlaps, found exactly, together with what every
other character at every place would cost at least (``leads``). Before that, a path over drift *and its change* follows paper
that is curled or folded; afterwards contrast, position, blur, and the width of the bars are fitted in turn.

Costs are squared differences in units of the noise that is left (``Fit.noise``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nhirx_scanner.drawing import Drawn, barred, rendered
from nhirx_scanner.drift import DRIFTS, correlation, smooth_path, windows
from nhirx_scanner.fitting import Fit, fitted, polished
from nhirx_scanner.forms import FORMS, Array, Known, tried
from nhirx_scanner.read1d import best_places, ends, ink_of, spread_of, turned
from nhirx_scanner.solve1d import runner_up128, solve_places
from nhirx_scanner.spans import spans
from nhirx_scanner.templates import templates

__all__ = ["Drawn", "Fit", "Refit", "as_text", "fitted", "read", "rendered"]

_FIRST_BLURS = (0.6, 1.3, -2.4, -3.6)  # modules
_LOOKS, _LOOKS_EACH = 7, 1  # of form, way round and blur: those that are followed over the whole code, and more of each symbology
_TRIES = 5  # paths that are drawn
_NO_PATH, _NO_FIT, _NO_LEAD = 0.16, 0.4, 4.0
_PIECE = 1.3  # what the cost of a part of the line weighs: a piece of a code goes with some text more easily than the whole
_CLOSE = 0.025  # misfit of a drawing that no other path will better
_LEAST_MODULE = 0.7  # pixels of the page

Span = tuple[float, float]
Path = tuple[float, bool, Drawn, Array, Array, Span]
"""Cost of a place, way round, how drawn, drift, characters, stretch of the line."""


@dataclass(frozen=True, slots=True)
class Refit:
    """A text with what it stands on. ``lead`` is that of the weakest place, where much is left at a place weighed down by it;
    ``usual`` the lead of the middle place; ``margin``: how much dearer the next text is that the check allows; ``forced`` as in ``Reading``."""

    text: str
    symbology: str
    fit: Fit
    lead: float
    usual: float
    margin: float
    forced: float

    def _leads39(self, *, plausible: bool, agreed: bool) -> bool:
        """Nothing checks a Code 39, so its weakest place decides: by how much it leads, and how that compares with the others.

        Of 5,400 codes with full-height strokes and rubbed out characters, wrong texts led by up to 277, a twelfth of the usual lead, and by
        151, a quarter of it: there one place was another character, and a sharp one.
        """
        share = self.lead / self.usual
        # Out of focus by more than a module, narrow bars may show inverted: a wrong text then fits almost as well.
        dim = self.fit.drawn.blur > 1.15
        if not plausible:
            return not dim and share > 0.12 and self.lead > 400 and self.fit.misfit < 0.06
        if agreed and not dim and self.lead > 80 and share > 0.3:
            return True
        return share > 0.12 and self.lead > (300 if dim else 200)

    def is_sure(self, *, plausible: bool, agreed: bool = False) -> bool:
        """Whether to believe the text; ``plausible``: whether a person and a time can be read from it, which few wrong texts pass;
        ``agreed``: whether the model by templates read the same twice.
        """
        fit = self.fit
        if fit.misfit > 0.26 or fit.uneven > 0.2 or self.usual < 8:
            return False
        if self.symbology == "code39":
            return fit.misfit < 0.12 and self._leads39(plausible=plausible, agreed=agreed)
        if self.symbology == "code128":
            if not plausible:
                return self.forced < 1e-6 and self.margin > 150 and self.usual > 100 and fit.misfit < 0.1
            # Where the check mends a place, another text must be far: a stroke once gave a wrong one with a margin of 91.
            least = 25 + 0.5 * self.forced if self.forced < 5 else 100 + 2 * self.forced
            return self.forced < max(5.0, 0.3 * self.usual) and self.margin > least
        # Two check characters of Code 93 leave one wrong text in two thousand, but the margin knows texts that differ in one place.
        if not plausible:
            return self.forced < 1e-6 and self.margin > 500 and self.usual > 100 and fit.misfit < 0.1
        return self.forced < max(5.0, 0.3 * self.usual) and self.margin > 100 + 4 * self.forced


def read(profile: Array, *, enlarged: float = 1.0, known: Known | None = None) -> Refit | None:
    """The best text for one averaged line across a code, or None where no code of twenty characters lies.

    ``enlarged``: how many samples a pixel of the page has become. ``known``: nothing else is tried.
    """
    found = spans(profile, ends(profile), enlarged)
    if not found:
        return None
    paths = _in_turn(sorted(_paths(profile, found, enlarged, known), key=lambda path: path[0]))
    best: Fit | None = None
    best_line: tuple[Array, float, float, Array] | None = None
    seen: set[tuple[object, ...]] = set()
    for cost, backwards, drawn, drift, picked, stretch in paths:
        key = (backwards, drawn.form, *picked.tolist())
        if cost > _NO_PATH:
            continue
        if len(seen) == _TRIES or (best is not None and best.misfit < _CLOSE):
            break
        if key in seen:
            continue
        seen.add(key)
        line, low, high = turned(profile, stretch, backwards)
        fit = fitted(line, low, high, drawn, drift, picked)
        if best is None or fit.misfit < best.misfit:
            best, best_line = replace(fit, backwards=backwards), (line, low, high, drift)
    if best is None or best_line is None or best.misfit > _NO_FIT:
        return None
    if float(np.median(np.partition(best.leads, 1, axis=1)[:, 1])) < _NO_LEAD:
        return None
    return as_text(replace(polished(best, *best_line), backwards=best.backwards))


def _in_turn(paths: list[Path]) -> list[Path]:
    """The best of each symbology before the others."""
    first = {path[2].form.name: path for path in reversed(paths)}
    return [path for path in paths if path is first[path[2].form.name]] + [
        path for path in paths if path is not first[path[2].form.name]
    ]


def _paths(profile: Array, found: list[Span], enlarged: float, known: Known | None) -> list[Path]:
    """The paths worth drawing, of every form, way round, and stretch."""
    # A path costs about as much as the look along it, or more.
    looks = [look for span in found for look in _looks(profile, span, enlarged, known) if look[0] < _NO_PATH + 0.02]
    looks.sort(key=lambda look: look[0] * (1.0 if look[3] == found[0] else _PIECE))
    followed = looks[:_LOOKS]
    for name in dict.fromkeys(form.name for form in FORMS):
        # Blurred bars of any symbology look most like the one that has most characters to choose from.
        followed += [look for look in looks if look[2].form.name == name and look not in followed][:_LOOKS_EACH]
    out = []
    for _, backwards, drawn, span in followed:
        form = drawn.form
        line, low, high = turned(profile, span, backwards)
        costs = correlation(windows(line, low, high, form), templates(form, drawn.blur, drawn.spread))
        costs = costs.reshape(form.symbols, len(DRIFTS), -1)
        path, cost = smooth_path(best_places(costs, form))
        picked = (costs[np.arange(form.symbols), path] + barred(form)).argmin(axis=1)
        out.append((cost / form.symbols, backwards, drawn, DRIFTS[path], picked, span))
    return out


def _looks(profile: Array, span: Span, enlarged: float, known: Known | None) -> list[tuple[float, bool, Drawn, Span]]:
    """What a place costs on the mean, by form, way round, and blur."""
    out, ink = [], ink_of(profile, span)
    for backwards, form in tried(known):
        line, low, high = turned(profile, span, backwards)
        if (high - low) / form.modules < _LEAST_MODULE * enlarged:
            continue
        spread = spread_of(ink, form)
        # Every other place is enough to tell what it may be.
        places = np.arange(0, form.symbols, 2)
        seen = windows(line, low, high, form, DRIFTS[::2], places)
        for blur in _FIRST_BLURS:
            costs = correlation(seen, templates(form, blur, spread)).reshape(len(places), len(DRIFTS[::2]), -1)
            look = float(best_places(costs, form, places).min(axis=1).mean())
            out.append((look, backwards, Drawn(form, blur, spread), span))
    return out


def as_text(fit: Fit) -> Refit:
    """The text that the fit speaks for, with its check characters right."""
    form = fit.drawn.form
    heavy = np.maximum(fit.local / max(float(fit.local.mean()), 1e-9), 1.0)
    # The check is asked with the leads as they are: were a damaged place weighed down, the check would mend it to anything.
    leads = fit.leads.astype(np.float64)
    reading = solve_places(leads, form, fit.backwards)
    margin = min(reading.margin, runner_up128(leads)) if form.name == "code128" else reading.margin
    ordered = np.partition(fit.leads, 1, axis=1)[:, 1]
    weighed = ordered / heavy
    inner = slice(1, -1)
    return Refit(
        reading.text,
        form.name,
        fit,
        float(weighed[inner].min()),
        float(np.median(ordered)),
        margin,
        reading.forced,
    )
