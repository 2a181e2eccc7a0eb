"""Pages with their truth, made from a seed: the sheet, what happened to it, and how it came before the lens.

Seeds 1000–1999 are for tuning, 9500–9999 for the floors that tests hold; no code may be tuned on the latter. The same
(kind, seed) gives the same page on every machine with the same fonts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from samples import degrade, form, sheet
from samples.degrade import Box

TUNING, FLOORS = range(1000, 2000), range(9500, 10000)
KINDS = ("webcam", "flatbed", "two", "phone", "upside-down", "text", "nothing", "placeholder", "conflict", "sheet-and-phone")
"""``hard`` (see ``pages``) mixes the first four, as a counter and a back office meet them."""

# Pixels per millimetre by severity: a good webcam close up … a poor one at arm's length; a scan of 300 … 120 dpi.
_CAMERA = {0: 10.0, 1: 9.2, 2: 8.4, 3: 8.0, 4: 7.2, 5: 6.8}
_SCANNER = {0: 11.8, 1: 8.8, 2: 7.4, 3: 7.4, 4: 6.5, 5: 5.9}
# Faults by severity: 1.5 is one or two.
_PRINTS = (0, 0.8, 1.3, 1.3, 1.6, 2)
_LENSES = (0, 1, 1.5, 1.5, 2, 3)
_GLASSES = (0, 0.6, 1, 1, 1.6, 2.4)
_STRENGTH = (0, 0.32, 0.5, 0.58, 0.82, 0.98)
_NEARNESS = (0.75, 1.2)  # of the pixels per millimetre
_SPREAD = (0.3, 1.2)  # of the strength that a severity has: mild and bad pages stand in every class
_PRINT = (degrade.low_ink, degrade.bleed, degrade.broken, degrade.pen, degrade.stamp_over, degrade.coffee, degrade.crumple)
_LENS = (degrade.defocus, degrade.motion, degrade.light, degrade.noise, degrade.fade)
_GLASS = (degrade.defocus, degrade.noise, degrade.fade, degrade.streaks, degrade.bilevel)


@dataclass(frozen=True, slots=True)
class Page:
    """``image`` is BGR; ``visit_ids`` are those that a reader may report, nothing else; ``forms`` what is printed of them."""

    name: str
    image: np.ndarray = field(repr=False)
    kind: str
    severity: int
    visit_ids: tuple[str, ...]
    forms: tuple[str, ...]
    faults: tuple[str, ...]

    def truth(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "severity": self.severity,
            "visit_ids": list(self.visit_ids),
            "forms": list(self.forms),
            "faults": list(self.faults),
        }


@dataclass(frozen=True, slots=True)
class _Shot:
    """A sheet on its way: picture, where the visit ID's codes are, and what was done to it."""

    image: np.ndarray
    boxes: tuple[Box, ...]
    faults: tuple[str, ...]


