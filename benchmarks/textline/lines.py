"""Lines of text as a recogniser meets them: printed in some font, spoilt on paper, photographed or scanned, cut out crookedly.

Nothing here is taken from ``samples``: its sheets are what the trained network is measured on. A line is made in four steps, each on
a small picture: glyphs → ink on paper → pixels of a lens → the cut of 32 pixels' height that the network sees. Where every
character stands is carried along, so that frames can be taught directly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.textline.glyphs import HELD_OUT, Glyphs, families, glyphs

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
HEIGHT, WIDTH, STRIDE = 32, 544, 4
BLANK, OTHER = 0, 35  # classes; 1…34 are the alphabet's characters
IGNORED = -100
_NEEDLES = 0.22  # share of the lines that a dot-matrix printer makes
_CLASS = {character: place + 1 for place, character in enumerate(ALPHABET)} | {"O": 1, "I": 2}  # no such letters: they are digits
_ALIKE = ("0DQ", "8B", "5S", "2Z", "17TL", "6G", "CG", "UV", "VY", "MNHW", "KX", "EF", "PRF", "4A", "3B8", "9G", "JU1", "0CGQ")
_LABELS = (
    "就醫識別碼：", "就醫識別碼:", "就醫識別碼", "識別碼：", "【就醫識別碼】", "就醫 識別碼 ：", "Visit ID:", "ID：", "(就醫識別碼)",
    "健保就醫識別碼：",
)  # fmt: skip
_HAN = "姓名身分證號出生日期性別就醫科病歷碼序診斷給藥份領限藥品代用量法途徑天數總醫師章健保慢連續處方箋交付日次"
_SIGNS = "abcdefghijkmnopqrstuvwxyz/:.,()-*#;+"

Rng = np.random.Generator
Sign = tuple[int, float, float]


@dataclass
class Printer:
    """Draws lines with the fonts in ``folders``. ``held_out``: with the families kept for checking, and no other; None: with all."""

    folders: tuple[str, ...]
    held_out: bool | None = False
    _latin: list[list[tuple[str, int]]] = field(init=False)
    _weights: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        latin, self._chinese = families(self.folders)
        chosen = {n: faces for n, faces in latin.items() if self.held_out in (None, n.startswith(HELD_OUT))}
        self._latin = list(chosen.values())
        usual = np.array([2.0 if any(w in name for w in ("mono", "sans", "cour", "roboto", "3270")) else 1.0 for name in chosen])
        self._weights = usual / usual.sum()

    def face(self, rng: Rng) -> tuple[str, int]:
        faces = self._latin[int(rng.choice(len(self._latin), p=self._weights))]
        return faces[int(rng.integers(len(faces)))]

    def chinese(self, rng: Rng) -> tuple[str, int]:
        return self._chinese[int(rng.integers(len(self._chinese)))]


@dataclass
class Cut:
    """``picture`` (32, 544) uint8; ``frames`` (136,) the class of each frame or ``IGNORED``; ``said`` the classes in their order."""

    picture: np.ndarray
    frames: np.ndarray
    said: list[int]


def cut(printer: Printer, rng: Rng, harm: float) -> Cut:
    """A line, spoilt up to ``harm`` 0…1."""
    pixels = float(np.exp(rng.uniform(np.log(9.5), np.log(36))))  # of an em before the lens
    size = round(pixels) if rng.random() < 0.5 else int(np.clip(pixels * rng.uniform(1.3, 2.4), 18, 60))
    ink, signs, top, bottom, em = _composed(printer, rng, size)
    ink = _printed(ink, top, bottom, em, printer, rng, harm)
    shot, signs, top, bottom, em = _photographed(ink, signs, top, bottom, em, pixels, rng, harm)
    return _cut_out(shot, signs, top, bottom, rng)


def _text(rng: Rng) -> str:
    drawn = rng.random()
    length = 20 if drawn < 0.75 else int(rng.integers(3, 27))
    if rng.random() < 0.3:
        kinds = [_ALIKE[int(rng.integers(len(_ALIKE)))] for _ in range(length)]
        said = "".join(kind[int(rng.integers(len(kind)))] for kind in kinds)
    else:
        pool = ALPHABET if drawn < 0.9 else "0123456789"
        said = "".join(pool[int(value)] for value in rng.integers(0, len(pool), length))
    if drawn < 0.2:
        step, gap = (4, 5, 10)[int(rng.integers(3))], (" ", "-", " ")[int(rng.integers(3))]
        said = gap.join(said[start : start + step] for start in range(0, length, step))
    elif drawn > 0.82:
        signs = _SIGNS if rng.random() < 0.7 else "OI "
        said = "".join(signs[int(rng.integers(len(signs)))] if rng.random() < 0.25 else each for each in said)
    return said


def _composed(printer: Printer, rng: Rng, size: int) -> tuple[np.ndarray, list[Sign], float, float, float]:
    """Coverage 0…1 of a line amid its neighbours, where its signs stand, and top and bottom of a capital."""
    face = printer.face(rng)
    letters = glyphs(face, size)
    em = float(size)
    parts: list[tuple[str, Glyphs]] = []
    if rng.random() < 0.5:
        label = _LABELS[int(rng.integers(len(_LABELS)))]
        if rng.random() < 0.3:
            label = "".join(_HAN[int(value)] for value in rng.integers(0, len(_HAN), int(rng.integers(2, 7)))) + "："
        parts.append((label, glyphs(printer.chinese(rng), max(8, round(size * rng.uniform(0.7, 1.15))))))
        if rng.random() < 0.3:
            parts.append((" ", letters))
    parts.append((_text(rng), letters))
    if rng.random() < 0.12:
        tail = ("　", "）", " *", ";", "。", "　第1次")[int(rng.integers(6))]
        parts.append((tail, glyphs(printer.chinese(rng), max(8, round(size * rng.uniform(0.7, 1.1))))))
    drawn_apart = rng.random()
    spacing = em * (rng.uniform(0.15, 0.8) if drawn_apart < 0.1 else rng.uniform(-0.04, 0.14) if drawn_apart < 0.4 else 0.0)
    left = em * rng.uniform(0.6, 2.5)
    wide = int(left + em * 3 + sum(sum(g.get(c)[3] + spacing for c in words) for words, g in parts))
    baseline = int(em * 2.0)
    ink = np.zeros((int(em * 3.2), wide), np.uint8)
    signs: list[Sign] = []
    pen = left
    for words, drawn in parts:
        for character in words:
            step = _put(ink, drawn, character, pen, baseline)
            if drawn is letters and character in _CLASS:
                signs.append((_CLASS[character], pen, pen + step))
            elif character not in " 　-":
                signs.append((OTHER, pen, pen + step))
            pen += step + (spacing if drawn is letters else 0.0)
    if rng.random() < 0.5:
        _neighbours(ink, baseline, em, printer, rng)
    down = baseline - letters.ascent
    return ink.astype(np.float32) / 255.0, signs, down + letters.top, down + letters.bottom, em


def _put(ink: np.ndarray, drawn: Glyphs, character: str, pen: float, baseline: int) -> float:
    picture, left, top, step = drawn.get(character)
    if picture.size:
        x, y = max(0, round(pen) + left), max(0, baseline - drawn.ascent + top)
        room = ink[y : y + picture.shape[0], x : x + picture.shape[1]]
        np.maximum(room, picture[: room.shape[0], : room.shape[1]], out=room)
    return step


def _neighbours(ink: np.ndarray, baseline: int, em: float, printer: Printer, rng: Rng) -> None:
    """What stands close above or below: bars, a rule, another line."""
    height, width = ink.shape
    for above in (True, False):
        kind = rng.random()
        if kind < 0.35:
            continue
        gap = em * rng.uniform(0.05, 0.5)
        edge = baseline - em * 0.76 - gap if above else baseline + em * 0.05 + gap
        if kind < 0.55:
            rows = slice(0, max(0, int(edge))) if above else slice(min(height, int(edge)), height)
            module = max(1, round(em * rng.uniform(0.06, 0.16)))
            bars = np.repeat(rng.integers(0, 2, width // module + 1), module)[:width] * 255
            ink[rows] = np.maximum(ink[rows], bars.astype(np.uint8))
        elif kind < 0.8:
            ink[int(np.clip(edge, 0, height - 1)) : int(np.clip(edge + max(1, em * 0.07), 1, height))] = 200
        else:
            other = glyphs(printer.face(rng), max(8, round(em * rng.uniform(0.6, 1.0))))
            pen = em * rng.uniform(0, 8)
            line = int(edge) if above else int(edge + em * 0.8)
            for value in rng.integers(0, 34, int(rng.integers(4, 20))):
                if pen < width - em:
                    pen += _put(ink, other, ALPHABET[int(value)], pen, line)


def _printed(ink: np.ndarray, top: float, bottom: float, em: float, printer: Printer, rng: Rng, harm: float) -> np.ndarray:
    """Ink with its faults: pale, striped, flecked, run, thin, faded along the line, dots; and what was written or stamped over it."""
    height, width = ink.shape
    if rng.random() < _NEEDLES:
        ink = _of_needles(ink, bottom - top, rng, harm)
    chance = rng.random(12) < 0.25 * (0.3 + harm)
    if chance[0]:
        ink = ink * rng.uniform(1 - 0.65 * harm, 1)
    if chance[1]:
        for _ in range(int(1 + 5 * harm * rng.random())):
            if rng.random() < 0.55:
                at, thick = int(rng.uniform(top - 1, bottom + 1)), max(1, int(em * 0.14 * harm * rng.random()))
                ink[max(0, at) : at + thick] *= rng.uniform(0.05, 0.4)
            else:
                at, thick = int(rng.integers(width)), max(1, int(em * 0.12 * rng.random()))
                ink[:, at : at + thick] *= rng.uniform(0.1, 0.5)
    if chance[2]:
        grain = cv2.GaussianBlur(
            rng.standard_normal((height, width), np.float32), (0, 0), max(0.5, em * rng.uniform(0.025, 0.09))
        )
        ink = np.where(grain > np.quantile(grain[::3, ::3], 1 - rng.uniform(0.03, 0.05 + 0.18 * harm)), ink * 0.12, ink)
    if chance[3]:
        side = 3 if em < 30 else 5
        grown = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        share = rng.uniform(0.2, 0.3 + 0.6 * harm)
        ink = ink * (1 - share) + grown * share
    elif chance[4]:
        share = rng.uniform(0.1, 0.2 + 0.4 * harm)
        ink = ink * (1 - share) + cv2.erode(ink, np.ones((2, 2), np.uint8)) * share
    if chance[5]:
        along = np.interp(np.arange(width), np.linspace(0, width, 7), rng.uniform(1 - 0.75 * harm, 1, 7)).astype(np.float32)
        ink = ink * along
    if chance[6] and rng.random() < 0.5:  # of needles, or of coarse dots
        step = max(2.0, em * rng.uniform(0.07, 0.12))
        dots = (np.sin(np.arange(height) * 2 * np.pi / step)[:, None] + np.sin(np.arange(width) * 2 * np.pi / step)[None]).astype(
            np.float32
        )
        ink = ink * np.clip(rng.uniform(0.45, 0.8) + rng.uniform(0.3, 0.8) * dots, 0, 1)
    if chance[7]:  # a pen
        xs = np.linspace(rng.uniform(0, width * 0.6), rng.uniform(width * 0.4, width), int(rng.integers(2, 8)))
        ys = (top + bottom) / 2 + em * rng.uniform(-0.5, 0.5, len(xs)) * (0.4 + harm)
        over = np.zeros((height, width), np.uint8)
        cv2.polylines(
            over, [np.stack([xs, ys], 1).astype(np.int32)], False, 255, max(1, int(em * rng.uniform(0.03, 0.13))), cv2.LINE_AA
        )
        ink = np.maximum(ink, over * np.float32(rng.uniform(0.5, 0.95) / 255))
    if chance[8]:  # a stamp
        over = np.zeros((height, width), np.uint8)
        at = (int(rng.integers(width)), int(rng.uniform(-1, 2) * height))
        radius, thick = int(em * rng.uniform(0.8, 4)), max(1, int(em * rng.uniform(0.05, 0.16)))
        if rng.random() < 0.5:
            cv2.circle(over, at, radius, 255, thick, cv2.LINE_AA)
        else:
            corner = (at[0] + radius * 2, at[1] + radius)
            cv2.rectangle(over, at, corner, 255, thick, cv2.LINE_AA)
        words, face = (_HAN, printer.chinese(rng)) if rng.random() < 0.7 else (ALPHABET, printer.face(rng))
        drawn = glyphs(face, max(8, round(em * rng.uniform(0.8, 1.6))))
        x = at[0] + radius * 0.2
        for value in rng.integers(0, len(words), 3):
            if 0 <= x < width - em * 2 and 0 <= at[1] < height:
                x += _put(over, drawn, words[int(value)], x, at[1] + int(em))
        ink = np.maximum(ink, over * np.float32(rng.uniform(0.2, 0.75) / 255))
    if chance[9]:  # underlined, framed or struck out
        at = int(bottom + em * rng.uniform(0.02, 0.3)) if rng.random() < 0.8 else int(rng.uniform(top, bottom))
        ink[at : at + max(1, int(em * 0.06))] = np.maximum(ink[at : at + max(1, int(em * 0.06))], rng.uniform(0.4, 0.9))
    paper: np.ndarray | np.float32 = np.float32(1.0)
    if chance[7] and rng.random() < 0.4:  # the ring of a cup
        reach, edge = em * rng.uniform(1.5, 8), em * rng.uniform(0.1, 0.5)
        away = _away(height, width, float(rng.uniform(0, width)), (top + bottom) / 2 + em * rng.uniform(-6, 6))
        paper = paper - np.exp(-(((away - reach) / edge) ** 2)) * np.float32(rng.uniform(0.1, 0.15 + 0.4 * harm))
    if chance[10]:  # shade of a fold
        shade = cv2.resize(rng.standard_normal((3, 12)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        paper = paper - 0.25 * harm * np.abs(shade)
        start, end = (int(rng.integers(width)), 0), (int(rng.integers(width)), height)
        if rng.random() < 0.5:
            start, end = (0, int(rng.integers(height))), (width, int(rng.integers(height)))
        crease = np.zeros((height, width), np.uint8)
        cv2.line(crease, start, end, 255, max(1, int(em * 0.08)), cv2.LINE_AA)
        paper = paper - crease * np.float32(0.3 * harm / 255)
    made: np.ndarray = np.clip(paper * (1 - np.clip(ink, 0, 1)), 0, 1).astype(np.float32)
    return made


def _of_needles(ink: np.ndarray, capital: float, rng: Rng, harm: float) -> np.ndarray:
    """The line as a dot-matrix printer makes it: a dot or none in each place of a grid, needles that are worn, passes that do not meet."""
    height, width = ink.shape
    rows = max(4, round(height / capital * rng.uniform(7.5, 20)))  # 8 dots a capital with 9 needles, up to 20 with 24
    columns = max(8, round(width / capital * rows * capital / height * rng.choice((0.8, 1.0, 1.0, 1.25))))
    dots = (cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_AREA) > rng.uniform(0.3, 0.6)).astype(np.float32)
    dots *= rng.random(dots.shape) > 0.1 * harm * rng.random()
    dots *= 1 - rng.uniform(0, 0.5) * harm * rng.random(dots.shape)
    if rng.random() < 0.2 * harm:
        dots[int(rng.integers(rows)) :: int(rng.choice((9, 24)))] = 0
    up = 5
    fine = np.zeros((rows * up, columns * up), np.float32)
    fine[up // 2 :: up, up // 2 :: up] = dots
    if rng.random() < 0.4:  # the head prints on its way back as well
        band, aside = int(rng.integers(6, 24)) * up, int(rng.uniform(-0.5, 0.5) * harm * up)
        for start in range(0, rows * up, 2 * band):
            fine[start : start + band] = np.roll(fine[start : start + band], aside, axis=1)
    side = np.arange(-up, up + 1, dtype=np.float32)
    round_dot = np.clip(up * rng.uniform(0.5, 0.85) + 0.5 - np.hypot(side[:, None], side[None]), 0, 1)
    made: np.ndarray = cv2.resize(np.clip(cv2.filter2D(fine, -1, round_dot), 0, 1), (width, height), interpolation=cv2.INTER_AREA)
    return made


def _photographed(
    paper: np.ndarray, signs: list[Sign], top: float, bottom: float, em: float, pixels: float, rng: Rng, harm: float
) -> tuple[np.ndarray, list[Sign], float, float, float]:
    """From light 0…1 on paper to the grey values of a picture whose em has ``pixels``."""
    down = em / pixels
    across = down * (rng.uniform(0.9, 1.1) if rng.random() < 0.5 else rng.uniform(0.75, 1.25))
    if down > 1.25:
        paper = cv2.GaussianBlur(paper, (0, 0), 0.42 * down)
    width, height = int(paper.shape[1] / across), int(paper.shape[0] / down)
    middle = (top + bottom) / 2 / down
    slope = np.tan(np.deg2rad(rng.normal(0, 0.7)))
    if rng.random() < 0.3 * (0.4 + harm):
        xs = np.arange(width, dtype=np.float32)
        wave = pixels * rng.uniform(0, 0.45) * np.sin(xs / width * np.pi * rng.uniform(0.5, 3) + rng.uniform(0, 6.3))
        grow = 1 + rng.uniform(-0.12, 0.12) * (xs / width - 0.5)
        rows = (np.arange(height, dtype=np.float32)[:, None] - middle) * grow + middle + wave + slope * (xs - width / 2)
        columns = np.broadcast_to(xs * across, (height, width)).astype(np.float32)
        shot = cv2.remap(paper, columns, (rows * down).astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    else:
        shear = rng.normal(0, 0.04)
        matrix = np.array([[across, shear * down, -shear * middle * down], [slope * down, down, -slope * down * width / 2]])
        shot = cv2.warpAffine(
            paper, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
    signs = [(kind, first / across, last / across) for kind, first, last in signs]
    shot = _exposed(shot, pixels, rng, harm)
    return shot, signs, top / down, bottom / down, pixels


def _away(height: int, width: int, x: float, y: float) -> np.ndarray:
    """(height, width): how far each pixel is from a point."""
    return np.hypot(np.arange(height, dtype=np.float32)[:, None] - y, np.arange(width, dtype=np.float32)[None] - x)


def _exposed(shot: np.ndarray, pixels: float, rng: Rng, harm: float) -> np.ndarray:
    chance = rng.random(12) < 0.33 * (0.3 + harm)
    height, width = shot.shape
    shot = shot * 240
    if chance[0]:
        field_ = cv2.resize(
            rng.uniform(1 - 0.7 * harm, 1.05, (2, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
        )
        shot = shot * field_
    if chance[1]:
        shot = cv2.GaussianBlur(shot, (0, 0), rng.uniform(0.35, 0.5 + pixels * 0.085 * harm + 0.7 * harm))
    if chance[2]:
        reach = rng.uniform(1.5, 2 + pixels * 0.42 * harm)
        side = int(reach) | 1
        kernel = np.zeros((side, side), np.float32)
        angle = rng.uniform(0, np.pi)
        half = (side - 1) / 2
        for step in np.linspace(-reach / 2, reach / 2, 3 * side):
            y, x = round(half + step * np.sin(angle)), round(half + step * np.cos(angle))
            if 0 <= y < side and 0 <= x < side:
                kernel[y, x] = 1
        shot = cv2.filter2D(shot, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    if chance[3]:
        spread, at = width * rng.uniform(0.02, 0.2), rng.uniform(0, width)
        shot = shot + np.exp(-(((np.arange(width, dtype=np.float32) - at) / spread) ** 2)) * np.float32(
            rng.uniform(30, 60 + 160 * harm)
        )
    if chance[3] and rng.random() < 0.7:  # a lamp in the paper: round, white in the middle, and letters go half under
        away = _away(height, width, float(rng.uniform(0, width)), height / 2 + pixels * rng.uniform(-2.5, 2.5))
        spread = pixels * rng.uniform(0.5, 2.2)
        shot = shot + np.exp(-((away / spread) ** 2)) * np.float32(rng.uniform(60, 120 + 300 * harm))
    if chance[4] or chance[5]:
        low, high = rng.uniform(0, 40 + 90 * harm), rng.uniform(235 - 90 * harm, 245)
        shot = low + np.clip(shot, 0, 255) * ((high - low) / 255)
    if chance[6]:
        shot = np.clip(shot, 0, 255) ** np.float32(rng.uniform(0.7, 1.4))
        shot = shot * (240 / max(1.0, float(shot.max())))
    if chance[7] or chance[8]:
        shot = shot + rng.standard_normal(shot.shape, np.float32) * np.float32(rng.uniform(1, 4 + 14 * harm))
    if chance[9] and rng.random() < 0.5:
        shot = cv2.addWeighted(shot, 2.0, cv2.GaussianBlur(shot, (0, 0), 1.2), -1.0, 0)
    if chance[10] and rng.random() < 0.6:
        for _ in range(int(1 + 4 * rng.random())):
            at = int(rng.integers(width))
            shot[:, at : at + 1 + int(rng.integers(2))] = rng.choice([40, 120, 250])
    if chance[11] and rng.random() < 0.6:
        middle = (float(shot.min()) + float(shot.max())) / 2
        shot = np.where(shot > middle + rng.uniform(-45, 50) * harm, 255.0, 0.0)
    grey = np.clip(shot, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        grey = cv2.imdecode(
            cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(85 - 60 * harm, 95))])[1], cv2.IMREAD_GRAYSCALE
        )
    return grey


def _cut_out(shot: np.ndarray, signs: list[Sign], top: float, bottom: float, rng: Rng) -> Cut:
    capital = bottom - top
    tall = capital * rng.uniform(1.05, 2.0)
    middle = (top + bottom) / 2 + (tall - capital) * rng.uniform(-0.42, 0.42)
    factor = HEIGHT / tall
    first, last = signs[0][1], signs[-1][2]
    squeeze = min(rng.uniform(0.85, 1.2), (WIDTH - 6) / ((last - first) * factor))
    across = factor * squeeze
    free = WIDTH - (last - first) * across
    left = free * rng.uniform(0, 1) if rng.random() < 0.6 else min(free, rng.uniform(2, 30))
    matrix = np.array([[1 / across, 0, first - left / across], [0, 1 / factor, middle - tall / 2]])
    flags = (cv2.INTER_CUBIC if factor > 1 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(shot, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    frames = np.full(WIDTH // STRIDE, BLANK, np.int64)
    said: list[int] = []
    for kind, start, end in signs:
        a, b = ((start - first) * across + left) / STRIDE, ((end - first) * across + left) / STRIDE
        if kind == OTHER:
            frames[max(0, round(a)) : max(0, round(b))] = OTHER
            if not said or said[-1] != OTHER:
                said.append(OTHER)
            continue
        said.append(kind)
        middle_frame, half = (a + b) / 2 - 0.5, (b - a) / 2
        near = np.abs(np.arange(max(0, int(a) - 1), min(len(frames), int(b) + 2)) - middle_frame)
        span = frames[max(0, int(a) - 1) : min(len(frames), int(b) + 2)]
        span[(near < half * 0.8) & (span == BLANK)] = IGNORED
        span[(near < max(0.55, half * 0.45))] = kind
    return Cut(picture, frames, said)
