"""Writes pages to a folder: ``python -m samples.make rendered`` the small set of this repository, ``… corpus`` as many as wanted.

    python -m samples.make rendered [--out samples/rendered]
    python -m samples.make corpus --out FOLDER [--kind hard] [--first 1000] [--count 100] [--severity 3]

A page is NAME.jpg beside NAME.json with its truth.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from nhirx.roc import TAIPEI
from samples import corpus, degrade, form, ids, sheet
from samples.people import DEMO_INSTITUTION, DEMO_PERSON, DEMO_REJECTED
from samples.sheet import Code

HERE = Path(__file__).parent / "rendered"
_VISITED = datetime(2026, 11, 18, 9, 30, tzinfo=TAIPEI)
_PER_DAY = {"QD": 1, "BID": 2, "TID": 3, "QID": 4}


def rendered(folder: Path) -> None:
    """The small set: the demo's sheet and prescription, one page of each way a sheet may come, and ``expected.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = _demo_facts()
    visit_id = facts.visit_text or ""
    expected: dict[str, list[dict[str, Any]]] = {}

    def keep(name: str, image: np.ndarray, *truths: dict[str, Any], quality: int = 60, grey: bool = True) -> None:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if grey and image.ndim == 3 else image
        options = [cv2.IMWRITE_JPEG_QUALITY, quality] if name.endswith("jpg") else [cv2.IMWRITE_PNG_COMPRESSION, 9]
        (folder / name).write_bytes(cv2.imencode(Path(name).suffix, image, options)[1].tobytes())
        expected[name] = list(truths)

    keep("demo-sheet.jpg", _held_up(facts), _found(visit_id), grey=False)
    other = _other_facts()
    keep("demo-sheet-2.jpg", _held_up(other), _found(other.visit_text or ""), quality=50)
    flat = form.render(facts, 150)
    keep("flatbed.png", flat.image, _found(visit_id))
    keep("upside-down.png", cv2.rotate(flat.image, cv2.ROTATE_180), _found(visit_id))
    both = corpus.page("two", 1006, 0)
    keep("two-sheets.jpg", _small(both), {"status": "several", "visit_ids": list(both.visit_ids)}, quality=22)
    keep("conflict.jpg", _small(corpus.page("conflict", 1001, 0)), {"status": "conflict", "visit_ids": []}, quality=30)
    keep("nothing.jpg", _small(corpus.page("nothing", 1006, 0)), {"status": "none", "visit_ids": []}, quality=30)
    keep("placeholder.jpg", _small(corpus.page("placeholder", 1004, 0)), {"status": "none", "visit_ids": []}, quality=30)
    text = corpus.page("text", 1005, 0)
    keep("text-only.jpg", _small(text), {"status": "text-only", "visit_ids": list(text.visit_ids)}, quality=40)

    pages = [form.render(replace(facts, visit_codes=(code,), others=()), 120).image for code in facts.visit_codes]
    stack = [Image.fromarray(degrade.bilevel(page, np.random.default_rng(1), 0.0)[:, :, 0]).convert("1") for page in pages]
    stack[0].save(folder / "two-pages.tiff", save_all=True, append_images=stack[1:], compression="group4")
    expected["two-pages.tiff"] = [_found(visit_id), _found(visit_id)]
    Image.fromarray(pages[0][:, :, 0]).copy().save(folder / "scan.pdf", resolution=120, quality=50)
    expected["scan.pdf"] = [_found(visit_id)]

    _write(folder / "expected.json", expected)
    _write(folder / "demo-prescription.json", _demo_prescription(facts))
    _write(folder / "demo-prescription-2.json", _other_prescription(other))


def _small(page: corpus.Page) -> np.ndarray:
    """About 165 dpi: enough for every code, and a third of the bytes."""
    return cv2.resize(page.image, None, fx=0.56, fy=0.56, interpolation=cv2.INTER_AREA)


def _found(visit_id: str) -> dict[str, Any]:
    return {"status": "found", "visit_ids": [visit_id]}


def _demo_facts() -> sheet.SheetFacts:
    visit_id = ids.visit_id(DEMO_PERSON.national_id, _VISITED, "0USE4F")
    facts = sheet.facts(np.random.default_rng(7), forms=("text", "code128", "qr"), distractors=4, layout="clinic")
    codes = (Code(visit_id, "code128", "visit-id", module=0.30), Code(visit_id, "qr", "visit-id", module=0.7))
    drugs = tuple(sheet.DRUGS[number] for number in (0, 1, 2))
    return replace(
        facts, person=DEMO_PERSON, institution=DEMO_INSTITUTION, visited_at=_VISITED, serial="0007", visit_text=visit_id,
        visit_codes=codes, days=28, refill=(1, 3), drugs=drugs, diagnoses=("I10 本態性高血壓", "E11.9 第二型糖尿病"),
        ids_by_form={"text": visit_id, "code128": visit_id, "qr": visit_id},
    )  # fmt: skip


