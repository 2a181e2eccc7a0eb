"""Draws a sheet: the form with its Chinese labels, what is filled in, codes in their slots, stamps.

The empty form of a layout is drawn once per resolution; filling one in takes a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from samples.codes import LINEAR, draw, width_in_modules
from samples.fonts import font
from samples.sheet import LAYOUTS, Code, SheetFacts, Slot, roc_text, valid_until

_INK = 28
_RED = (46, 40, 190)  # BGR of a vermilion ink pad
_LABELS = (
    "姓　　名",
    "身分證號",
    "出生日期",
    "性　　別",
    "就醫科別",
    "病歷號碼",
    "就醫日期",
    "就醫序號",
    "診　　斷",
    "給藥日份",
    "領藥期限",
)
_COLUMNS = (
    ("藥品代碼", 0.0),
    ("藥品名稱及規格", 0.17),
    ("用量", 0.56),
    ("用法", 0.66),
    ("途徑", 0.75),
    ("天數", 0.84),
    ("總量", 0.92),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A code on the drawn sheet. ``box`` is x, y, width, height in pixels without quiet zone; printed text is symbology text."""

    code: Code
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn sheet: BGR picture, pixels per millimetre, where everything is. The picture may be written to by its owner."""

    image: np.ndarray
    scale: float
    placed: tuple[Placed, ...]
    facts: SheetFacts

    @property
    def visit_boxes(self) -> tuple[tuple[float, float, float, float], ...]:
        return tuple(item.box for item in self.placed if item.code.kind in {"visit-id", "placeholder"})


def render(sheet: SheetFacts, dpi: float = 200) -> Drawn:
    """The sheet at ``dpi``, straight and clean. Raises ``ComponentMissing`` when a font is not installed."""
    scale = dpi / 25.4
    page = Image.fromarray(_empty_form(sheet.layout, scale, sheet.refill is not None).copy())
    placed = _fill_in(ImageDraw.Draw(page), sheet, scale)
    grey = np.asarray(page).copy()
    placed += _place_codes(grey, sheet, scale)
    _captions(grey, placed, scale)
    image = np.repeat(grey[:, :, None], 3, axis=2)
    _stamps(image, sheet, scale)
    return Drawn(image, scale, tuple(placed), sheet)


def _size(millimetres: float, scale: float) -> int:
    return max(6, round(millimetres * scale))


@lru_cache(maxsize=24)
def _empty_form(layout: str, scale: float, chronic: bool) -> np.ndarray:
    plan = LAYOUTS[layout]
    page = Image.new("L", (round(plan.size[0] * scale), round(plan.size[1] * scale)), 255)
    pen = ImageDraw.Draw(page)
    x, y, width, height = (value * scale for value in plan.title)
    title = "全民健康保險慢性病連續處方箋" if chronic else "全民健康保險門診交付處方箋"
    pen.text((x + width / 2, y + height * 0.78), title, 0, font("cjk", _size(5.0, scale)), anchor="mm")
    for label, (left, top) in zip(_LABELS, _field_places(layout, scale), strict=True):
        pen.text((left, top), label + "：", 40, font("cjk", _size(3.0, scale)))
    x, y, width, height = (value * scale for value in plan.table)
    line = max(1, round(0.25 * scale))
    rows = 6
    for row in range(rows + 2):
        top = y + height * row / (rows + 1)
        pen.line((x, top, x + width, top), 60, line)
    for name, share in _COLUMNS:
        pen.line((x + width * share, y, x + width * share, y + height), 60, line)
        pen.text((x + width * share + scale, y + scale), name, 40, font("cjk", _size(2.8, scale)))
    pen.line((x + width, y, x + width, y + height), 60, line)
    bottom = plan.size[1] - 2.0
    words = "本處方箋由特約藥局調劑；請妥善保管並於期限內領藥。"
    pen.text((plan.size[0] * scale / 2, bottom * scale), words, 90, font("cjk", _size(2.3, scale)), anchor="mm")
    return np.asarray(page)


def _field_places(layout: str, scale: float) -> list[tuple[float, float]]:
    x, y, width, height = LAYOUTS[layout].fields
    columns = 3 if width > 120 else 2
    rows = -(-len(_LABELS) // columns)
    return [
        ((x + width * (i % columns) / columns) * scale, (y + height * (i // columns) / rows) * scale) for i in range(len(_LABELS))
    ]


def _fill_in(pen: ImageDraw.ImageDraw, sheet: SheetFacts, scale: float) -> list[Placed]:
    plan, who = LAYOUTS[sheet.layout], sheet.person
    x, y, width, height = (value * scale for value in plan.title)
    pen.text((x + width / 2, y + height * 0.26), sheet.institution.name, 0, font("cjk", _size(4.6, scale)), anchor="mm")
    birth = f"{who.birth_date.year - 1911:03d}/{who.birth_date:%m/%d}"
    refill = f"{sheet.days} 天" + (f"　第 {sheet.refill[0]} 次／共 {sheet.refill[1]} 次" if sheet.refill else "")
    values = (
        who.name, who.national_id, birth, who.sex, sheet.institution.department, sheet.chart,
        f"{roc_text(sheet.visited_at)} {sheet.visited_at:%H:%M}", sheet.serial, "、".join(part.split()[0] for part in sheet.diagnoses), refill,
        roc_text(valid_until(sheet)),
    )  # fmt: skip
    label = font("cjk", _size(3.0, scale))
    indent = label.getlength("姓　　名：")
    for value, (left, top) in zip(values, _field_places(sheet.layout, scale), strict=True):
        pen.text((left + indent, top), value, _INK, label)
    _drug_lines(pen, sheet, scale)
    if sheet.visit_text is None:
        return []
    # Under its 1-D code where there is one, else where the second wide slot would be.
    left, top = (plan.wide[1][0] * scale, (plan.wide[1][1] + 1.0) * scale)
    if any(code.symbology in LINEAR for code in sheet.visit_codes):
        left, top = plan.wide[0][0] * scale, (plan.wide[0][1] + plan.wide[0][3] + 0.8) * scale
    shown = " ".join(sheet.visit_text[i : i + 4] for i in range(0, 20, 4)) if sheet.grouped else sheet.visit_text
    face = font(sheet.text_font, _size(sheet.text_size, scale))
    words = "就醫識別碼："
    pen.text((left, top), words, _INK, label)
    left += label.getlength(words)
    pen.text((left, top), shown, 0, face)
    box = face.getbbox(shown)
    kind = sheet.visit_codes[0].kind if sheet.visit_codes else "visit-id"
    return [Placed(Code(sheet.visit_text, "text", kind), (left + box[0], top + box[1], box[2] - box[0], box[3] - box[1]))]


def _drug_lines(pen: ImageDraw.ImageDraw, sheet: SheetFacts, scale: float) -> None:
    x, y, width, height = (value * scale for value in LAYOUTS[sheet.layout].table)
    narrow = 2.4 if width / scale < 140 else 2.8
    words, figures = font("cjk", _size(narrow, scale)), font("mono", _size(2.5, scale))
    times = {"QD": 1, "BID": 2, "TID": 3, "QID": 4}
    for row, (code, drug, dose, usage) in enumerate(sheet.drugs, start=1):
        top = y + height * row / 7 + scale
        cells = (code, drug, dose, usage, "PO", str(sheet.days), str(times[usage] * sheet.days))
        for (_, share), cell in zip(_COLUMNS, cells, strict=True):
            pen.text((x + width * share + 0.6 * scale, top), cell, _INK, figures if cell.isascii() else words)


def _place_codes(grey: np.ndarray, sheet: SheetFacts, scale: float) -> list[Placed]:
    plan = LAYOUTS[sheet.layout]
    wide, square, small = list(plan.wide), list(plan.square), list(plan.small)
    if sheet.visit_text is not None and not any(code.symbology in LINEAR for code in sheet.visit_codes):
        wide.pop(1)
    placed = []
    for code in (*sheet.visit_codes, *sheet.others):
        linear = code.symbology in LINEAR
        needed = width_in_modules(code.text, code.symbology, code.ratio, code.level) * code.module
        slots = wide if linear and (needed > 40 or not small) else small if linear else square
        if not slots:
            continue
        slot = slots.pop(0)
        placed.append(_place(grey, code, slot, needed, scale))
    return placed


def _place(grey: np.ndarray, code: Code, slot: Slot, needed: float, scale: float) -> Placed:
    x, y, room, height = slot
    linear = code.symbology in LINEAR
    count = needed / code.module
    quiet = 8 if linear else 2
    module = min(code.module, room / (count + 2 * quiet), *(() if linear else (height / (count + 2 * quiet),)))
    width = module * count
    left = round((x + quiet * module) * scale)
    top = round((y if linear else y + quiet * module) * scale)
    picture = draw(
        code.text, code.symbology, (width * scale, (height if linear else width) * scale), ratio=code.ratio, level=code.level
    )
    picture = picture[: grey.shape[0] - top, : grey.shape[1] - left]
    grey[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return Placed(code, (left, top, picture.shape[1], picture.shape[0]))


def _captions(grey: np.ndarray, placed: list[Placed], scale: float) -> None:
    """The short line of text that printers put below a code that is no visit ID."""
    page = Image.fromarray(grey)
    pen = ImageDraw.Draw(page)
    for item in placed:
        if item.code.kind == "other" and item.code.symbology in LINEAR:
            x, y, width, height = item.box
            pen.text(
                (x + width / 2, y + height + 0.3 * scale), item.code.text, _INK, font("mono", _size(2.1, scale)), anchor="ma"
            )
    grey[:] = np.asarray(page)


@lru_cache(maxsize=64)
def _stamp_mask(words: str, scale: float, round_one: bool) -> np.ndarray:
    side = round(17 * scale)
    height = side if round_one else round(9 * scale)
    mask = Image.new("L", (side, height), 0)
    pen = ImageDraw.Draw(mask)
    edge = max(1, round(0.5 * scale))
    if round_one:
        pen.ellipse((edge, edge, side - edge, height - edge), outline=230, width=edge)
    else:
        pen.rectangle((edge, edge, side - edge, height - edge), outline=230, width=edge)
    size = _size(3.0 if round_one else 4.2, scale)
    lines = [words[i : i + 4] for i in range(0, len(words), 4)] if round_one else [words]
    for row, line in enumerate(lines):
        pen.text((side / 2, height / 2 + (row - (len(lines) - 1) / 2) * size * 1.1), line, 230, font("cjk", size), anchor="mm")
    return np.asarray(mask.rotate(7 if round_one else -3, fillcolor=0))


def stamp(image: np.ndarray, words: str, at: tuple[float, float], scale: float, *, round_one: bool = False) -> None:
    """Presses a red stamp onto a BGR picture; ``at`` is its upper left corner in pixels. Ink multiplies, so print shows through."""
    mask = _stamp_mask(words, scale, round_one)
    left, top = max(0, round(at[0])), max(0, round(at[1]))
    part = image[top : top + mask.shape[0], left : left + mask.shape[1]]
    if part.size == 0:
        return
    strength = mask[: part.shape[0], : part.shape[1], None].astype(np.float32) / 255
    ink = 1 - strength * (1 - np.array(_RED, np.float32) / 255)
    part[:] = (part * ink).astype(np.uint8)


def _stamps(image: np.ndarray, sheet: SheetFacts, scale: float) -> None:
    plan = LAYOUTS[sheet.layout]
    (x1, y1), (x2, y2) = plan.stamps
    stamp(image, sheet.institution.doctor, (x1 * scale, (y1 + 4) * scale), scale)
    stamp(image, sheet.institution.name[:8], (x2 * scale, y2 * scale), scale, round_one=True)
