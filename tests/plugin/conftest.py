"""Values as the host hands them to plugins, all synthetic."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nhirx import hookimpl
from nhirx.model import CardReading, CheckError, Facts, Holder, Prescription, Receipt, UploadPlan, UploadRecord
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

VISIT_ID = "0USE4FA11RP4J370WR4K"
NOW = datetime(2026, 11, 20, 1, 0, 13, tzinfo=UTC)


def plugin(**hooks: Any) -> Any:
    """An object whose attributes are hook implementations."""
    return SimpleNamespaceWithIdentity(**{name: hookimpl(function) for name, function in hooks.items()})


class SimpleNamespaceWithIdentity:
    def __init__(self, **hooks: Any) -> None:
        self.__dict__.update(hooks)


def raising(error: BaseException) -> Any:
    def hook() -> None:
        raise error

    return hook


FAILURES = [RuntimeError("王小明 A123456789"), SystemExit(0), KeyboardInterrupt(), GeneratorExit(), MemoryError()]


def install_projects(factory: pytest.TempPathFactory, projects: dict[str, str]) -> Path:
    """A folder into which pip has installed a project for each name and source."""
    wheels, site = factory.mktemp("wheels"), factory.mktemp("site")
    made = [str(project_wheel(wheels, name, source)) for name, source in projects.items()]
    words = "--disable-pip-version-check install --no-index --no-deps --no-compile --quiet --target"
    subprocess.run([sys.executable, "-m", "pip", *words.split(), str(site), *made], check=True, capture_output=True)
    return site


def project_wheel(folder: Path, name: str, source: str) -> Path:
    """A wheel as a build backend makes it: one module and its description."""
    module = f"outside_{name.replace('-', '_')}"
    target = f"{module}:Plugin" if "class Plugin" in source else module
    about = f"outside_{name.replace('-', '_')}-1.2.3.dist-info"
    files = {
        f"{module}.py": source,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: outside-{name}\nVersion: 1.2.3\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": f"[nhirx]\n{name} = {target}\n",
    }
    digests = {
        path: base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        for path, content in files.items()
    }
    record = "".join(f"{path},sha256={digests[path]},{len(content.encode())}\n" for path, content in files.items())
    path = folder / f"outside_{name.replace('-', '_')}-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
        archive.writestr(f"{about}/RECORD", record + f"{about}/RECORD,,\n")
    return path


@pytest.fixture
def values() -> SimpleNamespace:
    """One of each: scan, facts, plan, prescription, holder, reading, record, receipt, errors."""
    patient = {"national_id": "A123456789", "birth_date": "0501231"}
    return SimpleNamespace(
        scan=SimpleNamespace(status="found", visit_id=VISIT_ID, visit_ids=(VISIT_ID,), codes=(), confidence="agreed", reasons=()),
        facts=Facts.from_json(
            {
                "dispensed_at": "1151120090013",
                "pharmacy": {"institution": "5901234567", "pharmacist": "B200000002"},
                "patient": patient,
                "prescription": {"visit_id": VISIT_ID},
            }
        ),
        plan=UploadPlan(ok=True, action="upload", call="1.53", fields={"M07": "AF", "M15": None}, from_card=("M15",), why={}),
        prescription=Prescription.model_validate(
            {"patient": patient, "sheet": {"visit_id": VISIT_ID}, "reference": "R1", "orders": [{"code": "AC12345100"}]}
        ),
        holder=Holder(
            card_number="000012345678", name="王小明", national_id="A123456789", birth_date=date(1961, 12, 31), sex="M"
        ),
        reading=CardReading(made_by="card", visited_at=NOW, institution="5901234567", visit_id=VISIT_ID),
        record=UploadRecord(fields={"M07": "AF", "M15": VISIT_ID}),
        receipt=Receipt(opcode="OP-1", received_at=NOW),
        errors=(CheckError(field="M15", code="D002", zh="就醫識別碼有誤", en="wrong visit ID"),),
    )


@pytest.fixture
def make() -> Any:
    """``make(plugin, …)``: a facade with only these plugins, named ``first``, ``second`` … in order of registration."""
    made: list[Plugins] = []

    def build(*plugins: object, **settings: Any) -> Plugins:
        host = Plugins(PluginSettings(**{"time_limit": 5.0} | settings), discover=False)
        made.append(host)
        for name, plugin in zip(("first", "second", "third", "fourth"), plugins, strict=False):
            host.register(plugin, name)
        return host

    yield build
    for host in made:
        host.close()
