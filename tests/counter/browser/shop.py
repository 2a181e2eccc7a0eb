"""What the browser tests stand on: a counter as a process of its own, the sandbox behind it, sheets and films of sheets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from nhirx.roc import TAIPEI
from nhirx.sim import PEOPLE, Person, Simulator
from samples import clip, sheet
from samples.people import Institution
from samples.people import Person as Printed

PRESCRIBER = "3502060427"
PATIENCE = float(os.environ.get("NHIRX_TEST_PATIENCE", "60"))
"""Seconds within which anything here has to happen, on a machine with other work to do."""
T = TypeVar("T")

# A plugin that is installed by a folder on the path: it knows the prescriptions that lie as files beside it.
_PLUGIN = """
import json, os, pathlib
from nhirx import hookimpl
from nhirx.model import Prescription

class Shelf:
    @hookimpl
    def nhirx_find_prescription(self, scan):
        file = pathlib.Path(os.environ["NHIRX_TEST_SHELF"]) / f"{scan.visit_id}.json"
        return Prescription.model_validate_json(file.read_text("utf-8")) if scan.visit_id and file.exists() else None
"""


def wait_for(condition: Callable[[], T], what: str) -> T:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE} s for {what}")


@dataclass(frozen=True)
class Sheet:
    """One prescription: what a plugin knows of it, and its visit ID. ``known`` puts it on the plugin's shelf."""

    visit_id: str
    prescription: dict[str, Any]
    person: Person
    visited_at: datetime


class Counter:
    """``nhirx counter`` as a process; ``start`` again after ``kill`` takes the same port and the same data."""

    def __init__(
        self, folder: Path, sim: Simulator, *, camera: Path | None = None, demo: bool = False, **environment: str
    ) -> None:
        self.folder, self.sim, self.port = folder, sim, 0
        self._words = ["--camera", str(camera)] if camera else []
        self._words += ["--demo"] if demo else []
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "shelf").mkdir()
        self._config = folder / "nhirx.toml"
        self._config.write_text(_settings(sim), "utf-8")
        plugins = folder / "plugins"
        known = plugins / "browser_shelf-1.dist-info"
        known.mkdir(parents=True)
        (plugins / "browser_shelf.py").write_text(_PLUGIN, "utf-8")
        (known / "METADATA").write_text("Metadata-Version: 2.1\nName: browser-shelf\nVersion: 1\n", "utf-8")
        (known / "entry_points.txt").write_text("[nhirx]\nshelf = browser_shelf:Shelf\n", "utf-8")
        installed = ["bridge", "csv", "dotmatrix", "fhir", "house-rules", "rxqr", "sql", "tutorial", "watch", "webhook"]
        self._environment = {
            **os.environ,
            "NHIRX_CONFIG": str(self._config),
            "NHIRX_DATA": str(folder / "data"),
            "NHIRX_TEST_SHELF": str(folder / "shelf"),
            "NHIRX_BLOCK_PLUGINS": ",".join(f"{prefix}{name}" for name in installed for prefix in ("", "nhirx-")),
            "PYTHONPATH": os.pathsep.join([str(plugins), *filter(None, [os.environ.get("PYTHONPATH")])]),
            # No reader of this machine: a socket that nobody serves, unless a test gives its own.
            "PCSCLITE_CSOCK_NAME": str(folder / "no-pcscd"),
            **environment,
        }
        self._process: subprocess.Popen[str] | None = None
        self.link = ""

    def start(self) -> None:
        words = [sys.executable, "-m", "nhirx", "counter", "--port", str(self.port), "--no-open", "--json", *self._words]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (self.folder / "log").read_text("utf-8")[-3000:]
        told = json.loads(line)
        assert "url" in told, told
        self.url = str(told["url"])
        self.link = str(told["token_url"])
        self.port = int(self.url.rsplit(":", 1)[1].rstrip("/"))

    def kill(self) -> None:
        """As a power cut would end it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)
        if self._process.stdout:
            self._process.stdout.close()

    def know(self, shown: Sheet) -> None:
        (self.folder / "shelf" / f"{shown.visit_id}.json").write_text(json.dumps(shown.prescription), "utf-8")


def _settings(sim: Simulator) -> str:
    """The settings of the sandbox's pharmacy as a file, impatient so that tests need not wait."""
    made = sim.settings()
    service = f'url = "{sim.url}"\nca_file = "{sim.ca_file.as_posix()}"\ntimeout = 10.0\n'
    quick = "retry_first = 0.2\nretry_limit = 1.0\npoll_first = 0.2\n"
    return (
        f'[pharmacy]\ninstitution = "{made.pharmacy.institution}"\npharmacist = "{made.pharmacy.pharmacist}"\n'
        f'[record]\nmedical_category = "{made.record.medical_category}"\n'
        f'[control]\nkind = "control6"\n[control.local]\n{service}[control.data_centre]\n{service}'
        f"[upload]\n{quick}[upload.service]\n{service}"
    )


