"""Glyphs of every Latin font in some folders, drawn once per size and put side by side as lines of text.

A font family is drawn with the same probability whatever the number of its faces, so that no generator's own font weighs more than
any other. ``HELD_OUT`` families are never trained on: they tell what the network does with a font it has not seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import ImageFont

HELD_OUT = ("courierprime", "robotocondensed", "inconsolata", "carlito", "ocrb", "b612mono", "texgyreheroscn", "cousine")
_UNUSABLE = re.compile(r"symbol|math|d050000|z003|chorus|hairline|thin|minus|emoji|cmex|cmsy|cmmi|stix(non|siz)|sizfour|lastresort|codicon|"
                       r"fontawesome|fa-|noto(sans|serif)(?!-|mono|display|cjk)", re.I)  # fmt: skip
_FACE = re.compile(r"[-_ ]?(bold|ital(ic)?|oblique|regular|roman|medium|light|semi(bold|light|condensed|expanded)?|extra(bold|light)?|"
                   r"black|heavy|book|demi|retina|bd|ita|cond(ensed)?|expanded|code|normal)+$", re.I)  # fmt: skip
_CHINESE = re.compile(r"cjk|wqy|uming|ukai|cwming|fallback", re.I)


class Glyphs:
    """One face at one size: coverage 0…255 of each character on the line's full height, and its advance, in pixels."""

    def __init__(self, face: tuple[str, int], size: int) -> None:
        self._font = ImageFont.truetype(face[0], size, index=face[1], layout_engine=ImageFont.Layout.BASIC)
        self.ascent, self.descent = self._font.getmetrics()
        self.height = self.ascent + self.descent
        box = self._font.getbbox("H")
        self.top, self.bottom = float(box[1]), float(box[3])  # of a capital
        self._drawn: dict[str, tuple[np.ndarray, int, int, float]] = {}

    def get(self, character: str) -> tuple[np.ndarray, int, int, float]:
        """Coverage, where it starts right of the pen and below the top of the line, and the advance."""
        if character not in self._drawn:
            mask, (left, top) = self._font.getmask2(character, mode="L")
            picture = np.asarray(mask, np.uint8).reshape(mask.size[1], mask.size[0])
            self._drawn[character] = (picture, left, top, float(self._font.getlength(character)))
        return self._drawn[character]


@lru_cache(maxsize=6000)
def glyphs(face: tuple[str, int], size: int) -> Glyphs:
    return Glyphs(face, size)


def families(folders: Sequence[str]) -> tuple[dict[str, list[tuple[str, int]]], list[tuple[str, int]]]:
    """Faces (file, index) by family, and the faces that have Chinese characters."""
    latin: dict[str, list[tuple[str, int]]] = {}
    chinese: list[tuple[str, int]] = []
    seen: set[str] = set()
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix.lower() not in {".ttf", ".otf", ".ttc"} or path.name.lower() in seen:
                continue
            seen.add(path.name.lower())
            if _UNUSABLE.search(path.name):
                continue
            for index in (0, 5) if "CJK" in path.name and path.suffix == ".ttc" else (0,):  # 5: the face of even widths
                face = (str(path), index)
                if not _has_letters(face):
                    continue
                family = _FACE.sub("", re.sub(r"[^a-z0-9]", "", path.stem.lower())) + ("mono" if index else "")
                latin.setdefault(family, []).append(face)
                if _CHINESE.search(path.name) and index == 0:
                    chinese.append(face)
    return latin, chinese


def _has_letters(face: tuple[str, int]) -> bool:
    try:
        drawn = glyphs(face, 24)
        pictures = [drawn.get(character)[0] for character in "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"]
    except (OSError, ValueError):
        return False
    return all(picture.size and picture.max() > 60 for picture in pictures) and len({p.tobytes() for p in pictures}) == 34
