"""A host with the plugin, and folders for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nhirx_fhir import Fhir
from nhirx_fhir.invented import SHOP

from nhirx.plugin.manager import Plugins
from nhirx.roc import TAIPEI
from nhirx.settings import PluginSettings

NOW = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)


@pytest.fixture
def counter(tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """``counter(bundle, supplement, **options)``: a host with the plugin, its folders, and the bundle in the inbox."""

    def build(bundle: Any = None, extra: Any = None, **options: Any) -> SimpleNamespace:
        folders = {name: tmp_path / name for name in ("in", "out")}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        if bundle is not None:
            (folders["in"] / "a.json").write_text(json.dumps(bundle), "utf-8")
        if extra is not None:
            (folders["in"] / "a.supplement.json").write_text(json.dumps({"RX-0001": extra}), "utf-8")
        table = {"inbox": str(folders["in"]), "outbox": str(folders["out"]), **SHOP, **options}
        host = Plugins(PluginSettings(options={"fhir": table}), discover=False)
        host.register(Fhir(lambda: NOW), "fhir")
        return SimpleNamespace(host=host, inbox=folders["in"], outbox=folders["out"])

    return build
