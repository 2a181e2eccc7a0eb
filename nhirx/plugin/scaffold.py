"""A new plugin project: five small files that work, with tests that pass, to be changed line by line."""

from __future__ import annotations

import re
from pathlib import Path

from nhirx.errors import InvalidValue, StoreError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write(name: str, folder: Path) -> list[Path]:
    """Write the project ``nhirx-NAME`` into ``folder`` and give its files.

    Raises ``InvalidValue`` for a name that is no package name, ``StoreError`` where the project's folder is there already.
    """
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise InvalidValue(what=name[:40], problem="請用小寫英文、數字與連字號 / use small letters, digits and hyphens")
    words = {
        "NAME": name,
        "PACKAGE": f"nhirx_{name.replace('-', '_')}",
        "CLASS": "".join(part.capitalize() for part in name.split("-")) + "Plugin",
    }
    project = folder / f"nhirx-{name}"
    if project.exists():
        raise StoreError(problem=f"{project} 已存在 / is there already")
    written = []
    for path, text in _FILES.items():
        file = project / _filled(path, words)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_filled(text, words), "utf-8", newline="\n")
        written.append(file)
    return written


def _filled(text: str, words: dict[str, str]) -> str:
    for key, word in words.items():
        text = text.replace(f"@{key}@", word)
    return text


_FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "nhirx-@NAME@"
version = "0.1.0"
description = "nhirx plugin: @NAME@"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["nhirx>=0.1"]

[project.entry-points.nhirx]
@NAME@ = "@PACKAGE@:@CLASS@"

[tool.hatch.build.targets.wheel]
packages = ["@PACKAGE@"]
""",
    "README.md": """\
# nhirx-@NAME@

```toml
[plugins.options.@NAME@]
longest_days = 30
```

安裝 install: `pip install -e .` · 測試 test: `pytest` · 狀態 state: `nhirx plugins` · 逐次呼叫 every call: `NHIRX_TRACE_PLUGINS=1`

所有掛勾 every hook: `python -c "import nhirx.plugin.spec as spec; help(spec)"`
""",
    "@PACKAGE@/__init__.py": '''\
"""nhirx-@NAME@: a plugin to start from. Take out what you do not need: every hook is optional."""

from nhirx import Finding, Prescription, hookimpl
from nhirx.errors import SettingInvalid


class @CLASS@:
    def __init__(self):
        self.longest_days = None
        self.prescriptions = {}  # visit ID → what your system knows; a database in a real plugin
        self.accepted = {}

    @hookimpl
    def nhirx_configure(self, options):
        self.longest_days = options.get("longest_days")
        if self.longest_days is not None and not isinstance(self.longest_days, int):
            raise SettingInvalid(setting="plugins.options.@NAME@.longest_days", problem="須為整數 / a whole number")

    @hookimpl
    def nhirx_find_prescription(self, scan):
        found = self.prescriptions.get(scan.visit_id)
        return None if found is None else Prescription.model_validate(found)

    @hookimpl
    def nhirx_check(self, prescription):
        if prescription is None or self.longest_days is None or (prescription.days or 0) <= self.longest_days:
            return None
        return Finding(
            code="supply-too-long",
            severity="block",
            zh=f"給藥 {prescription.days} 日，超過 {self.longest_days} 日。",
            en=f"{prescription.days} days are more than {self.longest_days}.",
        )

    @hookimpl
    def nhirx_record_accepted(self, receipt, reference):
        self.accepted[reference] = receipt.opcode
''',
    "tests/test_plugin.py": '''\
"""The plugin inside nhirx, without a reader and without a network."""

from types import SimpleNamespace

import pytest
from @PACKAGE@ import @CLASS@

from nhirx.errors import PluginRefused
from nhirx.model import UploadPlan
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

VISIT_ID = "0USE4FA11RP4J370WR4K"  # synthetic
PATIENT = {"national_id": "A123456789", "birth_date": "0501231"}
PLAN = UploadPlan(ok=True, action="upload", call="1.53", fields={}, from_card=(), why={})


def host(plugin, **options):
    plugins = Plugins(PluginSettings(options={"@NAME@": options}), discover=False)
    plugins.register(plugin, "@NAME@")
    return plugins


def test_finds_the_prescription():
    plugin = @CLASS@()
    plugin.prescriptions[VISIT_ID] = {"reference": "R1", "patient": PATIENT, "sheet": {"visit_id": VISIT_ID}}

    assert "R1" == host(plugin).find_prescription(SimpleNamespace(visit_id=VISIT_ID)).reference
    assert host(@CLASS@()).find_prescription(SimpleNamespace(visit_id=VISIT_ID)) is None


@pytest.mark.parametrize(("days", "expected"), [(30, []), (31, ["supply-too-long"])])
def test_stops_long_supplies(days, expected):
    from nhirx import Prescription

    prescription = Prescription.model_validate({"patient": PATIENT, "sheet": {}, "days": days})

    assert expected == [finding.code for finding in host(@CLASS@(), longest_days=30).check(PLAN, prescription)]


def test_wrong_option_is_refused():
    with pytest.raises(PluginRefused, match="longest_days"):
        host(@CLASS@(), longest_days="many")
''',
    ".gitignore": "__pycache__/\n*.egg-info/\ndist/\n.venv/\n",
}