_made = 0


def make_sheet(sim: Simulator, person: Person = PEOPLE[0], **changes: Any) -> Sheet:
    """A prescription of yesterday, each a minute after the one before, with the prescriber's visit ID for it."""
    global _made
    _made += 1
    yesterday = datetime.now(TAIPEI).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=1)
    visit_id, visited = sim.world.visit_ids.make("card", PRESCRIBER, person.national_id, yesterday + timedelta(minutes=_made))
    lines = [
        {"kind": "drug", "code": "AX90001100", "usage": "QD", "days": 7, "total": 7, "route": "PO"},
        {"kind": "drug", "code": "AX90005100", "usage": "TID", "days": 7, "total": 21, "route": "PO"},
    ]
    prescription: dict[str, Any] = {
        "reference": f"rx-{_made}",
        "patient": {"national_id": person.national_id, "birth_date": person.birthday},
        "sheet": {
            "visit_id": visit_id,
            "visit_id_state": "read",
            "visit_serial": "0007",
            "institution": PRESCRIBER,
            "visited_at": visited.isoformat(),
            "prescriber_format": "2.0",
        },
        "diagnoses": ["I10"],
        "days": 7,
        "payment_category": "4",
        "fee": 360,
        "copayment": 0,
        "orders": lines,
    }
    return Sheet(visit_id, prescription | changes, person, visited)


def printed(shown: Sheet) -> sheet.SheetFacts:
    """The same prescription as it stands on paper, with a bar code, a QR and a few codes that are something else."""
    made = sheet.facts(np.random.default_rng(7), forms=("text", "code128", "qr"), distractors=3, layout="clinic")
    codes = tuple(replace(code, text=shown.visit_id) for code in made.visit_codes)
    one = shown.person
    return replace(
        made,
        person=Printed(one.name, one.national_id, one.birth_date),
        institution=Institution(PRESCRIBER, "安平示範聯合診所", "家醫科", "林大華"),
        visited_at=shown.visited_at,
        serial="0007",
        visit_text=shown.visit_id,
        visit_codes=codes,
        days=7,
        refill=None,
        drugs=sheet.DRUGS[:1] + sheet.DRUGS[4:5],
        ids_by_form=dict.fromkeys(made.ids_by_form, shown.visit_id),
    )


def film(path: Path, shown: Sheet) -> None:
    """A hand brings the sheet, holds it and takes it away: for the browser's fake camera."""
    clip.write_mjpeg(path, clip.clip(4, held=14, after=4, shown=printed(shown)).images)


def film_of_picture(path: Path, picture: Path) -> None:
    """One picture that does not move."""
    image = cv2.imread(str(picture))
    assert image is not None
    scale = min(1280 / image.shape[1], 720 / image.shape[0])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((720, 1280, 3), 90, np.uint8)
    frame[: small.shape[0], : small.shape[1]] = small
    clip.write_mjpeg(path, [frame] * 4)


def film_of_desk(path: Path) -> None:
    """Nothing but a desk."""
    clip.write_mjpeg(path, list(clip.clip(4, before=4, entering=0, held=0, leaving=0, after=0).images))


def masked(national_id: str) -> str:
    return national_id[:3] + "*" * 6 + national_id[-1]
