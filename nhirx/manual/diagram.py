"""The few diagrams of the manual as pictures in the page, so that no program has to be fetched to draw them.

Reads what ``docs/`` uses of Mermaid and no more: ``flowchart TD`` and ``sequenceDiagram``. A diagram that holds anything else
comes back as it was written, as text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

_FENCE = re.compile(r"^```mermaid\n(.*?)^```", re.S | re.M)
_NODE = re.compile(r"(\w+)(?:\[(.*?)\])?")
_EDGE = re.compile(r"\s*(-->|-\.->|-\. .*? \.->)\s*")
_MESSAGE = re.compile(r"(\w+)(-->>|->>)(\w+):\s*(.*)")
_NOTE = re.compile(r"Note over (\w+)(?:,\s*(\w+))?:\s*(.*)")
_LINE, _GAP, _PAD = 20, 46, 12
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" style="max-width:{w}px;width:100%" role="img" '
    'font-family="inherit" font-size="13" fill="currentColor" stroke-width="1.3">'
    '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
    '<path d="M0 0 10 5 0 10z"/></marker></defs>{body}</svg>'
)


def drawn(text: str) -> str:
    """``text`` with every diagram that can be drawn replaced by its picture."""
    return _FENCE.sub(lambda found: _picture(found[1]) or found[0], text)


def _picture(source: str) -> str | None:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    kinds: dict[str, Callable[[list[str]], str | None]] = {"flowchart TD": _flow, "sequenceDiagram": _sequence}
    draw = kinds.get(lines[0]) if lines else None
    return draw(lines[1:]) if draw else None


def _wide(text: str) -> int:
    return sum(14 if character > "\u2e80" else 8 for character in text)


def _words(x: float, y: float, text: str, *, anchor: str = "middle", size: int = 13) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}">{html.escape(text)}</text>'


def _flow(lines: list[str]) -> str | None:
    labels: dict[str, list[str]] = {}
    edges: list[tuple[str, str, str]] = []
    for line in lines:
        parts = _EDGE.split(line)
        names = []
        for part in parts[::2]:
            found = _NODE.fullmatch(part)
            if found is None:
                return None
            names.append(found[1])
            if found[2] or found[1] not in labels:
                labels[found[1]] = re.split(r"<br/?>", found[2] or found[1])
        edges += [(names[at], names[at + 1], arrow) for at, arrow in enumerate(parts[1::2])]
    rank = dict.fromkeys(labels, 0)
    for _ in labels:
        for start, end, _arrow in edges:
            rank[end] = max(rank[end], rank[start] + 1)
    rows: dict[int, list[str]] = {}
    for name in labels:
        rows.setdefault(rank[name], []).append(name)
    size = {name: (max(map(_wide, words)) + 2 * _PAD, len(words) * _LINE + _PAD) for name, words in labels.items()}
    width = max(sum(size[name][0] + 2 * _PAD for name in row) for row in rows.values())
    place: dict[str, tuple[float, float]] = {}
    y = float(_PAD)
    for _, row in sorted(rows.items()):
        free = width - sum(size[name][0] for name in row)
        x = free / (len(row) + 1)
        for name in row:
            place[name] = (x + size[name][0] / 2, y)
            x += size[name][0] + free / (len(row) + 1)
        y += max(size[name][1] for name in row) + _GAP
    body = []
    for start, end, arrow in edges:
        (x1, y1), (x2, y2) = place[start], place[end]
        y1 += size[start][1]
        dashed = ' stroke-dasharray="5 4"' if "." in arrow else ""
        # A line that passes a row in between goes round the boxes there.
        bend = (x1 + x2) / 2 if rank[end] == rank[start] + 1 else max(x1, x2) + 120
        path = f"M{x1:.0f} {y1:.0f}C{bend:.0f} {y1 + _GAP:.0f} {bend:.0f} {y2 - _GAP:.0f} {x2:.0f} {y2:.0f}"
        body.append(f'<path d="{path}" fill="none" stroke="currentColor" marker-end="url(#a)"{dashed}/>')
        if label := re.fullmatch(r"-\. (.*?) \.->", arrow):
            body.append(_words((x1 + x2) / 2 + 8, (y1 + y2) / 2, label[1], anchor="start", size=12))
    for name, (x, top) in place.items():
        w, h = size[name]
        body.append(
            f'<rect x="{x - w / 2:.0f}" y="{top:.0f}" width="{w}" height="{h}" rx="5" fill="none" stroke="currentColor"/>'
        )
        body += [_words(x, top + _LINE * (at + 1), word) for at, word in enumerate(labels[name])]
    return _SVG.format(w=round(width), h=round(y - _GAP + _PAD), body="".join(body))


def _sequence(lines: list[str]) -> str | None:
    people: dict[str, str] = {}
    body: list[str] = []
    column = 190
    y = 60

    def at(name: str) -> float:
        return (list(people).index(name) + 0.5) * column

    for line in lines:
        if found := re.fullmatch(r"participant (\w+)(?: as (.*))?", line):
            people[found[1]] = found[2] or found[1]
        elif found := _MESSAGE.fullmatch(line):
            if not {found[1], found[3]} <= set(people):
                return None
            x1, x2 = at(found[1]), at(found[3])
            dashed = ' stroke-dasharray="5 4"' if found[2] == "-->>" else ""
            if x1 == x2:
                body.append(_words(x1 + 10, y, found[4], anchor="start"))
                body.append(f'<circle cx="{x1:.0f}" cy="{y - 4}" r="4"/>')
            else:
                body.append(_words((x1 + x2) / 2, y - 5, found[4]))
                body.append(f'<path d="M{x1:.0f} {y}H{x2:.0f}" fill="none" stroke="currentColor" marker-end="url(#a)"{dashed}/>')
            y += 34
        elif found := _NOTE.fullmatch(line):
            if found[1] not in people:
                return None
            body.append(_words(at(found[1]) + 10, y, f"※ {found[3]}", anchor="start"))
            y += 34
        else:
            return None
    heads = [
        _words(at(name), 24, label) + f'<path d="M{at(name):.0f} 34V{y}" stroke="currentColor" opacity=".3"/>'
        for name, label in people.items()
    ]
    widest = max((_wide(text) for text in re.findall(r'text-anchor="start"[^>]*>([^<]*)<', "".join(body))), default=0)
    width = max(len(people) * column, column + widest)
    return _SVG.format(w=width, h=y + 10, body="".join(heads + body))
