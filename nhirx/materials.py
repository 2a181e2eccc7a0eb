"""What is installed with nhirx: the bill of materials (CycloneDX 1.6) and the licences, from the packages' own metadata.

``python -m nhirx.materials`` writes ``docs/licences.md`` of a checkout, ``--check`` compares; ``nhirx doctor --sbom FILE`` writes
the bill of this very machine.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?[^;]*(?:;(.*))?", re.S)
_EXTRA = re.compile(r"extra\s*==\s*[\"']([^\"']+)[\"']")

# Words of older metadata, in SPDX terms. What is not here is shown as the package writes it.
_SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD license": "BSD-3-Clause",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_PLAIN_ID = re.compile(r"[A-Za-z0-9.+-]+", re.ASCII)


@dataclass(slots=True)
class Component:
    """One installed package. ``asked_by`` are the extras of nhirx that bring it, "" for the base install."""

    name: str
    version: str
    licence: str
    summary: str
    asked_by: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)


def components() -> dict[str, Component]:
    """By normal name: nhirx's requirements that are installed here, and theirs, with every extra that is there."""
    found: dict[str, Component] = {}
    own = distribution("nhirx")
    for _, extra, name, extras in _requirements(own):
        if name != "nhirx":
            _add(found, name, extras, extra or "", set())
    return dict(sorted(found.items()))


def _add(
    found: dict[str, Component], name: str, extras: frozenset[str], asked_by: str, seen: set[tuple[str, frozenset[str]]]
) -> None:
    if (name, extras) in seen:
        return
    seen.add((name, extras))
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return  # of another system, or an extra that is not installed
    made = found.setdefault(name, Component(name, package.version, _licence(package), _summary(package)))
    made.asked_by.add(asked_by)
    for _, extra, needed, wanted in _requirements(package):
        if (extra is None or extra in extras) and needed != name and _is_installed(needed):
            made.needs.add(needed)
            _add(found, needed, wanted, asked_by, seen)


def _requirements(package: Distribution) -> Iterable[tuple[str, str | None, str, frozenset[str]]]:
    """``(text, extra it belongs to, normal name, extras asked for)`` of each requirement that may hold on this Python."""
    for text in package.requires or ():
        if (parts := _REQUIREMENT.fullmatch(text)) is None:
            continue
        marker = parts[3] or ""
        extra = _EXTRA.search(marker)
        yield text, extra[1] if extra else None, _normal(parts[1]), frozenset(filter(None, re.split(r"[\s,]+", parts[2] or "")))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _summary(package: Distribution) -> str:
    meta: Any = package.metadata
    return str(meta.get("Summary") or "")


def _licence(package: Distribution) -> str:
    meta: Any = package.metadata
    if expression := meta.get("License-Expression"):
        return str(expression)
    named = [line.rsplit("::", 1)[-1].strip() for line in meta.get_all("Classifier") or () if line.startswith("License ::")]
    named = [name for name in named if name != "OSI Approved"]
    if named:
        return " OR ".join(dict.fromkeys(_SPDX.get(name, name) for name in named))
    words = (meta.get("License") or "").strip().splitlines()
    return _SPDX.get(words[0], words[0]) if words and len(words[0]) < 60 else "?"


def bill(now: datetime) -> dict[str, Any]:
    """The bill of materials of this machine, CycloneDX 1.6 as JSON members; the same packages give the same bill but for time."""
    found = components()
    own = distribution("nhirx").version
    reference = f"pkg:pypi/nhirx@{own}"
    named = "\n".join(_url(each) for each in found.values())
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, reference + named)}",
        "version": 1,
        "metadata": {
            "timestamp": now.isoformat(timespec="seconds"),
            "component": {
                "type": "application",
                "bom-ref": reference,
                "name": "nhirx",
                "version": own,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": reference,
            },
        },
        "components": [_entry(each) for each in found.values()],
        "dependencies": [
            {
                "ref": reference,
                "dependsOn": sorted(
                    {_url(found[name]) for _, _, name, _ in _requirements(distribution("nhirx")) if name in found}
                ),
            },
            *({"ref": _url(each), "dependsOn": sorted(_url(found[name]) for name in each.needs)} for each in found.values()),
        ],
    }


def _entry(each: Component) -> dict[str, Any]:
    licence = {"license": {"id": each.licence}} if _PLAIN_ID.fullmatch(each.licence) else {"license": {"name": each.licence}}
    return {
        "type": "library",
        "bom-ref": _url(each),
        "name": each.name,
        "version": each.version,
        "description": each.summary,
        "licenses": [licence],
        "purl": _url(each),
        "scope": "required" if "" in each.asked_by else "optional",
    }


def _url(each: Component) -> str:
    return f"pkg:pypi/{each.name}@{each.version}"


def page() -> str:
    """``docs/licences.md``: package, licence, and what asks for it. Versions are in ``constraints.txt``, so they are left out."""
    found = components()
    rows = []
    for each in found.values():
        by = "基本安裝 base" if "" in each.asked_by else ", ".join(sorted(f"`{extra}`" for extra in each.asked_by - {"all"}))
        rows.append(f"| {each.name} | {each.licence} | {by} |")
    weak = sorted(each.name for each in found.values() if re.search(r"\bA?GPL", each.licence.replace("LGPL", "")))
    lines = [
        "<!-- 由 nhirx.materials 產生，請勿手改：python -m nhirx.materials -->",
        "",
        "# 授權 Licences",
        "",
        "nhirx 本身為 Apache-2.0。下列套件隨它安裝，授權依各套件自己的說明。",
        "nhirx is Apache-2.0. These packages are installed with it; the licences are those their metadata name.",
        "",
        f"- 共 {len(found)} 個套件；要求公開原始碼的授權（GPL、AGPL）：{'、'.join(weak) or '無'}。",
        f"  {len(found)} packages; licences that ask for the source of what uses them: {', '.join(weak) or 'none'}.",
        "- LGPL（psycopg、pyscard）以套件原樣使用，未修改，可自行替換。 LGPL packages are used as they are and can be replaced.",
        "- 這台電腦實際安裝的版本 the versions on a machine：`nhirx doctor --sbom sbom.json`（CycloneDX 1.6）。",
        "- 為什麼用這些套件 why each of them：[0003](adr/0003-dependencies.md)。",
        "",
        "| 套件 package | 授權 licence | 由誰需要 asked for by |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def main(words: list[str]) -> int:
    path = Path(__file__).parents[1] / "docs" / "licences.md"
    if "--check" in words:
        return int(path.read_text("utf-8") != page())
    path.write_text(page(), "utf-8", newline="\n")
    return 0


def write(path: Path, now: datetime) -> None:
    """The bill as a file."""
    path.write_text(json.dumps(bill(now), ensure_ascii=False, indent=1) + "\n", "utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
