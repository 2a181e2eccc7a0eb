"""The plots of the report as SVG inside the page: no script, no request, sharp on paper. Each says its numbers in words, too."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH, _ROW, _LABEL, _NUMBER = 480, 34, 190, 92

Bar = tuple[str, str, int, str]
"""Chinese, English, how many, colour."""


def rate(part: int, whole: int | None) -> str:
    """``12.3%``; never 100 % or 0 % where a page is missing from it."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < part < whole:
        share = min(max(share, 0.1), 99.9)
    return f"{share:.1f}%"


def bars(items: Sequence[Bar], whole: int) -> str:
    """A bar for each item, longest first; the numbers beside them are parts of ``whole``."""
    ordered = sorted(items, key=lambda item: -item[2])
    longest = max((item[2] for item in ordered), default=1) or 1
    room = _WIDTH - _LABEL - _NUMBER
    parts = [f"<svg viewBox='0 0 {_WIDTH} {_ROW * len(ordered)}' role='img' aria-label='{_spoken(ordered)}'>"]
    for row, (zh, en, count, colour) in enumerate(ordered):
        top, length = row * _ROW, max(2.0, room * count / longest)
        parts.append(
            f"<text x='0' y='{top + 15}'>{escape(zh)}</text><text class='en' x='0' y='{top + 29}'>{escape(en)}</text>"
            f"<rect x='{_LABEL}' y='{top + 5}' width='{length:.1f}' height='20' rx='4' fill='{colour}'/>"
            f"<text x='{_LABEL + length + 7:.1f}' y='{top + 20}'>{count:,} · {rate(count, whole)}</text>"
        )
    return "".join([*parts, "</svg>"])


def stack(items: Sequence[Bar], whole: int) -> str:
    """One bar for everything, in the order given, with a legend that holds the numbers."""
    parts = [
        f"<svg viewBox='0 0 1000 34' preserveAspectRatio='none' style='height:30px' role='img' aria-label='{_spoken(items)}'>"
    ]
    left = 0.0
    for _zh, _en, count, colour in items:
        width = 1000 * count / whole if whole else 0.0
        parts.append(f"<rect x='{left:.2f}' y='0' width='{width:.2f}' height='34' fill='{colour}'/>")
        left += width
    legend = "".join(
        f"<li><i style='background:{colour}'></i>{escape(zh)} <b>{count:,}</b> · {rate(count, whole)} "
        f"<span class='en'>{escape(en)}</span></li>"
        for zh, en, count, colour in items
    )
    return "".join([*parts, f"</svg><ul class='legend'>{legend}</ul>"])


def _spoken(items: Sequence[Bar]) -> str:
    return escape("、".join(f"{zh} {count}" for zh, _en, count, _colour in items), quote=True)
