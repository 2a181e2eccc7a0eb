"""A new plugin project: five small files that work, with tests that pass, to be changed line by line."""

from __future__ import annotations

import re
from pathlib import Path

from nhirx.errors import AlreadyThere, InvalidValue

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write(name: str, folder: Path) -> list[Path]:
    """Write the project ``nhirx-NAME`` into ``folder`` and give its files. ``name`` may come with the ``nhirx-`` or without.

    Raises ``InvalidValue`` for a name that is no package name, ``AlreadyThere`` where the project's folder is there already.
    """
    name = name.removeprefix("nhirx-")
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise InvalidValue(what=name[:40], problem="請用小寫英文、數字與連字號 / use small letters, digits and hyphens")
    words = {
        "NAME": name,
        "PACKAGE": f"nhirx_{name.replace('-', '_')}",
        "CLASS": "".join(part.capitalize() for part in name.split("-")) + "Plugin",
    }
    project = folder / f"nhirx-{name}"
    if project.exists():
        raise AlreadyThere(path=str(project))
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

設定檔的位置由 `nhirx doctor` 告訴你，或以 `NHIRX_CONFIG` 指定。`nhirx doctor` says where the settings file is; `NHIRX_CONFIG` names another.

安裝 install: `pip install -e . pytest` · 測試 test: `python -m pytest` · 狀態 state: `nhirx plugins` · 逐次呼叫 every call: `NHIRX_TRACE_PLUGINS=1`

所有掛勾與範例 every hook, with examples: `nhirx docs`
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
"""The plugin at a counter that dispenses and uploads. Reader, NHI and patient are simulated."""

import pytest
from @PACKAGE@ import @CLASS@

from nhirx.errors import PlanBlocked, PluginRefused


def test_from_the_sheet_to_accepted(nhirx_counter, nhirx_prescription, nhirx_sheet):
    made = nhirx_prescription(reference="R1")
    plugin = @CLASS@()
    plugin.prescriptions[made.sheet.visit_id] = made

    counter = nhirx_counter(plugin)
    [scan] = counter.host.scan(nhirx_sheet(made))
    counter.dispense(counter.host.find_prescription(scan))

    assert ["accepted"] == counter.send()
    assert plugin.accepted["R1"]


def test_sheet_of_somebody_else_is_left_to_others(nhirx_counter, nhirx_prescription, nhirx_sheet):
    counter = nhirx_counter(@CLASS@())
    [scan] = counter.host.scan(nhirx_sheet(nhirx_prescription()))

    assert counter.host.find_prescription(scan) is None


def test_stops_long_supplies(nhirx_counter, nhirx_prescription):
    counter = nhirx_counter(@CLASS@(), options={"@CLASS@": {"longest_days": 5}})

    with pytest.raises(PlanBlocked, match="supply-too-long"):
        counter.dispense(nhirx_prescription(days=7))


def test_wrong_option_is_refused(nhirx_counter):
    with pytest.raises(PluginRefused, match="longest_days"):
        nhirx_counter(@CLASS@(), options={"@CLASS@": {"longest_days": "many"}})
''',
    ".gitignore": "__pycache__/\n*.egg-info/\ndist/\n.venv/\n",
}
