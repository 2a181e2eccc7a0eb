"""What is on a sheet (``SheetFacts``), made up from a seed, and where the layouts put it.

Lengths are millimetres. A layout has slots for codes: ``wide`` ones take the 1-D form of a visit ID, ``square`` ones a QR,
``small`` ones short 1-D codes. ``samples.form`` draws the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from samples import ids
from samples.codes import width_in_modules
from samples.people import Institution, Person, institution, person

Slot = tuple[float, float, float, float]

# Generic names are public; the ten-character codes are invented.
DRUGS = (
    ("AX90001100", "Amlodipine 5mg 脈壓平錠", "1 錠", "QD"), ("AX90002100", "Metformin 500mg 糖穩錠", "1 錠", "BID"),
    ("AX90003100", "Atorvastatin 20mg 脂清錠", "1 錠", "QD"), ("AX90004100", "Valsartan 80mg 壓舒錠", "1 錠", "QD"),
    ("AX90005100", "Acetaminophen 500mg 止痛錠", "1 錠", "QID"), ("AX90006100", "Amoxicillin 500mg 膠囊", "1 粒", "TID"),
    ("AX90007100", "Famotidine 20mg 胃安錠", "1 錠", "BID"), ("AX90008100", "Aspirin 100mg 腸溶錠", "1 錠", "QD"),
    ("AX90009151", "Dextromethorphan 止咳液 120ml", "10 mL", "TID"), ("AX90010343", "Fusidic acid 2% 軟膏 10g", "適量", "BID"),
)  # fmt: skip
_DIAGNOSES = (
    "I10 本態性高血壓",
    "E11.9 第二型糖尿病",
    "E78.5 高血脂症",
    "J06.9 急性上呼吸道感染",
    "K21.9 胃食道逆流",
    "M54.5 下背痛",
)
_VISIT_1D = ("code39", "code128", "code93")


@dataclass(frozen=True, slots=True)
class Code:
    """One code to print. ``kind`` is that of the scan result: visit-id, placeholder, prescription-qr, virtual-card, other."""

    text: str
    symbology: str
    kind: str
    ratio: float = 2.0
    level: str = "M"
    module: float = 0.25


@dataclass(frozen=True, slots=True)
class Layout:
    """Paper size, the places of header, fields and table, and the slots (x, y, width, height)."""

    size: tuple[float, float]
    title: Slot
    fields: Slot
    table: Slot
    stamps: tuple[tuple[float, float], ...]
    wide: tuple[Slot, ...]
    square: tuple[Slot, ...]
    small: tuple[Slot, ...]


LAYOUTS = {
    "clinic": Layout(
        (210, 148), (58, 5, 118, 16), (7, 27, 160, 34), (7, 65, 160, 42), ((150, 112), (178, 113)),
        ((6, 110, 96, 14), (6, 131, 96, 9)), ((180, 4, 25, 25), (172, 33, 31, 31), (172, 69, 31, 31)),
        ((6, 6, 48, 12), (106, 131, 46, 9), (156, 131, 48, 9)),
    ),
    "hospital": Layout(
        (210, 148), (66, 4, 92, 16), (44, 26, 160, 34), (44, 64, 160, 42), ((152, 110), (180, 112)),
        ((46, 109, 96, 14), (106, 131, 98, 9)), ((6, 5, 30, 30), (6, 40, 33, 33), (6, 78, 31, 31)),
        ((162, 6, 44, 11), (6, 114, 36, 10), (6, 130, 50, 10)),
    ),
    "slip": Layout(
        (148, 210), (30, 5, 84, 16), (6, 47, 104, 53), (6, 104, 136, 48), ((96, 158), (122, 160)),
        ((6, 24, 100, 14), (6, 191, 100, 11)), ((114, 24, 30, 30), (114, 60, 29, 29), (6, 156, 32, 32)),
        ((42, 158, 48, 11), (42, 176, 46, 10), (110, 192, 36, 9)),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """Everything printed on one sheet. ``visit_codes`` may be empty (text only) and ``visit_text`` None (codes only)."""

    person: Person
    institution: Institution
    visited_at: datetime
    serial: str
    visit_text: str | None
    visit_codes: tuple[Code, ...]
    others: tuple[Code, ...] = ()
    layout: str = "clinic"
    chart: str = "0000000"
    days: int = 7
    refill: tuple[int, int] | None = None
    drugs: tuple[tuple[str, str, str, str], ...] = ()
    diagnoses: tuple[str, ...] = ()
    text_font: str = "mono"
    text_size: float = 3.2
    grouped: bool = False
    dot_matrix: bool = False
    ids_by_form: dict[str, str] = field(default_factory=dict)


def facts(
    rng: np.random.Generator,
    *,
    forms: tuple[str, ...] | None = None,
    placeholder: bool = False,
    distractors: int | None = None,
    layout: str | None = None,
) -> SheetFacts:
    """A sheet nobody ever had. ``forms`` is a subset of text, 1d, qr (or a named symbology); None draws one by its usual share."""
    who, where, when = person(rng), institution(rng), ids.moment(rng)
    value = ids.placeholder(rng) if placeholder else ids.visit_id(who.national_id, when, ids.prefix(rng))
    chosen = forms if forms is not None else _usual_forms(rng)
    layout = layout or ("clinic", "hospital", "slip")[int(rng.integers(3))]
    kind = "placeholder" if placeholder else "visit-id"
    codes = tuple(_visit_code(rng, value, form, kind, layout) for form in chosen if form != "text")
    chronic = bool(rng.random() < 0.4)
    picked = rng.permutation(len(DRUGS))[: int(rng.integers(1, 6))]
    base = SheetFacts(
        person=who,
        institution=where,
        visited_at=when,
        serial=f"{int(rng.integers(1, 60)):04d}",
        visit_text=value if "text" in chosen else None,
        visit_codes=codes,
        layout=layout,
        chart=f"{int(rng.integers(10**6, 10**8))}",
        days=28 if chronic else int(rng.integers(3, 8)),
        refill=(int(rng.integers(1, 4)), 3) if chronic else None,
        drugs=tuple(DRUGS[int(index)] for index in picked),
        diagnoses=tuple(_DIAGNOSES[int(index)] for index in rng.permutation(len(_DIAGNOSES))[: int(rng.integers(1, 4))]),
        text_font="mono" if rng.random() < 0.6 else "sans",
        text_size=float(rng.uniform(2.8, 4.0)),
        grouped=bool(rng.random() < 0.15),
        ids_by_form={("text" if form == "text" else _symbology(form, codes)): value for form in chosen},
    )
    wanted = int(rng.integers(0, 9)) if distractors is None else distractors
    return replace(base, others=_others(rng, base, wanted))


def _usual_forms(rng: np.random.Generator) -> tuple[str, ...]:
    shares = (
        (("text", "1d", "qr"), 0.30),
        (("text", "1d"), 0.25),
        (("text", "qr"), 0.25),
        (("1d", "qr"), 0.08),
        (("1d",), 0.06),
        (("qr",), 0.06),
    )
    return shares[int(rng.choice(len(shares), p=[share for _, share in shares]))][0]


def _symbology(form: str, codes: tuple[Code, ...]) -> str:
    if form == "1d":
        return next(code.symbology for code in codes if code.symbology != "qr")
    return form


def _visit_code(rng: np.random.Generator, text: str, form: str, kind: str, layout: str) -> Code:
    if form == "qr":
        level = "LMMQH"[int(rng.integers(5))]
        return Code(text, "qr", kind, level=level, module=float(rng.uniform(0.38, 0.80)))
    symbology = _VISIT_1D[int(rng.choice(3, p=(0.45, 0.45, 0.10)))] if form == "1d" else form
    ratio = float(rng.choice((2.0, 2.2, 2.5, 2.5, 3.0, 3.0))) if symbology == "code39" else 2.0
    room = LAYOUTS[layout].wide[0][2] / (width_in_modules(text, symbology, ratio) + 14)
    return Code(text, symbology, kind, ratio=ratio, module=min(float(rng.uniform(0.22, 0.34)), room))


def _others(rng: np.random.Generator, sheet: SheetFacts, count: int) -> tuple[Code, ...]:
    """Codes that are no visit ID, in the variety that a sheet may carry."""
    roc = f"{sheet.visited_at.year - 1911:03d}{sheet.visited_at:%m%d}"
    ean = f"471{int(rng.integers(10**9)):09d}"
    lines = ";".join(f"{code};1;{usage};PO;{sheet.days}" for code, _, _, usage in sheet.drugs)
    masked = f"{sheet.person.national_id[:4]}****{sheet.person.national_id[8:]}"
    rx = f"{sheet.institution.code};1;;{sheet.person.name};{masked};{roc};01;{roc};{sheet.serial};;I21;I10;;;{lines}"
    pool = [
        Code(sheet.chart, "code39", "other", ratio=2.5, module=0.24),
        Code(ean + _ean_check(ean), "ean13", "other", module=0.30),
        Code(sheet.drugs[0][0], "code128", "other", module=0.25),
        Code(rx, "qr", "prescription-qr", level="L", module=0.36),
        Code(f"RC{roc}{int(rng.integers(10**6)):06d}", "code128", "other", module=0.22),
        Code(f"https://pay.example.tw/r/{int(rng.integers(10**8)):08d}", "qr", "other", level="L", module=0.5),
        Code("VHC." + "".join(f"{int(rng.integers(256)):02x}" for _ in range(24)), "qr", "virtual-card", level="L", module=0.5),
        Code("https://www.example.tw/survey?h=" + sheet.institution.code, "qr", "other", level="M", module=0.5),
    ]
    return tuple(pool[int(index)] for index in rng.permutation(len(pool))[:count])


def _ean_check(twelve: str) -> str:
    return str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve)) % 10)


def roc_text(moment: datetime) -> str:
    """``115/11/18``."""
    return f"{moment.year - 1911:03d}/{moment:%m/%d}"


def valid_until(sheet: SheetFacts) -> datetime:
    """Printed on the sheet as text only; three days, or the whole course of a refillable prescription."""
    return sheet.visited_at + timedelta(days=3 if sheet.refill is None else sheet.days * sheet.refill[1])
