"""Prescriptions for the sandbox's people, and the sheets they come on: as a value, and as a picture that the scanner reads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhirx.model import Order, Patient, Prescription, PrescriptionFacts
from nhirx.sim.people import Person

if TYPE_CHECKING:
    from nhirx.sim.simulator import Simulator

PRESCRIBER = "3502060427"


def make_prescription(sim: Simulator, person: Person, **changes: Any) -> Prescription:
    """A prescription of two days ago for ``person``, with one drug for a week; ``changes`` replace its members."""
    visited = sim.world.clock().replace(microsecond=0) - timedelta(days=2)
    visit_id, visited = sim.world.visit_ids.make("card", PRESCRIBER, person.national_id, visited)
    usual = Prescription(
        patient=Patient(national_id=person.national_id, birth_date=person.birth_date),
        sheet=PrescriptionFacts(
            visit_id=visit_id,
            visit_serial="0007",
            institution=PRESCRIBER,
            visited_at=visited,
            prescriber_format="2.0",
        ),
        diagnoses=("I10",),
        days=7,
        payment_category="4",
        fee=300,
        orders=(Order(code="AC12345100", usage="TID", days=7, total=21, route="PO"),),
        reference=f"rx-{visit_id[:4]}",
    )
    return Prescription.model_validate(dict(usual) | changes)


def draw_sheet(prescription: Prescription, path: Path) -> Path:
    """A printed sheet with the prescription's visit ID as text and as Code 128, as a picture at ``path`` (PNG).

    Codes in the sizes of laser printers, nothing worn: a sheet to find a prescription by, not one to measure a scanner with.
    """
    from nhirx_scanner.symbols import CODE128
    from PIL import Image, ImageDraw, ImageFont

    text = prescription.sheet.visit_id or ""
    values = [104, *(ord(character) - 32 for character in text)]  # 104 starts code set B
    values.append((104 + sum(place * value for place, value in enumerate(values[1:], 1))) % 103)
    widths = "".join(CODE128[value] for value in values) + "2331112"
    sheet = Image.new("L", (1240, 700), 255)
    pen = ImageDraw.Draw(sheet)
    x = 200
    for place, width in enumerate(map(int, widths)):
        if place % 2 == 0:
            pen.rectangle((x, 320, x + 3 * width - 1, 430), fill=0)
        x += 3 * width
    font = ImageFont.load_default(size=34)
    pen.text((200, 100), f"prescription {prescription.reference or ''}", fill=0, font=font)
    for place, order in enumerate(prescription.orders):
        pen.text((200, 150 + 40 * place), f"{order.code}  {order.usage or ''}  {order.total:g}", fill=0, font=font)
    pen.text((200, 450), text, fill=0, font=font)
    sheet.save(path)
    return path