def pages(kind: str, seeds: Sequence[int] | range, *, severity: int | None = None) -> Iterator[Page]:
    """One page a seed. ``severity`` 0 (clean) … 5; None goes through 1 to 5 in turn. ``kind`` ``hard`` mixes the usual ways."""
    mixed = ("webcam", "webcam", "flatbed", "flatbed", "webcam", "flatbed", "two", "phone")
    for number, seed in enumerate(seeds):
        level = severity if severity is not None else 1 + number % 5
        one = mixed[(number // 5) % len(mixed)] if kind == "hard" else kind
        yield page(one, seed, level)


def page(kind: str, seed: int, severity: int) -> Page:
    """The page of one seed."""
    rng = np.random.default_rng([KINDS.index(kind), seed, severity])
    made = {"two": _two, "phone": _phone, "nothing": _nothing, "conflict": _conflict, "sheet-and-phone": _beside}.get(
        kind, _single
    )
    image, facts, faults = made(rng, kind, severity)
    hidden = kind in {"placeholder", "nothing", "conflict"}
    ids = () if hidden else tuple(dict.fromkeys(value for each in facts for value in each.ids_by_form.values()))
    forms = tuple(sorted({name for each in facts for name in each.ids_by_form}))
    return Page(f"{kind}-s{severity}-{seed}", image, kind, severity, ids, forms, faults)


# ── the sheet, and what happened to it on the way ─────────────────────────────────────────────────────────────────────


def _printed(rng: np.random.Generator, facts: sheet.SheetFacts, per_mm: float, severity: int) -> _Shot:
    drawn = form.render(facts, per_mm * 25.4)
    image, boxes, faults = drawn.image, drawn.visit_boxes, []
    for fault in rng.permutation(len(_PRINT))[: _count(rng, _PRINTS[severity])]:
        made = _PRINT[int(fault)]
        image = made(image, rng, _strength(rng, severity), boxes)
        faults.append(made.__name__)
    if severity >= 3 and rng.random() < 0.4:
        image = degrade.curl(image, rng, _strength(rng, severity))
        faults.append("curl")
    return _Shot(image, boxes, tuple(faults))


def _strength(rng: np.random.Generator, severity: int) -> float:
    return float(np.clip(_STRENGTH[severity] * rng.uniform(*_SPREAD), 0, 1))


def _count(rng: np.random.Generator, usual: float) -> int:
    return int(usual + rng.random())


def _reach(rng: np.random.Generator, severity: int) -> float:
    """How near the lens was, around the usual: a clean page is as it should be."""
    return float(rng.uniform(*_NEARNESS)) if severity else 1.0


def _before_the_lens(rng: np.random.Generator, shot: _Shot, severity: int, turn: float = 0.0) -> _Shot:
    """Held into the camera: turned, in perspective, on a background, with the faults of lens and light."""
    height, width = shot.image.shape[:2]
    tilt = (0.0, 0.015, 0.03, 0.05, 0.07, 0.09)[severity]
    angle = np.deg2rad(turn + rng.uniform(-1, 1) * (0, 3, 8, 12, 18, 25)[severity])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    middle = corners.mean(0)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    placed = (corners - middle) @ rotation.T + rng.uniform(-tilt, tilt, (4, 2)).astype(np.float32) * (width, height)
    margin = rng.uniform(0.02, 0.08, 2) * (width, height)
    placed = (placed - placed.min(0) + margin).astype(np.float32)
    size = np.ceil(placed.max(0) + margin).astype(int)
    matrix = cv2.getPerspectiveTransform(corners, placed)
    frame = _background(rng, int(size[0]), int(size[1]))
    cv2.warpPerspective(
        shot.image, matrix, (int(size[0]), int(size[1])), frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    boxes = tuple(_moved(box, matrix) for box in shot.boxes)
    faults = list(shot.faults)
    for fault in rng.permutation(len(_LENS))[: _count(rng, _LENSES[severity])]:
        frame = _LENS[int(fault)](frame, rng, _strength(rng, severity))
        faults.append(_LENS[int(fault)].__name__)
    if severity >= 3 and rng.random() < 0.15 * (severity - 2):
        frame = degrade.glare(frame, rng, _strength(rng, severity), boxes)
        faults.append("glare")
    if severity:
        frame = degrade.jpeg(frame, rng, _strength(rng, severity) * 0.8)
    return _Shot(frame, boxes, tuple(faults))


def _on_the_glass(rng: np.random.Generator, shot: _Shot, severity: int, turn: float = 0.0) -> _Shot:
    """Laid on a scanner: a little crooked, with dust, sometimes black and white."""
    height, width = shot.image.shape[:2]
    skew = rng.uniform(-1, 1) * (0, 0.5, 1, 2, 3, 4)[severity] + turn
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), skew, 1.0)
    image = cv2.warpAffine(shot.image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(250, 250, 250))
    faults = list(shot.faults)
    for fault in rng.permutation(len(_GLASS))[: _count(rng, _GLASSES[severity])]:
        image = _GLASS[int(fault)](image, rng, _strength(rng, severity))
        faults.append(_GLASS[int(fault)].__name__)
    if severity:
        image = degrade.jpeg(image, rng, _strength(rng, severity) * 0.7)
    full = np.vstack([matrix, [0, 0, 1]]).astype(np.float32)
    return _Shot(image, tuple(_moved(box, full) for box in shot.boxes), tuple(faults))


def _moved(box: Box, matrix: np.ndarray) -> Box:
    x, y, width, height = box
    corners = np.array([[[x, y], [x + width, y], [x + width, y + height], [x, y + height]]], np.float32)
    moved = cv2.perspectiveTransform(corners, matrix)[0]
    low, high = moved.min(0), moved.max(0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    tone = rng.uniform(40, 190, 3).astype(np.float32)
    grain = rng.standard_normal((max(2, height // 12), max(2, width // 12), 1)).astype(np.float32)
    return cv2.resize(np.clip(tone + grain * 14, 0, 255).astype(np.uint8), (width, height))


# ── the kinds of pages ────────────────────────────────────────────────────────────────────────────────────────────────

_Made = tuple[np.ndarray, list[sheet.SheetFacts], tuple[str, ...]]


def _single(rng: np.random.Generator, kind: str, severity: int) -> _Made:
    scanned = kind == "flatbed" or (kind not in {"webcam"} and rng.random() < 0.5)
    facts = sheet.facts(
        rng,
        forms=("text",) if kind == "text" else None,
        placeholder=kind == "placeholder",
        distractors=None if kind != "text" else 2,
    )
    shot = _printed(rng, facts, (_SCANNER if scanned else _CAMERA)[severity] * _reach(rng, severity), severity)
    turn = 180.0 if kind == "upside-down" else 0.0
    shot = (_on_the_glass if scanned else _before_the_lens)(rng, shot, severity, turn)
    return shot.image, [facts], shot.faults


def _two(rng: np.random.Generator, kind: str, severity: int) -> _Made:
    both = [sheet.facts(rng, distractors=int(rng.integers(0, 3)), layout=("clinic", "hospital")[number]) for number in range(2)]
    scale = _SCANNER[severity] * 0.95 * _reach(rng, severity)
    shots = [_printed(rng, facts, scale, severity) for facts in both]
    width = max(shot.image.shape[1] for shot in shots)
    gap = int(20 + rng.integers(60))
    canvas = _background(rng, width + 40, sum(shot.image.shape[0] for shot in shots) + 3 * gap)
    boxes: list[Box] = []
    top = gap
    for shot in shots:
        high, wide = shot.image.shape[:2]
        left = 20 + int(rng.integers(1 + width - wide))
        canvas[top : top + high, left : left + wide] = shot.image
        boxes += [(x + left, y + top, w, h) for x, y, w, h in shot.boxes]
        top += high + gap
    merged = _Shot(canvas, tuple(boxes), tuple(fault for shot in shots for fault in shot.faults))
    shot = _on_the_glass(rng, merged, severity)
    return shot.image, both, shot.faults


def _phone(rng: np.random.Generator, kind: str, severity: int) -> _Made:
    """The visit ID on the screen of a phone, photographed: bright, small, with the screen's own pattern."""
    facts = replace(sheet.facts(rng, forms=("text", "qr"), distractors=1, layout="slip"))
    shot = _printed(rng, facts, _CAMERA[severity] * 0.8 * _reach(rng, severity), 0)
    image = shot.image
    across = np.sin(np.arange(image.shape[1]) * rng.uniform(1.2, 2.4))
    down = np.sin(np.arange(image.shape[0]) * rng.uniform(1.2, 2.4))
    image = degrade.added(image, (6 * (severity / 5 + 0.3) * np.add.outer(down, across)).astype(np.int16))
    framed = cv2.copyMakeBorder(image, 60, 60, 18, 18, cv2.BORDER_CONSTANT, value=(18, 18, 18))
    boxes = tuple((x + 18, y + 60, w, h) for x, y, w, h in shot.boxes)
    shot = _before_the_lens(rng, _Shot(framed, boxes, ("screen",)), severity)
    return shot.image, [facts], shot.faults


def _beside(rng: np.random.Generator, kind: str, severity: int) -> _Made:
    """A sheet, and beside it a phone that shows the token of a virtual card: only the sheet has a visit ID."""
    facts = sheet.facts(rng, distractors=2, layout="clinic")
    shot = _printed(rng, facts, _CAMERA[severity] * 0.95, severity)
    token = sheet.Code(
        "VHC." + "".join(f"{int(value):02x}" for value in rng.integers(0, 256, 24)), "qr", "virtual-card", level="L"
    )
    screen = replace(
        sheet.facts(rng, forms=(), distractors=0, layout="slip"), others=(replace(token, module=0.6),), visit_text=None, drugs=()
    )
    shown = form.render(screen, _CAMERA[severity] * 0.95 * 25.4).image[:, int(shot.image.shape[0] * 0.3) :]
    framed = cv2.copyMakeBorder(shown, 60, 60, 18, 18, cv2.BORDER_CONSTANT, value=(18, 18, 18))
    high, wide = max(shot.image.shape[0], framed.shape[0]), shot.image.shape[1] + framed.shape[1] + 60
    desk = _background(rng, wide, high)
    desk[: shot.image.shape[0], : shot.image.shape[1]] = shot.image
    desk[: framed.shape[0], wide - framed.shape[1] :] = framed
    moved = _before_the_lens(rng, _Shot(desk, shot.boxes, (*shot.faults, "screen")), severity)
    return moved.image, [facts], moved.faults


def _nothing(rng: np.random.Generator, kind: str, severity: int) -> _Made:
    """A sheet with every other code and no visit ID."""
    facts = sheet.facts(rng, forms=(), distractors=int(rng.integers(3, 9)))
    shot = _printed(rng, facts, _CAMERA[severity], severity)
    shot = (_before_the_lens if rng.random() < 0.5 else _on_the_glass)(rng, shot, severity)
    return shot.image, [facts], shot.faults


def _conflict(rng: np.random.Generator, kind: str, severity: int) -> _Made:
    """One sheet whose printed forms differ in one character: a reprint that went wrong."""
    facts = sheet.facts(rng, forms=("text", "code128", "qr"), distractors=2)
    first, second = facts.visit_codes
    place = int(rng.integers(15, 20))
    old = second.text[place]
    other = second.text[:place] + ("A" if old != "A" else "B") + second.text[place + 1 :]
    facts = replace(facts, visit_codes=(first, replace(second, text=other)))
    shot = _on_the_glass(rng, _printed(rng, facts, _SCANNER[severity], severity), severity)
    return shot.image, [facts], shot.faults