def _other_facts() -> sheet.SheetFacts:
    """The demo's second sheet, whose record comes back: the printed birth date is the right one, the card's is not."""
    visit_id = ids.visit_id(DEMO_REJECTED.national_id, _VISITED, "0USE5R")
    drugs = (sheet.DRUGS[3],)
    codes = (Code(visit_id, "code128", "visit-id", module=0.30), Code(visit_id, "qr", "visit-id", module=0.7))
    return replace(
        _demo_facts(), person=DEMO_REJECTED, serial="0012", visit_text=visit_id, visit_codes=codes, days=7, refill=None, drugs=drugs,
        diagnoses=("J06.9 急性上呼吸道感染",), ids_by_form={"text": visit_id, "code128": visit_id, "qr": visit_id},
    )  # fmt: skip


def _held_up(facts: sheet.SheetFacts) -> np.ndarray:
    """The demo's photograph: on a desk, a little askew, a cup was on it, light from one side."""
    rng = np.random.default_rng(3)
    flat = form.render(facts, 170).image
    height, width = flat.shape[:2]
    flat = degrade.coffee(flat, np.random.default_rng(12), 0.3, [(width * 0.58, height * 0.58, 40.0, 20.0)])
    wide, high = 1600, 1200
    desk = np.full((high, wide, 3), (88, 112, 140), np.float32)
    desk += cv2.GaussianBlur(rng.normal(0, 30, (high, wide)).astype(np.float32), (0, 0), 6)[..., None] * 3
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, np.array([[150, 190], [1480, 130], [1530, 1060], [105, 1120]], np.float32))
    sheet_there = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, (wide, high))[..., None] > 127
    frame = np.where(sheet_there, cv2.warpPerspective(flat, matrix, (wide, high)).astype(np.float32), desk)
    ys, xs = np.mgrid[0:high, 0:wide].astype(np.float32)
    lamp = 0.80 + 0.28 * np.exp(-(((xs - 1100) / 900) ** 2 + ((ys - 250) / 700) ** 2))
    frame = cv2.GaussianBlur(frame * lamp[..., None], (0, 0), 0.8) + rng.normal(0, 3.5, frame.shape)
    return np.clip(frame, 0, 255).astype(np.uint8)


def _other_prescription(facts: sheet.SheetFacts) -> dict[str, Any]:
    """The pharmacy system took the birth date from the card, and the card's is wrong by two swapped digits."""
    code, _, _, usage = facts.drugs[0]
    drug = {"kind": "drug", "code": code, "usage": usage, "days": 7, "total": 7 * _PER_DAY[usage], "route": "PO"}
    usual = _demo_prescription(facts)
    return usual | {
        "reference": "demo-0002",
        "patient": {"national_id": facts.person.national_id, "birth_date": "0770502"},
        "sheet": {name: value for name, value in usual["sheet"].items() if name != "refill"},
        "diagnoses": ["J069"],
        "days": 7,
        "payment_category": "4",
        "fee": 320,
        "orders": [drug],
    }


def _demo_prescription(facts: sheet.SheetFacts) -> dict[str, Any]:
    """What a pharmacy system would hand in for the demo's sheet: the shape of ``nhirx.model.Prescription``."""
    return {
        "reference": "demo-0001",
        "patient": {"national_id": DEMO_PERSON.national_id, "birth_date": "0501231"},
        "sheet": {
            "visit_id": facts.visit_text,
            "visit_id_state": "read",
            "visit_serial": facts.serial,
            "institution": facts.institution.code,
            "visited_at": "1151118093000",
            "prescriber_format": "2.0",
            "refill": {"number": 1, "of": 3, "days": 28, "total_days": 84},
        },
        "diagnoses": ["I10", "E119"],
        "days": 28,
        "payment_category": "4",
        "fee": 1240,
        "copayment": 0,
        "orders": [
            {
                "kind": "drug",
                "code": code,
                "usage": usage,
                "days": 28,
                "total": 28 * _PER_DAY[usage],
                "route": "PO",
                "long_term": True,
            }
            for code, _, _, usage in facts.drugs
        ],
    }


def write_corpus(folder: Path, kind: str, first: int, count: int, severity: int | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for page in corpus.pages(kind, range(first, first + count), severity=severity):
        cv2.imwrite(str(folder / f"{page.name}.jpg"), page.image, [cv2.IMWRITE_JPEG_QUALITY, 90])
        _write(folder / f"{page.name}.json", page.truth())


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    small = commands.add_parser("rendered", help="the small set of this repository")
    small.add_argument("--out", type=Path, default=HERE)
    many = commands.add_parser("corpus", help="as many pages as wanted")
    many.add_argument("--out", type=Path, required=True)
    many.add_argument("--kind", default="hard", choices=("hard", *corpus.KINDS))
    many.add_argument("--first", type=int, default=corpus.TUNING.start)
    many.add_argument("--count", type=int, default=100)
    many.add_argument("--severity", type=int, choices=range(6))
    asked = parser.parse_args()
    if asked.command == "rendered":
        rendered(asked.out)
    else:
        write_corpus(asked.out, asked.kind, asked.first, asked.count, asked.severity)


if __name__ == "__main__":
    main()
